"""Tables: the pairs of a TSV, a CSV and JSON lines are those that were written, and each bad row says what it lacks."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import DataConfig
from diptych.data.corpus.files import FilePairs
from diptych.data.corpus.filters import Filter
from diptych.data.corpus.tables import Layout, table_suffix
from diptych.data.opening import open_corpus
from diptych.errors import DataError

# Whatever a cell may hold: no NUL, nothing that is no character, no line break (that becomes a space).
CELLS = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])).map(lambda text: f"x{text}")
ROWS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def pairs(path: Path, *columns: str, drop: bool = False) -> FilePairs:
    source, target = columns or ("", "")
    return FilePairs.open([path], Filter(Layout(source, target), drop_bad_lines=drop))


@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), mark=st.sampled_from(["", "\ufeff"]))
def test_a_csv_comes_back(folder: Path, rows: list[tuple[str, str]], quoting: int, mark: str) -> None:
    content = io.StringIO()
    writer = csv.writer(content, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["id", "target", "source"])
    writer.writerows((number, target, source) for number, (source, target) in enumerate(rows))
    path = folder / "table.csv"
    path.write_bytes((mark + content.getvalue()).encode())
    assert list(pairs(path)) == rows
    assert list(pairs(path, "3", "2")) == rows
    assert list(pairs(path, "target", "source")) == [(target, source) for source, target in rows]


@given(rows=ROWS, ascii_only=st.booleans())
def test_json_lines_come_back(folder: Path, rows: list[tuple[str, str]], ascii_only: bool) -> None:
    lines = [json.dumps({"ko": target, "en": source, "n": 1}, ensure_ascii=ascii_only) for source, target in rows]
    path = folder / "table.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert list(pairs(path, "en", "ko")) == rows


@given(rows=ROWS)
def test_a_tsv_comes_back(folder: Path, rows: list[tuple[str, str]]) -> None:
    rows = [(source.replace("\t", " "), target.replace("\t", " ")) for source, target in rows]
    path = folder / "table.txt"
    path.write_text("".join(f"{n}\t{target}\t\t{source}\r\n" for n, (source, target) in enumerate(rows)), "utf-8")
    assert list(pairs(path, "4", "2")) == rows
    path.write_text("id\tko\t\ten\n" + path.read_text("utf-8"), "utf-8")
    assert list(pairs(path, "en", "ko")) == rows


def test_tatoeba_and_anki(tmp_path: Path) -> None:
    (tmp_path / "anki.txt").write_text("Go.\tGeh.\tCC-BY 2.0 (France) Attribution: #2877272\n", "utf-8")
    (tmp_path / "tatoeba.tsv").write_text("1276\tLet's go!\t77\tLass uns gehen!\n", "utf-8")
    assert list(pairs(tmp_path / "anki.txt")) == [("Go.", "Geh.")]
    assert list(pairs(tmp_path / "tatoeba.tsv", "2", "4")) == [("Let's go!", "Lass uns gehen!")]


def test_the_format_is_told_by_the_name_without_its_compression() -> None:
    for name in ("a.csv", "a.csv.gz", "a.CSV.xz", "deu.v2.csv.zst", "a.csv.bz2"):
        assert table_suffix(name) == ".csv"
    assert table_suffix("a.gz") == ""


def test_a_line_break_within_a_cell_becomes_a_space(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('source,target\n"a\nb","c\r\nd"\ne,f\n', "utf-8", newline="")
    (tmp_path / "a.jsonl").write_text('{"source": "a\\nb", "target": "c\\r\\nd"}\n', "utf-8")
    assert list(pairs(tmp_path / "a.csv")) == [("a b", "c d"), ("e", "f")]
    assert list(pairs(tmp_path / "a.jsonl")) == [("a b", "c d")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "en,de\na,b\n", "a.csv has no column 'source', there are: 'en', 'de'; set source_column to one"),
        ("a.tsv", "en\tde\na\tb\n", "a.tsv has no column 'source', there are: 'en', 'de'"),
        ("a.csv", "source,target\na,b\nc\n", "a.csv, line 3: 1 columns, expected the header's 2"),
        ("a.csv", 'source,target\na,b\n"c\nd",e,f\n', "a.csv, line 3: 3 columns, expected the header's 2"),
        ("a.csv", "source,target\na,b\n\nc,d\n", "a.csv, line 3: a blank line; remove it"),
        ("a.csv", 'source,target\n"a"b,c\n', "a.csv, line 2: not CSV .*put quotes around a text"),
        ("a.csv", 'source,target\na,b\n"c,d\ne,f\n', "a.csv, line 3: a quote is opened and never closed"),
        ("a.csv", "source,target\na,\n", "a.csv, line 2, column target: the target is empty"),
        ("a.jsonl", '{"source": "a", "target": "b"}\n["a", "b"]\n', "a.jsonl, line 2: JSON, but no object"),
        ("a.jsonl", '{"source": "a"\n', "a.jsonl, line 1: not JSON .*expected one object a line"),
        ("a.jsonl", '{"en": "a", "de": "b"}\n', "line 1: no column 'source', there are: 'en', 'de'; set source_col"),
        ("a.jsonl", '{"source": "a", "target": 7}\n', "line 1: column 'target' holds 7, expected a text"),
        ("a.jsonl", '{"source": "a", "target": "\\u0000"}\n', "line 1: a NUL character"),
        ("a.jsonl", '{"source": "a", "target": "\\ud800"}\n', "line 1: half a surrogate pair"),
        ("a.jsonl", "[" * 100_000 + "\n", "line 1: not JSON"),
        ("a.jsonl", '{"source": "a", "target": "b"}\n\n{"source": "a", "target": "b"}\n', "line 2: a blank line"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        pairs(tmp_path / name, "source", "target")


def test_a_header_alone_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("source,target\n", "utf-8")
    with pytest.raises(DataError, match="a.csv holds no pair, expected one on each line, after the header if it has"):
        open_corpus(DataConfig(corpus="files", train=(str(tmp_path / "a.csv"),)))


def test_numbers_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("a\tb\n", "utf-8")
    with pytest.raises(DataError, match="a.tsv, line 1: 2 columns, expected at least 4 with tabs between"):
        pairs(tmp_path / "a.tsv", "2", "4")
    (tmp_path / "a.jsonl").write_text('{"source": "a"}\n', "utf-8")
    with pytest.raises(DataError, match="holds JSON objects, whose columns have names, got source_column = '1'"):
        pairs(tmp_path / "a.jsonl", "1", "2")


def test_a_bad_row_is_dropped_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'source,target\na,b\nc\n"x\xff\ny",z\n"d"e,f\n\xff,g\n\nh,i\n')
    found = pairs(tmp_path / "a.csv", drop=True)
    assert list(found) == [("a", "b"), ("h", "i")]
    assert [drop.line for drop in found.drops()] == [3, 4, 6, 7, 8]


def test_a_line_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lines", "tables"):
        monkeypatch.setattr(f"diptych.data.corpus.{module}.LONGEST_LINE", 1000)
    monkeypatch.setattr("diptych.data.corpus.compression.BLOCK", 100)
    (tmp_path / "a.tsv").write_text("a\tb\n" + "x" * 2000, "utf-8")
    with pytest.raises(DataError, match="a.tsv, line 2: more than 1,000 bytes without an end"):
        pairs(tmp_path / "a.tsv", drop=True)
    (tmp_path / "a.csv").write_text('source,target\n"' + "x\n" * 2000, "utf-8")
    with pytest.raises(DataError, match="a.csv, line 2: a quote is opened and never closed"):
        pairs(tmp_path / "a.csv", drop=True)
