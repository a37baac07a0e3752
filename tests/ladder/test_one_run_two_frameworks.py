"""A run that one framework began goes on in the other: `diptych train RUN --resume --backend OTHER`."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import BACKENDS
from diptych.runs.run import Run

STEPS = 10
CONFIG = RunConfig(
    name="shared",
    data=DataConfig(maximum_pairs=80, validation_size=4, test_size=4),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, dropout=0.3),
    training=TrainingConfig(
        epochs=9, maximum_steps=STEPS, batch_size=16, label_smoothing=0.1, weight_decay=0.01, precision="float64"
    ),
)
# Trains one run to its end and another one up to half of its steps.
PROGRAM = """
import sys
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

backend, whole, begun, half = sys.argv[1:]
train(Run.open(whole), backend, threads=1, reporter=QuietReporter())
train(Run.open(begun), backend, threads=1, reporter=QuietReporter(), stop_at=int(half))
"""


def succeed(*command):
    finished = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def runs(both_frameworks, tmp_path_factory):
    """By backend: the folder of the run that it did alone, and of the one that it began and the other finished."""
    folder, places = tmp_path_factory.mktemp("runs"), {}
    for backend, other in zip(BACKENDS, reversed(BACKENDS), strict=True):
        whole, begun = (Run.create(CONFIG, folder / f"{backend}-{name}").folder for name in ("whole", "begun"))
        succeed("-c", PROGRAM, backend, whole, begun, STEPS // 2)
        arguments = ["--resume", "--backend", other, "--threads", "1", "--json", "--quiet"]
        report = json.loads(succeed("-m", "diptych", "train", begun, *arguments))
        assert (report["backend"], report["resumed_from"], report["steps"]) == (other, STEPS // 2, STEPS)
        places[backend] = (whole, begun)
    return places


@pytest.mark.slow
@pytest.mark.parametrize("alone", BACKENDS)
@pytest.mark.parametrize("began", BACKENDS)
def test_half_in_one_and_half_in_the_other_is_the_whole_in_either(runs, began, alone):
    finished = BACKENDS[1 - BACKENDS.index(began)]
    shared, whole = Run.open(runs[began][1]), Run.open(runs[alone][0])
    ours, others = shared.read_checkpoint(finished, "latest"), whole.read_checkpoint(alone, "latest")
    assert ours.state["step"] == others.state["step"] == STEPS
    for found, expected in ((ours.parameters, others.parameters), (ours.optimizer, others.optimizer)):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9 * np.abs(value).max(), err_msg=name)
    losses = [
        [line["loss"] for line in run.read_metrics(backend) if "loss" in line]
        for run, backend in ((shared, finished), (whole, alone))
    ]
    assert len(losses[0]) == STEPS
    np.testing.assert_allclose(*losses, rtol=1e-9)
