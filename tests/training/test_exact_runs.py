"""The small twin of `make demo`: whole trainings, exactly, in both frameworks and with other numbers of threads."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.ladder.whole_runs import compare_runs
from diptych.panel import BACKENDS
from diptych.parameters.digest import digest
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.evidence import DIGEST_EVERY
from diptych.training.loop import train

# How many steps in all, between two validations, and before the framework changes.
LENGTHS = {"whole": (200, 90, 97), "short": (30, 13, 17)}
CONFIG = RunConfig(
    name="twin",
    data=DataConfig(maximum_pairs=300, validation_size=20, test_size=10),
    model=ModelConfig(embedding_size=8, encoder_size=8, decoder_size=12, attention="general", dropout=0.1),
    training=TrainingConfig(precision="exact", epochs=99, batch_size=8, ema_decay=0.9),
)
PROGRAM = """
import sys
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.loop import train

backend, threads, *jobs = sys.argv[1:]
for folder, stop_at in zip(jobs[::2], jobs[1::2]):
    given = {"threads": int(threads), "device": "cpu", "stop_at": int(stop_at)}
    train(Run.open(folder), backend, resume=True, reporter=QuietReporter(), **given)
"""


def of_steps(steps, validated=0):
    training = CONFIG.training.model_copy(update={"maximum_steps": steps, "validate_every": validated})
    return CONFIG.model_copy(update={"training": training})


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.slow)])
def runs(both_frameworks, request, tmp_path_factory):
    """Independent runs: each framework with one and, if they are whole, with two threads, and one that changes
    framework halfway."""
    folder, found = tmp_path_factory.mktemp("twins"), {}
    steps, validated, changed = LENGTHS[request.param]
    config = of_steps(steps, validated)
    changing = Run.create(config, folder / "changing")
    for backend in BACKENDS:
        for threads in (1, 2) if request.param == "whole" else (1,):
            run = Run.create(config, folder / f"{backend}-{threads}")
            jobs = [str(run.folder), "0"]
            if threads == 1:  # TensorFlow stops between two validations, PyTorch goes on from there
                jobs += [str(changing.folder), str(changed if backend == "tensorflow" else 0)]
            command = [sys.executable, "-c", PROGRAM, backend, str(threads), *jobs]
            finished = subprocess.run(
                command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=900
            )
            assert finished.returncode == 0, finished.stderr
            found[backend, threads] = (run, backend)
    return found | {"changing": (changing, "pytorch")}


def compared(one, other):
    (run, backend), (also, second) = one, other
    return compare_runs(run.record(backend), also.record(second), run.config.training)


def test_whole_trainings_have_the_same_weights_to_the_last_bit(runs):
    first = runs["tensorflow", 1]
    steps = first[0].config.training.maximum_steps
    for other in set(runs) - {("tensorflow", 1)}:
        found = compared(first, runs[other])
        assert found.are_equal and found.steps == steps and found.digests == -(-steps // DIGEST_EVERY), other
        assert found.differing == 0 and found.checkpoint == steps, other
        assert found.largest_loss_gap < 1e-12, other


def test_the_averages_are_equal_too_and_are_no_multiples_of_the_grid(runs):
    checkpoints = [run.read_checkpoint(backend, "latest") for run, backend in runs.values()]
    assert len({digest(each.parameters) for each in checkpoints}) == 1
    own = {name: value for name, value in checkpoints[0].optimizer.items() if name.startswith("swapped.")}
    scale = 2.0**CONFIG.training.grid_exponent
    assert all((value * scale == np.rint(value * scale)).all() for value in own.values())
    assert any((value * scale != np.rint(value * scale)).any() for value in checkpoints[0].parameters.values())


def test_validations_tell_the_digest_of_what_they_validated(runs):
    run, backend = runs["pytorch", 1]
    last = [line for line in run.read_metrics(backend) if "validation_loss" in line][-1]
    assert last["digest"] == digest(run.read_checkpoint(backend, "latest").parameters)
    told = [[line["digest"] for line in r.read_metrics(b) if "validation_loss" in line] for r, b in runs.values()]
    assert len({tuple(digests) for digests in told}) == 1


def test_without_rounding_they_part(both_frameworks, tmp_path):
    """But for the grid the same runs end with other bits, or the tests above would show nothing."""
    config = SHORT.model_copy(update={"training": SHORT.training.model_copy(update={"precision": "float64"})})
    run = Run.create(config, tmp_path / "run")
    for backend in BACKENDS:
        with pytest.MonkeyPatch.context() as patch:
            uncompiled(patch, backend)
            train(run, backend, reporter=QuietReporter())
    found = compare_runs(run.record("tensorflow"), run.record("pytorch"), config.training)
    assert found.parted == SHORT.training.maximum_steps and found.differing > 0 and found.place


SHORT = of_steps(6)
AT = 4


def uncompiled(patch, backend):
    """Has TensorFlow compute without a graph, which is traced once and takes seconds."""
    if backend == "tensorflow":
        load = learner.load

        def without_graphs(*arguments, **named):
            panel = load(*arguments, **named)
            return SimpleNamespace(**vars(panel) | {"TrainingStep": partial(panel.TrainingStep, compiled=False)})

        patch.setattr(learner, "load", without_graphs)


def plant(patch, backend, change):
    """Has one number changed, after the optimizer and before rounding, at step `AT`: by its old value the new one."""
    module = __import__(f"diptych.{backend}.grid", fromlist=["Grid"])
    original, rounds = module.Grid.round, []

    def planted(grid):
        rounds.append(1)
        if len(rounds) == AT:
            variable = grid.bindings[0].variable
            value = np.array(variable.detach().numpy() if backend == "pytorch" else variable.numpy())
            change(value)
            if backend == "pytorch":
                import torch

                variable.detach().copy_(torch.from_numpy(value))
            else:
                variable.assign(value)
        return original(grid)

    patch.setattr(module.Grid, "round", planted)
    uncompiled(patch, backend)  # or the graph, once traced, would not call it at each step


def halfway(beyond):
    def change(value):
        value[5, 3] = 1234.5 / 2.0**CONFIG.training.grid_exponent + beyond

    return change


@pytest.fixture
def planted(both_frameworks, tmp_path):
    """Trains a short run in both frameworks, each with its change; side by side, or each in a run of its own."""

    def run(first, second, together):
        runs = [Run.create(SHORT, tmp_path / f"{together}-{0 if together else number}") for number in (0, 1)]
        for each, backend, change in zip(runs, BACKENDS, (first, second), strict=True):
            with pytest.MonkeyPatch.context() as patch:
                plant(patch, backend, change)
                train(each, backend, reporter=QuietReporter(), measure_gaps=together)
        return runs[0].record(BACKENDS[0]), runs[1].record(BACKENDS[1])

    return run


def test_a_flip_is_recovered_by_the_ties_and_found_without_them(planted):
    alone = compare_runs(*planted(halfway(1e-15), halfway(-1e-15), together=False), SHORT.training)
    assert not alone.are_equal and alone.parted == AT and alone.equal_until == AT - 1
    assert alone.differing > 0 and alone.place

    first, second = planted(halfway(1e-15), halfway(-1e-15), together=True)
    together = compare_runs(first, second, SHORT.training)
    assert together.are_equal and together.turned == 1 and together.faults == 0
    tie = first.read_ties()[AT][0]
    assert tie.up and tie.margin == pytest.approx(1e-15, rel=0.1)
    assert together.gap is not None and together.gap < 1e-12 and together.expected_flips < 1e-3


def test_a_tie_that_was_none_in_the_first_run_is_reported_as_a_fault(planted):
    found = compare_runs(*planted(halfway(1e-15), halfway(-1e-10), together=True), SHORT.training)
    assert found.faults == 1 and found.parted == AT and not found.are_equal
    assert "faults: 1" in found.lines()[-1]


def test_a_difference_of_a_billionth_is_found_at_its_step(planted, capsys):
    def nothing(value):
        pass

    def billionth(value):
        value += 1e-9

    first, second = planted(nothing, billionth, together=False)
    found = compare_runs(first, second, SHORT.training)
    assert found.parted == AT
    where = [str(record.folder.parent) for record in (first, second)]
    finished = subprocess.run(
        [sys.executable, "-m", "diptych", "parity", *where, "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert finished.returncode == 1, finished.stderr
    assert json.loads(finished.stdout)["comparisons"][0]["parted"] == AT
