"""Two processes never train one run with one backend; a lock that a dead process left is taken over."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from trials.small_run import digests, make_run, train_quietly

from diptych.errors import RunError
from diptych.runs.locks import LOCK, training_lock
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from diptych.storage.lock import Lock

HOLD = """
import sys, time
from pathlib import Path
from diptych.storage.lock import Lock
with Lock(Path(sys.argv[1]), "RUN is being trained"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(run):
    """Another process, which holds the lock of pytorch's training."""
    command = [sys.executable, "-c", HOLD, str(training_lock(run.folder, "pytorch").path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_training_is_refused_at_once_and_a_dead_process_s_lock_is_taken_over(panel, run, holder):
    for overwrite in (False, True):
        with pytest.raises(RunError, match=rf"being trained with pytorch by process {holder.pid} on \S+ since 20"):
            train_quietly(run, overwrite=overwrite)
    with pytest.raises(RunError, match=f"process {holder.pid} on"):
        Run.create(run.config, run.folder, overwrite=True)
    assert Run.open(run.folder).config == run.config, "who only reads is not kept out"
    assert train_quietly(run, "tensorflow").finished, "nor is the other backend"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (run.folder / "pytorch" / LOCK).exists()
    assert train_quietly(run).finished
    assert not (run.folder / "pytorch" / LOCK).exists()


def test_a_lock_is_not_held_twice_and_goes_with_its_file(tmp_path):
    first, second = Lock(tmp_path / "a" / "lock", "doing"), Lock(tmp_path / "a" / "lock", "doing")
    with first:
        assert json.loads(first.path.read_bytes())["process"] == os.getpid()
        assert first.is_in_place()
        with pytest.raises(RunError, match="doing by process"):
            second.take()
    with second:
        shutil.rmtree(second.path.parent)
        assert not second.is_in_place()
        with first:  # another one by its name: the folder is another
            assert first.is_in_place()
    assert not first.path.exists()


@pytest.mark.parametrize(
    ("holder", "held"),
    [
        ({"host": socket.gethostname(), "process": os.getpid()}, True),
        ({"host": socket.gethostname(), "process": 2**22 + 1}, False),
        ({"host": "another", "process": 1}, True),
        ({"process": "1"}, False),
        ([], False),
    ],
)
def test_where_the_system_has_no_locks_the_file_is_the_lock(tmp_path, monkeypatch, holder, held):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # it cannot be imported then
    path = tmp_path / "lock"
    path.write_text(json.dumps(holder), encoding="utf-8")
    lock = Lock(path, "doing")
    if held:
        with pytest.raises(RunError, match=f"if it has ended, remove {path}"):
            lock.take()
    else:
        with lock:
            assert lock.is_in_place()


def test_a_run_that_is_moved_or_replaced_while_it_is_trained_gets_nothing_more(panel, run, tmp_path):
    whole = make_run(tmp_path / "whole", precision="float64")
    train_quietly(whole)
    moved = run.folder.with_name("moved to 다른 곳")

    def result(step, loss, norm):
        if step == 5:
            run.folder.rename(moved)
        return loss, norm

    panel.result = result
    with pytest.raises(RunError, match="was moved or removed while it was trained"):
        train_quietly(run)
    assert not (run.folder / "config.toml").exists()
    panel.result = lambda step, loss, norm: (loss, norm)
    train_quietly(Run.open(moved), resume=True)
    assert digests(Run.open(moved)) == digests(whole)


def test_a_run_that_was_replaced_since_it_was_opened_is_not_trained(panel, run):
    make_run(run.folder.with_name("other"), precision="float64", seed=7)
    shutil.rmtree(run.folder)
    run.folder.with_name("other").rename(run.folder)
    with pytest.raises(RunError, match="was replaced by another run since it was opened"):
        train_quietly(run)


def test_a_checkpoint_that_goes_while_it_is_read_is_not_missed(panel, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", precision="float64", validate_every=1, keep_checkpoints=1)
    train_quietly(run, stop_at=1)
    read, first = TrainingRecord._read, [True]

    def read_late(record, name):
        if first and first.pop():
            train_quietly(Run.open(run.folder), resume=True)
            shutil.rmtree(record.checkpoints / name, ignore_errors=True)  # unless it was the best
        return read(record, name)

    monkeypatch.setattr(TrainingRecord, "_read", read_late)
    assert Run.open(run.folder).read_checkpoint("pytorch", "latest").state["step"] > 1
