"""Ensembles of runs, checkpoints and frameworks, as a user asks for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diptych.errors import BackendError, CheckpointError, ConfigError, RunError
from diptych.translation.translator import load

LINES = ["I feel hungry", "", "Please close the window", "qux"]
SEARCHES = [{}, {"beam_size": 4, "n_best": 4, "coverage_penalty": 0.3}, {"temperature": 1.2, "seed": 3, "top_p": 0.9}]

# Translates with each ensemble named on the command line, and prints what it finds.
PROGRAM = """
import json, sys
from diptych.translation.translator import load

folder, backend, members, lines, searches = json.loads(sys.argv[1])
with load(folder, backend, threads=1, device="cpu", members=members) as translator:
    for search in searches:
        found = [[each.tokens, each.token_log_probabilities, each.attention.tolist()]
                 for each in translator.translate(lines, **search)]
        print(json.dumps(found), flush=True)
    pids = [process.process.pid for process in translator._processes]
print(json.dumps([pids, sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "tensorflow"})]))
"""


def outcome(folder, backend, members):
    """What an ensemble finds in a process of its own, its workers, and the frameworks imported beside them."""
    request = json.dumps([str(folder), backend, members, LINES, SEARCHES])
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, request], capture_output=True, encoding="utf-8", timeout=240, check=False
    )
    assert finished.returncode == 0, finished.stderr
    *found, last = map(json.loads, finished.stdout.splitlines())
    return found, *last


def test_one_model_in_tensorflow_with_another_in_pytorch(runs, both_frameworks):
    one, other = (str(run.folder) for run in runs[:2])
    mixed, workers, imported = outcome(one, "pytorch", [f"{other}:tensorflow"])
    assert len(workers) == 1 and imported == ["torch"]
    same, workers, _ = outcome(one, "reference", [other])
    assert not workers
    for found, expected in zip(mixed, same, strict=True):
        for (tokens, values, attention), (their_tokens, their_values, their_attention) in zip(
            found, expected, strict=True
        ):
            assert tokens == their_tokens
            np.testing.assert_allclose(values, their_values, rtol=1e-10)  # float64 throughout
            np.testing.assert_allclose(attention, their_attention, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("search", SEARCHES)
def test_four_seeds_in_any_order(runs, search):
    folders = [str(run.folder) for run in runs]
    expected = load(folders[0], "reference", members=folders[1:]).translate(LINES, **search)
    found = load(folders[2], "reference", members=[folders[0], folders[3], folders[1]]).translate(LINES, **search)
    alone = load(folders[0], "reference").translate(LINES, **search)
    for one, other in zip(expected, found, strict=True):
        assert one.tokens == other.tokens
        np.testing.assert_allclose(one.token_log_probabilities, other.token_log_probabilities, rtol=1e-10)
        np.testing.assert_allclose(one.attention, other.attention, rtol=1e-6)
    assert [each.tokens for each in alone] != [each.tokens for each in expected]


def test_a_run_with_itself_is_the_run(runs):
    expected = load(runs[0].folder, "reference").translate(LINES)
    found = load(runs[0].folder, "reference", members=[str(runs[0].folder)] * 2).translate(LINES)
    for one, other in zip(expected, found, strict=True):
        assert (one.tokens, one.token_log_probabilities) == (other.tokens, other.token_log_probabilities)


def test_several_checkpoints_of_one_run(make_run, tmp_path):
    run = make_run(tmp_path / "run", scales=(4.0, 2.0))
    ensemble = load(run.folder, "reference", members=[f"{run.folder}::latest"])
    found = [each.log_probability for each in ensemble.translate(LINES)]
    for which in ("best", "latest"):
        assert found != [each.log_probability for each in load(run.folder, "reference", which).translate(LINES)]
    other = load(run.folder, "reference", "step-00000002", members=[f"{run.folder}::step-00000001"])
    np.testing.assert_allclose(found, [each.log_probability for each in other.translate(LINES)], rtol=1e-12)


def test_a_vetoing_ensemble_is_another_one(runs):
    folders = [str(run.folder) for run in runs[:2]]
    mean, veto = (
        load(folders[0], "reference", members=folders[1:], average=average).translate(LINES[:1])[0].log_probability
        for average in ("probability", "log_probability")
    )
    assert mean != veto


def test_members_that_cannot_be_are_refused_and_leave_no_process(runs, make_run, tmp_path):
    other = make_run(tmp_path / "other", maximum_vocabulary=9)
    with pytest.raises(RunError, match="source vocabularies differ, first at id 9"):
        load(runs[0].folder, "reference", members=[str(other.folder)])
    with pytest.raises(CheckpointError, match="step-00000088"):
        load(runs[0].folder, "reference", members=[f"{runs[1].folder}::step-00000088"])
    with pytest.raises(ConfigError, match="unknown average 'median'"):
        load(runs[0].folder, "reference", members=[str(runs[1].folder)], average="median")
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text(encoding="utf-8")
    with pytest.raises(CheckpointError, match="step-00000088"):
        load(runs[0].folder, "reference", members=[f"{runs[1].folder}:pytorch:step-00000088"])
    assert children.read_text(encoding="utf-8") == before


def test_what_a_worker_says_at_its_start_is_said_here(runs, monkeypatch):
    monkeypatch.setattr("diptych.processes.process.sys.executable", "/bin/false")
    with pytest.raises(BackendError, match="the pytorch process of the ensemble ended with exit status 1"):
        load(runs[0].folder, "reference", members=[f"{runs[1].folder}:pytorch"])
