"""A small made-up panel, whose steps depend on all that a step may depend on, and runs to train with it."""

from types import SimpleNamespace

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import StepResult
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.loop import train

WHO = ("lineage", "choices")  # what of a state tells who did the steps


class MadeUpPanel:
    """A panel whose steps depend on all that a step may depend on: weights, moments, batch, masks, rate, step."""

    def __init__(self):
        self.before_step = lambda step: None
        self.before_evaluation = lambda step: None
        self.validation_losses = None
        self.result = lambda step, loss, norm: (loss, norm)
        self.rates, self.parts = [], []
        self.fastest = self.kept = "first kernel"

    def Model(self, config, source_size, target_size, precision="float32", choices=None):
        return SimpleNamespace(weights={}, dtype=np.float64 if precision == "float64" else np.float32)

    def load_parameters(self, model, parameters):
        model.weights = {name: value.astype(model.dtype) for name, value in parameters.items()}

    def export_parameters(self, model):
        return {name: value.copy() for name, value in model.weights.items()}

    def versions(self):
        return {"made-up": "1.0"}

    def settle(self, choices):
        self.kept = choices.get("kernel", self.fastest)

    def choices(self):
        return {"kernel": self.kept}

    def choose(self, weights, precision):
        return self.choices()

    def TrainingStep(self, model, config):
        return MadeUpStep(self, model, config.ema_decay)


class MadeUpStep:
    def __init__(self, panel, model, ema_decay):
        self.panel, self.model, self.steps, self.ema_decay = panel, model, 0, ema_decay
        self.velocity = {name: np.zeros_like(value) for name, value in model.weights.items()}
        self.swapped = {name: value.copy() for name, value in model.weights.items()} if ema_decay else {}

    def step(self, batch, masks, learning_rate):
        self.panel.before_step(self.steps + 1)
        self.panel.rates.append(learning_rate)
        push = np.cos(batch.target_input.sum() + 3.0 * batch.source[0, 0] + sum(m.sum() for m in masks.values()))
        return self._move(push, learning_rate)

    def step_over(self, parts, learning_rate):
        self.panel.rates.append(learning_rate)
        self.panel.parts.append([batch.rows.tolist() for batch, _ in parts])
        pushes = [batch.target_input.sum() + sum(m.sum() for m in masks.values()) for batch, masks in parts]
        return self._move(np.cos(sum(pushes)), learning_rate)

    def _move(self, push, learning_rate):
        self.steps += 1
        for name, weight in self.model.weights.items():
            self.velocity[name] = (0.9 * self.velocity[name] + np.sin(weight + push)).astype(weight.dtype)
            weight -= (learning_rate * self.velocity[name] / self.steps).astype(weight.dtype)
        for name, average in self.swapped.items():
            average += ((1.0 - self.ema_decay) * (self.model.weights[name] - average)).astype(average.dtype)
        loss, norm = self.panel.result(self.steps, push, 2.0)
        return StepResult(loss, norm)

    def evaluate(self, batch):
        self.panel.before_evaluation(self.steps)
        if self.panel.validation_losses is not None:
            return batch.target_tokens * self.panel.validation_losses[self.steps]
        return batch.target_tokens * abs(sum(float(weight.mean()) for weight in self.model.weights.values()))

    def predict(self, batch, masks):
        return np.full(batch.target_output.shape, 4 + self.steps % 3, np.int32)

    def swap_average(self):
        for name, average in self.swapped.items():
            own = self.model.weights[name].copy()
            self.model.weights[name][:], average[:] = average, own

    def export_state(self):
        kinds = {"velocity": self.velocity, "swapped": self.swapped}
        return {f"{kind}.{name}": value.copy() for kind, values in kinds.items() for name, value in values.items()}

    def load_state(self, arrays, steps):
        self.steps = steps
        for name, value in arrays.items():
            kind, _, weight = name.partition(".")
            getattr(self, kind)[weight] = value.copy()


class Skipping(MadeUpPanel):
    """A panel that undoes a step whose loss is no number, as the real ones leave it undone."""

    def TrainingStep(self, model, config):
        panel = self

        class Step(MadeUpStep):
            def step(self, *given):
                before = {name: value.copy() for name, value in self.model.weights.items()}, dict(self.velocity)
                result = super().step(*given)
                if not np.isfinite(result.loss):
                    self.model.weights.update(before[0])
                    self.velocity, self.steps = before[1], self.steps - 1
                return result

        return Step(panel, model, config.ema_decay)


class Listener(QuietReporter):
    def __init__(self):
        self.notes, self.ended = [], 0

    def note(self, text):
        self.notes.append(text)

    def end(self):
        self.ended += 1


@pytest.fixture
def panel(monkeypatch):
    panel = MadeUpPanel()
    monkeypatch.setattr(learner, "load", lambda name, threads, device: panel)
    return panel


@pytest.fixture
def skipping(monkeypatch):
    panel = Skipping()
    monkeypatch.setattr(learner, "load", lambda name, threads, device: panel)
    return panel


@pytest.fixture
def make_run(tmp_path):
    text = tmp_path / "pairs.tsv"
    lines = [f"{'a ' * (n % 4)}w{n}\t{'b ' * (n % 3)}v{n % 9}" for n in range(26)]
    text.write_text("\n".join(lines), encoding="utf-8")

    def make(name="run", maximum_length=100, **training):
        training = {"epochs": 2, "batch_size": 4, "precision": "float64"} | training
        config = RunConfig(
            data=DataConfig(
                corpus="files",
                train=(str(text),),
                validation_size=4,
                test_size=2,
                maximum_length=maximum_length,
            ),
            model=ModelConfig(embedding_size=2, encoder_size=2, decoder_size=2, dropout=0.3),
            training=TrainingConfig(**training),
        )
        return Run.create(config, tmp_path / name)

    return make


@pytest.fixture
def quietly():
    """Trains a run; what is said goes to `reporter`, or nowhere."""

    def call(run, backend="pytorch", **options):
        return train(run, backend, reporter=options.pop("reporter", QuietReporter()), **options)

    return call


@pytest.fixture
def everything():
    """All that training leaves, but for how long it took and who did it."""

    def call(run, backend="pytorch"):
        lines = [
            {key: value for key, value in line.items() if key not in ("seconds", "backend")}
            for line in run.read_metrics(backend)
        ]
        found = {"metrics": lines}
        for which in ("latest", "best"):
            checkpoint = run.read_checkpoint(backend, which)
            arrays = {**checkpoint.parameters, **checkpoint.optimizer}
            found[which] = {name: (value.dtype.str, value.tobytes()) for name, value in arrays.items()}
            found[f"{which} state"] = {key: value for key, value in checkpoint.state.items() if key not in WHO}
        return found

    return call


@pytest.fixture
def listener():
    """Remembers what training says."""
    return Listener()
