"""One trial of `scale.py`, in a process of its own: `python benchmarks/scale_trial.py REQUEST.json ANSWER.json`.

What it does is what `diptych train` does, from the first import on; beside it a thread looks at the process's memory.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
import time
from pathlib import Path

SECONDS = 0.02
"""How often memory is looked at."""


class Memory(threading.Thread):
    """The most memory this process has had: in all, and without what is only a view of a file."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.anonymous = self.mapped = 0

    def run(self) -> None:
        """Look, again and again."""
        while True:
            self.look()
            time.sleep(SECONDS)

    def look(self) -> dict[str, int]:
        """The bytes of now and of the peaks; zeros where there is no /proc."""
        try:
            lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Rss", "VmHWM"))}
        found = {name: 1024 * int(value) for name, value in kilobytes.items()}
        self.anonymous = max(self.anonymous, found.get("RssAnon", 0))
        self.mapped = max(self.mapped, found.get("RssFile", 0))
        return {
            "peak_rss_bytes": found.get("VmHWM", 0),
            "peak_anonymous_bytes": self.anonymous,
            "peak_mapped_bytes": self.mapped,
        }


def main(request_path: str, answer_path: str) -> None:
    """Do what is requested and write the answer."""
    memory = Memory()
    memory.start()
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer = {"prepare": prepare, "train": train}[request.pop("kind")](**request)
    Path(answer_path).write_text(json.dumps(answer | memory.look()), encoding="utf-8")


def prepare(config: dict, folder: str, started: float) -> dict:
    """Create a run: read, count and encode its corpus."""
    from diptych.config import parse_config
    from diptych.runs.progress import make_reporter
    from diptych.runs.run import Run

    run = Run.create(parse_config(config), folder, reporter=make_reporter())
    seconds = time.time() - started
    return {"seconds": seconds, "pairs": len(run.encoded().train)}


def train(folder: str, backend: str, threads: int, steps: int, started: float, at_epoch_s_end: bool) -> dict:
    """Train so many steps, from the beginning or from just before the first epoch's end."""
    from diptych.runs.progress import QuietReporter
    from diptych.runs.run import Run
    from diptych.training.loop import train as go

    class Recorder(QuietReporter):
        """Notes when things happened."""

        def __init__(self) -> None:
            self.built = self.begun = 0.0
            self.lines: list[tuple[float, int]] = []

        def begin(self, backend: str, done: int, total: int) -> None:
            self.built = time.time()

        def step(self, metrics) -> None:
            self.begun = self.begun or time.time()
            self.lines.append((metrics["seconds"], metrics["target_tokens"]))

    run, recorder = Run.open(folder), Recorder()
    if at_epoch_s_end:
        move_to_the_end_of_an_epoch(run, backend, steps // 2)
        steps += run.record(backend).steps()
    go(run, backend, at_epoch_s_end, not at_epoch_s_end, threads, "cpu", recorder, stop_at=steps)
    return {
        "built_seconds": recorder.built - started,
        "first_step_done_seconds": recorder.begun - started,
        "first_step_seconds": recorder.lines[0][0],
        "step_seconds": [seconds for seconds, _ in recorder.lines],
        "target_tokens": [tokens for _, tokens in recorder.lines],
        "versions": json.loads((run.folder / backend / "environment.json").read_text(encoding="utf-8"))["versions"],
    }


def move_to_the_end_of_an_epoch(run, backend: str, batches: int) -> None:
    """Make of the latest checkpoint one that has so many batches of its epoch left."""
    record = run.record(backend)
    checkpoint = record.read_checkpoint("latest")
    position = -(-len(run.encoded().train) // run.config.training.batch_size) - batches
    place = {"step": position, "epoch": 0, "position": position}
    record.write_checkpoint(dataclasses.replace(checkpoint, state=checkpoint.state | place))


if __name__ == "__main__":
    main(*sys.argv[1:])
