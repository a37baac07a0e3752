"""Trains a small run for long, and looks at the process's memory, open files and graphs now and then.

    python soak.py BACKEND SECONDS FOLDER

A line of JSON at the end: the looks (seconds, megabytes, open files, graphs that TensorFlow has traced), steps and
validations. Time in which the whole process stood still does not count.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from trials.growth import used
from trials.small_run import make_config
from trials.tracing import traced_graphs

from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

MOST_BETWEEN_STEPS = 5.0


class Watch(QuietReporter):
    """Looks at this process, and ends training when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.until, self.looks = seconds, list[tuple[float, float, int, int]]()
        self.seconds, self.last, self.steps, self.validations = 0.0, time.monotonic(), 0, 0

    def step(self, metrics: Any) -> None:
        now = time.monotonic()
        self.seconds += min(now - self.last, MOST_BETWEEN_STEPS)
        self.last = now
        self.steps += 1
        if self.seconds >= len(self.looks) * self.until / 200:
            self.looks.append((self.seconds, *used(), traced_graphs()))
        if self.seconds >= self.until:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C: the step is finished, a checkpoint written

    def validation(self, metrics: Any) -> None:
        self.validations += 1


def main(backend: str, seconds: float, folder: Path) -> None:
    """Train until the time is over."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config = make_config(
        folder / f"{backend}.tsv", epochs=1_000_000, validate_every=100, precision="float32", validation_sentences=6,
        keep_best=2,
    )  # fmt: skip
    run, watch = Run.create(config, folder / backend), Watch(seconds)
    traced_graphs(count=backend == "tensorflow")
    report = train(run, backend, threads=1, device="cpu", reporter=watch)
    assert report.interrupted, "the training came to its end before its time was over"
    assert run.read_checkpoint(backend, "latest").state["step"] == watch.steps
    print(json.dumps({"looks": watch.looks, "steps": watch.steps, "validations": watch.validations}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
