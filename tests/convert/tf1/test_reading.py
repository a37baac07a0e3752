"""Frozen graphs of TensorFlow 1 are read by what their operators compute, or refused by the name of the one in the way.

`read_frozen` runs what it read against the graph itself, operator by operator; the operators are checked against the
formulas here, and against outputs that TensorFlow stored in ../test_real_models.py.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diptych.convert.judge import run
from diptych.convert.judge.cells import step as formula
from diptych.convert.kinds import Flip, Function, Recurrent, Transpose
from diptych.convert.source import Asked
from diptych.convert.tf1.evaluation import Evaluation
from diptych.convert.tf1.reading import read_frozen
from diptych.convert.tf1.steps import read_cell
from diptych.errors import RefusalError

_specification = importlib.util.spec_from_file_location("frozen_graphs", Path(__file__).with_name("frozen_graphs.py"))
frozen_graphs = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(frozen_graphs)
Frozen, Cell, dynamic = frozen_graphs.Frozen, frozen_graphs.Cell, frozen_graphs.dynamic

# What a cell is, and what must be read of it.
CELLS = {
    "BasicRNNCell, softsign": ("rnn", {"activation": "Softsign"}, Recurrent("rnn", Function("softsign"))),
    "BasicRNNCell, sigmoid": ("rnn", {"activation": "Sigmoid"}, Recurrent("rnn", Function("sigmoid"))),
    "BasicRNNCell, elu": ("rnn", {"activation": "Elu"}, Recurrent("rnn", Function("elu", 1.0))),
    "GRUCell": ("gru", {}, Recurrent("gru", reset_after=False)),
    "GRUCell, softsign": ("gru", {"activation": "Softsign"}, Recurrent("gru", Function("softsign"), reset_after=False)),
    "GRUBlockCell": ("GRUBlockCell", {}, Recurrent("gru", reset_after=False)),
    "BasicLSTMCell": ("lstm", {"forget_bias": 2.0}, Recurrent("lstm")),
    "LSTMCell, peepholes": ("lstm", {"peepholes": True}, Recurrent("lstm")),
    "LSTMCell, clipped": ("lstm", {"cell_clip": 0.25, "peepholes": True}, Recurrent("lstm", cell_clip=0.25)),
    "LSTMCell, projected": ("lstm", {"projection": 2}, Recurrent("lstm")),
    "LSTMBlockCell": ("LSTMBlockCell", {"cell_clip": -1.0, "forget_bias": 1.0}, Recurrent("lstm")),
    "LSTMBlockCell, peepholes": (
        "LSTMBlockCell", {"cell_clip": 0.5, "peepholes": True}, Recurrent("lstm", cell_clip=0.5)),
    "LSTMBlockCell as TensorFlow writes its defaults": ("LSTMBlockCell", {}, Recurrent("lstm", cell_clip=3.0)),
}  # fmt: skip


def one_loop(kind, more, states=False, time_major=False, **how):
    """A model of one loop over a placeholder: its sequence and its last states."""
    frozen = Frozen()
    cell = Cell(frozen, kind, 4, 3, **more)
    x = frozen.placeholder("x", *((None, None, 4)))
    first = x if time_major else frozen.op("Transpose", x, frozen.const(np.array([1, 0, 2], np.int32)))
    zeros = {name: frozen.op("Fill", frozen.const(np.array([2, size], np.int32)), frozen.const(np.float32(0)))
             for name, size in cell.sizes.items()}  # fmt: skip
    given = {name: frozen.placeholder(f"{name}0", None, size) for name, size in cell.sizes.items()}
    sequence, last = dynamic(frozen, cell, first, given if states else zeros, **how)
    frozen.op("Identity", sequence, name="sequence_out")
    for name, value in last.items():
        frozen.op("Identity", value, name=f"last_{name}")
    if not states:
        frozen.nodes = {name: node for name, node in frozen.nodes.items() if name not in given.values()}
    return frozen.file()


@pytest.mark.parametrize("states", [False, True], ids=["from zero", "from a state"])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_in_a_loop_is_read_with_all_that_its_operators_say(name, states):
    kind, more, expected = CELLS[name]
    graph = read_frozen(one_loop(kind, more, states))
    (node,) = [node for node in graph.nodes if isinstance(node.kind, Recurrent)]
    assert node.kind == expected
    assert {name for name in node.inputs if name != "x"} == (
        {f"{one}0" for one in expected.state_names} if states else set()
    )
    assert float(graph.assumptions[-1].rpartition(" ")[2]) < 1e-14


@pytest.mark.parametrize("name", ["BasicRNNCell, softsign", "GRUCell", "LSTMCell, clipped", "LSTMBlockCell, peepholes"])
def test_the_operators_compute_the_formula(name):
    """The judge of the reading, against the judge of everything else."""
    kind, more, expected = CELLS[name]
    file = one_loop(kind, more)
    x = np.random.default_rng(1).normal(size=(2, 5, 4))
    cell, weights = read_cell(file.architecture, "rnn/cell")
    state = {name: np.zeros((2, 3)) for name in expected.state_names}
    for number in range(5):
        _, state = formula(cell, weights, x[:, number], state)
    found = Evaluation(file.architecture, {"x": x})
    for name, value in state.items():
        assert np.allclose(found.tensor(f"last_{name}"), value, rtol=0, atol=1e-14)


def test_time_may_come_first():
    graph = read_frozen(one_loop("gru", {}, time_major=True))
    assert graph.inputs[0].batch_axis == 1
    assert graph.nodes[0].kind == Transpose((1, 0, 2))


def unrolled(kind="lstm", backward=False, **more):
    """static_rnn over three steps of a placeholder."""
    frozen = Frozen()
    cell = Cell(frozen, kind, 4, 3, **more)
    x = frozen.op("Unpack", frozen.placeholder("x", None, 3, 4), axis=1, num=3)
    states = {name: frozen.const(np.zeros((2, size), "float32")) for name, size in cell.sizes.items()}
    outputs = []
    for place in reversed(range(3)) if backward else range(3):
        states = cell.step(f"{x}:{place}" if place else x, states)
        outputs.append(states["h"])
    frozen.op("Pack", *outputs, axis=1, name="out")
    for name, value in states.items():
        frozen.op("Identity", value, name=f"last_{name}")
    return frozen.file()


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "LSTMBlockCell"])
def test_unrolled_steps_are_one_layer(kind):
    graph = read_frozen(unrolled(kind))
    (node,) = [node for node in graph.nodes if isinstance(node.kind, Recurrent)]
    assert node.inputs["x"].node == "x"
    backward = read_frozen(unrolled(kind, backward=True))
    assert next(node.kind for node in backward.nodes) == Flip(1)


def test_all_steps_of_a_fused_cell():
    frozen = Frozen()
    draw = np.random.default_rng(0)
    w, b = (frozen.weight(draw.normal(size=size).astype("float32"), f"cell/{name}") for name, size in
            (("kernel", (7, 12)), ("bias", 12)))  # fmt: skip
    x = frozen.placeholder("x", 5, 2, 4)
    zeros, none = frozen.const(np.zeros((2, 3), "float32")), frozen.const(np.zeros(3, "float32"))
    turned = frozen.op("ReverseV2", x, frozen.const(np.array([0], np.int32)))
    block = frozen.op(
        "BlockLSTM", frozen.const(np.int64(5)), turned, zeros, zeros, w, none, none, none, b, cell_clip=-1.0
    )
    frozen.op("ReverseV2", f"{block}:6", frozen.const(np.array([0], np.int32)), name="out")
    last = [frozen.const(np.array([n], np.int32)) for n in (4, 5, 1)]
    frozen.op("StridedSlice", f"{block}:1", *last, shrink_axis_mask=1, name="last_c")
    graph = read_frozen(frozen.file())
    assert graph.inputs[0].batch_axis == 1
    assert [type(node.kind) for node in graph.nodes] == [Transpose, Flip, Recurrent, Flip, Transpose]


def test_a_layer_above_the_cell_goes_with_it():
    frozen = Frozen()
    cell = Cell(frozen, "gru", 4, 3)
    x = frozen.op("Unpack", frozen.placeholder("x", None, 1, 4), axis=1, num=1)
    h = cell.step(x, {"h": frozen.const(np.zeros((2, 3), "float32"))})["h"]
    draw = np.random.default_rng(0)
    product = frozen.op("MatMul", h, frozen.weight(draw.normal(size=(3, 5)).astype("float32"), "dense/kernel"))
    summed = frozen.op("BiasAdd", product, frozen.weight(draw.normal(size=5).astype("float32"), "dense/bias"))
    frozen.op("Softmax", summed, name="out")
    assert [type(node.kind).__name__ for node in read_frozen(frozen.file()).nodes][-2:] == ["Dense", "Activation"]


def halved(frozen, new, old):
    return frozen.op("Mul", new, frozen.const(np.float32(0.5)), name="rnn/while/halved")


def kept_after_the_end(frozen, new, old):
    """What `sequence_length` does."""
    return frozen.op("Select", frozen.const(np.array([True, False])), old, new, name="rnn/while/Select")


REFUSED = {
    "something done to the state": (lambda: one_loop("rnn", {}, after=halved), "halved: the operator Mul"),
    "sequence lengths": (lambda: one_loop("lstm", {}, after=kept_after_the_end), "Select .as dynamic_rnn has it"),
    "an update gate of another formula": (lambda: one_loop("gru", {"one": 2.0}), "is not understood"),
    "a clip that is not the same on both sides": (
        lambda: one_loop("lstm", {"cell_clip": 1.0, "lowest": 0.5}), "is not understood"),
    "an activation that is not known": (lambda: one_loop("rnn", {"activation": "Erf"}), "Erf: the operator Erf"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_by_name(name):
    build, message = REFUSED[name]
    with pytest.raises(RefusalError, match=message):
        read_frozen(build())


def test_a_cell_that_is_not_certain_is_no_cell():
    with pytest.raises(RefusalError, match="those of no cell that is known"):
        read_cell(one_loop("gru", {"one": 2.0}).architecture, "rnn/cell")


def test_a_reading_that_is_wrong_is_found_out(monkeypatch):
    """Whatever the reader gets wrong, the graph's own operators show it."""
    from diptych.convert.tf1 import layers

    right = layers.Layers.layer

    def wrong(self, step, x, initial=None):
        step.weights["bias_ih"] = step.weights["bias_ih"] + 1
        return right(self, step, x, initial)

    monkeypatch.setattr(layers.Layers, "layer", wrong)
    with pytest.raises(RefusalError, match="gives other numbers than the graph itself"):
        read_frozen(one_loop("gru", {}))


