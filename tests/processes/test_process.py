"""A process that is asked: what it keeps, what it raises, how it is timed and ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from diptych import errors
from diptych.processes.failures import end_in_words
from diptych.processes.process import Process

SERVED = """
import os, signal, sys, tempfile, time
from diptych.errors import DataError

class Counter:
    def __init__(self, start=0):
        if start < 0:
            raise DataError("the start is negative: give 0 or more")
        self.count = start

    def add(self, number):
        self.count += number
        return {"count": self.count, "squares": self.count ** 2}

    def fail(self):
        return 1 / 0

    def sleep(self, seconds, path=""):
        if path:
            open(path, "w", encoding="utf-8").close()
        time.sleep(seconds)

    def temporary(self):
        handle, path = tempfile.mkstemp()
        return path

    def say(self, text):
        print(text)
        os.write(1, b"and without Python\\n")
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts a process that counts; all end with the test."""
    (tmp_path / "served.py").write_text(SERVED, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    started = []

    def start(ignored=(), **arguments):
        started.append(Process("the counter", "served:Counter", arguments, ignored))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.close()


def test_it_keeps_what_it_was_told_and_answers_in_order(start):
    process = start(start=2)
    for number in range(3):
        process.send("add", number=np.full(2, number, np.int32))
    found = [process.receive() for _ in range(3)]
    assert [each["count"].tolist() for each in found] == [[2, 2], [3, 3], [5, 5]]
    assert found[2]["squares"].dtype.kind == "i"


def test_what_fails_there_is_raised_here_and_it_goes_on(start):
    process = start()
    with pytest.raises(
        errors.BackendError, match=r"^the counter failed: ZeroDivisionError: division by zero"
    ) as raised:
        process.ask("fail")
    assert "Traceback" in raised.value.__notes__[0]
    with pytest.raises(errors.BackendError, match="the counter failed: AttributeError"):
        process.ask("no_such_method")
    assert process.ask("add", number=1)["count"] == 1
    assert process.status is None


def test_what_cannot_be_made_is_raised_again(start):
    with pytest.raises(errors.DataError, match="^the start is negative"):
        start(start=-1).ask("add", number=1)


def test_time_that_is_over_ends_it(start):
    process = start()
    assert process.ask("add", 60.0, number=1)["count"] == 1
    with pytest.raises(errors.BackendError, match=r"the counter was not done after 0\.2 s and was ended"):
        process.ask("sleep", 0.2, seconds=60)
    assert process.status is not None
    with pytest.raises(errors.BackendError, match="the counter has ended: it can be asked nothing more"):
        process.ask("add", number=1)


def test_one_that_is_killed_meanwhile_is_an_error(start):
    process = start()
    process.ask("add", number=1)
    threading.Timer(0.2, process.kill).start()
    message = rf"the counter was killed \(SIGKILL\), as .* memory runs out .* process {process.pid}\)"
    with pytest.raises(errors.BackendError, match=message):
        process.ask("sleep", seconds=60)
    assert process.wait() == -signal.SIGKILL


def test_one_that_is_busy_is_closed_soon(start, tmp_path):
    process = start()
    process.send("sleep", seconds=60, path=str(tmp_path / "begun"))
    while not (tmp_path / "begun").exists():
        time.sleep(0.02)
    began = time.monotonic()
    process.close()
    assert time.monotonic() - began < 10.0
    assert process.status is not None


def test_what_it_prints_is_no_answer(start, capfd):
    process = start()
    process.ask("say", text="배가 고파요")
    process.close()
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "배가 고파요" in printed.err
    assert "and without Python" in printed.err


def test_its_temporary_files_go_with_it(start):
    process = start()
    path = Path(process.ask("temporary"))
    assert path.exists()
    process.close()
    assert not path.exists() and not path.parent.exists()


def test_one_that_is_forgotten_ends(start):
    process = Process("the counter", "served:Counter", {})
    popen = process._popen
    del process
    assert popen.poll() is not None


@pytest.mark.parametrize("ignored", [(), ("SIGINT",)])
def test_ctrl_c_there_is_heard_or_not(start, ignored):
    process = start(ignored)
    process.ask("add", number=1)
    process.send("sleep", seconds=0.5)
    os.kill(process.pid, signal.SIGINT)
    if ignored:
        process.receive()
        assert process.ask("add", number=1)["count"] == 2
    else:
        with pytest.raises(KeyboardInterrupt):
            process.receive()


def test_a_busy_one_ends_with_the_process_that_started_it(start, tmp_path):
    program = """
import os, signal, sys
from diptych.processes.process import Process
process = Process("the counter", "served:Counter", {})
process.ask("add", number=1)
process.send("sleep", seconds=120)
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, encoding="utf-8", timeout=60, check=False
    )
    pid = int(finished.stdout)
    end = time.monotonic() + 20.0
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8"):
        assert time.monotonic() < end, "it has outlived its parent"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "ended with exit status 3"),
        (0xC0000005, "ended with exit status 0xc0000005"),
        (-9, r"was killed (SIGKILL)"),
        (-11, r"died (SIGSEGV)"),
        (-77, "died (signal 77)"),
    ],
)
def test_how_a_process_ended_in_words(status, words):
    assert end_in_words(status) == words
