"""`diptych data`: prepare, inspect and sample, from files of every kind, and whatever is wrong with them."""

import csv
import gzip
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from functools import partial

import pytest
import zstandard

from diptych.config import read_config
from diptych.runs.run import Run

zipped = partial(gzip.compress, mtime=0)  # the time would be part of a test's name
PAIRS = [(f"word {number} w{number % 7}", f"Wort {number}") for number in range(60)]
TSV = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()


def write_config(folder, train='["pairs.tsv"]', more="", name="x"):
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\n[data]\ncorpus = "files"\ntrain = {train}\nvalidation_size = 5\ntest_size = 4\n{more}\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def prepared(diptych_command, tmp_path):
    """Prepares a run of a config: the report, and the run."""

    def prepare(config, *options):
        code, out, error = diptych_command("data", "prepare", config, "--run", tmp_path / "run", "--json", *options)
        assert code == 0, error
        return json.loads(out), Run.open(tmp_path / "run")

    return prepare


def csv_text():
    lines = ["id,en,de"] + [f'{number},"{source}",{target}' for number, (source, target) in enumerate(PAIRS)]
    return "\n".join(lines).encode()


def json_text():
    return "".join(json.dumps({"de": target, "en": source}) + "\n" for source, target in PAIRS).encode()


COLUMNS = 'source_column = "en"\ntarget_column = "de"'


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("pairs.tsv", TSV, ""),
        ("pairs.tsv.gz", zipped(TSV), ""),
        ("pairs.txt.xz", lzma.compress(TSV), ""),
        ("pairs.zst", zstandard.compress(TSV[:700]) + zstandard.compress(TSV[700:]), ""),
        ("pairs.csv.zst", zstandard.compress(csv_text()), COLUMNS),
        ("pairs.jsonl.gz", zipped(json_text()), COLUMNS),
        ("numbered.tsv", b"".join(b"1\t" + line + b"\n" for line in TSV.split(b"\n")[:-1]),
         "source_column = 2\ntarget_column = 3"),
    ],
)  # fmt: skip
def test_every_kind_of_file_gives_the_same_corpus(prepared, tmp_path, name, content, options):
    (tmp_path / name).write_bytes(content)
    report, run = prepared(write_config(tmp_path, f'["{name}"]', options))
    corpus = run.corpus()
    assert sorted(corpus.train + corpus.validation + corpus.test) == sorted(PAIRS)
    account = report["account"]
    assert [account[key] for key in ("read", "train", "validation", "test")] == [60, 51, 5, 4]
    assert account["dropped"] == {} and report["dropped_list"] is None
    assert report["train"]["source"]["tokens"] == sum(len(source.split()) for source, _ in corpus.train)
    assert report["vocabulary"]["source"] == len(run.source_vocabulary)
    assert report["validation"]["source"]["unknown"] > 0  # each number is one word


def test_many_files_with_weights_become_one_corpus(prepared, tmp_path):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    (tmp_path / "a.en").write_text("twice 1\ntwice 2\n", "utf-8")
    (tmp_path / "a.de").write_text("zweimal\nzweimal\n", "utf-8")
    (tmp_path / "b.csv").write_text("de,en\nhalb,half 1\nhalb,half 2\n", "utf-8")
    more = '[[data.additional]]\npaths = ["a.en", "a.de"]\nweight = 2\n'
    more += f'[[data.additional]]\npaths = ["b.csv"]\nweight = 0.5\n{COLUMNS}\n'
    report, run = prepared(write_config(tmp_path, more=more))
    sources = [source for source, _ in run.corpus().train]
    assert [sources.count(source) for source in ("twice 1", "twice 2")] == [2, 2]
    assert sources.count("half 1") + sources.count("half 2") == 1
    assert report["pairs_per_epoch"] == len(sources) == len(run.encoded().train) == 51 + 4 + 1
    assert report["account"]["dropped"] == {"not drawn, as the text's weight is below 1": 1}
    assert read_config(run.folder / "config.toml") == run.config  # its paths are absolute now
    assert run.config.data.additional[0].paths == (str(tmp_path / "a.en"), str(tmp_path / "a.de"))
    before = run.encoded().fingerprint
    (tmp_path / "b.csv").write_text("de,en\nhalb,half 3\nhalb,half 4\n", "utf-8")
    assert Run.open(run.folder).encoded().fingerprint != before  # its words are unknown
    assert {"half 3", "half 4"} & {source for source, _ in Run.open(run.folder).corpus().train}


