"""Keras models become PyTorch modules that give the same numbers, or are refused with the reason.

`to_pytorch` certifies what it makes: every layer, gradient and optimizer step of three parties agrees to 1e-12, or it
raises. So a model that comes back has passed.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from diptych.errors import CertificateError, RefusalError

pytestmark = pytest.mark.usefixtures("both_frameworks")


def randomized(model, seed=0):
    """The model with other weights: initial biases are zero and would hide where they go."""
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        spread = (
            draw.uniform(0.5, 2.0, weight.shape) if "variance" in weight.path else draw.normal(0, 0.6, weight.shape)
        )
        weight.assign(spread)
    return model


def cells(L):
    return {"LSTM": L.LSTM, "GRU": L.GRU, "SimpleRNN": L.SimpleRNN}


def masked(K, L, layer):
    return K.Sequential([L.Input((5, 3)), L.Masking(), layer, L.Dense(2)])


MODELS = {
    **{
        f"{cell}, zero_output_for_mask={zero}": lambda K, L, cell=cell, zero=zero: (
            K.Sequential([
                L.Input((5,)),
                L.Embedding(6, 4, mask_zero=True),
                cells(L)[cell](4, return_sequences=True, zero_output_for_mask=zero),
                cells(L)[cell](3, return_sequences=zero, zero_output_for_mask=zero),
                L.Dense(2, activation="softmax"),
            ])
        )
        for cell in ("LSTM", "GRU", "SimpleRNN") for zero in (True, False)
    },
    **{
        f"Bidirectional, merge_mode={mode}": lambda K, L, mode=mode: masked(
            K, L, L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode=mode)
        )
        for mode in ("concat", "sum", "mul", "ave")
    },
    "Bidirectional, last output": lambda K, L: masked(K, L, L.Bidirectional(L.LSTM(4))),
    "go_backwards, its sequence": lambda K, L: masked(K, L, L.LSTM(4, go_backwards=True, return_sequences=True)),
    "go_backwards, its last output": lambda K, L: masked(K, L, L.GRU(4, go_backwards=True)),
    "no bias": lambda K, L: masked(K, L, L.LSTM(4, use_bias=False)),
    "relu in a plain layer": lambda K, L: masked(K, L, L.SimpleRNN(4, activation="relu")),
    "softsign in a plain layer": lambda K, L: masked(K, L, L.SimpleRNN(4, activation="softsign")),
    "hard_sigmoid of Keras 3": lambda K, L: masked(K, L, L.LSTM(4, recurrent_activation="hard_sigmoid")),
    "reset before": lambda K, L: masked(K, L, L.GRU(4, reset_after=False, return_sequences=True)),
    "unroll": lambda K, L: masked(K, L, L.GRU(4, unroll=True, return_sequences=True)),
    "stacked cells": lambda K, L: masked(K, L, L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True)),
    "Bidirectional over a cell": lambda K, L: masked(
        K, L, L.Bidirectional(L.RNN(L.LSTMCell(4), return_sequences=True), merge_mode="sum")
    ),
    "StackedRNNCells": lambda K, L: masked(K, L, L.RNN(L.StackedRNNCells([L.SimpleRNNCell(4), L.LSTMCell(3)]))),
    "TimeDistributed and normalisations": lambda K, L: K.Sequential([
        L.Input((5, 3)), L.LSTM(4, return_sequences=True), L.TimeDistributed(L.Dense(3)), L.LayerNormalization(),
        L.BatchNormalization(), L.BatchNormalization(scale=False), L.LayerNormalization(scale=False),
    ]),
    "convolution": lambda K, L: K.Sequential([
        L.Input((8, 3)), L.Conv1D(4, 3, padding="causal", activation="relu"), L.MaxPooling1D(2),
        L.Conv1D(4, 2, padding="same"), L.Bidirectional(L.SimpleRNN(2, return_sequences=True)),
        L.GlobalAveragePooling1D(),
    ]),
    "Flatten, Reshape, RepeatVector": lambda K, L: K.Sequential([
        L.Input((4, 3)), L.Flatten(), L.Dense(6, activation="tanh"), L.RepeatVector(3), L.GRU(4), L.Reshape((2, 2)),
        L.Permute((2, 1)),
    ]),
}  # fmt: skip


@pytest.fixture(scope="module")
def keras(both_frameworks):
    from diptych import panel

    panel.load("tensorflow")
    import keras

    return keras


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_certified(name, keras):
    from diptych.convert.live import to_pytorch

    model = randomized(MODELS[name](keras, keras.layers))
    before = [weight.numpy() for weight in model.weights]
    module = to_pytorch(model)
    assert module.certificate["certified"]
    assert module.certificate["largest_gap"] < 1e-12
    assert {"torch", "keras", "numpy"} <= set(module.certificate["versions"])
    assert len(module.certificate["checks"]) == 13
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, model.weights))
    assert "diptych" not in module.code.replace("converted by Diptych", "")
    assert "Model" in inspect.getsource(type(module))


def test_states_go_in_and_come_out(keras):
    from diptych.convert.live import to_pytorch

    L = keras.layers
    x, h, c = L.Input((None, 3)), L.Input((4,)), L.Input((4,))
    outputs = L.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    to_pytorch(randomized(keras.Model([x, h, c], outputs)))
    states = [L.Input((4,)) for _ in range(4)]
    outputs = L.Bidirectional(L.LSTM(4, return_state=True))(x, initial_state=states)
    to_pytorch(randomized(keras.Model([x, *states], outputs)))


def test_a_mask_is_not_given_to_a_layer_with_initial_states_unless_the_call_names_it(keras):
    """So does Keras 3: a decoder that starts from its encoder's states runs over the padding."""
    from diptych.convert.live import to_pytorch

    L = keras.layers
    ids, h, c = L.Input((5,)), L.Input((4,)), L.Input((4,))
    x = L.Embedding(6, 3, mask_zero=True)(ids)
    mask = keras.ops.not_equal(ids, 0)
    plain, named = L.LSTM(4, return_sequences=True), L.LSTM(4, return_sequences=True)
    both = L.Bidirectional(L.GRU(4, return_sequences=True))
    outputs = [plain(x, initial_state=[h, c]), named(x, initial_state=[h, c], mask=mask), both(x, initial_state=[h, c])]
    module = to_pytorch(randomized(keras.Model([ids, h, c], [*outputs, L.GRU(3)(outputs[0])])))
    said = [one for one in module.certificate["assumed"] if "does not give it its input's mask" in one]
    assert len(said) == 2


