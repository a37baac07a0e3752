"""Signals to `diptych train`: a usable checkpoint, the exit code as documented, and no process left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from diptych.panel import BACKENDS
from diptych.runs.run import Run
from diptych.storage.lock import Lock
from trials.row import Counts, Row, chance
from trials.small_run import make_config

SECONDS = 60.0
"""A step, and a graph that is being compiled, are finished first; on a busy machine that takes a while."""
# What is sent, and how `diptych train` ends.
KINDS: dict[str, tuple[tuple[signal.Signals, ...], int]] = {
    "SIGTERM": ((signal.SIGTERM,), 143),
    "Ctrl-C": ((signal.SIGINT,), 130),
    "Ctrl-C twice": ((signal.SIGINT, signal.SIGINT), 130),
    "SIGHUP, as of a closed terminal": ((signal.SIGHUP,), 129),
    "SIGSTOP and on": ((signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM), 143),
}


def trial(number: int, folder: Path) -> Counts:
    """Train, send signals, look at what is left."""
    kind, backend = list(KINDS)[number % len(KINDS)], BACKENDS[number // len(KINDS) % 2]
    sent, code = KINDS[kind]
    config = make_config(folder / "run.tsv", epochs=100_000, validate_every=5, precision="float32")
    (folder / "run.toml").write_text(config.to_toml(), encoding="utf-8")
    command = [sys.executable, "-m", "diptych", "train", str(folder / "run.toml"), "--run", str(folder / "run"),
               "--backend", backend, "--threads", "1", "--quiet"]  # fmt: skip
    # A shell lets what it starts in the background ignore Ctrl-C; a training at a terminal does not.
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    said_to = folder / "said"
    with (
        said_to.open("wb") as heard,
        subprocess.Popen(command, stderr=heard, start_new_session=True, preexec_fn=heeding) as process,
    ):
        latest, given_up = folder / "run" / backend / "checkpoints" / "latest", time.monotonic() + 300
        while not latest.exists() and process.poll() is None and time.monotonic() < given_up:
            time.sleep(0.1)
        time.sleep(chance("signals", number).random())
        begun = time.monotonic()
        for each in sent:
            process.send_signal(each)
            time.sleep(0.05)
        run = Run.open(folder / "run")
        assert run.read_checkpoint(backend, "latest").state["step"] > 0, "there is one at every moment"
        try:
            process.wait(10 * SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        seconds = time.monotonic() - begun
    said = said_to.read_bytes()
    # As a shell tells it: a second Ctrl-C may come when Python has ended all but itself, which then dies of it.
    ended = process.returncode if process.returncode >= 0 else 128 - process.returncode
    assert ended == code, f"{kind}, {backend}: ended with {process.returncode}: {said[-300:]!r}"
    assert b"Traceback" not in said, f"{kind}, {backend}: {said[-300:]!r}"
    assert seconds < SECONDS, f"{kind}, {backend}: {seconds:.1f} s"
    left = subprocess.run(["pgrep", "-s", str(process.pid)], capture_output=True, encoding="utf-8", check=False).stdout
    assert not left, f"{kind}, {backend}: left the processes {left.split()}"
    assert run.read_checkpoint(backend, "latest").state["step"] > 0
    lock = run.folder / backend / "training.lock"
    if "twice" in kind:  # at once: the lock's file may be left, but nobody holds it
        Lock(lock, "left").take()
    else:
        assert not lock.exists(), f"{kind}, {backend}: left {lock.read_text(encoding='utf-8')}"
    return Counter({"trainings": 1, kind: 1, f"trainings, {backend}": 1})


ROW = Row(
    "SIGTERM, Ctrl-C once and twice, SIGHUP, SIGSTOP and on, to a training process",
    f"a checkpoint that loads at once, the end within {SECONDS:g} s, exit code 143, 130 or 129, no process left behind",
    20,
    trial,
)
