"""`diptych config`, `--set`, and what somebody hears who gives a text instead of a config."""

import json
import shlex
import tomllib

import pytest

from diptych.config import RunConfig, parse_config
from diptych.panel import is_installed
from diptych.runs.run import Run

PAIRS = [(f"a {i} b {j}", f"{j} c {i}") for i in range(8) for j in range(5)]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "my pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS), encoding="utf-8")
    return path


def test_all_of_it_is_a_config(diptych_command):
    code, out, _ = diptych_command("config")
    assert code == 0
    assert parse_config(tomllib.loads(out)) == RunConfig()


def test_sections_and_keys(diptych_command):
    _, out, _ = diptych_command("config", "search", "training.epochs")
    assert tomllib.loads(out) == {"search": RunConfig().search.model_dump(), "training": {"epochs": 4}}
    _, out, _ = diptych_command("config", "dropout", "--json")
    [told] = json.loads(out)["keys"]
    assert told["name"] == "model.dropout" and told["default"] == 0.05 and told["allowed"] == "0 or more, below 1"
    code, _, error = diptych_command("config", "dropuot")
    assert code == 2 and "did you mean model.dropout?" in error


def test_a_text_instead_of_a_config_says_the_line_that_makes_one(diptych_command, table, tmp_path, monkeypatch):
    """And the line works: the config is written, and (where PyTorch is there) trains as it is."""
    monkeypatch.chdir(tmp_path)
    code, _, error = diptych_command("train", table.name)
    assert code == 2
    assert "diptych config --minimal 'my pairs.tsv' > 'my pairs.toml' && diptych train 'my pairs.toml'" in error
    made, trained = (shlex.split(part) for part in error.partition("trains: ")[2].split("&&"))
    code, out, _ = diptych_command(*made[1:-2])
    assert code == 0
    (tmp_path / made[-1]).write_text(out, encoding="utf-8")
    if is_installed("pytorch"):
        few = ("--set", "training.epochs=1", "--device", "cpu", "--threads", "1", "--json")
        code, out, _ = diptych_command(*trained[1:], *few)
        assert code == 0
        assert Run.open(json.loads(out)["run"]).config.training.epochs == 1


def test_two_aligned_files_instead_of_a_config(diptych_command):
    code, _, error = diptych_command("train", "text.en", "text.ko")
    assert code == 2 and "diptych config --minimal text.en text.ko > text.toml && diptych train text.toml" in error


def test_a_config_without_its_suffix_is_one(diptych_command, tmp_path):
    (tmp_path / "mine").write_text("[model]\ncel = 'gru'", encoding="utf-8")
    code, _, error = diptych_command("train", tmp_path / "mine")
    assert code == 2 and "unknown key 'cel' in [model]" in error


def test_minimal_into_a_file_and_without_a_text(diptych_command, table, tmp_path):
    path = tmp_path / "made.toml"
    assert diptych_command("config", "--minimal", table, "--output", path) == (0, "", "")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["data"]["train"] == ["my pairs.tsv"]
    code, _, error = diptych_command("config", "--minimal")
    assert code == 2 and "--minimal needs a text" in error
    code, _, error = diptych_command("config", "--source-column", "en")
    assert code == 2 and "are for --minimal FILE" in error


@pytest.mark.parametrize("command", ["train", "compare", "find-rate", "parity", ("data", "prepare")])
def test_a_value_that_does_not_fit_is_refused_before_anything_is_done(diptych_command, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('name = "mine"\n', encoding="utf-8")
    command = (command,) if isinstance(command, str) else command
    code, out, error = diptych_command(*command, "mine.toml", "--set", "model.cell=gruu")
    assert (code, out) == (2, "")
    assert error == "error: --set: model.cell = 'gruu': input should be 'gru', 'lstm' or 'rnn'\n"
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", ["train", "find-rate", "parity", ("data", "prepare")])
def test_a_run_has_its_own_config(diptych_command, run, command):
    command = (command,) if isinstance(command, str) else command
    code, _, error = diptych_command(*command, run.folder, "--set", "training.epochs=2")
    assert code == 2 and "is a run, which has its own config: leave out --set" in error


def test_prepare_makes_the_run_that_is_asked_for(diptych_command, table, tmp_path):
    path = tmp_path / "made.toml"
    diptych_command("config", "--minimal", table, "--output", path)
    changes = ("--set", "data.test_size=2", "--set", "data.source_tokenizer=character", "--set", "name=other")
    code, out, _ = diptych_command("data", "prepare", path, "--run", tmp_path / "run", *changes, "--json")
    assert code == 0
    run = Run.open(tmp_path / "run")
    assert (run.config.name, run.config.data.test_size) == ("other", 2)
    assert json.loads(out)["vocabulary"]["source"] == 4 + len(set("ab 01234567"))
