"""A run's folder, or one of its checkpoints: Diptych's own models, in PyTorch's orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diptych.config import read_config
from diptych.convert.files import limits
from diptych.convert.files.model_file import ModelFile, Note, Training, WrittenBy
from diptych.convert.files.safetensors_file import read_safetensors
from diptych.errors import RefusalError
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import MODEL, OPTIMIZER, STATE
from diptych.runs.checksums import CONFIG
from diptych.runs.record import TrainingRecord
from diptych.storage.manifest import MANIFEST


def is_diptych(folder: Path) -> bool:
    """Whether a folder is a run or a checkpoint."""
    is_checkpoint = (folder / MANIFEST).is_file() and (folder / MODEL).is_file()
    return is_checkpoint or (folder / CONFIG).is_file()


def read_diptych(folder: Path) -> ModelFile:
    """The newest checkpoint of a run, or the checkpoint that the folder is.

    Raises:
        RefusalError: nothing was trained in the run, or the checkpoint is not whole.
    """
    if (folder / MANIFEST).is_file():
        return _read_checkpoint(folder, folder, config=None, notes=())
    config = read_config(folder / CONFIG)
    trained = {}
    for backend in BACKENDS:
        record = TrainingRecord(folder / backend, {})
        steps = record.steps()
        if steps is not None:
            trained[backend] = steps
    if not trained:
        raise RefusalError(f"{folder} is a run in which nothing was trained yet; `diptych train {folder}` does that")
    first = next(iter(trained))
    said = ", ".join(f"{backend} {steps:,} steps" for backend, steps in trained.items())
    notes = (Note(f"trained: {said}; this is {first}'s latest checkpoint"),)
    latest = folder / first / "checkpoints" / "latest"
    checkpoint = latest.with_name(latest.read_text(encoding="utf-8").strip())
    return _read_checkpoint(folder, checkpoint, config=config.model_dump(mode="json"), notes=notes)


def _read_checkpoint(
    folder: Path, checkpoint: Path, config: dict[str, Any] | None, notes: tuple[Note, ...]
) -> ModelFile:
    for name in (MODEL, OPTIMIZER, STATE):
        if not (checkpoint / name).is_file():
            raise RefusalError(f"{checkpoint} has no {name}: it is not a whole checkpoint")
    model, optimizer = read_safetensors(checkpoint / MODEL), read_safetensors(checkpoint / OPTIMIZER)
    state = limits.parse_json(checkpoint / STATE, "it", (checkpoint / STATE).read_bytes())
    step = state.get("step") if isinstance(state, dict) else None
    settings = (config or {}).get("training", {})
    training = Training(
        str(settings.get("optimizer", "")),
        config=settings,
        slots=optimizer.tensors,
        step=step if isinstance(step, int) else None,
    )
    kind = "diptych-run" if config else "diptych-checkpoint"
    return ModelFile(
        folder,
        kind,
        written_by=WrittenBy("diptych"),
        tensors=model.tensors,
        layers=model.layers,
        architecture=config,
        training=training,
        notes=(*notes, *model.notes),
    )
