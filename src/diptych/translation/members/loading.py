"""A checkpoint's model in a backend, loaded into this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diptych import panel as panels
from diptych.config import Precision
from diptych.errors import RunError
from diptych.panel import Panel
from diptych.runs.run import Run
from diptych.search import Stepper


@dataclass(frozen=True)
class Loaded:
    """A model that is ready.

    Attributes:
        panel: the framework's.
        model: the panel's.
        stepper: what drives it.
        trained_in: whose checkpoint it is.
    """

    panel: Panel
    model: Any
    stepper: Stepper
    trained_in: str


def load_model(
    run: Run,
    backend: str,
    which: str = "best",
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
) -> Loaded:
    """Load a checkpoint's weights. The same weights work in every backend, so any that has trained will do.

    Args:
        run: what was trained.
        backend: "tensorflow", "pytorch" or "reference".
        which: "best", "latest" or a checkpoint's name.
        threads: how many the backend may use; None leaves that to it.
        precision: None for the run's own, or float64 in the reference, which has no other.
        device: "auto", "cpu" or "cuda".

    Raises:
        BackendError: the backend is unknown, not installed or broken.
        RunError: nothing has been trained in this run.
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    trained = run.trained_backends()
    if not trained:
        raise RunError(f"{run.folder} has no checkpoint yet: train it with `diptych train {run.folder}`")
    trained_in = backend if backend in trained else trained[0]
    checkpoint = run.read_checkpoint(trained_in, which)
    panel = panels.load(backend, threads, device)
    model = run.build(panel, checkpoint.parameters, precision or ("float64" if backend == "reference" else None))
    return Loaded(panel, model, panel.Stepper(model), trained_in)
