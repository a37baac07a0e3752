"""What contradicts itself on the command line of several workers: one line each, before anything is made or started."""

import pytest

from diptych.training import launch

TORCHRUN = {"RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def test_a_config_of_too_few_shards_is_refused_before_a_run_is_made(diptych_command, tmp_path):
    config = tmp_path / "small.toml"
    config.write_text('name = "small"\n[training]\nshards = 2\n', encoding="utf-8")
    code, out, error = diptych_command("train", config, "--run", tmp_path / "run", "--workers", "3")
    assert (code, out) == (2, "") and "3 workers cannot share a training of training.shards = 2" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("environment", "options", "message"),
    [
        ({}, ["--workers", "2"], "2 workers cannot share a training of training.shards = 1"),
        (TORCHRUN, ["--workers", "2"], "--workers 2, but torchrun (RANK, WORLD_SIZE) has started 3"),
        ({"TF_CONFIG": "[]"}, [], "TF_CONFIG cannot be read"),
        ({}, ["--threads", "1", "--threads-per-worker", "1"], "give one of them"),
        ({}, ["--restarts", "1"], "--restarts starts workers again that --workers 2 or more has started"),
        (TORCHRUN, ["--restarts", "1"], "--restarts starts workers again that --workers 2 or more has started"),
    ],
)
def test_a_contradiction_is_one_line_and_2(diptych_command, run, monkeypatch, environment, options, message):
    monkeypatch.setattr(launch, "Process", None)
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, out, error = diptych_command("train", run.folder, *options)
    assert (code, out) == (2, "") and message in error and error.count("\n") == 1
