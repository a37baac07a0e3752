"""The panels themselves, each in its own process: killed and resumed, and begun in one and finished in the other."""

import json
import subprocess
import sys

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import BACKENDS
from diptych.runs.run import Run

STEPS = 10

PROGRAM = """
import json, os, signal, sys
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

class Killer(QuietReporter):
    def step(self, metrics):
        if metrics["step"] == 5:
            os.kill(os.getpid(), signal.SIGKILL)

backend, *jobs = sys.argv[1:]
for job in map(json.loads, jobs):
    run, reporter = Run.open(job.pop("run")), Killer() if job.pop("kill", False) else QuietReporter()
    train(run, backend, threads=1, reporter=reporter, **job)
"""


@pytest.fixture(scope="module")
def runs(both_frameworks, tmp_path_factory):
    """What the four processes left: for each backend a whole run and a killed and resumed one, and a shared run."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {name: make_run(folder, name) for name in ("whole", "killed", "shared")}
    places = {name: str(run.folder) for name, run in runs.items()}
    for backend in BACKENDS:
        killed = work(backend, {"run": places["whole"]}, {"run": places["killed"], "kill": True})
        assert killed.returncode == -9, killed.stderr
        share = {"stop_at": 6} if backend == BACKENDS[0] else {"resume": True}
        resumed = work(backend, {"run": places["killed"], "resume": True}, {"run": places["shared"], **share})
        assert resumed.returncode == 0, resumed.stderr
    return runs


def make_run(folder, name):
    text = folder / "pairs.tsv"
    lines = [f"{'a ' * (n % 5)}w{n % 7}\t{'b ' * (n % 4)}v{n % 9}" for n in range(50)]
    text.write_text("\n".join(lines), encoding="utf-8")
    data = DataConfig(corpus="files", train=(str(text),), validation_size=6, test_size=4)
    model = ModelConfig(cell="lstm", embedding_size=5, encoder_size=3, decoder_size=4, dropout=0.3)
    training = TrainingConfig(
        epochs=2,
        batch_size=8,
        optimizer="adamw",
        weight_decay=0.01,
        label_smoothing=0.1,
        validate_every=2,
        precision="float64",
    )
    return Run.create(RunConfig(data=data, model=model, training=training), folder / name)


def work(backend, *jobs):
    command = [sys.executable, "-c", PROGRAM, backend, *map(json.dumps, jobs)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=300)


def arrays_of(run, backend):
    checkpoint = run.read_checkpoint(backend, "latest")
    assert checkpoint.state["step"] == STEPS
    return {**checkpoint.parameters, **checkpoint.optimizer}


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_killed_and_resumed_equals_the_whole_one_to_the_bit(runs, backend):
    whole, killed = arrays_of(runs["whole"], backend), arrays_of(runs["killed"], backend)
    assert whole.keys() == killed.keys()
    assert all(value.tobytes() == killed[name].tobytes() for name, value in whole.items())
    losses = [
        [(line["step"], line.get("loss"), line.get("validation_loss")) for line in runs[name].read_metrics(backend)]
        for name in ("whole", "killed")
    ]
    assert losses[0] == losses[1] and len(losses[0]) == STEPS + STEPS // 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_begun_in_one_framework_and_finished_in_the_other_equals_either(runs, backend):
    whole, shared = arrays_of(runs["whole"], backend), arrays_of(runs["shared"], "pytorch")
    for name, value in whole.items():
        np.testing.assert_allclose(shared[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    doers = [line["backend"] for line in runs["shared"].read_metrics("pytorch") if "loss" in line]
    assert doers == ["tensorflow"] * 6 + ["pytorch"] * 4
