"""A step restricted to some words is the whole step, renormalised over them, in each panel."""

import numpy as np
import pytest

from diptych.search.shortlist import Projecting

MODELS = {"plain": {}, "tied": {"tie_target_output": True, "tie_source_target": True, "attention": "general"}}
WORDS = np.array([2, 3, 5, 8], np.int32)


CASES = [
    *((panel, model, False) for panel in ("tensorflow", "pytorch", "reference") for model in MODELS),
    ("tensorflow", "plain", True),  # only that panel compiles
]


@pytest.mark.parametrize(("panel", "model", "compiled"), CASES)
def test_it_gives_these_words_alone(bench, panel, model, compiled):
    config = bench.config(**MODELS[model])
    made = bench.model(panel, config, bench.parameters(config))
    stepper, batch = bench.panels[panel].Stepper(made, compiled=compiled), bench.batch((3, 1, 4), (2, 4, 1))
    assert isinstance(stepper, Projecting)
    state = stepper.start(batch.source, batch.source_lengths)
    restricted = stepper.restrict(state, WORDS)
    for tokens in ([1, 1, 1], [4, 5, 6]):
        fed = np.array(tokens, np.int32)
        whole, weights, state = stepper.step(state, fed)
        found, same_weights, restricted = stepper.step(restricted, fed)
        chosen = whole[:, WORDS].astype(np.float64)
        expected = chosen - np.log(np.exp(chosen).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(same_weights, weights, rtol=1e-12)
        rows = np.array([2, 0, 1])
        state, restricted = stepper.reorder(state, rows), stepper.reorder(restricted, rows)
