"""Files of old Keras versions are read as their version meant them, or refused by the argument in the way.

The reports of this kind are listed in docs/convert.md.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from diptych.convert.judge import run
from diptych.convert.kinds import Function
from diptych.convert.pair import certify
from diptych.convert.source import Asked, read_source
from diptych.errors import RefusalError

_specification = importlib.util.spec_from_file_location("keras_files", Path(__file__).with_name("keras_files.py"))
files = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(files)
keras_file, lstm, DRAW, LSTM_WEIGHTS = files.keras_file, files.lstm, files.DRAW, files.LSTM_WEIGHTS


def test_a_sequential_config_may_be_a_list(tmp_path):
    """keras#11275, SINTEF/pyopia#159."""
    path = keras_file(tmp_path / "m.h5", [lstm(recurrent_activation="sigmoid")], {"lstm": LSTM_WEIGHTS}, "2.1.6", True)
    graph = read_source(path, Asked()).graph
    assert [node.name for node in graph.nodes] == ["lstm"]
    newer = keras_file(tmp_path / "n.h5", [lstm(recurrent_activation="sigmoid")], {"lstm": LSTM_WEIGHTS}, "2.2.4")
    assert certify(graph, read_source(newer, Asked()).graph).same


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
    assert node.kind.gate == Function("sigmoid")
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


def test_the_states_of_a_stateful_layer_go_in_and_come_out(tmp_path):
    """keras#23462: two calls in a row, the second with what came out of the first, are one over both sequences."""
    sigmoid = {"recurrent_activation": "sigmoid", "return_sequences": True}
    graphs = []
    for number, more in enumerate(({"stateful": True}, {})):
        layer = lstm(**sigmoid, **more)
        path = keras_file(tmp_path / f"{number}.h5", [layer], {"lstm": LSTM_WEIGHTS}, "2.5.0")
        graphs.append(read_source(path, Asked()).graph)
    assert [given.name for given in graphs[0].inputs] == ["inputs", "lstm_h0", "lstm_c0"]
    x, states = DRAW.normal(size=(2, 6, 3)), [np.zeros((2, 4))] * 2
    parts = []
    for half in (x[:, :2], x[:, 2:]):
        values = run(graphs[0], {"inputs": half, "lstm_h0": states[0], "lstm_c0": states[1]})
        first, *states = (values[ref] for ref in graphs[0].outputs.values())
        parts.append(first)
    (whole,) = graphs[1].outputs.values()
    assert np.allclose(np.concatenate(parts, axis=1), run(graphs[1], {"inputs": x})[whole], atol=1e-15)


@pytest.mark.parametrize("name", ["float32", "mixed_float16", "bfloat16"])
def test_half_precision_is_told_by_the_policy_s_name_alone(tmp_path, name):
    policy = {"class_name": "DTypePolicy", "config": {"name": name}, "shared_object_id": 140_016_016_160_016}
    path = keras_file(tmp_path / "m.h5", [lstm(dtype=policy)], {"lstm": LSTM_WEIGHTS}, "2.5.0")
    if name == "float32":
        assert len(read_source(path, Asked()).graph.nodes) == 1
        return
    with pytest.raises(RefusalError, match=rf"lstm \(LSTM\): it computes in half precision \({name}\)"):
        read_source(path, Asked())


REFUSED = {
    "a layer-normalised LSTM (tf PR 15861)": ([("LayerNormLSTM", {"name": "l"})], "2.5.0", "'LayerNormLSTM' cannot be"),
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
