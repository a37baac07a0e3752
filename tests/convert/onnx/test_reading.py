"""ONNX files as torch's, tf2onnx's and others' exporters write them, made by rule: read, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.convert import kinds
from diptych.convert.files import read_model_file
from diptych.convert.graph import Ref
from diptych.convert.judge import run
from diptych.convert.kinds import Function
from diptych.convert.onnx.reading import read_onnx_graph
from diptych.errors import RefusalError
from diptych.onnx import message
from diptych.onnx.message import Message

DRAW = np.random.default_rng(0)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent(operator, directions=1, width=3, hidden=2):
    """W, R and B by their names."""
    rows = GATES[operator] * hidden
    shapes = {"W": (directions, rows, width), "R": (directions, rows, hidden), "B": (directions, 2 * rows)}
    return {name: DRAW.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def read(tmp_path):
    """Writes nodes (operator, inputs, outputs, attributes) with weights and inputs, and reads them as a graph."""

    def call(nodes, weights, inputs, outputs=("y",), opset=17):
        body = Message()
        for number, (operator, given, made, attributes) in enumerate(nodes):
            body.inner(
                1, message.node(operator, given.split(","), made.split(","), f"/n{number}/{operator}", attributes)
            )
        for name, array in weights.items():
            body.inner(5, message.tensor(name, np.asarray(array)))
        for name, (dtype, sizes) in inputs.items():
            body.inner(11, message.value(name, dtype, sizes))
        for name in outputs:
            body.inner(12, message.value(name, "float32", []))
        model = Message().integer(1, 8).data(2, "pytorch").inner(7, body)
        model.inner(8, Message().data(1, "").integer(2, opset))
        path = tmp_path / "model.onnx"
        path.write_bytes(b"".join(model.pieces()))
        return read_onnx_graph(read_model_file(path))

    return call


X = {"x": ("float32", ["time", "batch", 3])}


def kind_of(graph):
    return next(node.kind for node in graph.nodes if isinstance(node.kind, kinds.Recurrent))


@pytest.mark.parametrize(
    ("operator", "attributes", "expected"),
    [
        ("LSTM", {}, {"cell": "lstm", "direction": "forward"}),
        ("LSTM", {"direction": "reverse"}, {"direction": "backward"}),
        ("GRU", {"linear_before_reset": 1}, {"reset_after": True}),
        ("GRU", {"linear_before_reset": 0}, {"reset_after": False}),
        ("GRU", {}, {"reset_after": False}),
        ("RNN", {"activations": ["Relu"]}, {"activation": Function("relu")}),
        ("RNN", {"activations": ["LeakyRelu"], "activation_alpha": [0.3]}, {"activation": Function("leaky_relu", 0.3)}),
        ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, {"gate": Function("hard_sigmoid_keras_2")}),
        ("GRU", {"activations": ["HardSigmoid", "Softsign"], "activation_alpha": [1 / 6], "activation_beta": [0.5]},
         {"gate": Function("hard_sigmoid"), "activation": Function("softsign")}),
        ("RNN", {"activations": ["Affine"], "activation_alpha": [1.0], "activation_beta": [0.0]},
         {"activation": Function("linear")}),
    ],
)  # fmt: skip
def test_attributes_are_read(read, operator, attributes, expected):
    graph = read([(operator, "x,W,R,B", "y", {"hidden_size": 2} | attributes)], recurrent(operator), X)
    kind = kind_of(graph)
    assert {name: getattr(kind, name) for name in expected} == expected
    assert graph.inputs[0].batch_axis == 1


@pytest.mark.parametrize(
    ("operator", "attributes", "said"),
    [
        ("LSTM", {"clip": 3.0}, "/n0/LSTM .*clip = 3 bounds what goes into each activation"),
        ("LSTM", {"input_forget": 1}, "input_forget = 1"),
        ("LSTM", {"direction": "sideways"}, "direction = 'sideways'"),
        ("LSTM", {"activations": ["Sigmoid", "Tanh", "Relu"]}, "must be one"),
        ("GRU", {"activations": ["Sigmoid", "ThresholdedRelu"]}, "ThresholdedRelu is not converted"),
        ("RNN", {"activations": ["HardSigmoid"], "activation_alpha": [0.3]}, "HardSigmoid with alpha = 0.3"),
        ("RNN", {"activations": ["Affine"], "activation_alpha": [2.0]}, "Affine with alpha = 2"),
        ("GRU", {"mystery": 1}, "the attribute mystery = 1 is not known"),
    ],
)
def test_what_no_framework_computes_is_refused(read, operator, attributes, said):
    with pytest.raises(RefusalError, match=said):
        read([(operator, "x,W,R,B", "y", {"hidden_size": 2} | attributes)], recurrent(operator), X)


def test_peepholes_in_onnx_s_order(read):
    peepholes = np.arange(6, dtype=np.float32)[None]
    nodes = [("LSTM", "x,W,R,B,,,,P", "y", {"hidden_size": 2})]
    (layer,) = [node for node in read(nodes, recurrent("LSTM") | {"P": peepholes}, X).nodes if node.weights]
    found = {gate: layer.weights[f"peephole_{gate}"].tolist() for gate in "iof"}
    assert found == {"i": [0, 1], "o": [2, 3], "f": [4, 5]}


def test_batch_first_and_both_directions(read):
    own = recurrent("GRU", 2)
    x = {"x": ("float32", ["batch", "time", 3])}
    first = read(
        [("GRU", "x,W,R,B", "Y,h", {"hidden_size": 2, "direction": "bidirectional", "layout": 1}),
         ("Reshape", "Y,shape", "y", {})],
        own | {"shape": np.array([0, 0, 4])}, x, ("y", "h"),
    )  # fmt: skip
    second = read(
        [("Transpose", "x", "t", {"perm": [1, 0, 2]}),
         ("GRU", "t,W,R,B", "Y,h_first", {"hidden_size": 2, "direction": "bidirectional"}),
         ("Transpose", "Y", "turned", {"perm": [0, 2, 1, 3]}), ("Reshape", "turned,shape", "z", {}),
         ("Transpose", "z", "y", {"perm": [1, 0, 2]}), ("Transpose", "h_first", "h", {"perm": [1, 0, 2]})],
        own | {"shape": np.array([0, 0, -1])}, x, ("y", "h"),
    )  # fmt: skip
    given = {"x": DRAW.normal(size=(4, 5, 3))}
    for one, other in zip(first.outputs.values(), second.outputs.values()):
        np.testing.assert_array_equal(run(first, given)[one], run(second, given)[other])
    assert [one.outputs["y"].output for one in (first, second)] == ["sequence", "sequence"]


def test_lengths_of_whole_rows_made_of_a_shape_are_no_mask(read):
    """tf2onnx gives every node lengths: the time, as often as there are rows."""
    nodes = [
        ("Shape", "x", "shape", {}), ("Slice", "shape,zero,one,zero", "time", {}),
        ("Slice", "shape,one,two,zero", "batch", {}), ("Tile", "time,batch", "wide", {}),
        ("Cast", "wide", "lengths", {"to": 6}), ("LSTM", "x,W,R,B,lengths", "y", {"hidden_size": 2}),
    ]  # fmt: skip
    limits = {"zero": np.array([0]), "one": np.array([1]), "two": np.array([2])}
    graph = read(nodes, recurrent("LSTM") | limits, X)
    assert not kind_of(graph).zero_masked


def test_lengths_are_an_input(read):
    nodes = [("Cast", "n", "lengths", {"to": 6}), ("LSTM", "x,W,R,B,lengths", "y", {"hidden_size": 2})]
    graph = read(nodes, recurrent("LSTM"), X | {"n": ("int64", ["batch"])})
    assert [given.kind for given in graph.inputs] == ["float", "lengths"]
    assert kind_of(graph).zero_masked


def test_dense_and_normalisation_as_torch_writes_them_before_opset_17(read):
    width = 3
    nodes = [
        ("ReduceMean", "x", "mean", {"axes": [-1]}), ("Sub", "x,mean", "d", {}), ("Pow", "d,two", "p", {}),
        ("ReduceMean", "p", "v", {"axes": [-1]}), ("Add", "v,eps", "ve", {}), ("Sqrt", "ve", "s", {}),
        ("Div", "d,s", "n", {}), ("Mul", "n,gamma", "g", {}), ("Add", "g,beta", "z", {}),
        ("MatMul", "z,M", "m", {}), ("Add", "bias,m", "y", {}),
    ]  # fmt: skip
    weights = {"gamma": (width,), "beta": (width,), "M": (width, 2), "bias": (2,)}
    arrays = {name: DRAW.normal(size=shape).astype(np.float32) for name, shape in weights.items()}
    constants = {"two": np.float32(2), "eps": np.float32(1e-5)}
    graph = read(nodes, arrays | constants, {"x": ("float32", ["batch", "time", 3])}, opset=13)
    assert [type(node.kind).__name__ for node in graph.nodes] == ["LayerNormalization", "Dense"]
    assert [set(node.weights) for node in graph.nodes] == [{"weight", "bias"}] * 2
    x = DRAW.normal(size=(2, 4, 3))
    normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + np.float64(np.float32(1e-5)))
    expected = (normal * arrays["gamma"] + arrays["beta"]) @ arrays["M"].astype(float) + arrays["bias"]
    np.testing.assert_allclose(run(graph, {"x": x})[graph.outputs["y"]], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([("Loop", "x,x", "y", {})], r"/n0/Loop \(Loop\) is a layer written as a program"),
        ([("Erf", "x", "y", {})], r"/n0/Erf \(Erf\) is not converted"),
        ([("Erf", "x", "a", {}), ("Relu", "a", "y", {})], r"/n0/Erf \(Erf\) is not converted"),
        ([("Relu", "nothing", "y", {})], "its input nothing is made by no node"),
        ([("Reshape", "x,shape", "y", {})], "batch is merged with another axis"),
        ([("Relu", "x", "y", {})], "1 weights are used by no node: shape2"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(read, nodes, said):
    weights = {"shape": np.array([-1, 3])} | ({"shape2": np.ones(2, np.float32)} if "used" in said else {})
    with pytest.raises(RefusalError, match=said):
        read(nodes, weights, {"x": ("float32", ["batch", "time", 3])})


def test_states_are_selected_from_a_stack_of_layers(read):
    """torch: h_n of two layers, of which the last is taken."""
    second = {f"{name}2": array for name, array in recurrent("LSTM", width=2).items()}
    nodes = [
        ("LSTM", "x,W,R,B", "Y,h1,c1", {"hidden_size": 2}), ("Squeeze", "Y,one", "s", {}),
        ("LSTM", "s,W2,R2,B2", "Y2,h2,c2", {"hidden_size": 2}), ("Concat", "h1,h2", "h", {"axis": 0}),
        ("Gather", "h,last", "y", {"axis": 0}),
    ]  # fmt: skip
    graph = read(nodes, recurrent("LSTM") | second | {"one": np.array([1]), "last": np.array(-1)}, X)
    layers = [node.name for node in graph.nodes if node.weights]
    assert graph.outputs["y"] == Ref(layers[1], "h")
