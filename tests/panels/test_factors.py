"""Factors: the first tags' embeddings at every position of the source, alike in every panel."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.config import DataConfig, parse_config
from diptych.errors import ConfigError

PANELS = ("reference", "pytorch", "tensorflow")
FRAMEWORKS = PANELS[1:]
JOINS = ("added", "concatenated")


@pytest.fixture
def batch(bench):
    return bench.batch([4, 3, 5], [3, 4, 2])


@pytest.mark.parametrize("join", JOINS)
def test_every_panel_reads_the_same(bench, close, batch, join):
    config = bench.config(factors=2, factors_join=join)
    parameters = bench.parameters(config)
    expected, _ = bench.forward("reference", bench.model("reference", config, parameters), batch)
    masks = bench.masks(config, batch)
    for name in FRAMEWORKS:
        model = bench.model(name, config, parameters)
        close(bench.forward(name, model, batch)[0][bench.real(batch)], expected[bench.real(batch)])
    judge = bench.forward("reference", bench.model("reference", config, parameters), batch, masks)[0]
    gradients = {}
    for name in FRAMEWORKS:
        found = bench.forward(name, bench.model(name, config, parameters), batch, masks)[0]
        close(found[bench.real(batch)], judge[bench.real(batch)])
        _, gradients[name] = bench.trainer(name, config, parameters).gradients(batch, masks)
    for name, gradient in gradients["pytorch"].items():
        close(gradients["tensorflow"][name], gradient, what=name)


def test_added_is_the_sum_and_concatenated_with_weights_of_zero_is_none(bench, close, batch):
    config = bench.config(factors=1)
    model = bench.model("reference", config, bench.parameters(config))
    embedded = model.source_embedding(batch.source)
    assert np.allclose(model.with_factors(embedded), embedded + embedded[:, :1])
    plain, joined = bench.config(), bench.config(factors=1, factors_join="concatenated")
    parameters = bench.parameters(plain)
    wider = bench.parameters(joined)
    for name, values in parameters.items():
        if wider[name].shape == values.shape:
            wider[name] = values
        else:  # the encoder's first layer: what it reads of a factor counts for nothing
            wider[name] = np.concatenate([values, np.zeros_like(values)], axis=1)
    without = bench.forward("reference", bench.model("reference", plain, parameters), batch)[0]
    close(bench.forward("reference", bench.model("reference", joined, wider), batch)[0], without)


@pytest.mark.parametrize("join", JOINS)
def test_exact_steps_are_equal_to_the_bit(bench, batch, join):
    config = bench.config(factors=1, factors_join=join, dropout=0.0)
    parameters = {name: np.round(values * 2**20) / 2**20 for name, values in bench.parameters(config).items()}
    found = {}
    for name in FRAMEWORKS:
        trainer = bench.trainer(name, config, parameters, precision="exact")
        for _ in range(2):
            trainer.step(batch, {}, 0.01)
        found[name] = bench.panels[name].export_parameters(trainer.model)
    for name, values in found["pytorch"].items():
        assert np.array_equal(found["tensorflow"][name], values), name


def test_more_factors_than_tags_are_refused():
    with pytest.raises(ConfigError, match="model.factors = 1 needs as many data.source_tags, got 0"):
        parse_config({"data": DataConfig().model_dump(mode="json"), "model": {"factors": 1}})
