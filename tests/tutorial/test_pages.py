"""The site's pages: English and Korean have the same ones, built alike, and each shows code that is there."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from diptych.differences.catalogue import entries

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OURS = sorted(path.relative_to(DOCS / "ko").as_posix() for path in (DOCS / "ko").rglob("*.md"))
TUTORIAL = [name for name in OURS if name.startswith("tutorial/")]
MARK = re.compile(r"<!-- ([\w-]+)(?: ([\w.]+))? -->")
# Heads, headings, marks, code, tables and their rows, lists, formulas, boxes, links to the catalogue, parts of the API,
# the last line.
BUILT_OF = (
    r"\A---\n.*?---\n", r"^#+ (?=\S)", r"<!--.*?-->", r"^```.*?^```", r"^\|[-|:]+\|$", r"^\|(?=.)", r"^(?:- |\d+\. )",
    r"(?<=\n\n) {4}(?=\S)", r"^!!! \w+", r"differences\.md#\w+", r"^::: [^\n]*", r"^(?:Back|이전): ",
)  # fmt: skip


def read(name, language="en"):
    return (DOCS / name if language == "en" else DOCS / "ko" / name).read_text(encoding="utf-8")


def prose(text):
    """A page without its code."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


def test_each_page_is_in_both_languages():
    english = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert [name for name in english if not name.startswith("ko/")] == OURS
    assert len(TUTORIAL) == 13


@pytest.mark.parametrize("name", OURS)
def test_both_languages_are_built_alike(name):
    """The same parts in the same order."""
    for pattern in BUILT_OF:
        first, second = (
            re.findall(pattern, read(name, language).replace("이전:", "Back:"), re.DOTALL | re.MULTILINE)
            for language in ("en", "ko")
        )
        assert first == second, pattern


@pytest.mark.parametrize("name", OURS)
def test_both_languages_have_the_same_names_and_figures(name, site):
    """Figures of three characters and more, and what stands as code, in whatever order; "2만 " is 20,000."""
    found = []
    for language in ("en", "ko"):
        text = site("tables").BLOCK.sub("", read(name, language))
        text = re.sub(r"^```.*?^```$|(?<=\n\n)(?: {4}[^\n]*\n)+", "", text, flags=re.DOTALL | re.MULTILINE)
        names = {" ".join(code.split()) for code in re.findall(r"`[^`]+`", text)}
        figures = re.sub(r"(?<![\d.-])(\d\d?)만 ", r"\g<1>0,000 ", prose(text))
        found.append(names | set(re.findall(r"\d[\d.,:e+-]+\d", figures)))
    assert found[0] ^ found[1] == set()


def test_measured_tables_are_the_same_in_korean(site):
    """What programs write into both pages; scripts/site/korean.toml has the words."""
    tables = site("tables")
    for page in (name.removesuffix(".md") for name in OURS):
        english, korean = (dict(tables.BLOCK.findall(read(f"{page}.md", each))) for each in ("en", "ko"))
        for name, block in english.items():
            told, without_korean = tables.in_korean(page, block.split("\n"))
            assert without_korean == [], "give it a line in scripts/site/korean.toml"
            assert korean[name].split("\n") == told


@pytest.mark.parametrize("name", OURS)
def test_korean_keeps_to_one_register(name):
    """합니다체: a paragraph ends in it, and no sentence in 해요체."""
    text = prose(read(name, "ko"))
    assert re.findall(r"[가-힣]+(?:어요|아요|해요|네요|지요|죠|예요|이에요)[.!?]", text) == []
    paragraphs = [each.strip() for each in re.split(r"\n\s*\n", text) if re.match(r"[가-힣A-Z]", each)]
    ends = [each for each in paragraphs if each.endswith(".")]
    assert [each for each in ends if not re.search(r"(?:니다|시오|고프다|\))\.$", each)] == []


@pytest.mark.parametrize("name", TUTORIAL)
def test_a_page_shows_every_cell_of_its_program_once(site, name):
    programs, render = site("programs"), site("render")
    program = re.search(r"^program: (\w+)$", read(name), re.MULTILINE)
    marks = MARK.findall(read(name))
    for kind, what in marks:
        if kind == "stock":
            assert all(render.definition(f"stock_{each}.py", what) for each in programs.FRAMEWORKS)
    shown = [what for kind, what in marks if kind == "cell"]
    assert shown == (list(programs.cells(program[1], "pytorch")) if program else [])


def test_the_pages_lead_from_one_to_the_next():
    index = re.findall(r"\((\w+\.md)\)", read("tutorial/index.md"))
    for here, following in pairwise(index):
        assert f"]({following})" in read(f"tutorial/{here}").splitlines()[-1]
    nav = re.findall(r"tutorial/(\w+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert nav == re.findall(r"tutorial/(\w+\.md)", (ROOT / "mkdocs.ko.yml").read_text(encoding="utf-8"))
    assert nav == ["index.md", *index]


def test_programs_stand_side_by_side(site):
    programs = site("programs")
    assert len(programs.names()) == 12
    for name in ["setup", *programs.names()]:
        first, second = (programs.cells(name, framework) for framework in programs.FRAMEWORKS)
        assert list(first) == list(second)
        for cell in first:
            assert first[cell].count("\n") == second[cell].count("\n"), f"{name}.{cell}"
            assert max(map(len, (first[cell] + "\n" + second[cell]).splitlines())) <= 100


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_difference_is_found_by_a_symptom(language):
    named = set(re.findall(r"differences\.md#(\w+)", read("symptoms.md", language)))
    assert named == {entry.name for entry in entries()}


def test_lines_that_are_equal_stand_at_the_same_height(site):
    render = site("render")
    assert render._aligned(["a", "b", "c"], ["a", "x", "y", "c"])[-1] == ((2, 3), True)
    code = 'def f():\n    """Says\n    a < b."""\n    return 1'
    plain = [re.sub(r"<[^>]+>", "", line) for line in render._coloured(code)]
    assert [line.replace("&quot;", '"').replace("&lt;", "<") for line in plain] == code.split("\n")


def test_running_code_breaks_where_it_is_read_best(site):
    names = "<code>padding_row</code>, <code>embedding_gradients_in_adam</code>"
    html = f"<p><code>diptych data --json-lines</code>, <code>a--b</code>, {names}</p><pre><code>x --quiet</code></pre>"
    broken = html.replace("--json-lines", "<span class='dp-option'>--json-lines</span>")
    broken = broken.replace("embedding_gradients_in_adam", "embedding_<wbr>gradients_<wbr>in_<wbr>adam")
    assert site("render").breaking_well(html) == broken


def test_a_dead_link_and_a_request_to_elsewhere_are_named(site, tmp_path):
    check = site("check_links")
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="b.html#y"></a><a href="c.html"></a><a href="#x"></a><script src="https://a.b/c"></script>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<a href="a.html#x">', encoding="utf-8")
    assert [line.partition(" ")[2] for line in check.problems(tmp_path)] == [
        "loads https://a.b/c", "links to b.html#y, where no such place is", "links to c.html, which is not there",
    ]  # fmt: skip
