"""The runs below a folder: what each is, how far it is, and how good."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from diptych.errors import CheckpointError, DiptychError, RunError
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import LARGEST_STATE, STATE
from diptych.runs.checksums import CONFIG
from diptych.runs.creation import DATA
from diptych.runs.preparation import open_prepared
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from diptych.storage.json_text import parse_json, read_at_most
from diptych.training.schedule import total_steps
from diptych.training.state import TrainingState

DEPTH = 4
"""How many folders deep runs are looked for."""
SCORES = ("bleu", "chrf", "exact_match")
"""What a validation that translates says."""


@dataclass(frozen=True)
class Listed:
    """One run, trained with one backend or not yet trained.

    Attributes:
        folder: where it is.
        backend: with which it was trained; "" where it was with none.
        state: "new", "not finished" (it is in training, or was stopped), "finished" or "damaged".
        steps: optimizer steps done, and how many there are to be; None where that is not known.
        validation_loss: of the best checkpoint; None where there was no validation.
        scores: of the best validation, by name; empty where it did not translate.
        tokens_per_second: target tokens by the seconds of all steps; None where there were none.
        changed: when its metrics were last written.
        fault: what is wrong with it; "" for nothing.
    """

    folder: Path
    backend: str
    state: str
    steps: tuple[int, int | None]
    validation_loss: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    tokens_per_second: float | None = None
    changed: datetime | None = None
    fault: str = ""


def list_runs(folder: Path) -> list[Listed]:
    """Every run in a folder and the folders in it, by path, each backend by itself.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder: give one that holds runs")
    return [listed for path in _run_folders(folder) for listed in _look(path)]


def _run_folders(folder: Path) -> Iterator[Path]:
    """Folders with a config and tokenizers, not those inside a run, nor hidden ones."""
    for path, folders, files in os.walk(folder):
        here = Path(path)
        if CONFIG in files and "tokenizer" in folders:
            folders.clear()
            yield here
            continue
        deep = len(here.relative_to(folder).parts) >= DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))


def _look(folder: Path) -> Iterator[Listed]:
    try:
        run = Run.open(folder)
        trained = [name for name in BACKENDS if run.record(name).metrics.is_file()]
        if not trained:
            yield Listed(folder, backend="", state="new", steps=(0, None))
        for backend in trained:
            yield _trained(folder, run, backend)
    except DiptychError as error:
        yield Listed(folder, backend="", state="damaged", steps=(0, None), fault=str(error))


def _trained(folder: Path, run: Run, backend: str) -> Listed:
    record, config = run.record(backend), run.config.training
    lines = record.read_metrics()
    steps = [line for line in lines if "loss" in line]
    best = next((line for line in reversed(lines) if "validation_loss" in line and line.get("best")), None)
    seconds = sum(float(line["seconds"]) for line in steps)
    state = _state(record)
    corpus = open_prepared(folder / DATA, run.config.data, source=run.source, target=run.target)
    total = None if corpus is None else total_steps(corpus.train, run.config, state.place)
    finished = total is not None and state.is_finished(config.patience, total)
    return Listed(
        folder,
        backend,
        "finished" if finished else "not finished",
        steps=(state.place.step, total),
        validation_loss=None if best is None else float(best["validation_loss"]),
        scores={} if best is None else {name: float(best[name]) for name in SCORES if name in best},
        tokens_per_second=sum(int(line["target_tokens"]) for line in steps) / seconds if seconds else None,
        changed=datetime.fromtimestamp(record.metrics.stat().st_mtime).astimezone(),
    )


def _state(record: TrainingRecord) -> TrainingState:
    """Where the latest checkpoint stands, from its state.json alone.

    Raises:
        CheckpointError: it is damaged.
    """
    steps = record.steps()
    if steps is None:
        return TrainingState()
    path = record.checkpoints / f"step-{steps:08d}" / STATE
    try:
        return TrainingState.from_json(parse_json(read_at_most(path, LARGEST_STATE)))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
