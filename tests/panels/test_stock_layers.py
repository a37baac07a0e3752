"""A recurrent layer's weights, copied into the stock layers of PyTorch and Keras, give the same outputs and states."""

from __future__ import annotations

import numpy as np
import pytest

PANELS = ("tensorflow", "pytorch", "reference")
KERAS_ORDER = {"gru": (1, 0, 2), "lstm": (0, 1, 2, 3), "rnn": (0,)}  # which of our gates comes first, second, ...


@pytest.fixture(scope="module", params=["gru", "lstm", "rnn"])
def case(bench, request):
    """A one-layer encoder, its layer's weights, a batch, and the embedded source."""
    config = bench.config(cell=request.param, bidirectional=False, bridge="copy", decoder_size=4)
    parameters = bench.parameters(config)
    prefix = "encoder.forward_layers.0."
    layer = {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}
    batch = bench.batch((4, 1, 3, 2), (1, 1, 1, 1))
    return config, parameters, layer, batch, parameters["source_embedding.weight"][batch.source]


def in_pytorch(bench, case):
    """The outputs and final states of stock PyTorch: LSTM and plain RNN have a second bias there, here of zeros."""
    import torch

    config, _, layer, batch, embedded = case
    kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[config.cell]
    stock = kind(config.embedding_size, config.encoder_size, batch_first=True, dtype=torch.float64)
    values = {"bias_hh": np.zeros_like(layer["bias_ih"]), **layer}
    stock.load_state_dict({f"{name}_l0": torch.from_numpy(value) for name, value in values.items()}, strict=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(embedded), torch.from_numpy(batch.source_lengths), batch_first=True, enforce_sorted=False
    )
    outputs, states = stock(packed)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    return bench.array(outputs), [bench.array(state[0]) for state in (states if config.cell == "lstm" else [states])]


def in_keras(bench, case):
    """The outputs and final states of stock Keras, whose GRU has another order of gates and its two biases in one."""
    import keras

    config, _, layer, batch, embedded = case
    kind = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}[config.cell]
    form = {"reset_after": True} if config.cell == "gru" else {}
    stock = kind(config.encoder_size, return_sequences=True, return_state=True, dtype="float64", **form)
    stock.build(embedded.shape)
    size, order = config.encoder_size, KERAS_ORDER[config.cell]
    gates = {
        name: np.concatenate([value[gate * size : (gate + 1) * size] for gate in order])
        for name, value in layer.items()
    }
    biases = [gates["bias_ih"], gates["bias_hh"]] if config.cell == "gru" else gates["bias_ih"]
    stock.set_weights([gates["weight_ih"].T, gates["weight_hh"].T, np.array(biases)])
    mask = np.arange(embedded.shape[1]) < batch.source_lengths[:, None]
    outputs, *states = stock(embedded, mask=mask)
    return np.where(mask[:, :, None], outputs, 0.0), [bench.array(state) for state in states]


@pytest.mark.parametrize("stock", [in_pytorch, in_keras])
@pytest.mark.parametrize("panel", PANELS)
def test_the_stock_layer_gives_the_same(bench, close, case, panel, stock):
    config, parameters, _, batch, _ = case
    found = bench.encode(panel, bench.model(panel, config, parameters), batch)
    outputs, states = stock(bench, case)
    close(found["memory"], outputs)
    assert len(states) == (2 if config.cell == "lstm" else 1)
    for kind, state in zip(("hidden 0", "cell 0"), states, strict=False):
        close(found[kind], state)
