"""Adam, AdamW, SGD and clipping, in both frameworks, against the formulas of docs/equations.md written out here."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.config import TrainingConfig

FRAMEWORKS = ("tensorflow", "pytorch")
MODEL = {"cell": "rnn", "attention": "none", "bidirectional": False}
OPTIMIZERS = {
    "adam": {"optimizer": "adam", "clip_norm": 0.0},
    "adam, clipped and decayed": {"optimizer": "adam", "weight_decay": 0.03, "clip_norm": 0.05},
    "adam, other betas": {"optimizer": "adam", "beta1": 0.7, "beta2": 0.91, "epsilon": 1e-3, "clip_norm": 0.0},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.0},
    "sgd": {"optimizer": "sgd", "clip_norm": 0.05},
    "sgd, with momentum": {"optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.03, "clip_norm": 0.0},
}
RATES = (0.1, 0.03, 0.2, 0.01, 0.05)


class Formulas:
    """Equations 16 to 18, for all weights of a model."""

    def __init__(self, parameters, config):
        self.parameters, self.config, self.steps = dict(parameters), config, 0
        kinds = ("first_moment", "second_moment") if config.optimizer != "sgd" else ("velocity",)
        self.state = {kind: {name: np.zeros_like(value) for name, value in parameters.items()} for kind in kinds}

    def step(self, gradients, rate):
        """Change the weights; returns the gradient's norm."""
        config = self.config
        self.steps += 1
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        scale = min(1.0, config.clip_norm / norm) if config.clip_norm else 1.0
        for name, weight in self.parameters.items():
            gradient = gradients[name] * scale
            if config.optimizer == "adamw":
                weight = weight - rate * config.weight_decay * weight
            else:
                gradient = gradient + config.weight_decay * weight
            change = self.velocity(name, gradient) if config.optimizer == "sgd" else self.adam(name, gradient)
            self.parameters[name] = weight - rate * change
        return norm

    def velocity(self, name, gradient):
        velocity = self.state["velocity"]
        velocity[name] = self.config.momentum * velocity[name] + gradient
        return velocity[name]

    def adam(self, name, gradient):
        config, first, second = self.config, self.state["first_moment"], self.state["second_moment"]
        first[name] = config.beta1 * first[name] + (1.0 - config.beta1) * gradient
        second[name] = config.beta2 * second[name] + (1.0 - config.beta2) * gradient**2
        first_corrected = first[name] / (1.0 - config.beta1**self.steps)
        second_corrected = second[name] / (1.0 - config.beta2**self.steps)
        return first_corrected / (np.sqrt(second_corrected) + config.epsilon)

    def export_state(self):
        if self.config.optimizer == "sgd" and self.config.momentum == 0.0:
            return {}
        return {f"{kind}.{name}": value for kind, values in self.state.items() for name, value in values.items()}


