"""SavedModel, LiteRT and TorchScript files of a model: written and opened again in the framework's own process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import BackendError
from diptych.export.certificate import Check
from diptych.export.trained import Trained
from diptych.export.trial import Trial, compare, outputs
from diptych.panel import is_installed
from diptych.processes.call import call
from diptych.search import Stepper

BACKENDS = {"savedmodel": "tensorflow", "litert": "tensorflow", "torchscript": "pytorch"}
NAMES = {"savedmodel": "a SavedModel", "litert": "LiteRT", "torchscript": "TorchScript"}


@dataclass(frozen=True)
class FrameworkTarget:
    """Files that a framework writes and its runtime runs.

    Attributes:
        to: "savedmodel", "litert" or "torchscript".
        int8: whether LiteRT's weights are in int8.
        threads: of the framework.
    """

    to: str
    int8: bool = False
    threads: int | None = None

    @property
    def precision(self) -> str:
        """In which weights are written."""
        return "int8" if self.int8 else "float32"

    def check_installed(self) -> None:
        """Refuse where the framework is missing.

        Raises:
            BackendError: with the one command that installs it.
        """
        backend = BACKENDS[self.to]
        if not is_installed(backend):
            raise BackendError(f"--to {self.to} needs {backend}, not installed here: pip install 'diptych[{backend}]'")

    def build(self, trained: Trained, folder: Path) -> tuple[list[Check], dict[str, str]]:
        """Write the files, and compare what they compute with the reference in float64: the checks, the versions.

        Raises:
            BackendError: the framework's process fails.
        """
        whole = Trial.of(trained)
        trials = whole.rows() if self.to == "litert" else [whole, *whole.rows()]
        arguments: dict[str, Any] = {
            "path": str(folder / "model.pt" if self.to == "torchscript" else folder),
            "model": trained.run.config.model.model_dump(mode="json"),
            "sizes": list(trained.sizes),
            "parameters": trained.parameters,
            "trials": [vars(trial) for trial in trials],
        }
        if self.to != "torchscript":
            arguments |= {"to": self.to, "int8": self.int8}
        module = "torch" if self.to == "torchscript" else "tensorflow"
        answer = call(
            BACKENDS[self.to],
            f"diptych.export.{module}.process:write",
            arguments=arguments,
            threads=self.threads,
            device="cpu",
        )
        who = f"{NAMES[self.to]} in {'int8' if self.int8 else 'float32'}"
        checks = []
        for trial, found in zip(trials, answer["outputs"], strict=True):
            rows = len(trial.lengths)
            what = f"a batch of one, {trial.lengths[0]} tokens" if rows == 1 else "a batch of four lengths"
            checks += compare(f"{what}, {who}", found, outputs(trained.reference(), trial), int8=self.int8)
        return checks, answer["versions"]

    @contextmanager
    def systems(self, trained: Trained, folder: Path) -> Iterator[Mapping[str, Stepper]]:
        """Nothing: Diptych translates with the framework itself, not with what was exported from it."""
        yield {}
