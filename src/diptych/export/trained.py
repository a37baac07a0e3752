"""What is exported: a run's checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import reference
from diptych.errors import RefusalError, RunError, UsageError
from diptych.exported.folder import is_export
from diptych.parameters.digest import digest
from diptych.runs.run import Run
from diptych.search import Stepper


@dataclass(frozen=True, eq=False)
class Trained:
    """A run's weights and where they come from.

    Attributes:
        run: what was trained.
        backend: whose checkpoint it is.
        which: which one: "best", "latest" or a name.
        parameters: every weight by name.
        state: where training stood.
    """

    run: Run
    backend: str
    which: str
    parameters: dict[str, npt.NDArray[Any]]
    state: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Refuse what no other runtime does here.

        Raises:
            RefusalError: the model copies, or has factors.
        """
        if self.run.config.model.factors:
            raise RefusalError("a model with factors (model.factors) is not exported: tags in front alone are")
        if self.run.config.model.copies:
            raise RefusalError("a model that copies (model.copies) is not exported: it says words that no table has")

    @classmethod
    def open(cls, run: Run | str | Path, backend: str | None = None, which: str = "best") -> Trained:
        """Read a checkpoint.

        Args:
            run: the run, or its folder.
            backend: whose; None for the first that was trained.
            which: "best", "latest", "average-best", "average-latest" or a checkpoint's name.

        Raises:
            RunError: nothing was trained in the run.
            UsageError: it is an export.
            RefusalError: it copies, which no other runtime does here.
            CheckpointError: there is no such checkpoint, or it is damaged.
        """
        run = Run.of(run)
        if is_export(run.folder):
            raise UsageError(
                f"{run.folder} is an export already: export the run that it was made of, or make a run of it with "
                f"`diptych import {run.folder} --run DIR`"
            )
        trained = run.trained_backends()
        if not trained:
            raise RunError(f"{run.folder} has no checkpoint yet: train it with `diptych train {run.folder}`")
        backend = backend or trained[0]
        checkpoint = run.read_checkpoint(backend, which)
        return cls(run, backend, which, checkpoint.parameters, checkpoint.state)

    @property
    def stored(self) -> dict[str, npt.NDArray[Any]]:
        """The weights as model.safetensors has them: in float32 where that loses nothing, as after exact training."""
        narrow = {name: np.ascontiguousarray(value, np.float32) for name, value in self.parameters.items()}
        if all(np.array_equal(narrow[name], value) for name, value in self.parameters.items()):
            return narrow
        return {name: np.ascontiguousarray(value) for name, value in self.parameters.items()}

    @property
    def sizes(self) -> tuple[int, int]:
        """How many tokens the source's and the target's vocabulary have."""
        return len(self.run.source_vocabulary), len(self.run.target_vocabulary)

    @property
    def digest(self) -> str:
        """One line that stands for all weights."""
        return digest(self.parameters)

    def reference(self) -> Stepper:
        """What drives these weights in NumPy and float64: the judge."""
        return reference.Stepper(self.run.build(reference, self.parameters, "float64"))
