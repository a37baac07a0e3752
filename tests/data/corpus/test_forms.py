"""Files as people have them: other delimiters and encodings, comments, marks to be taken out, nested JSON."""

from __future__ import annotations

import json
import sys

import pytest

from diptych.config import DataConfig
from diptych.data.opening import open_corpus
from diptych.errors import DataError

CMUDICT = b""";;; a comment
ABBEY  AE1 B IY0
ABLE(1)  EY1 B AH0 L # second way
BIRD B ER1 D
CAT K AE1 T
"""
KOREAN = "I feel hungry\t배가 고파요\nI am tired\t피곤해요\nI sleep\t자요\n"


def pairs(folder, content, name="pairs.txt", **options):
    path = folder / name
    path.write_bytes(content)
    corpus = open_corpus(DataConfig(corpus="files", train=(str(path),), validation_size=1, test_size=1, **options))
    return sorted([*corpus.train, *corpus.validation, *corpus.test])


def test_a_dictionary_of_pronunciations(tmp_path):
    marks = {"source_remove": r"\(\d+\)$", "target_remove": " #.*$"}
    found = pairs(tmp_path, CMUDICT, delimiter=" ", comment=";;;", maximum_pairs=0, **marks)
    assert found == [("ABBEY", "AE1 B IY0"), ("ABLE", "EY1 B AH0 L"), ("BIRD", "B ER1 D"), ("CAT", "K AE1 T")]


def test_a_delimiter_between_columns_that_are_named(tmp_path):
    content = b"ko~x~en\nA~1~B\nC~2~D\nE~3~F\n"
    found = pairs(tmp_path, content, delimiter="~", source_column="en", target_column="ko")
    assert found == [("B", "A"), ("D", "C"), ("F", "E")]
    by_number = pairs(tmp_path, content, delimiter="~", source_column=3, target_column=1)
    assert ("en", "ko") in by_number


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "utf-16", "utf-16-le", "utf-8-sig"])
def test_every_encoding_gives_the_same_pairs(tmp_path, encoding):
    expected = sorted(tuple(line.split("\t")) for line in KOREAN.splitlines())
    assert pairs(tmp_path, KOREAN.encode(encoding), encoding=encoding) == expected


def test_what_is_not_utf8_is_answered_with_what_it_could_be_and_never_guessed(tmp_path):
    for bad_lines in "error", "drop":  # as `diptych data inspect` has it, which counts them
        with pytest.raises(DataError, match=r"line 1, byte 15: .* set data.encoding: the line could be cp949, euc-kr"):
            pairs(tmp_path, KOREAN.encode("cp949"), bad_lines=bad_lines)
    with pytest.raises(DataError, match=r"is not euc-kr: byte \d+ or near it .*; set data.encoding"):
        pairs(tmp_path, b"a\tb\n\xff\xff\tx\n", encoding="euc-kr")


def test_a_line_without_the_delimiter_names_those_it_holds(tmp_path):
    with pytest.raises(DataError, match=r"no tab, .* it holds '~': set data.delimiter"):
        pairs(tmp_path, b"a~b\nc~d\ne~f\n")
    with pytest.raises(DataError, match=r"no '~', .* it holds ','"):
        pairs(tmp_path, b"a,b\n", delimiter="~")


def test_json_with_objects_in_objects(tmp_path):
    rows = [{"translation": {"en": f"a{k}", "ko": f"b{k}"}, "dotted.key": "x"} for k in range(3)]
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    columns = {"source_column": "translation.en", "target_column": "translation.ko"}
    assert pairs(tmp_path, content, "pairs.jsonl", **columns) == [("a0", "b0"), ("a1", "b1"), ("a2", "b2")]
    columns["target_column"] = "dotted.key"
    assert {target for _, target in pairs(tmp_path, content, "pairs.jsonl", **columns)} == {"x"}
    columns["target_column"] = "translation.de"
    with pytest.raises(DataError, match="no column 'translation.de'"):
        pairs(tmp_path, content, "pairs.jsonl", **columns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "klingon"}, "encoding 'klingon' is unknown"),
        ({"source_remove": "("}, "is no regular expression"),
    ],
)
def test_what_cannot_be_is_refused_in_the_config(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        pairs(tmp_path, b"a\tb\n", **options)


TABLE = "form\tlemma\tfeatures\twalked\nwalked\twalk\tV;PST\t1\nran\trun\tV;PST\t2\nsheep\tsheep\t\t3\n"


def test_a_source_of_several_columns_is_joined_by_spaces_in_every_format(tmp_path):
    options = {"source_column": ("lemma", "features"), "target_column": "form"}
    expected = [("run V;PST", "ran"), ("sheep", "sheep"), ("walk V;PST", "walked")]
    rows = [line.split("\t") for line in TABLE.splitlines()]
    as_csv = "\n".join(map(",".join, rows))
    as_json = "\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:])
    for name, content in {"a.tsv": TABLE, "a.csv": as_csv, "a.jsonl": as_json}.items():
        assert pairs(tmp_path, content.encode(), name, **options) == expected
    by_number = pairs(tmp_path, TABLE.encode(), "a.tsv", source_column=(2, 3), target_column=1)
    assert ("walk V;PST", "walked") in by_number and ("lemma features", "form") in by_number


def test_a_missing_column_is_answered_with_the_separators_that_were_seen(tmp_path):
    with pytest.raises(DataError, match="no column 'form', .*; it holds ';', '~': set data.delimiter"):
        pairs(tmp_path, b"lemma~form;x\na~b;c\n", source_column="form", target_column="x")
    with pytest.raises(DataError, match="no column 'tense', there are: .* set source_column to one of them"):
        pairs(tmp_path, TABLE.encode(), source_column=("lemma", "tense"), target_column="form")


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx"])
def test_tables_of_other_packages(tmp_path, name):
    rows = [line.split("\t")[:3] for line in TABLE.splitlines()]
    if name == "a.parquet":
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        columns = dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))
        parquet.write_table(pyarrow.table(columns), tmp_path / name)
    else:
        book = pytest.importorskip("openpyxl").Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    found = pairs(tmp_path, content, name, source_column=("lemma", "features"), target_column="form")
    assert found == [("run V;PST", "ran"), ("sheep", "sheep"), ("walk V;PST", "walked")]
    with pytest.raises(DataError, match=f"{name} has no column 'tense', there are: 'form', 'lemma', 'features'"):
        pairs(tmp_path, content, name, source_column="tense", target_column="form")
    with pytest.raises(DataError, match=f"{name} cannot be read as an? "):
        pairs(tmp_path, b"something else", name, source_column="lemma", target_column="form")


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow.parquet"), ("a.xlsx", "openpyxl")])
def test_a_package_that_is_missing_is_named_with_what_installs_it(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        DataError, match=rf"{name} is read by \w+, which is not installed here: pip install 'diptych\[t"
    ):
        pairs(tmp_path, b"content", name)
