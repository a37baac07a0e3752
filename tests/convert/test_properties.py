"""Whatever a layer's arguments are: it is refused by name, or the written module gives the judge's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.convert.keras.architecture import read_keras
from diptych.convert.keras.weights import from_keras, to_keras
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.torch.writing import write_pytorch
from diptych.convert.trial import inputs_that_run
from diptych.errors import RefusalError

UNITS, WIDTH = 3, 2
ACTIVATIONS = ["tanh", "sigmoid", "relu", "hard_sigmoid", "linear", "softsign", "elu", "silu"]
flags = st.booleans()


@st.composite
def recurrent_layers(draw):
    """A recurrent layer's class and config as Keras 2 or 3 writes it, and its weights."""
    kind = draw(st.sampled_from(["LSTM", "GRU", "SimpleRNN"]))
    config = {
        "name": "layer", "units": UNITS, "use_bias": draw(flags), "return_sequences": draw(flags),
        "return_state": draw(flags), "go_backwards": draw(flags), "activation": draw(st.sampled_from(ACTIVATIONS)),
        "zero_output_for_mask": draw(flags), "unroll": draw(flags), "stateful": draw(flags),
    }  # fmt: skip
    if kind != "SimpleRNN":
        config["recurrent_activation"] = draw(st.sampled_from(ACTIVATIONS[:4]))
    if kind == "GRU":
        config["reset_after"] = draw(flags)
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind]
    two = config.get("reset_after", False)
    shapes = [(WIDTH, gates * UNITS), (UNITS, gates * UNITS)]
    shapes += [(2, gates * UNITS) if two else (gates * UNITS,)] if config["use_bias"] else []
    both = draw(st.sampled_from([None, None, "concat", "sum", "mul", "ave", ""]))
    layer = {"class_name": kind, "config": config}
    if both is not None:
        config["go_backwards"] = config["stateful"] = False
        wrapper = {"name": "layer", "layer": layer, "merge_mode": both or None}
        layer, shapes = {"class_name": "Bidirectional", "config": wrapper}, shapes * 2
    numbers = np.random.default_rng(draw(st.integers(0, 99)))
    return (
        layer,
        [numbers.normal(0, 0.7, shape) for shape in shapes],
        draw(flags),
        draw(st.sampled_from(["2.9.0", "3.5.0"])),
    )


@pytest.mark.usefixtures("with_pytorch")
@settings(max_examples=40)
@given(recurrent_layers())
def test_a_written_module_gives_the_judge_s_numbers(drawn):
    import torch

    from diptych.convert.torch.running import module_from

    layer, weights, masked, version = drawn
    before = [{"class_name": "Masking", "config": {"name": "masking"}}] if masked else []
    shape = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, None, WIDTH]}}
    model = {"class_name": "Sequential", "config": {"layers": [shape, *before, layer]}}
    arrays = {"layer": [(str(n), one) for n, one in enumerate(weights)]}
    inner = layer["config"].get("layer", layer)["config"]
    backward = layer["class_name"] == "Bidirectional" or (inner["go_backwards"] and inner["zero_output_for_mask"])
    if masked and inner["unroll"] and backward:
        with pytest.raises(RefusalError, match="unroll"):
            read_keras(model, arrays, version)
        return
    graph = read_keras(model, arrays, version)
    inputs, values = inputs_that_run(graph, 0)
    written = write_pytorch(graph, "a layer")
    found = module_from(written.code, written.weights)(*map(torch.from_numpy, inputs.values()))
    found = found if isinstance(found, tuple) else (found,)
    for one, ref in zip(found, graph.outputs.values(), strict=True):
        expected = values[ref]
        assert one.shape == expected.shape
        assert np.abs(one.detach().numpy() - expected).max(initial=0) <= 1e-12 * max(np.abs(expected).max(initial=0), 1)


@settings(max_examples=40)
@given(recurrent_layers())
def test_weights_come_back_from_keras_as_they_went(drawn):
    layer, weights, _, _ = drawn
    inner = layer["config"].get("layer", layer)
    cell = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}[inner["class_name"]]
    direction = "both" if layer["class_name"] == "Bidirectional" else "forward"
    kind = Recurrent(cell, reset_after=inner["config"].get("reset_after", True), direction=direction)
    there = from_keras(kind, weights)
    back = to_keras(kind, there)
    assert len(back) == len(weights) and all(np.array_equal(one, other) for one, other in zip(back, weights))


@settings(max_examples=15)
@given(st.sampled_from(["lstm", "gru", "rnn"]), st.sampled_from(["forward", "both"]), flags, st.integers(0, 9))
def test_two_biases_act_by_their_sum_but_in_a_gru(cell, direction, zero, seed):
    draw = np.random.default_rng(seed)
    kind = Recurrent(cell, Function("tanh"), direction=direction, zero_masked=zero)
    rows = len(kind.gates) * UNITS
    shapes = {"weight_ih": (rows, WIDTH), "weight_hh": (rows, UNITS), "bias_ih": (rows,), "bias_hh": (rows,)}
    weights = {f"{name}{end}": draw.normal(size=shape) for end in kind.suffixes for name, shape in shapes.items()}
    back = from_keras(kind, to_keras(kind, dict(weights)))
    for end in kind.suffixes:
        if cell == "gru":
            assert all(np.array_equal(back[f"{name}{end}"], weights[f"{name}{end}"]) for name in shapes)
        else:
            assert f"bias_hh{end}" not in back
            assert np.array_equal(back[f"bias_ih{end}"], weights[f"bias_ih{end}"] + weights[f"bias_hh{end}"])


@pytest.mark.usefixtures("with_pytorch")
@settings(max_examples=15)
@given(st.sampled_from(["LSTM", "GRU", "SimpleRNN"]), flags, flags, flags, st.integers(0, 99))
def test_keras_to_pytorch_to_keras_is_the_identity_on_weights(name, both, bias, relu, seed):
    """A layer's arrays to a written module's state dict, the module traced, and its weights as Keras keeps them."""
    from diptych.convert.torch.running import module_from
    from diptych.convert.torch.tracing import graph_of

    draw, gates = np.random.default_rng(seed), {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[name]
    config = {"name": "layer", "units": UNITS, "use_bias": bias, "return_sequences": True}
    config |= {"activation": "relu"} if relu and name == "SimpleRNN" else {}
    layer = {"class_name": name, "config": config}
    shapes = [(WIDTH, gates * UNITS), (UNITS, gates * UNITS)]
    shapes += [(2, gates * UNITS) if name == "GRU" else (gates * UNITS,)] if bias else []
    if both:
        layer, shapes = {"class_name": "Bidirectional", "config": {"name": "layer", "layer": layer}}, shapes * 2
    arrays = [draw.normal(size=shape).astype(np.float32) for shape in shapes]
    given_shape = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, None, WIDTH]}}
    model = {"class_name": "Sequential", "config": {"layers": [given_shape, layer]}}
    written = write_pytorch(read_keras(model, {"layer": list(zip("abcdef", arrays))}, "3.5.0"), "a layer")
    (node,) = [one for one in graph_of(module_from(written.code, written.weights)).nodes if one.weights]
    back = to_keras(node.kind, dict(node.weights))
    assert len(back) == len(arrays)
    assert all(np.array_equal(one, other) for one, other in zip(back, arrays))
