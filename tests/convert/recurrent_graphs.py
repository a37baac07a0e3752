"""Small graphs for the tests of `certify`: an embedding, a recurrent stack, a normalisation, a softmax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.kinds import Activation, Dense, Embedding, Function, LayerNormalization, NotEqual, Recurrent

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def weights(kind, draw, width, hidden, two_biases=True):
    """Random weights of a recurrent layer."""
    rows = GATES[kind.cell] * hidden
    shapes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden), "bias_ih": (rows,)}
    shapes |= {"bias_hh": (rows,)} if two_biases else {}
    return {f"{n}{end}": draw.normal(size=shape) * 0.7 for end in kind.suffixes for n, shape in shapes.items()}


def one_layer(kind, output="sequence", width=3, hidden=3, states=False, two_biases=True, seed=0, mask=True):
    """A graph of one recurrent layer over numbers; a mask where 0 is padding."""
    draw = np.random.default_rng(seed)
    inputs = [Input("x", (None, width))]
    given = {"x": Ref("x")} | ({"mask": Ref("mask")} if mask else {})
    if states:
        names = [f"{name}0{end}" for end in kind.suffixes for name in kind.state_names]
        inputs += [Input(name, (hidden,)) for name in names]
        given |= {name: Ref(name) for name in names}
    nodes = (
        Node("real", NotEqual(0.0), {"x": Ref("x")}),
        Node("mask", _any(), {"x": Ref("real")}),
        Node("layer", kind, given, weights(kind, draw, width, hidden, two_biases)),
        Node("dense", Dense(), {"x": Ref("layer", output)}, {"weight": draw.normal(size=(3, _width(kind, hidden)))}),
    )
    return Graph(tuple(inputs), nodes, {"y": Ref("dense")})


def two_layers(kind, seed=0):
    """The same, of two layers of one size, "layer" and "second"."""
    graph = one_layer(kind, seed=seed)
    given = {"x": Ref("layer", "sequence"), "mask": Ref("mask")}
    second = Node("second", kind, given, weights(kind, np.random.default_rng(seed + 1), 3, 3))
    nodes = [replace(one, inputs={"x": Ref("second", "sequence")}) if one.name == "dense" else one
             for one in graph.nodes]  # fmt: skip
    return replace(graph, nodes=(*nodes[:-1], second, nodes[-1]))


def _any():
    from diptych.convert.kinds import Quantified

    return Quantified("any")


def _width(kind, hidden):
    return hidden * len(kind.suffixes)


def whole_model(seed=0):
    """Embedding, masked bidirectional LSTM, masked GRU, normalisation, softmax."""
    draw = np.random.default_rng(seed)
    both, gru = Recurrent("lstm", direction="both", zero_masked=True), Recurrent("gru")
    nodes = (
        Node("embedding", Embedding(), {"x": Ref("ids")}, {"weight": draw.normal(size=(9, 4))}),
        Node("mask", NotEqual(0.0), {"x": Ref("ids")}),
        Node("lstm", both, {"x": Ref("embedding"), "mask": Ref("mask")}, weights(both, draw, 4, 3, False)),
        Node("gru", gru, {"x": Ref("lstm", "sequence"), "mask": Ref("mask")}, weights(gru, draw, 6, 5)),
        Node("norm", LayerNormalization(1e-3), {"x": Ref("gru", "last")}, {"weight": draw.normal(size=5)}),
        Node("dense", Dense(), {"x": Ref("norm")}, {"weight": draw.normal(size=(5, 5)), "bias": draw.normal(size=5)}),
        Node("softmax", Activation(Function("softmax")), {"x": Ref("dense")}),
    )
    return Graph((Input("ids", (None,), "ids", 9),), nodes, {"y": Ref("softmax")})
