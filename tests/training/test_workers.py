"""Two workers in processes of their own, in each framework: the same bits as one, and what if one is lost."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from diptych.errors import BackendError, CheckpointError, UsageError, WorkerError
from diptych.runs.progress import QuietReporter
from diptych.training import launch
from diptych.training.evidence import DIGEST_EVERY, Evidence
from diptych.training.launch import Crew, train_together
from diptych.training.loop import train

SHARED = {"shards": 3, "batch_size": 7, "accumulate": 2, "validate_every": 2, "stop_metric": "chrf"}


def together(run, backend, workers=2, **options):
    return train_together(run, Crew(backend, workers, threads=1), QuietReporter(), quiet=True, **options)


def weights(run, backend):
    checkpoint = run.read_checkpoint(backend, "latest")
    return {name: value.tobytes() for name, value in {**checkpoint.parameters, **checkpoint.optimizer}.items()}


def told(run, backend):
    names = ("loss", "gradient_norm", "validation_loss", "chrf", "digest", "rows", "target_tokens")
    return [{name: line[name] for name in names if name in line} for line in run.read_metrics(backend)]


@pytest.mark.parametrize("backend", ["tensorflow", "pytorch"])
def test_two_workers_train_what_one_trains_and_one_goes_on_with_it(make_run, need_frameworks, backend):
    need_frameworks(backend)
    alone, shared = (make_run(name, **SHARED) for name in ("alone", "shared"))
    train(alone, backend, device="cpu", reporter=QuietReporter())
    report = together(shared, backend, stop_at=2)
    assert report.steps == 2 and not report.finished
    report = train(shared, backend, resume=True, device="cpu", reporter=QuietReporter())
    assert report.finished and report.resumed_from == 2
    assert weights(shared, backend) == weights(alone, backend)
    assert told(shared, backend) == told(alone, backend)
    state = shared.read_checkpoint(backend, "latest").state["workers"]
    assert state == {"workers": 1, "threads": None, "shards": 3, "equal": "by construction"}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("backend", ["tensorflow", "pytorch"])
def test_any_number_of_workers_trains_the_same(make_run, need_frameworks, backend, precision):
    need_frameworks(backend)
    runs = [make_run(f"of-{workers}", **SHARED | {"shards": 4, "precision": precision}) for workers in (1, 2, 3, 4)]
    for workers, run in enumerate(runs, 1):
        together(run, backend, workers)
    assert all(weights(run, backend) == weights(runs[0], backend) for run in runs[1:])


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_all_with_its_name_and_all_can_start_again(make_run, with_pytorch, monkeypatch):
    alone, killed = (make_run(name, shards=2, epochs=30) for name in ("alone", "killed"))
    train(alone, "pytorch", device="cpu", reporter=QuietReporter())
    started = []

    class Noted(launch.Process):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            started.append(self)

    def kill_once_trained():
        while killed.record("pytorch").steps() is None:
            time.sleep(0.02)
        os.kill(started[1].pid, signal.SIGKILL)

    monkeypatch.setattr(launch, "Process", Noted)
    killer = threading.Thread(target=kill_once_trained)
    killer.start()
    with pytest.raises(BackendError, match=r"worker 1 of 2 \(pytorch\) was killed \(SIGKILL\)"):
        together(killed, "pytorch")
    killer.join()
    assert all(process.status is not None for process in started)
    report = together(killed, "pytorch", resume=True)
    assert report.finished and report.resumed_from > 0
    assert weights(killed, "pytorch") == weights(alone, "pytorch")


def test_more_workers_than_shards_are_refused_before_any_is_started(make_run, monkeypatch):
    monkeypatch.setattr(launch, "Process", None)
    with pytest.raises(UsageError, match="3 workers cannot share"):
        together(make_run(shards=2), "pytorch", workers=3)


def test_the_first_cause_is_told_and_no_start_again_is_tried_where_it_would_not_help(make_run, monkeypatch):
    started = []

    class Failing:
        """Worker 0's disk is full; worker 1 hears of it, and may say so first."""

        status, pid = None, 0

        def __init__(self, name, target, setup, **options):
            started.append(name)
            self.rank = setup["rank"]

        def __enter__(self):
            return self

        def __exit__(self, *given):
            pass

        def ask(self, method, **options):
            if self.rank:
                raise WorkerError("worker 0 of 2 failed: CheckpointError: the disk is full")
            time.sleep(0.3)
            raise CheckpointError("the disk is full")

        def kill(self):
            pass

    monkeypatch.setattr(launch, "Process", Failing)
    crew = Crew("pytorch", 2, threads=1, restarts=3)
    with pytest.raises(CheckpointError, match=r"^worker 0 of 2 \(pytorch\): the disk is full"):
        train_together(make_run(shards=2), crew, QuietReporter(), quiet=True)
    assert len(started) == 2


def test_workers_with_other_weights_are_found_and_named(make_run):
    learner = SimpleNamespace(parameters=lambda: {"output.bias": np.zeros(3), "output.kernel": np.ones((2, 3))})
    told = SimpleNamespace(rounding=None)

    def evidence(**wrong):
        others = SimpleNamespace(size=3, leads=True, gather=lambda own: [own, own, own | wrong])
        return Evidence(make_run(), "pytorch", learner, begun_at=0, measure_gaps=False, workers=others)

    assert "digest" in evidence().of_step(told, DIGEST_EVERY, is_last=False)
    wrong = evidence(**{"output.kernel": "another"})
    assert wrong.of_step(told, DIGEST_EVERY - 1, is_last=False) == {}
    with pytest.raises(WorkerError, match=f"after step {DIGEST_EVERY} the weight output.kernel of worker 2"):
        wrong.of_step(told, DIGEST_EVERY, is_last=False)
