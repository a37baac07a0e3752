"""Both frameworks in one process, to break one of them on purpose and see what the ladder and the trace say."""

from __future__ import annotations

import importlib
from functools import cache, partial, wraps
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from diptych import panel as panels
from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.ladder.limits import Level, judge
from diptych.ladder.location import Location, first_difference
from diptych.ladder.rungs import measure
from diptych.ladder.tracing import trace
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

ROWS = 4
CONFIGS = {
    # Everything is of another size, but for what is transposed: the query's matrix is square.
    "gru": (
        {"embedding_size": 3, "encoder_size": 2, "decoder_size": 5, "attention_size": 5},
        {"clip_norm": 0.2, "weight_decay": 0.01},
    ),
    "lstm": (
        {"cell": "lstm", "embedding_size": 3, "encoder_size": 2, "encoder_layers": 2, "decoder_size": 4}
        | {"decoder_layers": 2, "bridge": "copy", "attention": "concat"},
        {"optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 0.2},
    ),
    "rnn": (
        {"cell": "rnn", "embedding_size": 3, "encoder_size": 4, "bidirectional": False, "decoder_size": 4}
        | {"attention": "general", "input_feeding": True},
        {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1, "clip_norm": 0.2},
    ),
    "tied": (
        {"embedding_size": 4, "encoder_size": 2, "decoder_size": 4, "attention": "dot", "bridge": "zero"}
        | {"tie_target_output": True, "tie_source_target": True},
        {"clip_norm": 0.2},
    ),
}


class Side:
    """One framework's panel: its modules by name, and the few operations that faults are written in."""

    def __init__(self, name: str, panel: ModuleType) -> None:
        self.name, self.panel = name, panel
        for module in "attention cells decoder encoder loss model optimizer recurrent stepper training weights".split():
            setattr(self, module, importlib.import_module(f"{panel.__name__}.{module}"))
        self.alias, self.call, self.axis = ("torch", "forward", "dim") if name == "pytorch" else ("tf", "call", "axis")
        self.framework = getattr(self.decoder, self.alias)

    def replace(self, patch: pytest.MonkeyPatch, module: str, **functions: Any) -> None:
        """Let one of the panel's modules see other functions in its framework."""
        patch.setattr(getattr(self, module), self.alias, Replaced(self.framework, **functions))

    def concatenate(self, parts: list[Any]) -> Any:
        """Along the last axis."""
        join = self.framework.cat if self.name == "pytorch" else self.framework.concat
        return join(parts, **{self.axis: -1})

    def stop(self, tensor: Any) -> Any:
        """The tensor, through which no gradient flows."""
        return tensor.detach() if self.name == "pytorch" else self.framework.stop_gradient(tensor)

    def cast(self, tensor: Any, precision: str) -> Any:
        dtype = getattr(self.framework, precision)
        return tensor.to(dtype) if self.name == "pytorch" else self.framework.cast(tensor, dtype)

    def norm(self, tensors: list[Any]) -> Any:
        """The root of the sum of all squares."""
        add = self.framework.sum if self.name == "pytorch" else self.framework.reduce_sum
        return self.framework.sqrt(sum(add(tensor * tensor) for tensor in tensors))

    def change(self, patch: pytest.MonkeyPatch, where: str, name: str, around: Any) -> None:
        """Put `around(original, *arguments)` in the place of a function or method; "module.Class" says where."""
        owner = self
        for part in where.split("."):
            owner = getattr(owner, part)
        original = getattr(owner, self.call if name == "call" else name)

        @wraps(original)  # Keras reads the signatures of its layers
        def changed(*arguments: Any, **named: Any) -> Any:
            return around(original, *arguments, **named)

        patch.setattr(owner, self.call if name == "call" else name, changed)

    def change_layers(self, patch: pytest.MonkeyPatch, module: str, name: str, around: Any) -> None:
        """As `change`, for a method of those recurrent layers that the encoder or the decoder makes from now on."""
        kind = self.recurrent.RecurrentLayer
        patch.setattr(getattr(self, module), "RecurrentLayer", type("RecurrentLayer", (kind,), {}))
        self.change(patch, f"{module}.RecurrentLayer", name, around)

    def at_most_one(self, number: Any) -> Any:
        return self.framework.clamp(number, max=1.0) if self.name == "pytorch" else self.framework.minimum(number, 1.0)


class Replaced:
    """A module, or another object, in which some names mean something else."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update(names, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Bench:
    """Tiny runs, what either framework computes from them when it is healthy, and judgement over what it does now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.configs = folder, dict(CONFIGS)
        self.sides = {name: Side(name, panels.load(name, device="cpu")) for name in panels.BACKENDS}
        self.run, self.healthy, self.healthy_record, self.prepare = map(
            cache, (self._make_run, self.measure, self._record, self.prepare)
        )

    def prepare(self, config: str, steps: int, located: int | None = None, **choices: Any) -> None:
        """Compute what is needed of healthy panels, before one of them is broken; they must agree."""
        assert not self.broken(config, "", steps, **choices)
        assert located is None or self.locate(config, "", located) is None

    def measure(
        self, config: str, backend: str, steps: int, searches: bool = False, precisions: tuple = ("float64",)
    ) -> dict:
        """What a panel computes: without steps no gradients either; searches with the weights of a short training."""
        panel = self.uncompiled(backend, trains=steps > 0)
        folder, weights = str(self.run(config, searches).folder), "pytorch" if searches else ""
        return measure(panel, folder, weights, precisions, max(1, steps), ROWS, searches)

    def uncompiled(self, backend: str, trains: bool = True) -> SimpleNamespace:
        """A panel as it is now, whether it trains or not, but that TensorFlow traces nothing: that takes seconds."""
        names = dict(vars(self.sides[backend].panel))
        for name in ("TrainingStep", "Stepper"):
            names[name] = partial(names[name], compiled=False)
        return SimpleNamespace(**{name: value for name, value in names.items() if trains or name != "TrainingStep"})

    def broken(self, config: str, backend: str, steps: int, **choices: Any) -> list[Level]:
        """What does not hold between a panel as it is now and the other one, healthy; the arguments are `measure`'s."""
        results = {
            name: (self.measure if name == backend else self.healthy)(config, name, steps, **choices)
            for name in panels.BACKENDS
        }
        return [level for level in judge(results, self.run(config, choices.get("searches", False))) if not level.holds]

    def locate(self, config: str, backend: str, steps: int) -> Location | None:
        """What `diptych parity --locate` would name: TensorFlow is recorded, PyTorch is given the record."""
        recorded, given = (self._record if backend == "tensorflow" else self.healthy_record)(config, steps)
        run, panel = self.run(config, False), self.uncompiled("pytorch")
        traced = trace(panel, str(run.folder), given=str(given), rows=ROWS, steps=steps)
        return first_difference(recorded, traced, run)

    def _record(self, config: str, steps: int) -> tuple[dict, Path]:
        panel, folder = self.uncompiled("tensorflow"), str(self.run(config, False).folder)
        found = trace(panel, folder, rows=ROWS, steps=steps)
        path = Path(mkdtemp(dir=self.folder)) / "given.safetensors"
        save_file({name: np.ascontiguousarray(array) for name, array in found.items()}, path)
        return found, path

    def _make_run(self, config: str, trained: bool) -> Run:
        model, training = self.configs[config]
        text = self.folder / "pairs.tsv"
        if not text.exists():
            random = np.random.default_rng(1)
            # Few words, so that a batch has each of them several times; one to three of them, so that it is padded.
            sources = [random.choice(list("abcde"), random.integers(1, 4)) for _ in range(60)]
            text.write_text(
                "\n".join(f"{' '.join(words)}\t{' '.join(words[::-1])}" for words in sources), encoding="utf-8"
            )
        data = DataConfig(
            corpus="files",
            train=(str(text),),
            validation_size=6,
            test_size=6,
            shared_vocabulary=bool(model.get("tie_source_target")),
        )
        training = {"learning_rate": 0.01, "batch_size": 8, "label_smoothing": 0.1, **training}
        if trained:
            training |= {"epochs": 12, "clip_norm": 5.0, "weight_decay": 0.0}
        whole = RunConfig(
            data=data, model=ModelConfig(**{"dropout": 0.2, **model}), training=TrainingConfig(**training)
        )
        run = Run.create(whole, self.folder / f"{config}-{trained}")
        if trained:
            train(run, "pytorch", reporter=QuietReporter())
        return run


@pytest.fixture(scope="module")
def bench(both_frameworks, tmp_path_factory):
    """The bench."""
    return Bench(tmp_path_factory.mktemp("parity"))