def test_steps_that_a_fused_cell_leaves_out_are_found_out():
    """seq_len_max below the number of steps: the rest is zeros."""
    frozen = Frozen()
    draw = np.random.default_rng(0)
    w, b = (frozen.weight(draw.normal(size=size).astype("float32"), f"cell/{name}") for name, size in
            (("kernel", (7, 12)), ("bias", 12)))  # fmt: skip
    zeros, none = frozen.const(np.zeros((2, 3), "float32")), frozen.const(np.zeros(3, "float32"))
    x = frozen.placeholder("x", 5, 2, 4)
    block = frozen.op("BlockLSTM", frozen.const(np.int64(3)), x, zeros, zeros, w, none, none, none, b)
    frozen.op("Identity", f"{block}:6", name="out")
    with pytest.raises(RefusalError, match="gives other numbers than the graph itself"):
        read_frozen(frozen.file())


def test_a_graph_without_placeholders_asks_for_its_inputs():
    frozen = Frozen()
    cell = Cell(frozen, "rnn", 4, 3)
    x = frozen.const(np.zeros((1, 2, 4), "float32"), "in_0")
    steps = frozen.op("Unpack", x, axis=1, num=2)
    h = cell.step(steps, {"h": frozen.const(np.zeros((1, 3), "float32"))})["h"]
    frozen.op("Identity", h, name="out")
    with pytest.raises(RefusalError, match="--input NAME, for instance --input"):
        read_frozen(frozen.file())
    graph = read_frozen(frozen.file(), Asked(inputs=("in_0",)).inputs)
    values = run(graph, {"in_0": np.ones((1, 2, 4))})
    assert values[graph.outputs["out"]].shape == (1, 3)


def test_an_endless_loop_and_a_node_that_is_not_there_are_refused(monkeypatch):
    monkeypatch.setattr("diptych.convert.tf1.evaluation.LONGEST", 50)
    file = one_loop("rnn", {})
    nodes = {node.name: node for node in file.architecture.nodes}
    endless = [replace(node, operator="Identity", inputs=(node.inputs[0],)) if node.name == "add" else node
               for node in nodes.values()]  # fmt: skip
    with pytest.raises(RefusalError, match="does not end within"):
        Evaluation(replace(file.architecture, nodes=tuple(endless)), {"x": np.zeros((2, 3, 4))}).tensor("last_h")
    less = [node for node in nodes.values() if node.operator != "LoopCond"]
    with pytest.raises(RefusalError, match="not there"):
        Evaluation(replace(file.architecture, nodes=tuple(less)), {"x": np.zeros((2, 3, 4))}).tensor("last_h")
