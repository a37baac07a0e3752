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
from functools import partial

import pytest
import zstandard

from diptych.config import read_config
from diptych.runs.run import Run

zipped = partial(gzip.compress, mtime=0)  # the time would be part of a test's name
PAIRS = [(f"word {number} w{number % 7}", f"Wort {number}") for number in range(60)]
TSV = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()


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
def test_every_kind_of_file_gives_the_same_corpus(prepared, tmp_path, name, content, options, write_config):
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


def test_many_files_with_weights_become_one_corpus(prepared, tmp_path, write_config):
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


def test_the_report_in_words(diptych_command, tmp_path, write_config):
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
def test_each_filter_has_its_count(prepared, tmp_path, option, write_config):
    line, reason = FILTERS[option]
    pairs = "".join(f"one two {number}\teins zwei {number}\n" for number in range(30)).encode()
    (tmp_path / "pairs.tsv").write_bytes(pairs + line)
    report, _ = prepared(write_config(tmp_path, more=option))
    assert report["account"]["dropped"] == {reason: 1}
    [[place, _]] = report["account"]["examples"][reason]
    read = 30 + line.count(b"\n")
    assert place == f"{tmp_path}/pairs.tsv:{read}"
    assert report["account"]["read"] == read


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_goes_on_where_it_was(diptych_command, tmp_path, number, write_config):
    lines = (f"w{n % 100} word {n % 1009} {n}\tw{n} Wort\n" for n in range(9_000))
    (tmp_path / "pairs.tsv").write_text("".join(lines), "utf-8")
    config = write_config(tmp_path, more="maximum_pairs = 0")
    # Blocks of 100 pairs, and a pause after each, so that the signal comes between the first and the last.
    program = (
        "import sys, time; from diptych.cli import main; from diptych.data.tokens import stored; "
        "replace_file = stored.replace_file; stored.BLOCK = 100; "
        "stored.replace_file = lambda *a: (replace_file(*a), time.sleep(0.02)); sys.exit(main(sys.argv[1:]))"
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
    done = re.search("going on: ([0-9,]+) of 8,991 training pairs were encoded before", error)
    assert 100 <= int(done[1].replace(",", "")) < 8_991
    assert sorted(name for name in os.listdir(tmp_path)) == ["pairs.tsv", "run", "x.toml"]
    found = json.loads(out)["account"]
    whole = json.loads(diptych_command(*arguments[:-1], tmp_path / "whole", "--json", "--quiet")[1])["account"]
    assert found == whole and found["read"] == 9_000
    first, second = Run.open(tmp_path / "run").encoded(), Run.open(tmp_path / "whole").encoded()
    assert first.fingerprint == second.fingerprint
