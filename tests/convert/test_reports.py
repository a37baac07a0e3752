"""Public reports of recurrent models that gave other numbers after porting: the right value, and the mistake named.

The reports are listed in docs/convert.md. Each is planted as a mistake where it is one, and `certify` must name it.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from diptych.convert.causes.search import faults
from diptych.convert.graph import Ref
from diptych.convert.judge import run
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.pair import certify
from diptych.convert.source import Asked, read_source
from diptych.errors import RefusalError

_specification = importlib.util.spec_from_file_location(
    "recurrent_graphs", Path(__file__).with_name("recurrent_graphs.py")
)
graphs = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(graphs)

GRU, LSTM = Recurrent("gru"), Recurrent("lstm")
BOTH = Recurrent("lstm", direction="both", zero_masked=True)
HARD = Function("hard_sigmoid_keras_2")

# thread: the model, and what `certify` must say.
MISTAKES = {
    "keras#15915": (graphs.one_layer(GRU), "its gates r, z, n lie in the order z, r, n (the order of Keras and ONNX)"),
    "stackoverflow.com/questions/48361376": (graphs.one_layer(BOTH), "the second bias (bias_hh) is missing"),
    "discuss.pytorch.org/t/6630": (graphs.one_layer(GRU), "the reset gate acts on the other side of the product"),
    "keras#9463": (graphs.one_layer(LSTM), "its gates have the hard_sigmoid of Keras 1 and 2, clip(0.2 x + 0.5)"),
    "tf#29308": (graphs.one_layer(LSTM), "its gates i, f, g, o lie in the order i, g, f, o (the order of TF1's cells)"),
    "apple/coremltools#1124": (graphs.one_layer(GRU), "its two biases are summed, which in a GRU is another function"),
    "keras#1431": (graphs.one_layer(BOTH), "the backward direction's outputs stay in the order in which it ran"),
    "onnx-tf#409": (
        graphs.one_layer(BOTH, states=True), "the initial states of forward and backward are in each other's place"
    ),
    "onnx-tf#409, h and c": (
        graphs.one_layer(LSTM, states=True), "the initial states h and c are in each other's place"
    ),
    "tensorflow/tfjs#2279": (graphs.one_layer(BOTH), "the padding is not masked"),
    "tf#65381": (
        graphs.one_layer(Recurrent("lstm", gate=HARD)), "its gates have the hard_sigmoid of Keras 3, clip(x / 6 + 0.5)"
    ),
    "keras#8957": (graphs.one_layer(BOTH), "forward and backward weights are in each other's place"),
    "the last output of two directions": (
        graphs.one_layer(BOTH, "last"),
        "its last output is outputs[:, -1], where the backward direction has seen one step",
    ),
    "the forget bias added twice": (graphs.one_layer(LSTM), "the forget bias is added twice (1 more)"),
    "a transposed square kernel": (graphs.one_layer(GRU), "a square recurrent kernel is not transposed"),
}  # fmt: skip


@pytest.mark.parametrize("thread", MISTAKES)
def test_the_mistake_of_a_report_is_named(thread):
    model, what = MISTAKES[thread]
    (planted,) = [fault for fault in faults(model) if fault.what == what and fault.where == "layer"]
    verdict = certify(model, planted.graph)
    assert verdict.gap > 1e-3
    assert [fault.what for fault in verdict.explanation.faults] == [what]


def test_paddle_18418_gate_order_and_hard_sigmoid_together():
    model = graphs.one_layer(LSTM)
    first = next(fault for fault in faults(model) if fault.what == MISTAKES["tf#29308"][1])
    second = next(fault for fault in faults(first.graph) if fault.what == MISTAKES["keras#9463"][1])
    found = certify(model, second.graph).explanation.faults
    assert {fault.what for fault in found} == {first.what, second.what}


def test_a_row_that_is_masked_from_end_to_end_keeps_its_state():
    """tf#43103, #36139, pytorch#4582: the initial state, and outputs of zero."""
    model = graphs.one_layer(LSTM, states=True)
    x = np.ones((2, 3, 3))
    x[1] = 0
    h, c = np.full((2, 3), 0.3), np.full((2, 3), -0.7)
    values = run(model, {"x": x, "h0": h, "c0": c})
    assert np.array_equal(values[Ref("layer", "h")][1], h[1])
    assert np.array_equal(values[Ref("layer", "c")][1], c[1])
    assert not values[Ref("layer", "sequence")][1].any()


