"""Trains runs in processes that die: imports a framework once, then forks for each job, a line of JSON on its input.

A job has `run`, `config` (TOML's path, to create the run first), `backend`, `resume`, and `die`: [where, number] or
None. Where is "save", "preparation" or "resume": the process kills itself at the operation of this number there (an
open, a rename, a removal, a sync). "time": after so many milliseconds. The answer is a line: how it ended, and how many
operations there were in each place.

No parallel work is done before a fork, for its threads would be missing in the child. What a training imports late is
told by a first child, and imported here, so that the others find it.
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
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
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


def forked(job: dict[str, Any], modules: bool = False) -> dict[str, Any]:
    """Do one job in a child: how it ended, and which modules were there at its end."""
    reading, writing = os.pipe()
    begun = time.monotonic()
    child = os.fork()
    if not child:
        status = 1
        try:
            told: dict[str, Any] = dict(work(job))
            os.write(writing, json.dumps(told | ({"modules": list(sys.modules)} if modules else {})).encode())
            status = 0
        except BaseException as error:
            os.write(writing, json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"status": status, "seconds": time.monotonic() - begun} | (json.loads(said) if said else {})


def import_what_training_imports(backend: str) -> None:
    """Train once in a child, then import here what it had imported."""
    from trials.small_run import make_config

    with TemporaryDirectory(prefix="diptych-harden-") as folder:
        config = Path(folder) / "run.toml"
        config.write_text(make_config(Path(folder) / "run.tsv", epochs=1).to_toml(), encoding="utf-8")
        job = {"run": f"{folder}/run", "config": str(config), "backend": backend, "resume": False}
        for name in forked(job, modules=True)["modules"]:
            with suppress(Exception):
                importlib.import_module(name)


def main(backend: str) -> None:
    """Answer job after job."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    importlib.import_module(f"diptych.{backend}")
    importlib.import_module("diptych.training.loop")
    if backend == "pytorch":  # TensorFlow has imported all of itself, and such a training takes it long
        import_what_training_imports(backend)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(sys.argv[1])
