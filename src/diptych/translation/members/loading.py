"""A checkpoint's model, or an export, in a backend, loaded into this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from diptych import panel as panels
from diptych.config import Precision
from diptych.errors import BackendError, CheckpointError, RunError
from diptych.exported import runtime
from diptych.exported.folder import ENCODER, ONNX_RUNTIME, check_files, is_export, read_parameters
from diptych.exported.stepper import Stepper as OnnxStepper
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.search.shortlist import Shortlisted
from diptych.translation.shortlist import read_shortlist

EXPORT = "export"


class Computing(Protocol):
    """What computes: a panel, or a runtime of exports."""

    def versions(self) -> dict[str, str]:
        """The versions of the framework and what it stands on."""


@dataclass(frozen=True)
class Loaded:
    """A model that is ready.

    Attributes:
        panel: the framework's, or the runtime.
        model: the panel's; None in a runtime.
        stepper: what drives it.
        trained_in: whose checkpoint it is; of an export, "export".
    """

    panel: Computing
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
    shortlist: str | Path | None = None,
) -> Loaded:
    """Load a checkpoint's weights. The same weights work in every backend, so any that has trained will do.

    Args:
        run: what was trained, or an export.
        backend: "tensorflow", "pytorch" or "reference"; of an export to ONNX also "onnxruntime".
        which: "best", "latest" or a checkpoint's name; an export has one.
        threads: how many the backend may use; None leaves that to it.
        precision: None for the run's own, or float64 in the reference, which has no other.
        device: "auto", "cpu" or "cuda".
        shortlist: the file of a shortlist; None: any word may be said.

    Raises:
        BackendError: the backend is unknown, not installed or broken.
        DataError: the shortlist cannot be read, or is another model's.
        RunError: nothing has been trained in this run.
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    if is_export(run.folder) and which != "best":
        raise CheckpointError(
            f"{run.folder} is an export, which has one set of weights: leave out checkpoint {which!r}"
        )
    words = read_shortlist(Path(shortlist), run) if shortlist else None
    if backend == ONNX_RUNTIME:
        exported = _exported(run.folder, threads, precision=precision, device=device)
        return Loaded(
            runtime, model=None, stepper=Shortlisted(exported, words) if words else exported, trained_in=EXPORT
        )
    trained_in = whose_weights(run, backend)
    parameters = _parameters(run, trained_in, which)
    panel = panels.load(backend, threads, device)
    model = run.build(panel, parameters, precision or ("float64" if backend == "reference" else None))
    stepper = panel.Stepper(model)
    return Loaded(panel, model, stepper=Shortlisted(stepper, words) if words else stepper, trained_in=trained_in)


def whose_weights(run: Run, backend: str) -> str:
    """In which framework the weights were trained that a backend computes with; "export" of an export.

    Raises:
        RunError: nothing has been trained in this run.
    """
    if is_export(run.folder):
        return EXPORT
    trained = run.trained_backends()
    if not trained:
        raise RunError(f"{run.folder} has no checkpoint yet: train it with `diptych train {run.folder}`")
    return backend if backend in trained else trained[0]


def _parameters(run: Run, trained_in: str, which: str) -> dict[str, Any]:
    if trained_in == EXPORT:
        return read_parameters(run.folder, run.specification)
    return run.read_checkpoint(trained_in, which).parameters


def _exported(folder: Path, threads: int | None, precision: Precision | None, device: str) -> Stepper:
    if not (folder / ENCODER).is_file():
        raise BackendError(
            f"backend 'onnxruntime' runs an export, and {folder} has no {ENCODER}: make one with `diptych export RUN "
            f"OUT --to onnx`"
        )
    if precision not in (None, "float32"):
        raise BackendError(
            f"backend 'onnxruntime' computes in the precision of the export, got {precision!r}: leave it"
        )
    check_files(folder)
    return OnnxStepper(folder, threads, device)
