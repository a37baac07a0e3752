"""Frozen weights: constants for training, alike in both frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.errors import ConfigError
from diptych.parameters.freezing import frozen_weights
from diptych.parameters.specification import specification

FRAMEWORKS = ("tensorflow", "pytorch")
CHOICES = [
    {"optimizer": "adamw", "weight_decay": 0.1, "ema_decay": 0.5},
    {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1},
    {"precision": "exact"},
]


@pytest.fixture
def batch(bench):
    return bench.batch([4, 2, 5], [3, 6, 2])


@pytest.mark.parametrize("choices", CHOICES, ids=lambda choices: choices.get("optimizer", "exact"))
def test_what_is_frozen_stays_to_the_bit_and_the_rest_trains_alike(bench, close, batch, choices):
    config = bench.config(dropout=0.0)
    parameters = {name: np.round(values * 2**20) / 2**20 for name, values in bench.parameters(config).items()}
    found, states, norms = {}, {}, {}
    for name in FRAMEWORKS:
        trainer = bench.trainer(name, config, parameters, freeze=("encoder.*", "source_embedding.weight"), **choices)
        norms[name] = [trainer.step(batch, {}, 0.1).gradient_norm for _ in range(3)]
        found[name], states[name] = bench.panels[name].export_parameters(trainer.model), trainer.export_state()
    for name, values in found["pytorch"].items():
        frozen = name.startswith(("encoder.", "source_embedding."))
        assert np.array_equal(values, parameters[name]) == frozen, name
        assert np.array_equal(found["tensorflow"][name], parameters[name]) == frozen, name
        close(found["tensorflow"][name], values)
    assert states["pytorch"].keys() == states["tensorflow"].keys()
    assert not [name for name in states["pytorch"] if ".encoder." in name or "source_embedding" in name]
    assert norms["pytorch"] == pytest.approx(norms["tensorflow"], rel=1e-9)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_norm_that_is_clipped_is_that_of_what_trains(bench, batch, framework):
    config = bench.config()
    trainer = bench.trainer(framework, config, bench.parameters(config), freeze=("*embedding*", "encoder.*"))
    _, gradients = trainer.gradients(batch, {})
    assert not [name for name in gradients if name.startswith("encoder.")]
    expected = np.sqrt(sum(np.square(gradient).sum() for gradient in gradients.values()))
    assert trainer.step(batch, {}, 0.1).gradient_norm == pytest.approx(expected)


def test_patterns_that_cannot_be_meant_are_refused(bench):
    names = specification(bench.config(), 7, 9)
    assert frozen_weights((), names) == frozenset()
    with pytest.raises(ConfigError, match="'encoders.*' matches no weight; the model has source_embedding, "):
        frozen_weights(("encoders.*",), names)
    with pytest.raises(ConfigError, match="leaves no weight to train"):
        frozen_weights(("*",), names)
    with pytest.raises(ConfigError, match=r"freeze both"):
        frozen_weights(("*.bias_hh",), names)
