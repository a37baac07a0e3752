"""A member in a process of its own: the same model, states that are released there, and ends that are said."""

import gc
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from diptych.errors import BackendError, CheckpointError
from diptych.search import beam
from diptych.translation.members import Member, MemberProcess, load_model
from diptych.translation.members.steppers import Steppers

SOURCE, LENGTHS = np.array([[5, 6, 7], [8, 4, 0]], np.int32), np.array([3, 2], np.int32)
LONGEST = np.array([8, 8], np.int32)


@pytest.fixture(scope="module")
def process(runs):
    """A process of the reference, which starts in a moment, with two models."""
    process = MemberProcess("reference")
    for run in runs[:2]:
        process.ask_to_load(Member(run, "reference"))
    process.steppers = [process.loaded() for _ in range(2)]
    yield process
    process.close()


def test_a_model_far_away_is_the_model(runs, process, monkeypatch):
    for run, remote in zip(runs[:2], process.steppers, strict=True):
        here = load_model(run, "reference").stepper
        for one, other in zip(
            beam(here, SOURCE, LENGTHS, LONGEST, 3, n_best=3),
            beam(remote, SOURCE, LENGTHS, LONGEST, 3, n_best=3),
            strict=True,
        ):
            for each, same in zip(one, other, strict=True):
                assert (each.tokens, each.token_log_probabilities) == (same.tokens, same.token_log_probabilities)
                assert np.array_equal(each.attention, same.attention)


def test_states_are_released_in_the_worker(runs):
    steppers = Steppers("reference")
    model = steppers.load(str(runs[0].folder), "best", None, None, "auto")
    state, released = steppers.start(model, SOURCE, LENGTHS)["state"], []
    for _ in range(5):
        after = steppers.step(state, np.array([1, 1], np.int32), released)["state"]
        state, released = after, [state]
    assert sorted(steppers.states) == [*released, state]


def test_a_state_nobody_has_any_more_is_told_to_the_worker(process, monkeypatch):
    told = []
    ask = process.process.ask
    monkeypatch.setattr(
        process.process, "ask", lambda do, released=(), **others: (told.extend(released), ask(do, **others))[1]
    )
    gc.collect()
    process.released.clear()
    beam(process.steppers[0], SOURCE, LENGTHS, LONGEST, 3)
    gc.collect()
    state = process.steppers[0].start(SOURCE, LENGTHS)
    assert sorted(told) == list(range(min(told), state.number)), "all but the one that is here"


def test_what_fails_there_fails_here_and_the_process_goes_on(runs, process):
    process.ask_to_load(Member(runs[0], "reference", "step-00000077"))
    with pytest.raises(CheckpointError, match="step-00000077"):
        process.loaded()
    with pytest.raises(BackendError, match="the reference process of the ensemble failed: KeyError"):
        process.ask("step", state=-1, tokens=np.array([1], np.int32))
    process.steppers[0].start(SOURCE, LENGTHS)


def test_a_process_that_dies_is_one_clear_error(runs):
    process = MemberProcess("reference")
    process.ask_to_load(Member(runs[0], "reference"))
    stepper = process.loaded()
    state = stepper.start(SOURCE, LENGTHS)
    os.kill(process.process.pid, signal.SIGKILL)
    with pytest.raises(BackendError, match=r"of the ensemble was killed \(SIGKILL\), as the system does when memory"):
        stepper.step(state, np.array([1, 1], np.int32))
    with pytest.raises(BackendError, match="has ended: it can be asked nothing more"):
        stepper.step(state, np.array([1, 1], np.int32))


def test_ctrl_c_while_it_computes_ends_it(runs, process, monkeypatch):
    interrupted = MemberProcess("reference")

    def receive(stream):
        raise KeyboardInterrupt

    monkeypatch.setattr("diptych.processes.process.receive", receive)
    with pytest.raises(KeyboardInterrupt):
        interrupted.ask("start", model=0, source=SOURCE, source_lengths=LENGTHS)
    assert interrupted.process.status is not None


@pytest.mark.parametrize("how", ["forgotten", "killed"])
def test_it_ends_with_the_process_that_started_it(how):
    end = "" if how == "forgotten" else "os.kill(os.getpid(), signal.SIGKILL)"
    program = f"""
import os, signal
from diptych.translation.members import MemberProcess
process = MemberProcess("reference")
print(process.process.pid, flush=True)
{end}
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    pid = int(finished.stdout)
    deadline = time.monotonic() + 20.0
    while _runs(pid):
        assert time.monotonic() < deadline, "it has outlived its parent"
        time.sleep(0.05)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
