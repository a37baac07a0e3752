"""Graphs become ONNX files of native nodes that give the judge's numbers, and read back as the same graphs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.judge import run
from diptych.convert.kinds import (
    Activation,
    Attention,
    BatchNormalization,
    Concatenate,
    Convolution,
    Dense,
    Flip,
    Function,
    GlobalPooling,
    LayerNormalization,
    MaskOfLengths,
    Pooling,
    Recurrent,
    Reduce,
    Repeat,
    Reshape,
    Slice,
)
from diptych.convert.onnx.reading import read_onnx_graph
from diptych.convert.onnx.running import _widened
from diptych.convert.onnx.writing import with_float32_attributes, write_onnx
from diptych.convert.trial import inputs_that_run
from diptych.errors import RefusalError

_specification = importlib.util.spec_from_file_location(
    "recurrent_graphs", Path(__file__).parents[1] / "recurrent_graphs.py"
)
graphs = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(graphs)
one_layer, weights, whole_model = graphs.one_layer, graphs.weights, graphs.whole_model


@pytest.fixture
def runtime():
    """onnxruntime and onnx, where they are installed."""
    reason = "not installed: pip install 'diptych[onnx]'"
    return pytest.importorskip("onnx", reason=reason), pytest.importorskip("onnxruntime", reason=reason)


def with_lengths(kind):
    """A layer over rows of which lengths say how much is real."""
    draw = np.random.default_rng(1)
    given = {"x": Ref("x"), "mask": Ref("mask")}
    nodes = (
        Node("mask", MaskOfLengths(), {"x": Ref("x"), "lengths": Ref("lengths")}),
        Node("layer", kind, given, weights(kind, draw, 3, 4)),
    )
    outputs = {"y": Ref("layer", "sequence"), "end": Ref("layer", "last"), "h": Ref("layer", "h")}
    return Graph((Input("x", (None, 3)), Input("lengths", (), "lengths")), nodes, outputs)


def plain(kind, states=False):
    """A layer without a mask, its sequence and all its states."""
    draw = np.random.default_rng(2)
    names = [f"{name}0{end}" for end in kind.suffixes for name in kind.state_names] if states else []
    inputs = (Input("x", (None, 3)), *(Input(name, (4,)) for name in names))
    given = {"x": Ref("x")} | {name: Ref(name) for name in names}
    outputs = {"y": Ref("layer", "sequence"), "end": Ref("layer", "last")}
    outputs |= {f"{name}{end}": Ref("layer", f"{name}{end}") for end in kind.suffixes for name in kind.state_names}
    own = weights(kind, draw, 3, 4)
    return Graph(inputs, (Node("layer", kind, given, own),), outputs)


def around():
    """What stands around recurrent layers."""
    draw = np.random.default_rng(3)

    def vector(size):
        return draw.normal(size=size)

    def chain(name, kind, x, **own):
        return Node(name, kind, {"x": Ref(*x) if isinstance(x, tuple) else Ref(x)}, own)

    norm = {"weight": vector(4), "bias": vector(4), "mean": vector(4), "variance": draw.uniform(0.5, 2, 4)}
    nodes = (
        chain("conv", Convolution(padding="same"), "x", weight=vector((4, 3, 3)), bias=vector(4)),
        chain("causal", Convolution(dilation=2, padding="causal"), "conv", weight=vector((4, 4, 2))),
        chain("batch", BatchNormalization(1e-3), "causal", **norm),
        chain("leaky", Activation(Function("leaky_relu", 0.2)), "batch"),
        chain("selu", Activation(Function("selu")), "leaky"),
        chain("hard", Activation(Function("hard_sigmoid")), "selu"),
        chain("layer", LayerNormalization(1e-3), "selu", weight=vector(4), bias=vector(4)),
        Node("attention", Attention("dot", causal=True), {"query": Ref("layer"), "value": Ref("selu")}),
        Node("both", Concatenate(-1), {"x0": Ref("attention"), "x1": Ref("hard")}),
        chain("flip", Flip(1), "both"), chain("part", Slice(1, 1, None), "flip"),
        chain("pool", Pooling("max", 2, 2), "part"), chain("mean", GlobalPooling("mean"), "pool"),
        chain("repeat", Repeat(3), "mean"), chain("flat", Reshape((-1,)), "repeat"),
        chain("dense", Dense(), "flat", weight=vector((2, 24)), bias=vector(2)), chain("sum", Reduce("sum", 1), "part"),
    )  # fmt: skip
    return Graph((Input("x", (None, 3)),), nodes, {"y": Ref("dense"), "sum": Ref("sum")})


DIRECTIONS = ("forward", "backward", "both")
GRAPHS = {
    "embedding, masked stack, normalisation": whole_model,
    "around": around,
    **{
        f"{cell} {direction}, zeros {zero}, any mask": lambda c=cell, d=direction, z=zero: one_layer(
            Recurrent(c, direction=d, zero_masked=z), states=True
        )
        for cell in ("lstm", "gru") for direction in DIRECTIONS for zero in (True, False)
    },
    "the last output under any mask": lambda: one_layer(Recurrent("gru", direction="both"), "last"),
    **{f"lengths, {d}": lambda d=d: with_lengths(Recurrent("lstm", direction=d, zero_masked=True)) for d in DIRECTIONS},
    "lengths, repeated": lambda: with_lengths(Recurrent("gru")),
    **{f"{c} {d}, states": lambda c=c, d=d: plain(Recurrent(c, direction=d), True)
       for c in ("lstm", "gru", "rnn") for d in DIRECTIONS},
    "reset before": lambda: plain(Recurrent("gru", reset_after=False)),
    "hard_sigmoid of Keras 2, relu": lambda: plain(
        Recurrent("lstm", Function("relu"), Function("hard_sigmoid_keras_2"), direction="both")),
    "linear plain layer": lambda: plain(Recurrent("rnn", Function("linear"))),
}  # fmt: skip


def saved(graph, path, dtype="float32"):
    with path.open("wb") as file:
        write_onnx(graph, dtype).save(file)
    return path


def close(found, expected, limit):
    for one, value in zip(found, expected, strict=True):
        assert one.shape == value.shape
        assert np.abs(one - value).max() <= limit * np.abs(value).max()


@pytest.mark.parametrize("name", GRAPHS)
def test_a_runtime_gives_the_judge_s_numbers(name, runtime, tmp_path):
    onnx, onnxruntime = runtime
    graph = GRAPHS[name]()
    path = saved(graph, tmp_path / "model.onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert not {node.op_type for node in onnx.load(path).graph.node} & {"Loop", "Scan", "If"}
    inputs, values = inputs_that_run(graph, 0)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in inputs.items()}
    close(session.run(None, feeds), [values[ref] for ref in graph.outputs.values()], 1e-4)


@pytest.mark.parametrize("name", ["around", "lstm both, states", "gru backward, states", "reset before"])
def test_the_reference_gives_them_in_float64(name, runtime, tmp_path):
    onnx, _ = runtime
    from onnx.reference import ReferenceEvaluator

    graph = GRAPHS[name]()
    model = _widened(onnx.load(saved(graph, tmp_path / "model.onnx", "float64")))
    inputs, values = inputs_that_run(with_float32_attributes(graph), 0, ("whole",))
    found = ReferenceEvaluator(model).run(None, dict(inputs))
    close(found, [values[ref] for ref in graph.outputs.values()], 1e-12)


OTHERS = ["reset before", "hard_sigmoid of Keras 2, relu", "linear plain layer", *(f"lengths, {d}" for d in DIRECTIONS)]
BACK = [name for name in GRAPHS if name.endswith(", states")] + OTHERS


@pytest.mark.parametrize("name", BACK)
def test_what_was_written_is_read_back(name, tmp_path):
    graph = GRAPHS[name]()
    back = read_onnx_graph(read_model_file(saved(graph, tmp_path / "model.onnx", "float64")))
    inputs, values = inputs_that_run(graph, 0)
    found = run(back, inputs)
    assert list(back.outputs) == list(graph.outputs)
    close([found[r] for r in back.outputs.values()], [values[r] for r in graph.outputs.values()], 1e-15)
    (layer,) = [node for node in back.nodes if node.weights]
    own = graph.node("layer")
    assert layer.kind == own.kind
    assert set(layer.weights) == set(own.weights)
    assert all(np.array_equal(value, own.weights[weight]) for weight, value in layer.weights.items())


def test_a_swapped_gate_is_seen(tmp_path, monkeypatch, runtime):
    from diptych.convert.onnx import weights as layout

    monkeypatch.setitem(layout.ORDER, "lstm", "iogf")
    with pytest.raises(AssertionError):
        test_a_runtime_gives_the_judge_s_numbers("lstm forward, states", runtime, tmp_path)


def test_what_onnx_cannot_say_is_refused():
    with pytest.raises(RefusalError, match="layer: ONNX's clip bounds"):
        write_onnx(plain(Recurrent("lstm", cell_clip=0.3)))
    with pytest.raises(RefusalError, match="no activation 'silu'"):
        write_onnx(plain(Recurrent("gru", Function("silu"))))