def test_the_states_of_a_stack_come_out_one_after_the_other(keras):
    from diptych.convert.live import to_pytorch

    L = keras.layers
    x = L.Input((5, 3))
    found = L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True, return_state=True)(x)
    module = to_pytorch(randomized(keras.Model(x, found)))
    assert module.certificate["certified"]


def test_a_layer_called_twice_two_inputs_and_attention(keras):
    from diptych.convert.live import to_pytorch

    L = keras.layers
    first, second = L.Input((5,)), L.Input((5,))
    embedding, encoder = L.Embedding(7, 4, mask_zero=True), L.LSTM(4, return_sequences=True)
    query, value = encoder(embedding(first)), encoder(embedding(second))
    context = L.Attention(use_scale=True)([query, value])
    other = L.AdditiveAttention()([query, value])
    joined = L.Concatenate()([query, context, other])
    model = keras.Model([first, second], [L.GRU(3)(joined), L.Add()([context, other])[:, -1] * 2.0])
    module = to_pytorch(randomized(model))
    assert sum(name.startswith("lstm") for name in module.state_dict()) == 4


def test_a_stateful_layer_s_states_go_in_and_come_out(keras):
    import torch

    from diptych.convert.live import to_pytorch

    L = keras.layers
    model = randomized(keras.Sequential([L.Input(batch_shape=(2, 5, 3)), L.LSTM(4, stateful=True), L.Dense(2)]))
    module = to_pytorch(model)
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    h = c = torch.zeros(2, 4)
    for _ in range(2):
        y, h, c = module(torch.from_numpy(x), h, c)
        assert np.allclose(y.detach().numpy(), np.asarray(model(x)), atol=1e-5)


def test_models_inside_models(keras):
    from diptych.convert.live import to_pytorch

    L = keras.layers
    inner = keras.Sequential([L.Input((5, 3)), L.LSTM(4, return_sequences=True, name="a"), L.Dense(2, name="b")])
    x, given = L.Input((5, 3)), L.Input((5, 2))
    functional = keras.Model(given, L.GRU(3, return_sequences=True, name="c")(given), name="functional")
    module = to_pytorch(randomized(keras.Model(x, L.Flatten()(functional(inner(x))))))
    assert {"a.weight_ih_l0", "b.weight", "c.weight_hh_l0"} <= set(module.state_dict())


