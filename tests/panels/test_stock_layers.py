"""Stock layers of PyTorch and Keras, given a model's weights, compute what the panels do: what `diptych code` shows."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

PANELS = ("tensorflow", "pytorch", "reference")


def program(name, stock):
    return importlib.import_module(f"diptych.side_by_side.stock.{name}.in_{stock}")


@pytest.fixture(scope="module", params=["gru", "lstm", "rnn"])
def case(bench, request):
    """A one-layer encoder, its layer's weights, a batch, and the embedded source."""
    config = bench.config(cell=request.param, bidirectional=False, bridge="copy", decoder_size=4)
    parameters = bench.parameters(config)
    prefix = "encoder.forward_layers.0."
    layer = {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}
    batch = bench.batch((4, 1, 3, 2), (1, 1, 1, 1))
    return config, parameters, layer, batch, parameters["source_embedding.weight"][batch.source]


@pytest.mark.parametrize("stock", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("panel", PANELS)
def test_the_stock_layer_gives_the_same(bench, close, case, panel, stock):
    config, parameters, layer, batch, embedded = case
    found = bench.encode(panel, bench.model(panel, config, parameters), batch)
    outputs, states = program(config.cell, stock).read(embedded, batch.source_lengths, layer)
    close(found["memory"], outputs)
    assert len(states) == (2 if config.cell == "lstm" else 1)
    for kind, state in zip(("hidden 0", "cell 0"), states, strict=False):
        close(found[kind], state)


@pytest.mark.parametrize("stock", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("panel", PANELS)
def test_the_stock_attention_gives_the_same(bench, close, panel, stock):
    config = bench.config(attention="general")
    parameters = bench.parameters(config)
    draw = np.random.default_rng(3)
    queries, memory = draw.normal(size=(3, 2, config.decoder_size)), draw.normal(size=(3, 5, config.memory_size))
    lengths = np.array([5, 1, 3], np.int32)
    weight = parameters["decoder.attention.memory.weight"]
    attention = bench.model(panel, config, parameters).decoder.attention
    tensors = [bench.tensor(panel, array) for array in (queries, memory, np.arange(5) < lengths[:, None])]
    context, _ = attention(tensors[0], attention.keys(tensors[1]), *tensors[1:])
    close(bench.array(context), program("attention", stock).look(queries, memory, lengths, weight))