def test_the_report_in_words(diptych_command, tmp_path):
    (tmp_path / "pairs.tsv").write_bytes(TSV + b"no tab\nword\t" + b"w " * 200 + b"\n")
    config = write_config(tmp_path, more='bad_lines = "drop"')
    code, out, error = diptych_command("data", "prepare", config, "--run", tmp_path / "run")
    assert (code, error) == (0, "")
    for expected in (
        "read                62 pairs",
        "kept                60: 51 to train on, 5 for validation, 4 for test",
        "1  bad line: a column is missing",
        f"{tmp_path}/pairs.tsv:61  no tab",
        "1  longer than maximum_length = 100 tokens",
        f"{tmp_path}/pairs.tsv:62  word\\tw w w",
        "0.00 % unknown, vocabulary",
        f"train it with: diptych train {tmp_path}/run",
    ):
        assert expected in out
    listing = re.search("all of them with file and line: (.*)", out)[1]
    with open(listing, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row[1:3] for row in rows[1:]] == [
        ["61", "bad line: a column is missing"],
        ["62", "longer than maximum_length = 100 tokens"],
    ]
    # Once more: nothing is done again, and it says the same.
    again = diptych_command("data", "prepare", tmp_path / "run")[1]
    assert again.splitlines()[:-2] == out.splitlines()[:-2]
    assert diptych_command("data", "prepare", tmp_path / "run", "--quiet") == (0, "", "")


FILTERS = {
    "minimum_length = 3": (b"a b\tx y z\n", "shorter than minimum_length = 3 tokens"),
    "maximum_ratio = 1.5": (b"a b c d\tx y\n", "one side is more than maximum_ratio = 1.5 times as long as the other"),
    "maximum_characters = 30": (b"a\t" + b"x" * 31 + b"\n", "longer than maximum_characters = 30"),
    'remove_duplicates = "pairs"': (b"a b\tx\na  b\tx\n", "came before (remove_duplicates = pairs)"),
    'remove_duplicates = "sources"': (b"a b\tx\na  b\ty\n", "came before (remove_duplicates = sources)"),
    'source_scripts = ["Latin"]': ("Привет\tx\n".encode(), "less than 50% of the source's letters are Latin"),
    'target_scripts = ["Latin"]\nscript_share = 0.9': (
        "a\tПриветaaaaaaaaaaa\n".encode(), "less than 90% of the target's letters are Latin",
    ),
}  # fmt: skip


@pytest.mark.parametrize("option", FILTERS)
def test_each_filter_has_its_count(prepared, tmp_path, option):
    line, reason = FILTERS[option]
    pairs = "".join(f"one two {number}\teins zwei {number}\n" for number in range(30)).encode()
    (tmp_path / "pairs.tsv").write_bytes(pairs + line)
    report, _ = prepared(write_config(tmp_path, more=option))
    assert report["account"]["dropped"] == {reason: 1}
    [[place, _]] = report["account"]["examples"][reason]
    read = 30 + line.count(b"\n")
    assert place == f"{tmp_path}/pairs.tsv:{read}"
    assert report["account"]["read"] == read


