"""The lines of a file: every one is a pair, is counted under a reason, or is an error that names it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.corpus.files import FilePairs, without_repetition
from diptych.data.corpus.filters import Filter, is_invisible
from diptych.data.corpus.scripts import share_of_scripts
from diptych.data.reasons import Reason
from diptych.errors import DataError

GOOD = [b"a b\tc", "한글\tx".encode(), b"d\te\tmore", "\u200fשלום\tf\u200b".encode()]
BAD = {
    b"no tab": Reason.NO_COLUMN,
    b"\tx": Reason.EMPTY,
    b"x\t \t": Reason.EMPTY,
    "x\t\u200b\ufeff\u200e".encode(): Reason.EMPTY,
    b"x\ty\0": Reason.NUL,
    b"\xff\ty": Reason.NOT_UTF8,
    b"": Reason.NO_COLUMN,
    b"a\t" + b"y" * 50: Reason.CHARACTERS,
    "Привет\tx".encode(): Reason.SOURCE_SCRIPT,
}
FILTER = Filter(
    drop_bad_lines=True, maximum_characters=40, source_scripts=("Latin", "Hangul", "Hebrew"), target_scripts=()
)
LINES = st.lists(st.sampled_from([*GOOD, *BAD]), max_size=30)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files") / "pairs.tsv"


@given(before=LINES, after=LINES, mark=st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_line_is_a_pair_or_counted(path: Path, before: list[bytes], after: list[bytes], mark: bytes) -> None:
    lines = [*before, b"one\tgood", *after]
    path.write_bytes(mark + b"\n".join(lines))
    while not lines[-1]:
        del lines[-1]  # blank lines at the end are none
    found = FilePairs.open([path], FILTER)
    reasons = [BAD.get(line) for line in lines]
    assert list(found) == [tuple(line.decode().split("\t")[:2]) for line in lines if line not in BAD]
    assert len(found) + sum(found.counts().values()) == len(found.verdicts) == len(lines)
    assert found.counts() == {reason: reasons.count(reason) for reason in Reason if reason in reasons}
    assert [(drop.line, drop.reason) for drop in found.drops()] == [
        (number, reason) for number, reason in enumerate(reasons, 1) if reason
    ]


@given(lines=LINES)
def test_the_first_bad_line_is_an_error_where_none_may_be_dropped(path: Path, lines: list[bytes]) -> None:
    lines = [*lines, b"one\tgood"]
    path.write_bytes(b"\n".join(lines))
    bad = [number for number, line in enumerate(lines, 1) if line in BAD and BAD[line].is_bad_line]
    judge = Filter(maximum_characters=40, source_scripts=FILTER.source_scripts)
    if not bad:
        assert list(FilePairs.open([path], judge)) == list(FilePairs.open([path], FILTER))
        return
    with pytest.raises(DataError, match=f"pairs.tsv, line {bad[0]}[:,]"):
        FilePairs.open([path], judge)


@pytest.mark.parametrize("more", [b"", b"\n", b"\n\n \n"])
def test_aligned_files_lose_only_the_lines_that_are_bad(tmp_path: Path, more: bytes) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"a\n\xff\nc\nd\n\nf\n" + more)
    target.write_bytes(b"1\n2\n\0\n4\n5\n6\n")
    found = FilePairs.open([source, target], Filter(drop_bad_lines=True))
    assert list(found) == [("a", "1"), ("d", "4"), ("f", "6")]
    assert [(Path(drop.path).name, drop.line, drop.reason) for drop in found.drops()] == [
        ("source", 2, Reason.NOT_UTF8),
        ("target", 3, Reason.NUL),
        ("source", 5, Reason.EMPTY),
    ]


@pytest.mark.parametrize("longer", [b"x\ny\nz\n", b"x\ny\n\xff\n", b"x\ny\n\nz\n"])
def test_aligned_files_of_different_lengths_are_always_an_error(tmp_path: Path, longer: bytes) -> None:
    (tmp_path / "long").write_bytes(longer)
    (tmp_path / "short").write_bytes(b"a\nb\n")
    for names in (("long", "short"), ("short", "long")):
        with pytest.raises(DataError, match="has . lines but .*line n of the one must be"):
            FilePairs.open([tmp_path / name for name in names], Filter(drop_bad_lines=True))


def test_a_line_that_goes_bad_while_it_is_read_says_so(path: Path) -> None:
    path.write_bytes(b"a\tb\nc\td\n")
    found = FilePairs.open([path])
    path.write_bytes(b"a\tb\nc d\n")
    with pytest.raises(DataError, match="lines that were others before: it changed while it was read"):
        list(found)


TEXTS = st.lists(st.tuples(st.sampled_from(["a", "b ", " b", "é", "e\u0301", "c  d", "c d"]), st.sampled_from("xyz")))


@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=3), what=st.sampled_from(["pairs", "sources"]))
def test_only_the_first_of_equal_ones_stays(path: Path, texts: list[list[tuple[str, str]]], what: str) -> None:
    opened = []
    for number, text in enumerate(texts):
        file = path.with_name(f"text{number}")
        file.write_text("".join(f"{source}\t{target}\n" for source, target in text), "utf-8")
        opened.append(FilePairs.open([file], compare=what))
    same = {"b ": "b", " b": "b", "e\u0301": "é", "c  d": "c d"}
    seen: set[tuple[str, str]] = set()
    expected = []
    for text in texts:
        expected.append([])
        for source, target in text:
            key = same.get(source, source), target if what == "pairs" else ""
            if key not in seen:
                expected[-1].append((source, target))
            seen.add(key)
    assert [list(text) for text in without_repetition(opened)] == expected


@pytest.mark.parametrize(
    ("text", "scripts", "share"),
    [
        ("abc", ["Latin"], 1.0),
        ("ab가나", ["Hangul"], 0.5),
        ("１２３ 123 !?", ["Thai"], 1.0),  # no letters: nothing speaks against it
        ("ＡＢ", ["Latin"], 1.0),
        ("漢字かなカナ", ["Han", "Hiragana", "Katakana"], 1.0),
        ("漢字かなカナ", ["Han"], 1 / 3),
        ("Приветhi", ["Cyrillic"], 0.75),
        ("\u1112\u1161\u11ab", ["Hangul"], 1.0),  # decomposed
        ("שלום", ["Hebrew"], 1.0),
        ("नमस्ते", ["Devanagari"], 1.0),
    ],
)
def test_the_share_of_a_script(text: str, scripts: list[str], share: float) -> None:
    assert share_of_scripts(text, scripts) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "invisible"),
    [("", True), (" \u3000\t", True), ("\u200b\u200d\ufeff", True), ("\u202e", True), (".", False), ("\u200ba", False),
     ("\ue000", False), ("\u0301", False)],
)  # fmt: skip
def test_what_cannot_be_seen(text: str, invisible: bool) -> None:
    assert is_invisible(text) == invisible
