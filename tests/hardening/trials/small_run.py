"""Small runs: all that makes a step depend on its place in training, and a panel without a framework to train them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import StepResult
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.loop import train

STEPS = 12
WORDS = ("small", "smaller", "tall", "taller", "ball", "call", "wall", "fall", "hall", "mall")


def make_config(text: Path, short: bool = False, **training: Any) -> RunConfig:
    """A config with dropout, a moving average, subwords drawn anew and gradients of two batches; `text` is written.

    Args:
        text: where the pairs go: 58 lines of one to four words each.
        short: lines of two to five letters each instead.
        training: what differs in `[training]`.
    """
    lines = []
    for n in range(58):
        source = " ".join(WORDS[(n * k) % 10] for k in range(1, 2 + n % 4))
        source = f"{n + 4:b}"[1:].translate({48: "a", 49: "b"}) if short else source
        lines.append(f"{source}\t{' '.join(word[::-1] for word in source.split())}")
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = DataConfig(
        corpus="files", train=(str(text),), validation_size=6, test_size=4, source_tokenizer="bpe",
        target_tokenizer="bpe", subword_size=12 if short else 28, subword_sampling=0.2,
    )  # fmt: skip
    given = {"epochs": 3, "batch_size": 6, "accumulate": 2, "ema_decay": 0.9, "validate_every": 3, "precision": "exact"}
    model = ModelConfig(embedding_size=5, encoder_size=3, decoder_size=6, dropout=0.3)
    return RunConfig(name="small", data=data, model=model, training=TrainingConfig(**given | training))


def make_run(folder: Path, **training: Any) -> Run:
    """A run in a folder, its text beside it."""
    return Run.create(make_config(folder.with_name(f"{folder.name}.tsv"), **training), folder)


def train_quietly(run: Run | Path, backend: str = "pytorch", **options: Any) -> Any:
    """Train without a word."""
    return train(run, backend, reporter=QuietReporter(), threads=1, **options)


def digests(run: Run, backend: str = "pytorch") -> dict[str, str]:
    """What training left, as hashes: the model, the optimizer, and what was logged but for times and who did it."""
    checkpoint = run.read_checkpoint(backend, "latest")
    lines = [
        {key: value for key, value in line.items() if key not in ("seconds", "backend")}
        for line in run.read_metrics(backend)
    ]
    return {
        "step": str(checkpoint.state["step"]),
        "model": _digest(checkpoint.parameters),
        "optimizer": _digest(checkpoint.optimizer),
        "losses": hashlib.sha256(repr(lines).encode()).hexdigest(),
    }


def _digest(arrays: Mapping[str, Any]) -> str:
    sha = hashlib.sha256()
    for name in sorted(arrays):
        sha.update(name.encode() + arrays[name].dtype.str.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return sha.hexdigest()


def leftovers(folder: Path) -> list[str]:
    """Temporary files and folders that nobody will look for."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob(".*")
        if path.suffix in (".new", ".tmp", ".removed", ".old")
    )


@contextmanager
def made_up_panel() -> Iterator[SimpleNamespace]:
    """While this lasts, whatever is trained in this process is trained by a panel without a framework."""
    panel = MadeUpPanel()
    with mock.patch.object(learner, "load", return_value=panel):
        yield panel


class MadeUpPanel(SimpleNamespace):
    """A panel whose steps depend on all that a step may depend on.

    Attributes:
        result: makes what a step tells of its number, loss and norm.
    """

    def __init__(self) -> None:
        super().__init__(result=lambda step, loss, norm: (loss, norm))

    def Model(self, config: Any, source: int, target: int, precision: str = "float32", choices: Any = None) -> Any:
        return SimpleNamespace(weights={}, dtype=np.float64 if precision == "float64" else np.float32)

    def load_parameters(self, model: Any, parameters: Mapping[str, Any]) -> None:
        model.weights = {name: value.astype(model.dtype) for name, value in parameters.items()}

    def export_parameters(self, model: Any) -> dict[str, Any]:
        return {name: value.copy() for name, value in model.weights.items()}

    def versions(self) -> dict[str, str]:
        return {"made-up": "1.0"}

    def settle(self, choices: Any) -> None: ...

    def choices(self) -> dict[str, str]:
        return {}

    def choose(self, weights: Any, precision: str) -> dict[str, str]:
        return {}

    def TrainingStep(self, model: Any, config: Any) -> Any:
        return _Step(self, model)


class _Step:
    def __init__(self, panel: MadeUpPanel, model: Any) -> None:
        self.panel, self.model, self.steps = panel, model, 0
        self.velocity = {name: np.zeros_like(value) for name, value in model.weights.items()}
        self.swapped = {name: value.copy() for name, value in model.weights.items()}
        self.decided: Any = None

    def step(self, batch: Any, masks: Any, rate: float) -> StepResult:
        return self.step_over([(batch, masks)], rate)

    def step_over(self, parts: Any, rate: float) -> StepResult:
        self.steps += 1
        push = np.cos(sum(batch.target_input.sum() + sum(m.sum() for m in masks.values()) for batch, masks in parts))
        for name, weight in self.model.weights.items():
            self.velocity[name] = (0.9 * self.velocity[name] + np.sin(weight + push)).astype(weight.dtype)
            weight -= (rate * self.velocity[name] / self.steps).astype(weight.dtype)
            self.swapped[name] += (0.1 * (weight - self.swapped[name])).astype(weight.dtype)
        return StepResult(*self.panel.result(self.steps, float(push), 2.0))

    def predict(self, batch: Any, masks: Any) -> Any:
        return np.full(batch.target_output.shape, 4 + self.steps % 3, np.int32)

    def evaluate(self, batch: Any) -> float:
        return batch.target_tokens * abs(sum(float(weight.mean()) for weight in self.model.weights.values()))

    def swap_average(self) -> None:
        for name, average in self.swapped.items():
            own = self.model.weights[name].copy()
            self.model.weights[name][:], average[:] = average, own

    def export_state(self) -> dict[str, Any]:
        kinds = {"velocity": self.velocity, "swapped": self.swapped}
        return {f"{kind}.{name}": value.copy() for kind, values in kinds.items() for name, value in values.items()}

    def load_state(self, arrays: Mapping[str, Any], steps: int) -> None:
        self.steps = steps
        for kind, values in (("velocity", self.velocity), ("swapped", self.swapped)):
            values.update({name: arrays[f"{kind}.{name}"].copy() for name in values})