def batches(bench):
    return [bench.batch((2, 1 + n % 3, 3), (1 + n % 2, 3, 2), seed=n) for n in range(len(RATES))]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_steps_are_those_of_the_formulas(bench, close, framework, optimizer):
    model = {**MODEL, "cell": "gru"} if optimizer == "adamw" else MODEL  # a GRU's two biases are one in Keras
    config = bench.config(**model)
    training = TrainingConfig(precision="float64", label_smoothing=0.1, **OPTIMIZERS[optimizer])
    parameters = bench.parameters(config)
    trainer, formulas = bench.trainer(framework, config, parameters, training), Formulas(parameters, training)
    clipped = 0
    for step, (batch, rate) in enumerate(zip(batches(bench), RATES, strict=True)):
        masks = bench.masks(config, batch, seed=step)
        loss, gradients = trainer.gradients(batch, masks)
        result = trainer.step(batch, masks, rate)
        norm = formulas.step(gradients, rate)
        clipped += norm > training.clip_norm > 0.0
        assert trainer.steps == step + 1
        close(result.loss, loss)
        close(result.gradient_norm, norm)
        close(bench.panels[framework].export_parameters(trainer.model), formulas.parameters)
        close(trainer.export_state(), formulas.export_state())
    assert clipped == (len(RATES) if training.clip_norm else 0)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_clipping_scales_all_gradients_by_one_number_and_only_if_their_norm_is_above_the_limit(bench, close, framework):
    config, batch = bench.config(**MODEL), bench.batch((2, 3), (3, 1))
    parameters = bench.parameters(config)
    _, gradients = bench.trainer(framework, config, parameters).gradients(batch, {})
    norm = np.sqrt(sum(np.square(gradient).sum() for gradient in gradients.values()))
    for limit, length in ((norm / 3.0, norm / 3.0), (norm * 1.001, norm), (0.0, norm)):
        trainer = bench.trainer(framework, config, parameters, optimizer="sgd", clip_norm=float(limit))
        result = trainer.step(batch, {}, 1.0)
        after = bench.panels[framework].export_parameters(trainer.model)
        moved = {name: parameters[name] - after[name] for name in parameters}
        close(result.gradient_norm, norm)
        close(np.sqrt(sum(np.square(change).sum() for change in moved.values())), length)
        close(moved, {name: gradient * (length / norm) for name, gradient in gradients.items()}, 1e-11)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_state_goes_through_the_other_framework_and_back(bench, close, optimizer):
    config = bench.config(cell="gru", attention="general")
    training = TrainingConfig(precision="float64", **OPTIMIZERS[optimizer])
    parameters, (one, two, *_) = bench.parameters(config), batches(bench)

    def exported(name, trainer):
        return {**bench.panels[name].export_parameters(trainer.model), **trainer.export_state()}

    def handed_over(name, arrays, steps):
        """A trainer of this panel that goes on from these arrays; what it then exports is what it was given."""
        trainer = bench.trainer(name, config, {weight: arrays[weight] for weight in parameters}, training)
        trainer.load_state({kind: value for kind, value in arrays.items() if kind not in parameters}, steps)
        assert trainer.steps == steps
        assert identical(exported(name, trainer), arrays)
        return trainer

    whole = bench.trainer("tensorflow", config, parameters, training)
    whole.step(one, {}, 0.1)
    whole.step(two, {}, 0.1)
    there = handed_over("pytorch", exported("tensorflow", whole), 2)
    back = handed_over("tensorflow", exported("pytorch", there), 2)
    for trainer in (whole, there, back):
        trainer.step(one, {}, 0.05)
    assert identical(exported("tensorflow", back), exported("tensorflow", whole))
    close(exported("pytorch", there), exported("tensorflow", whole))


def identical(actual, expected):
    return actual.keys() == expected.keys() and all(actual[n].tobytes() == v.tobytes() for n, v in expected.items())


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_was_exported_does_not_change_with_later_steps(bench, framework):
    config, batch = bench.config(**MODEL), bench.batch((2, 3), (3, 1))
    trainer = bench.trainer(framework, config, bench.parameters(config))
    trainer.step(batch, {}, 0.1)
    panel = bench.panels[framework]
    found = [{**panel.export_parameters(trainer.model), **trainer.export_state(), **trainer.gradients(batch, {})[1]}]
    found.append({name: value.copy() for name, value in found[0].items()})
    trainer.step(batch, {}, 0.1)
    assert all(np.array_equal(found[0][name], value) for name, value in found[1].items())
    loaded = {name: value for name, value in found[1].items() if "moment" in name}
    trainer.load_state(loaded, 1)
    before = trainer.export_state()
    for value in loaded.values():
        value[...] = 7.0
    assert all(np.array_equal(value, before[name]) for name, value in trainer.export_state().items())


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name.startswith("adam")])
def test_adam_without_pytorch_s_private_pass_is_the_same(bench, close, monkeypatch, optimizer):
    torch = pytest.importorskip("torch")
    config, (batch, *_) = bench.config(**MODEL), batches(bench)
    training = TrainingConfig(precision="float64", **OPTIMIZERS[optimizer])

    def moved():
        trainer = bench.trainer("pytorch", config, bench.parameters(config), training)
        for rate in RATES:
            trainer.step(batch, {}, rate)
        return {**bench.panels["pytorch"].export_parameters(trainer.model), **trainer.export_state()}

    with_it = moved()
    for name in ("_fused_adam_", "_fused_adamw_"):
        monkeypatch.delattr(torch, name)
    close(moved(), with_it)