def test_a_file_has_its_weights_where_keras_has_them(keras, tmp_path):
    """The archive keeps them by the alphabet: backward before forward, and cells by their classes' names."""
    from diptych.convert.keras.live import graph_of
    from diptych.convert.keras.running import _check_weights
    from diptych.convert.source import Asked, read_source

    L = keras.layers
    inner = keras.Sequential(
        [L.Input((5, 8)), L.LSTM(4, return_sequences=True, name="a"), L.LSTM(4, return_sequences=True, name="b")],
        name="inner",
    )
    model = keras.Sequential([
        L.Input((5, 3)), L.Bidirectional(L.LSTM(4, return_sequences=True)), inner,
        L.RNN([L.SimpleRNNCell(4), L.LSTMCell(4), L.GRUCell(4)], return_sequences=True), L.Bidirectional(L.GRU(4)),
    ])  # fmt: skip
    randomized(model).save(tmp_path / "m.keras")
    source = read_source(tmp_path / "m.keras", Asked())
    live = graph_of(model).weights()
    found = source.graph.weights()
    assert list(found) == list(live)
    assert all(np.array_equal(found[name], live[name]) for name in live)
    tensors = source.original.file.tensors
    arrays = {f"{path}|{n}": tensors[name].read() for path, names in source.original.weights.items()
              for n, name in enumerate(names)}  # fmt: skip
    config = model.to_json()
    _check_weights(config, arrays, str(tmp_path / "m.keras"))
    assert {"inner/a|0", "inner/b|2"} <= set(arrays)
    first = next(name for name in arrays if name.startswith("bidirectional") and name.endswith("|0"))
    arrays[first], arrays[first[:-1] + "3"] = arrays[first[:-1] + "3"], arrays[first]
    with pytest.raises(RefusalError, match="Keras reads other numbers as its weight 0"):
        _check_weights(config, arrays, str(tmp_path / "m.keras"))


REFUSED = {
    "a custom activation": (
        lambda K, L: masked(K, L, L.LSTM(4, activation="mish")), "lstm.*activation = 'mish'"
    ),
    "TimeDistributed over an LSTM": (
        lambda K, L: K.Sequential([L.Input((2, 5, 3)), L.TimeDistributed(L.LSTM(4))]),
        "time_distributed.*a 'LSTM' inside it is not converted.*Dense, Activation",
    ),
    "a Lambda": (lambda K, L: K.Sequential([L.Input((5, 3)), L.Lambda(lambda x: x * 2)]), "lambda.*never run"),
    "unrolled backward under a mask": (
        lambda K, L: masked(K, L, L.Bidirectional(L.LSTM(4, unroll=True, return_sequences=True))), "wrong steps"
    ),
    "a convolution in two dimensions": (
        lambda K, L: K.Sequential([L.Input((5, 5, 3)), L.Conv2D(2, 3)]), "conv2d.*'Conv2D' cannot be converted"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(name, keras):
    from diptych.convert.live import to_pytorch

    make, message = REFUSED[name]
    with pytest.raises(RefusalError, match=message):
        to_pytorch(make(keras, keras.layers))


def test_a_model_without_weights_and_something_else_are_refused(keras):
    from diptych.convert.live import to_pytorch

    with pytest.raises(RefusalError, match="no weights yet"):
        to_pytorch(keras.Sequential([keras.layers.LSTM(3)]))
    with pytest.raises(RefusalError, match="expected a Keras model, got list"):
        to_pytorch([])


def test_a_wrong_gate_is_not_certified(keras, monkeypatch):
    from diptych.convert import live
    from diptych.convert.torch import writing

    def swapped(graph, title):
        written = writing.write_pytorch(graph, title)
        name = next(name for name in written.weights if name.endswith("weight_hh_l0"))
        rows = written.weights[name]
        return writing.WrittenModule(
            written.code, written.weights | {name: np.concatenate([rows[4:8], rows[:4], rows[8:]])},
            written.names, written.variables, written.states,
        )  # fmt: skip

    monkeypatch.setattr(live, "write_pytorch", swapped)
    with pytest.raises(CertificateError, match=r"every layer.*at gru\w*\.sequence.*step 1"):
        live.to_pytorch(randomized(masked(keras, keras.layers, keras.layers.GRU(4))))


def test_state_dict_of_one_layer(keras):
    import torch

    from diptych.convert.live import state_dict

    L = keras.layers
    layer = L.Bidirectional(L.LSTM(4, return_sequences=True, unit_forget_bias=True))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    expected = np.asarray(layer(x))
    module = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    module.load_state_dict(state_dict(layer))
    assert np.allclose(module(torch.from_numpy(x))[0].detach().numpy(), expected, atol=1e-6)
    dense = L.Dense(2)
    dense(x)
    assert {name: tuple(value.shape) for name, value in state_dict(dense).items()} == {"weight": (2, 3), "bias": (2,)}


def test_a_gru_that_resets_before_has_no_state_dict(keras):
    from diptych.convert.live import state_dict

    layer = keras.layers.GRU(4, reset_after=False)
    layer(np.zeros((1, 2, 3), np.float32))
    with pytest.raises(RefusalError, match="no stock layer of PyTorch"):
        state_dict(layer)
