"""The small trainings that `benchmarks/workers.py` starts, and what they came to."""

from __future__ import annotations

from typing import Any, ClassVar

from workers_table import ROOT

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.parameters.digest import digest
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import launch
from diptych.training.launch import Crew, train_together

RUNS = ROOT / "runs" / "workers"
MODEL = ModelConfig(embedding_size=16, encoder_size=16, decoder_size=24, dropout=0.2)
DATA = DataConfig(maximum_pairs=500, validation_size=30, test_size=30)
# 440 pairs, 50 a batch, 2 batches a step: the last step of an epoch has one batch, of 40 pairs.
TRAINING = TrainingConfig(
    epochs=100, batch_size=50, accumulate=2, ema_decay=0.9, maximum_steps=50, validate_every=20, seed=1
)


class Noting(launch.Process):
    """A worker's process, kept where it can be sent signals."""

    started: ClassVar[list[launch.Process]] = []

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.started.append(self)


launch.Process = Noting  # type: ignore[misc]


def fresh(name: str, **training: Any) -> Run:
    """A run of the small config, with these keys changed."""
    config = RunConfig(name=name, data=DATA, model=MODEL, training=TRAINING.model_copy(update=training))
    return Run.create(RunConfig(**config.model_dump()), RUNS / name, overwrite=True)


def train(run: Run, backend: str, workers: int, **options: Any) -> Any:
    """Train with so many workers of one thread each."""
    Noting.started.clear()
    restarts = options.pop("restarts", 0)
    crew = Crew(backend, workers, threads=1, device="cpu", restarts=restarts)
    return train_together(run, crew, QuietReporter(), quiet=True, **options)


def sha256(run: Run, backend: str) -> str:
    """The digest of all weights after the last step."""
    return digest(run.read_checkpoint(backend, "latest").parameters)