def test_a_mask_with_a_hole_skips_the_step():
    """tf2onnx#1871: mask 1, 0, 1 is not a length of two."""
    model = graphs.one_layer(GRU)
    x = np.random.default_rng(0).normal(size=(1, 3, 3))
    x[0, 1] = 0
    holed = run(model, {"x": x})[Ref("layer", "h")]
    assert np.array_equal(holed, run(model, {"x": x[:, [0, 2]]})[Ref("layer", "h")])
    assert not np.allclose(holed, run(model, {"x": x[:, :2]})[Ref("layer", "h")])


def keras_file(path, layers, weights, version, listed=False):
    """An .h5 file as Keras 1 and 2 wrote it.

    Args:
        path: of the file.
        layers: each one's class and config.
        weights: by layer, the names and arrays.
        version: of Keras.
        listed: whether the config is a list, as before 2.2.3.
    """
    config = [{"class_name": kind, "config": config} for kind, config in layers]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": config if listed else {"name": "s", "layers": config}}
        )
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([config["name"].encode() for _, config in layers])
        for _, config in layers:
            own = group.create_group(config["name"])
            named = weights.get(config["name"], {})
            own.attrs["weight_names"] = np.array([name.encode() for name in named], dtype="S30")
            for name, array in named.items():
                own.create_dataset(name, data=array)
    return path


DRAW = np.random.default_rng(5)
LSTM_WEIGHTS = {
    "lstm/kernel:0": DRAW.normal(size=(3, 16)), "lstm/recurrent_kernel:0": DRAW.normal(size=(4, 16)),
    "lstm/bias:0": DRAW.normal(size=16),
}  # fmt: skip


def lstm(**more):
    return ("LSTM", {"name": "lstm", "units": 4, "batch_input_shape": [None, 5, 3], "activation": "tanh", **more})


def test_a_sequential_config_may_be_a_list(tmp_path):
    """keras#11275, SINTEF/pyopia#159."""
    path = keras_file(tmp_path / "m.h5", [lstm(recurrent_activation="sigmoid")], {"lstm": LSTM_WEIGHTS}, "2.1.6", True)
    graph = read_source(path, Asked()).graph
    assert [node.name for node in graph.nodes] == ["lstm"]


@pytest.mark.parametrize(("version", "gate"), [("2.0.8", "hard_sigmoid_keras_2"), ("3.5.0", "hard_sigmoid")])
def test_hard_sigmoid_is_that_of_the_version(tmp_path, version, gate):
    """tf#65381, keras PR 19477."""
    path = keras_file(tmp_path / "m.h5", [lstm(recurrent_activation="hard_sigmoid")], {"lstm": LSTM_WEIGHTS}, version)
    (node,) = read_source(path, Asked()).graph.nodes
    assert node.kind.gate == Function(gate)


def test_twelve_arrays_of_keras_1_lie_in_the_order_i_c_f_o(tmp_path):
    """keras#3088: the same numbers as the one kernel of Keras 2 in the order i, f, c, o."""
    kernel, recurrent, bias = LSTM_WEIGHTS.values()
    gates = dict(zip("ifco", range(4)))
    arrays = {
        f"lstm_{letter}_{gate}:0": part[..., gates[gate] * 4 : gates[gate] * 4 + 4]
        for gate in "icfo" for letter, part in zip("WUb", (kernel, recurrent, bias))
    }  # fmt: skip
    old = ("LSTM", {"name": "lstm", "output_dim": 4, "batch_input_shape": [None, 5, 3], "inner_activation": "sigmoid",
                    "activation": "tanh", "return_sequences": False})  # fmt: skip
    first = read_source(keras_file(tmp_path / "1.h5", [old], {"lstm": arrays}, "1.2.2", True), Asked()).graph
    second = read_source(
        keras_file(tmp_path / "2.h5", [lstm(recurrent_activation="sigmoid")], {"lstm": LSTM_WEIGHTS}, "2.2.4"), Asked()
    ).graph
    assert certify(first, second).same


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_cudnn_weights_are_read_as_cudnn_reads_them(tmp_path, cell):
    """keras#9463, tf#6072: each gate's kernel is a matrix (H, I) of the same numbers in the same order; two biases."""
    gates = 4 if cell == "LSTM" else 3
    arrays = {
        "c/kernel:0": DRAW.normal(size=(3, gates * 2)), "c/recurrent_kernel:0": DRAW.normal(size=(2, gates * 2)),
        "c/bias:0": DRAW.normal(size=2 * gates * 2),
    }  # fmt: skip
    layer = (f"CuDNN{cell}", {"name": "c", "units": 2, "batch_input_shape": [None, 5, 3]})
    (node,) = read_source(keras_file(tmp_path / "c.h5", [layer], {"c": arrays}, "2.2.4"), Asked()).graph.nodes
    assert {"bias_ih", "bias_hh"} <= set(node.weights)
    flat = arrays["c/kernel:0"][:, :2].ravel()  # of the first gate
    row = 2 if cell == "GRU" else 0  # GRU: z first in the file, r first here
    assert np.array_equal(node.weights["weight_ih"][row : row + 2].ravel(), flat)
    assert np.array_equal(node.weights["weight_hh"][row : row + 2], arrays["c/recurrent_kernel:0"][:, :2])


