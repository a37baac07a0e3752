"""Run the catalogue's programs, those of each framework in one process of their own, both at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.panel import is_installed

# One thread each, and no accelerator: what is measured should not depend on the machine. Without `CUDA_VISIBLE_DEVICES`
# stock TensorFlow would run on a GPU and stock PyTorch on the CPU.
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONIOENCODING": "utf-8",
}


@dataclass(frozen=True)
class Outcome:
    """What one program gave: its JSON line, or what went wrong."""

    output: dict[str, Any] | None = None
    error: str | None = None


def not_installed(framework: str) -> str | None:
    """How to install a framework that is not there; None where it is. Nothing is imported."""
    return None if is_installed(framework) else f"{framework} is not installed: pip install 'diptych[{framework}]'"


def run_programs(programs: dict[str, list[Path]], timeout: float) -> dict[Path, Outcome]:
    """Run each framework's programs in a process of its own, and collect what they gave.

    A program that ends its process is reported, and the ones after it run in a fresh process.

    Args:
        programs: the programs of each framework.
        timeout: how many seconds all of them together may take.
    """
    deadline = time.monotonic() + timeout
    outcomes: dict[Path, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="diptych-differences-") as folder:
        workers = [_Worker(Path(folder) / name, paths) for name, paths in programs.items() if paths]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                outcomes |= worker.collect(deadline, timeout)
        finally:
            for worker in workers:
                worker.stop()
    return outcomes


class _Worker:
    """One framework's process, started again after a program that ended it."""

    def __init__(self, folder: Path, programs: list[Path]) -> None:
        folder.mkdir()
        self.results = folder / "results.jsonl"
        self.messages = folder / "stderr.txt"
        self.waiting = list(programs)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start a process for the programs still waiting."""
        self.results.write_bytes(b"")
        script = Path(__file__).with_name("worker.py")
        # -P: the script's folder stays off the path, so that no file of the catalogue hides a package.
        command = [sys.executable, "-P", str(script), str(self.results), *map(str, self.waiting)]
        with self.messages.open("wb") as messages:
            self.process = subprocess.Popen(
                command,
                env=os.environ | ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """End the process if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def collect(self, deadline: float, timeout: float) -> dict[Path, Outcome]:
        """Wait until every program has been run, or the deadline has passed."""
        outcomes: dict[Path, Outcome] = {}
        while True:
            late = not self._ended(deadline)
            self.stop()
            outcomes |= self._read()
            self.waiting = [program for program in self.waiting if program not in outcomes]
            if not self.waiting:
                return outcomes
            if late:
                error = f"not finished within {timeout:g} seconds; allow more time"
                return outcomes | {program: Outcome(error=error) for program in self.waiting}
            status = self.process.returncode if self.process else None
            outcomes[self.waiting.pop(0)] = Outcome(
                error=f"its process ended with status {status}{self._last_message()}"
            )
            if not self.waiting:
                return outcomes
            self.start()

    def _ended(self, deadline: float) -> bool:
        """Whether the process has ended by itself before the deadline."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self) -> dict[Path, Outcome]:
        """What the programs have given so far; a line cut short is left out."""
        outcomes = {}
        for line in self.results.read_text(encoding="utf-8").split("\n")[:-1]:
            record = json.loads(line)
            error = record.get("error")
            outcomes[Path(record["program"])] = Outcome(error=error) if error else parse_output(record["printed"])
        return outcomes

    def _last_message(self) -> str:
        """The last line the process wrote, to be added to an error."""
        lines = self.messages.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""


def parse_output(printed: str) -> Outcome:
    """Read what a program printed: one line, a JSON object with `versions` and `result`."""
    lines = printed.strip().splitlines()
    if len(lines) != 1:
        return Outcome(error=f"expected one JSON line, got {len(lines)} lines")
    try:
        output = json.loads(lines[0], parse_constant=_refuse)
    except ValueError as error:
        return Outcome(error=f"expected one JSON line, got {lines[0][:80]!r} ({error})")
    if not isinstance(output, dict) or not {"versions", "result"} <= output.keys():
        return Outcome(error=f"expected an object with 'versions' and 'result', got {lines[0][:80]!r}")
    return Outcome(output=output)


def _refuse(constant: str) -> float:
    """NaN and the infinities are not JSON, and no result."""
    raise ValueError(f"{constant} is not a number")
