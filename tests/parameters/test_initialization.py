"""The first values of the weights: which law each kind follows, and what they depend on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import ModelConfig
from diptych.parameters.initialization import initial_parameters
from diptych.parameters.specification import GATES, specification

configs = st.builds(
    ModelConfig,
    cell=st.sampled_from(["gru", "lstm", "rnn"]),
    embedding_size=st.integers(1, 9),
    encoder_size=st.integers(1, 9),
    encoder_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    decoder_size=st.integers(1, 9),
    decoder_layers=st.integers(1, 3),
    attention=st.sampled_from(["none", "additive", "general", "concat"]),
    tie_source_target=st.booleans(),
)


@given(configs, st.integers(5, 9), st.integers(5, 9), st.integers(0, 3))
def test_every_weight_of_the_specification_has_a_finite_float64_value(config, sources, targets, seed):
    found = initial_parameters(config, sources, targets, seed)
    expected = specification(config, sources, targets)
    assert list(found) == list(expected)
    assert all(found[name].shape == weight.shape for name, weight in expected.items())
    assert all(value.dtype == np.float64 and np.isfinite(value).all() for value in found.values())


@given(configs)
def test_recurrent_weights_are_orthogonal_gate_by_gate(config):
    for name, value in initial_parameters(config, 5, 5, seed=1).items():
        if name.endswith("weight_hh"):
            for gate in np.split(value, len(GATES[config.cell])):
                np.testing.assert_allclose(gate @ gate.T, np.eye(len(gate)), atol=1e-12)


@given(configs)
def test_biases_are_zero_but_the_forget_gate_s_is_one(config):
    for name, value in initial_parameters(config, 5, 5, seed=1).items():
        if "bias" in name:
            recurrent = "layers" in name and config.cell == "lstm"
            gates = np.split(value, 4) if recurrent else [value]
            expected = [0.0, 1.0, 0.0, 0.0] if recurrent else [0.0]
            assert [set(gate) for gate in gates] == [{number} for number in expected]


def test_a_weight_does_not_depend_on_the_others():
    small = initial_parameters(ModelConfig(attention="none", decoder_size=12), 7, 9, seed=3)
    large = initial_parameters(ModelConfig(attention="none", decoder_size=12, decoder_layers=3), 7, 9, seed=3)
    assert set(small) < set(large)
    assert all(np.array_equal(value, large[name]) for name, value in small.items())


def test_weights_of_one_shape_and_seeds_differ():
    config = ModelConfig(embedding_size=8, encoder_size=8)
    first, second = (initial_parameters(config, 7, 7, seed) for seed in (1, 2))
    assert not np.array_equal(first["source_embedding.weight"], first["target_embedding.weight"])
    assert not np.array_equal(first["source_embedding.weight"], second["source_embedding.weight"])
    forward, backward = (first[f"encoder.{side}_layers.0.weight_hh"] for side in ("forward", "backward"))
    assert not np.array_equal(forward, backward)


@pytest.mark.parametrize("cell", GATES)
def test_input_weights_fill_each_gate_s_own_glorot_range(cell):
    config = ModelConfig(cell=cell, embedding_size=50, encoder_size=70)
    value = initial_parameters(config, 5, 5, seed=1)["encoder.forward_layers.0.weight_ih"]
    limit = np.sqrt(6.0 / (50 + 70))
    for gate in np.split(value, len(GATES[cell])):
        assert 0.99 * limit < np.abs(gate).max() <= limit
        assert abs(gate.mean()) < 0.02 * limit


def test_dense_weights_are_glorot_and_embeddings_have_length_about_one():
    config = ModelConfig(embedding_size=64, encoder_size=30, decoder_size=80, attentional_size=100)
    found = initial_parameters(config, 900, 900, seed=1)
    limit = np.sqrt(6.0 / (100 + 80 + 60))
    assert 0.99 * limit < np.abs(found["decoder.attentional.weight"]).max() <= limit
    lengths = np.linalg.norm(found["source_embedding.weight"], axis=1)
    assert lengths.mean() == pytest.approx(1.0, abs=0.02)