BAD_LINES = {
    b"no tab": "no tab, expected source and target with a tab between them",
    b"x\ty\0": "a NUL character",
    b"x\t\xff": "byte 3: 0xff is not UTF-8",
    b"\ty": "column 1: the source is empty",
    "x\t\u200b\u200e".encode(): "column 2: the target is empty",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_an_error_or_a_counted_drop(diptych_command, prepared, tmp_path, line):
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
def test_what_makes_no_corpus_is_one_line_and_1(diptych_command, tmp_path, what):
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
def test_what_is_odd_is_read_or_counted(diptych_command, prepared, tmp_path, what):
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


def test_one_pair_and_one_token_are_enough_where_the_other_parts_are_given(prepared, tmp_path):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    (tmp_path / "one.tsv").write_bytes(b"a\ta\n")
    held_out = 'validation = ["pairs.tsv"]\ntest = ["one.tsv"]'  # larger than the training text
    report, run = prepared(write_config(tmp_path, '["one.tsv"]', held_out))
    assert [report["account"][part] for part in ("train", "validation", "test")] == [1, 60, 1]
    assert report["vocabulary"] == {"source": 5, "target": 5}
    assert report["validation"]["source"]["unknown"] == report["validation"]["source"]["tokens"]
    assert len(run.encoded().validation) == 60


def test_held_out_files_lose_their_bad_lines_too(prepared, tmp_path):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    (tmp_path / "test.tsv").write_bytes(b"a\tb\nno tab\nc\td\n")
    report, run = prepared(write_config(tmp_path, more='test = ["test.tsv"]\nbad_lines = "drop"'))
    assert run.corpus().test == [("a", "b"), ("c", "d")]
    assert report["account"]["bad_lines"] == 1
    assert report["account"]["read"] == 63


def test_inspecting_files_says_what_is_in_them(diptych_command, tmp_path):
    (tmp_path / "a.en").write_text("Hello Hello\nHello Hello\nhi\n\n", "utf-8")
    (tmp_path / "a.ko").write_text("안녕 하세요\n안녕 하세요\n안녕 hi!\n\n", "utf-8")
    code, out, _ = diptych_command("data", "inspect", tmp_path / "a.en", tmp_path / "a.ko", "--json", "--top", 1)
    assert code == 0
    found = json.loads(out)
    text = found["text"]
    assert (text["pairs"], text["repeated_pairs"], text["repeated_sources"]) == (3, 1, 1)
    assert text["source"]["top"] == {"Hello": 4}
    assert text["target"]["scripts"] == {"Hangul": 12, "Latin": 2}
    assert text["source"]["characters"]["longest"] == 11
    out = diptych_command("data", "inspect", tmp_path / "a.en", tmp_path / "a.ko")[1]
    assert "letters: Hangul 85.7 %, Latin 14.3 %" in out
    assert "1 pairs came before, 1 sources did" in out


def test_inspecting_a_run_says_how_much_its_vocabularies_lack(diptych_command, run):
    code, out, _ = diptych_command("data", "inspect", run.folder, "--part", "validation", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["text"]["pairs"] == 3
    assert found["tokens"]["source"]["unknown"] == sum(
        token not in run.source_vocabulary.entries for pair in run.corpus().validation for token in pair[0].split()
    )
    assert diptych_command("data", "inspect", run.folder, "--part", "test")[0] == 0


def test_a_sample_follows_from_its_seed(diptych_command, tmp_path, run):
    (tmp_path / "pairs.tsv").write_bytes(TSV)
    first = diptych_command("data", "sample", tmp_path / "pairs.tsv", "-n", 5, "--seed", 3)
    assert first == diptych_command("data", "sample", tmp_path / "pairs.tsv", "-n", 5, "--seed", 3)
    assert first != diptych_command("data", "sample", tmp_path / "pairs.tsv", "-n", 5, "--seed", 4)
    assert first[0] == 0
    lines = first[1].splitlines()
    assert len(lines) == 5 and set(lines) <= set(TSV.decode().splitlines())
    shown = [
        json.loads(line) for line in diptych_command("data", "sample", run.folder, "--json", "-n", 3)[1].splitlines()
    ]
    corpus = run.corpus().train
    for entry in shown:
        assert corpus[entry["row"] - 1] == (entry["source"], entry["target"])
        assert entry["source_tokens"] == entry["source"].split()


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
def test_options_that_do_not_fit_are_one_line_and_2(diptych_command, tmp_path, more, message):
    code, _, error = diptych_command("data", "prepare", write_config(tmp_path, more=more))
    assert code == 2
    assert message in error and error.count("\n") == 1


def test_only_files_have_bad_lines(diptych_command, tmp_path):
    (tmp_path / "x.toml").write_text('[data]\ncorpus = "phrasebook"\nbad_lines = "drop"\n', encoding="utf-8")
    code, _, error = diptych_command("data", "prepare", tmp_path / "x.toml")
    assert code == 2
    assert "bad_lines: only for corpus = 'files', got corpus = 'phrasebook'" in error


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_goes_on_where_it_was(diptych_command, tmp_path, number):
    lines = (f"w{n % 100} word {n % 1009} {n}\tw{n} Wort\n" for n in range(30_000))
    (tmp_path / "pairs.tsv").write_text("".join(lines), "utf-8")
    config = write_config(tmp_path, more="maximum_pairs = 0")
    # Blocks of 100 pairs, and a pause after each, so that the signal comes between the first and the last.
    program = (
        "import sys, time; from diptych.cli import main; from diptych.data.tokens import stored; "
        "append = stored._append; stored.BLOCK = 100; "
        "stored._append = lambda *a, **k: (append(*a, **k), time.sleep(0.02)); sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["data", "prepare", str(config), "--run", str(tmp_path / "run")]
    with subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".run.*/data/.*/train/journal.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(60) in {signal.SIGINT: (130,), signal.SIGTERM: (143,), signal.SIGKILL: (-9,)}[number]
        assert b"Traceback" not in process.stderr.read()
    assert not (tmp_path / "run").exists()
    code, out, error = diptych_command(*arguments, "--json")
    assert code == 0
    assert "data: going on: the vocabularies were made before" in error
    done = re.search("going on: ([0-9,]+) of 29,991 training pairs were encoded before", error)
    assert 100 <= int(done[1].replace(",", "")) < 29_991
    assert sorted(name for name in os.listdir(tmp_path)) == ["pairs.tsv", "run", "x.toml"]
    found = json.loads(out)["account"]
    whole = json.loads(diptych_command(*arguments[:-1], tmp_path / "whole", "--json", "--quiet")[1])["account"]
    assert found == whole and found["read"] == 30_000
    first, second = Run.open(tmp_path / "run").encoded(), Run.open(tmp_path / "whole").encoded()
    assert first.fingerprint == second.fingerprint
