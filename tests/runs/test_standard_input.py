"""Training text that comes on standard input: kept in the run, the same as from a file."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig
from diptych.errors import ConfigError, RunError, UsageError
from diptych.runs.named_corpus import open_named
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run

TEXT = b"".join(f"w{n}\tv{n}\n".encode() for n in range(12))


@pytest.fixture
def given(monkeypatch):
    def give(content, terminal=False):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: terminal))

    return give


def config(path, **data):
    held = {"validation_size": 2, "test_size": 2, "maximum_pairs": 0}
    return RunConfig(
        data=DataConfig(corpus="files", train=(path,), **held, **data),
        model=ModelConfig(embedding_size=2, encoder_size=2, decoder_size=2),
    )


@pytest.mark.parametrize("name", ["-", "-.csv"])
def test_a_run_keeps_what_came_and_needs_it_no_more(tmp_path, given, name):
    content = TEXT if name == "-" else b"source,target\n" + TEXT.replace(b"\t", b",")
    path = tmp_path / f"file{name.removeprefix('-') or '.tsv'}"
    path.write_bytes(content)
    from_file = Run.create(config(str(path)), tmp_path / "from file")
    given(content)
    run = Run.create(config(name), tmp_path / "run")
    assert run.corpus() == from_file.corpus() and len(run.corpus().train) == 8
    run.folder.rename(tmp_path / "moved")
    moved = Run.open(tmp_path / "moved")
    assert moved.corpus() == run.open(moved.folder).corpus()
    given(content)
    assert Run.create(config(name), moved.folder).config.hash() == moved.config.hash()
    given(content + b"x\ty\n")
    with pytest.raises(RunError, match="is a run of another text"):
        Run.create(config(name), moved.folder)


def test_what_cannot_be_meant_is_refused(tmp_path, given):
    given(TEXT)
    with pytest.raises(ConfigError, match="standard input is one text"):
        Run.create(config("-", test=("-",)), tmp_path / "run")
    given(b"", terminal=True)
    with pytest.raises(UsageError, match="nothing is there: diptych"):
        Run.create(config("-"), tmp_path / "run")


def test_it_is_looked_into_as_a_file_is(given):
    given(TEXT)
    named = open_named([Path("-")], ("", ""), True, QuietReporter())
    assert list(named.corpus.train)[:2] == [("w0", "v0"), ("w1", "v1")]


def test_it_is_looked_into_as_a_config_reads_it(tmp_path, given):
    text = '[data]\ncorpus = "files"\ntrain = ["-"]\nsource_column = 2\ntarget_column = 1\n'
    (tmp_path / "config.toml").write_text(text + "validation_size = 1\ntest_size = 1\nmaximum_pairs = 0\n", "utf-8")
    given(TEXT)
    corpus = open_named([tmp_path / "config.toml"], ("", ""), True, QuietReporter()).corpus
    assert ("v0", "w0") in [*corpus.train, *corpus.validation, *corpus.test] and len(corpus.train) == 10


def test_a_config_that_asks_for_more_is_refused_when_it_is_looked_into(tmp_path, given):
    (tmp_path / "config.toml").write_text('[data]\ncorpus = "files"\ntrain = ["-"]\nvalidation = ["-"]\n', "utf-8")
    given(TEXT)
    with pytest.raises(ConfigError, match="standard input is one text"):
        open_named([tmp_path / "config.toml"], ("", ""), True, QuietReporter())
