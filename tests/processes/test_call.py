"""A function in a process of its own: what it returns, what it raises, how it dies, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from diptych import errors
from diptych.processes import call as call_module

FUNCTIONS = """
import os, signal, sys, time
import numpy as np
from diptych import errors

def echo(panel, **arguments):
    return arguments | {"panel": panel.__name__}

def calculate(panel, size):
    print("this is no result")
    square = np.arange(size * size, dtype=np.float32).reshape(size, size)
    return {"columns": square.T, "list": [{"scalar": np.float64(0.1), "none": None}, np.zeros((0, 3), np.int64)]}

def raise_error(panel, kind):
    class Special(getattr(errors, kind)):
        pass
    raise Special(f"a {kind} with advice")

def fail(panel):
    return 1 / 0

def give_object(panel):
    return {"object": object()}

def die(panel, number):
    os.kill(os.getpid(), number)
    time.sleep(60)

def leave(panel, status):
    os._exit(status)

def interrupt(panel):
    raise KeyboardInterrupt

def answer_and_crash(panel):
    import atexit
    atexit.register(os.abort)
    return {"done": True}

def wait(panel, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    time.sleep(120)
"""

PARENT = """
import sys
from diptych.processes.call import call
try:
    call("reference", "worker_functions:wait", {"path": sys.argv[1]})
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    (tmp_path / "worker_functions.py").write_text(FUNCTIONS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return lambda name, **arguments: call_module.call("reference", f"worker_functions:{name}", arguments)


def test_arguments_arrive_as_they_were_given(call):
    arguments = {"text": "나는 배고파\u2028", "nested": {"list": [1, 2.5, None, True, float("inf")]}}
    assert call("echo", **arguments) == arguments | {"panel": "diptych.reference"}


def test_arrays_come_back_and_what_is_printed_is_no_result(call, capfd):
    found = call("calculate", size=3)
    assert found["columns"].dtype == np.float32
    np.testing.assert_array_equal(found["columns"], np.arange(9).reshape(3, 3).T)
    assert found["list"][0] == {"scalar": 0.1, "none": None}
    assert found["list"][1].shape == (0, 3)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "this is no result" in printed.err


@pytest.mark.parametrize("kind", ["DataError", "ConfigError", "CheckpointError", "DiptychError"])
def test_an_error_is_raised_again_as_what_it_was(call, kind):
    with pytest.raises(errors.DiptychError, match=f"^a {kind} with advice$") as raised:
        call("raise_error", kind=kind)
    assert type(raised.value) is getattr(errors, kind)


def test_an_unknown_backend_is_refused_there(call):
    with pytest.raises(errors.BackendError, match="unknown backend 'jax'"):
        call_module.call("jax", "worker_functions:echo", {})


@pytest.mark.parametrize(("function", "message"), [("fail", "ZeroDivisionError"), ("give_object", "TypeError")])
def test_a_fault_there_is_named_and_its_traceback_kept(call, function, message):
    with pytest.raises(errors.BackendError, match=rf"reference process .*{function}\) failed: {message}") as raised:
        call(function)
    assert "Traceback" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("die", {"number": signal.SIGKILL}, r"was killed \(SIGKILL\).*memory"),
        ("die", {"number": signal.SIGSEGV}, r"died \(SIGSEGV\)"),
        ("leave", {"status": 7}, "exit status 7"),
        ("leave", {"status": 0}, "exit status 0 and without an answer"),
    ],
)
def test_a_process_that_dies_is_an_error_that_says_how(call, function, arguments, message):
    with pytest.raises(errors.BackendError, match=message):
        call(function, **arguments)


def test_an_answer_counts_even_if_its_process_crashes_afterwards(call):
    assert call("answer_and_crash") == {"done": True}


def test_an_interrupted_process_interrupts(call):
    with pytest.raises(KeyboardInterrupt):
        call("interrupt")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9), (signal.SIGTERM, -15)])
def test_no_process_outlives_the_one_that_asked(call, tmp_path, number, status):
    path = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)], start_new_session=True)
    try:
        wait_until(lambda: path.exists() and path.read_text(encoding="utf-8"))
        parent.send_signal(number)
        assert parent.wait(30) == status
        child = int(path.read_text(encoding="utf-8"))
        wait_until(lambda: not runs(child))
    finally:
        parent.kill()


def test_a_module_in_the_current_folder_hides_no_package(call, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "safetensors.py").write_text("raise SystemExit('hidden')", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert call("echo")["panel"] == "diptych.reference"


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def runs(pid):
    """Whether a process is there and not merely waiting to be asked for its status."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