def test_an_lstm_file_of_keras_2_says_time_major(tmp_path):
    path = keras_file(
        tmp_path / "m.h5", [lstm(recurrent_activation="sigmoid", time_major=True)], {"lstm": LSTM_WEIGHTS}, "2.5.0"
    )
    x = DRAW.normal(size=(5, 2, 3))
    graph = read_source(path, Asked()).graph
    plain = read_source(
        keras_file(tmp_path / "n.h5", [lstm(recurrent_activation="sigmoid")], {"lstm": LSTM_WEIGHTS}, "2.5.0"), Asked()
    ).graph
    (first,), (second,) = graph.outputs.values(), plain.outputs.values()
    assert np.allclose(
        run(graph, {"inputs": x})[first], run(plain, {"inputs": x.transpose(1, 0, 2)})[second], atol=1e-15
    )


REFUSED = {
    "a layer-normalised LSTM (tf PR 15861)": ([("LayerNormLSTM", {"name": "l"})], "2.5.0", "'LayerNormLSTM' cannot be"),
    "stateful (keras#23462)": ([lstm(stateful=True)], "2.5.0", "lstm .LSTM.: stateful = True"),
    "an unknown argument": ([lstm(zoneout=0.1)], "2.5.0", r"lstm \(LSTM\): argument zoneout = 0.1 is not known"),
    "a class of one's own": ([("Mine", {"name": "m"})], "2.5.0", "m: a layer of class 'Mine' cannot be converted"),
    "another reset form than the bias has": (
        [("GRU", {"name": "lstm", "units": 4, "reset_after": True, "batch_input_shape": [None, 5, 4]})], "2.5.0",
        "lstm .GRU.: weights of shapes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused(tmp_path, name):
    layers, version, message = REFUSED[name]
    layers[0][1].setdefault("batch_input_shape", [None, 5, 3])
    path = keras_file(tmp_path / "m.h5", layers, {layers[0][1]["name"]: LSTM_WEIGHTS}, version)
    with pytest.raises(RefusalError, match=message):
        read_source(path, Asked())


def test_a_weight_left_over_and_a_weight_that_is_no_number_are_refused(tmp_path):
    more = LSTM_WEIGHTS | {"lstm/extra:0": np.zeros(3)}
    with pytest.raises(RefusalError, match="4 weights, but it has 3"):
        read_source(keras_file(tmp_path / "a.h5", [lstm()], {"lstm": more}, "2.5.0"), Asked())
    broken = LSTM_WEIGHTS | {"lstm/bias:0": np.full(16, np.nan)}
    with pytest.raises(RefusalError, match="lstm/bias:0 has numbers that are not finite"):
        read_source(keras_file(tmp_path / "b.h5", [lstm()], {"lstm": broken}, "2.5.0"), Asked())


def test_a_file_of_weights_asks_for_its_config(tmp_path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"lstm"])
        file.attrs["keras_version"], file.attrs["backend"] = "2.2.4", "tensorflow"
        own = file.create_group("lstm")
        own.attrs["weight_names"] = np.array([name.encode() for name in LSTM_WEIGHTS])
        for name, array in LSTM_WEIGHTS.items():
            own.create_dataset(name, data=array)
    with pytest.raises(RefusalError, match="--config"):
        read_source(path, Asked())
    config = tmp_path / "c.json"
    layer = {"class_name": "LSTM", "config": lstm(recurrent_activation="sigmoid")[1]}
    text = json.dumps({"class_name": "Sequential", "keras_version": "2.2.4", "config": [layer]})
    config.write_text(text, encoding="utf-8")
    assert len(read_source(path, Asked(config=config)).graph.nodes) == 1
