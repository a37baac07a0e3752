"""`diptych data` and whatever is wrong with files, options and usage: one line each, or a counted drop."""

import gzip
import os
import unicodedata
from functools import partial

import pytest

zipped = partial(gzip.compress, mtime=0)  # the time would be part of a test's name
TSV = "".join(f"word {number} w{number % 7}\tWort {number}\n" for number in range(60)).encode()


BAD_LINES = {
    b"no tab": "no tab, expected source and target with a tab between them",
    b"x\ty\0": "a NUL character",
    b"x\t\xff": "byte 3: 0xff is not UTF-8",
    b"\ty": "column 1: the source is empty",
    "x\t\u200b\u200e".encode(): "column 2: the target is empty",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_an_error_or_a_counted_drop(diptych_command, prepared, tmp_path, line, write_config):
    (tmp_path / "pairs.tsv").write_bytes(TSV + line + b"\n" + b"last\tone\n")
    strict = diptych_command("data", "prepare", write_config(tmp_path), "--run", tmp_path / "run")
    config = write_config(tmp_path, more='bad_lines = "drop"')
    also_strict = diptych_command("data", "prepare", config, "--run", tmp_path / "run", "--strict")
    for code, out, error in (strict, also_strict):
        assert (code, out) == (1, "")
        assert error.startswith(f"error: {tmp_path}/pairs.tsv, line 61") and BAD_LINES[line] in error
        assert error.count("\n") == 1
        assert sorted(os.listdir(tmp_path)) == ["pairs.tsv", "x.toml"]
    report, run = prepared(config)
    assert (report["account"]["read"], report["account"]["bad_lines"]) == (62, 1)
    assert sum(report["account"]["dropped"].values()) == 1
    assert len(run.corpus().train) == 52
    code, _, error = diptych_command("data", "prepare", run.folder, "--strict")
    assert code == 1
    assert "1 bad lines" in error and "pairs.tsv:61" in error


HOSTILE = {
    "nothing": (b"", "pairs.tsv is empty, expected one sentence per line"),
    "blank": (b"\n\n \n", "pairs.tsv holds only blank lines"),
    "binary": (bytes(range(256)) * 50, "pairs.tsv, line 1: a NUL character"),
    "UTF-16": (TSV.decode().encode("utf-16"), "it looks like UTF-16; save the file as UTF-8"),
    "one pair": (b"a\tb\n", "has 1 different source sentence, too few to take 5 pairs for validation and 4 for test"),
    "one distinct token": (b"a\ta\n" * 500, "has 1 different source sentence, too few to take"),
    "cut gzip": (zipped(TSV)[:-20], "is a damaged or cut gzip file"),
    "CSV": (b"a,b\n" * 50, "line 1: no tab"),
    "only zero-width": ("\u200b\t\u200b\n".encode() * 9, "holds only blank lines"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_makes_no_corpus_is_one_line_and_1(diptych_command, tmp_path, what, write_config):
    content, message = HOSTILE[what]
    (tmp_path / "pairs.tsv").write_bytes(content)
    for policy in ("error", "drop"):
        config = write_config(tmp_path, more=f'bad_lines = "{policy}"')
        for command in ("prepare", "inspect", "sample"):
            run = ["--run", tmp_path / "run"] if command == "prepare" else []
            code, out, error = diptych_command("data", command, config, *run)
            assert (code, out) == (1, "")
            assert error.startswith("error: ") and error.count("\n") == 1
            assert message in error or (policy == "drop" and "no pair is left of the training text" in error)
    assert sorted(os.listdir(tmp_path)) == ["pairs.tsv", "x.toml"]


USABLE = {
    "a line of 1 MB": (TSV + b"long\t" + b"x" * 1_000_000 + b"\n", {"longer than maximum_characters = 10000": 1}),
    "a byte order mark": (b"\xef\xbb\xbf" + TSV, {}),
    "right to left": (TSV + "שלום \u200fעולם\u200e\tمرحبا \u202bبالعالم\u202c\n".encode(), {}),
    "zero-width characters": (TSV + "zero\u200bwidth\u2060 \ufeffjoiner\u200d\t\u200cx\n".encode(), {}),
    "mixed normal forms": (
        TSV + "".join(f"{unicodedata.normalize(form, '각 é')}\tx\n" for form in ("NFC", "NFD")).encode(),
        {"came before (remove_duplicates = pairs)": 1},
    ),
    "many duplicates": (TSV + TSV * 300, {"came before (remove_duplicates = pairs)": 18_000}),
    "lone carriage returns": (TSV + b"a\rb\tc\r\r\n", {}),
}


@pytest.mark.parametrize("what", USABLE)
def test_what_is_odd_is_read_or_counted(diptych_command, prepared, tmp_path, what, write_config):
    content, dropped = USABLE[what]
    (tmp_path / "pairs.tsv").write_bytes(content)
    config = write_config(tmp_path, more='remove_duplicates = "pairs"')
    report, run = prepared(config)
    assert report["account"]["dropped"] == dropped
    corpus = run.corpus()
    kept = len(corpus.train) + len(corpus.validation) + len(corpus.test)
    assert kept + sum(dropped.values()) == report["account"]["read"] == content.count(b"\n")
    assert corpus.train[0][0].startswith("word ")  # no mark before it
    for command in ("inspect", "sample"):
        for what_to_read in ([config], [run.folder], [tmp_path / "pairs.tsv"]):
            code, out, error = diptych_command("data", command, *what_to_read)
            assert (code, error) == (0, "")
            assert out


def test_one_pair_and_one_token_are_enough_where_the_other_parts_are_given(prepared, tmp_path, write_config):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    (tmp_path / "one.tsv").write_bytes(b"a\ta\n")
    held_out = 'validation = ["pairs.tsv"]\ntest = ["one.tsv"]'  # larger than the training text
    report, run = prepared(write_config(tmp_path, '["one.tsv"]', held_out))
    assert [report["account"][part] for part in ("train", "validation", "test")] == [1, 60, 1]
    assert report["vocabulary"] == {"source": 5, "target": 5}
    assert report["validation"]["source"]["unknown"] == report["validation"]["source"]["tokens"]
    assert len(run.encoded().validation) == 60


def test_held_out_files_lose_their_bad_lines_too(prepared, tmp_path, write_config):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    (tmp_path / "test.tsv").write_bytes(b"a\tb\nno tab\nc\td\n")
    report, run = prepared(write_config(tmp_path, more='test = ["test.tsv"]\nbad_lines = "drop"'))
    assert run.corpus().test == [("a", "b"), ("c", "d")]
    assert report["account"]["bad_lines"] == 1
    assert report["account"]["read"] == 63


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing command"),
        (["dance"], "No such command 'dance'"),
        (["prepare", "nowhere"], "there is no nowhere: give a config"),
        (["inspect", "nowhere"], "there is no nowhere: give a run's folder"),
        (["inspect", "a", "b", "c"], "a corpus is one table or two aligned files, got 3"),
        (["sample", "x.toml", "a"], "has its own files and columns: give it alone"),
        (["inspect", "a", "--source-column", "x", "--target-column", "x"], "are both 'x': give two columns"),
        (["sample", "a", "-n", "0"], "'-n'"),
    ],
)
def test_wrong_usage_is_one_line_and_2(diptych_command, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c", "x.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    code, out, error = diptych_command("data", *arguments)
    assert (code, out) == (2, "")
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("minimum_length = 101", "minimum_length 101 is above maximum_length 100"),
        ("maximum_ratio = 0.5", "1 or more (0: any), got 0.5"),
        ("source_column = 2\ntarget_column = 2", "are both '2': give two columns"),
        ('source_scripts = ["Klingon"]', "data.source_scripts.0 = 'Klingon': input should be 'Arabic', 'Armenian'"),
        ("[[data.additional]]\npaths = []", "data.additional.0.paths = []"),
        ('[[data.additional]]\npaths = ["x"]\nweight = 0', "data.additional.0.weight = 0"),
        (
            '[[data.additional]]\npaths = ["x"]\nwieght = 2',
            "unknown key 'wieght' in [data.additional.0]; choose among: paths",
        ),
    ],
)
def test_options_that_do_not_fit_are_one_line_and_2(diptych_command, tmp_path, more, message, write_config):
    code, _, error = diptych_command("data", "prepare", write_config(tmp_path, more=more))
    assert code == 2
    assert message in error and error.count("\n") == 1


def test_only_files_have_bad_lines(diptych_command, tmp_path):
    (tmp_path / "x.toml").write_text('[data]\ncorpus = "phrasebook"\nbad_lines = "drop"\n', encoding="utf-8")
    code, _, error = diptych_command("data", "prepare", tmp_path / "x.toml")
    assert code == 2
    assert "bad_lines: only for corpus = 'files', got corpus = 'phrasebook'" in error
