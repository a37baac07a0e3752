"""`diptych runs`, `diptych score` and `diptych batch` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import diptych
from diptych.cli.batch import open_batch
from diptych.errors import UsageError


def test_runs_are_listed_in_words_and_in_json(diptych_command, run):
    code, out, error = diptych_command("runs", run.folder.parent)
    assert (code, error) == (0, "")
    heads, line = out.splitlines()[:2]
    assert heads.split()[:4] == ["run", "backend", "state", "steps"] and line.split()[:2] == ["tiny", "new"]
    [told] = json.loads(diptych_command("runs", run.folder, "--json")[1])
    assert told["folder"] == str(run.folder)
    assert diptych_command("runs", run.folder / "nothing")[0] == 1


def test_pairs_are_scored_from_standard_input_and_from_files(diptych_command, run, tmp_path):
    [said] = diptych.load(run.folder, "reference").translate(["I feel hungry"], maximum_length=3, temperature=2.0)
    pair = f"I feel hungry\t{said.text}\n".encode()
    command = ("score", run.folder, "--backend", "reference")
    code, out, error = diptych_command(*command, "--alignment", tmp_path / "a.txt", stdin=pair * 2)
    assert (code, error) == (0, "") and len(set(out.splitlines())) == 1 and len(out.splitlines()) == 2
    probability, perplexity = map(float, out.splitlines()[0].split("\t"))
    assert probability < 0.0 < perplexity
    assert len((tmp_path / "a.txt").read_text(encoding="utf-8").splitlines()) == 2
    (tmp_path / "s.txt").write_text("I feel hungry\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text(f"{said.text}\n", encoding="utf-8")
    told = json.loads(diptych_command(*command, tmp_path / "s.txt", tmp_path / "t.txt", "--json")[1])
    assert round(told["log_probability"], 4) == probability
    code, out, error = diptych_command(*command, stdin=b"no tab\n")
    assert (code, out) == (1, "") and "line 1: a line is a source, a tab and a target" in error


def test_a_batch_says_what_it_cannot_vary(diptych_command, tmp_path):
    config = tmp_path / "x.toml"
    config.write_text('name = "x"\n', encoding="utf-8")
    code, _, error = diptych_command("batch", config, "--vary", "model.size=1,2", "--folder", tmp_path / "runs")
    assert code == 2 and "no key 'model.size'" in error
    code, _, error = diptych_command("search", config, "--vary", "training.learning_rate=1e-4..1e-2")
    assert code == 2 and "--trials" in error


def test_a_batch_stays_out_of_a_runs_folder(tmp_path):
    """Where `train --overwrite` would remove it."""
    run = Path("runs") / "x"
    assert open_batch(Path("x.toml"), None, jobs=1, threads=1, device="cpu").folder not in (run, *run.parents)
    (tmp_path / "config.toml").touch()
    with pytest.raises(UsageError, match="the folder of one run"):
        open_batch(Path("x.toml"), tmp_path, jobs=1, threads=1, device="cpu")
