"""Trains runs in processes that die: imports a framework once, then forks for each job, a line of JSON on its input.

A job has `run`, `config` (TOML's path, to create the run first), `backend`, `resume`, and `die`: [where, number] or
None. Where is "save", "preparation" or "resume": the process kills itself at the operation of this number there (an
open, a rename, a removal, a sync). "time": after so many milliseconds. The answer is a line: how it ended, and how many
operations there were in each place.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
REGIONS = {
    "save": ("diptych.runs.record", "TrainingRecord", "write_checkpoint"),
    "preparation": ("diptych.runs.run", "Run", "create"),
    "resume": ("diptych.training.checkpointing", "Checkpoints", "begin"),
}


class Operations:
    """Counts the operations on files within some functions, and ends the process at one of them."""

    def __init__(self, die: tuple[str, int] | None) -> None:
        self.die = die
        self.inside = ""
        self.counts: Counter[str] = Counter()
        self.thread = threading.get_ident()
        for region, (module, owner, name) in REGIONS.items():
            self._watch(region, getattr(importlib.import_module(module), owner), name)
        sys.addaudithook(lambda event, _: self._note() if event in EVENTS else None)
        fsync = os.fsync
        os.fsync = lambda descriptor: (self._note(), fsync(descriptor))[1]  # type: ignore[func-returns-value]

    def _note(self) -> None:
        if self.inside and threading.get_ident() == self.thread:
            self.counts[self.inside] += 1
            if self.die == (self.inside, self.counts[self.inside]):
                os.kill(os.getpid(), signal.SIGKILL)

    def _watch(self, region: str, owner: Any, name: str) -> None:
        original = vars(owner)[name]
        called = original.__func__ if isinstance(original, classmethod) else original

        def watched(*arguments: Any, **options: Any) -> Any:
            before, self.inside = self.inside, region
            try:
                return called(*arguments, **options)
            finally:
                self.inside = before

        setattr(owner, name, classmethod(watched) if isinstance(original, classmethod) else watched)


def work(job: dict[str, Any]) -> Counter[str]:
    """Do one job in this process, if it lives."""
    from diptych.runs.progress import QuietReporter
    from diptych.runs.run import Run
    from diptych.training.loop import train

    die = job.get("die")
    operations = Operations(tuple(die) if die and die[0] != "time" else None)
    if die and die[0] == "time":
        threading.Timer(die[1] / 1000, os.kill, (os.getpid(), signal.SIGKILL)).start()
    if job.get("config"):
        Run.create(job["config"], job["run"])
    train(job["run"], job["backend"], threads=1, device="cpu", reporter=QuietReporter(), resume=job["resume"])
    return operations.counts


def main(backend: str) -> None:
    """Answer job after job."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if backend != "made-up":
        importlib.import_module(f"diptych.{backend}")
    importlib.import_module("diptych.training.loop")
    print("ready", flush=True)
    for line in sys.stdin:
        reading, writing = os.pipe()
        begun = time.monotonic()
        child = os.fork()
        if not child:
            status = 1
            try:
                os.write(writing, json.dumps(work(json.loads(line))).encode())
                status = 0
            except BaseException as error:
                os.write(writing, json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())
            finally:
                os._exit(status)
        os.close(writing)
        said = b"".join(iter(lambda: os.read(reading, 4096), b""))  # noqa: B023
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = json.loads(said) if said else {}
        print(json.dumps({"status": status, "seconds": time.monotonic() - begun} | told), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(sys.argv[1])
