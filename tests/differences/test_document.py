"""docs/differences.md and its record belong to the entries as they are."""

import copy
import dataclasses
import json
import re

import pytest

from diptych.differences import document
from diptych.differences.catalogue import Finding, entries
from diptych.differences.wording import ENGLISH, KOREAN, TEXTS, in_korean
from diptych.errors import ConfigError, UsageError


@pytest.fixture
def record():
    return document.read_record()


@pytest.mark.parametrize("wording", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_the_page_is_current(record, wording):
    assert (document.DOCS / wording.page).read_text(encoding="utf-8") == document.render(entries(), record, wording), (
        f"docs/{wording.page} is not what the entries say; run: python -m diptych.differences.document --text"
    )


@pytest.mark.parametrize("wording", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_the_page_shows_every_entry_and_its_links_lead_somewhere(record, wording):
    page = document.render(entries(), record, wording)
    for entry in entries():
        assert page.count(f"### {entry.name}\n") == 1
        assert wording.of(entry).bridge in page
    for link in re.findall(r"\]\(([^#)][^)]*)\)", page):
        assert ((document.DOCS / wording.page).parent / link).is_file(), link


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_an_entry_says_in_korean_what_it_says_in_english(entry):
    """Its code and its figures, as far as they can be told from the words; and all of it in Korean."""
    korean = in_korean(entry)
    for key in ("what", "why", "bridge"):
        first, second = (set(re.findall(r"`[^`]*`|\d[\d.,:e+-]+\d", getattr(each, key))) for each in (entry, korean))
        assert first == second, key
    assert all(re.search("[가-힣]", getattr(korean, key)) for key in TEXTS)


@pytest.mark.parametrize("key", [*TEXTS, "file", "number"])
def test_an_entry_without_a_korean_text_is_named(tmp_path, key):
    entry = entries()[0]
    texts = {each: "a {}" for each in TEXTS if each != key}
    if key == "number":
        texts["unit"] = "a"
    if key != "file":
        text = "".join(f"{each} = '{value}'\n" for each, value in texts.items())
        (tmp_path / "korean.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"korean\.toml.*write"):
        in_korean(dataclasses.replace(entry, folder=tmp_path))


def test_recorded_differences_are_there_and_their_bridges_hold(record):
    from diptych.differences.effects import agree

    for entry in entries():
        found = record["entries"][entry.name]
        assert not agree(entry.compare, found["effect"], entry.tolerance), entry.name
        if found["bridged_effect"] is not None:
            assert agree(entry.compare, found["bridged_effect"], entry.tolerance), entry.name


@pytest.mark.parametrize("change", ["digest", "missing", "extra"])
def test_a_record_of_other_programs_is_refused(record, change):
    record = copy.deepcopy(record)
    if change == "digest":
        record["entries"]["gate_order"]["digest"] = "000000000000"
    elif change == "missing":
        del record["entries"]["gate_order"]
    else:
        record["entries"]["gate_order_of_old"] = record["entries"]["gate_order"]
    with pytest.raises(UsageError, match="does not hold what the programs would show: gate_order"):
        document.render(entries(), record)


def finding(name, verdict="differs", bridged=0.0, version="2"):
    entry = next(entry for entry in entries() if entry.name == name)
    outputs = {"pytorch": {"versions": {"torch": version}, "result": 1.0}}
    return Finding(entry, verdict, outputs, 1.0, bridged, "a note")


@pytest.fixture
def measured(monkeypatch):
    def give(*findings):
        monkeypatch.setattr(document.catalogue, "run", lambda names: list(findings))

    return give


def test_measuring_some_entries_keeps_the_others(measured):
    measured(finding("gate_order"), finding("seeds"))
    record = document.measure([], {})
    assert list(record["entries"]) == ["gate_order", "seeds"]
    assert record["versions"] == {"torch": "2"}
    old = json.dumps(record)
    measured(finding("seeds"))
    assert json.dumps(document.measure(["seeds"], record)) == old


def test_measurements_of_other_versions_are_not_mixed(measured):
    measured(finding("gate_order"), finding("seeds"))
    record = document.measure([], {})
    measured(finding("seeds", version="3"))
    with pytest.raises(UsageError, match="measure all entries"):
        document.measure(["seeds"], record)
    assert document.measure([], record)["versions"] == {"torch": "3"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (finding("seeds", verdict="gone"), "seeds: a note"),
        (finding("seeds", verdict="failed"), "seeds: a note"),
        (finding("seeds", bridged=0.5), "seeds: a note"),
    ],
)
def test_only_differences_that_are_there_and_bridged_are_recorded(measured, bad, message):
    measured(finding("gate_order"), bad)
    with pytest.raises(UsageError, match=message):
        document.measure([], {})


def test_the_command_writes_page_and_record_from_the_record(monkeypatch, tmp_path, capsys):
    (tmp_path / "docs" / "ko").mkdir(parents=True)
    record = tmp_path / "measured.json"
    record.write_bytes(document.RECORD.read_bytes())
    before = {each.page: (document.DOCS / each.page).read_text(encoding="utf-8") for each in (ENGLISH, KOREAN)}
    monkeypatch.setattr(document, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(document, "RECORD", record)
    assert document.main(["--text"]) == 0
    assert {page: (tmp_path / "docs" / page).read_text(encoding="utf-8") for page in before} == before
    assert document.main(["--text", "seeds"]) == 2
    assert "--text measures nothing" in capsys.readouterr().err
    record.unlink()
    assert document.main(["--text"]) == 2
    assert "run this once without --text" in capsys.readouterr().err
