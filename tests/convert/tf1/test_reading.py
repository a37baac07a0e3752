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
from diptych.convert.kinds import Flip, Function, MaskOfLengths, Recurrent, Transpose
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
    sequence, last = dynamic(frozen, [cell], first, given if states else zeros, **how)
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


def unrolled(kind="lstm", backward=False, layers=1):
    """static_rnn over three steps of a placeholder, with as many cells above each other."""
    frozen = Frozen()
    cells = [Cell(frozen, kind, 3 if number else 4, 3, scope=f"rnn/cell{number or ''}") for number in range(layers)]
    x = frozen.op("Unpack", frozen.placeholder("x", None, 3, 4), axis=1, num=3)
    states = [
        {name: frozen.const(np.zeros((2, size), "float32")) for name, size in cell.sizes.items()} for cell in cells
    ]
    outputs = []
    for place in reversed(range(3)) if backward else range(3):
        below = f"{x}:{place}" if place else x
        for number, cell in enumerate(cells):
            states[number] = cell.step(below, states[number])
            below = states[number]["h"]
        outputs.append(below)
    frozen.op("Pack", *outputs, axis=1, name="out")
    for name, value in states[-1].items():
        frozen.op("Identity", value, name=f"last_{name}")
    return frozen.file()


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "LSTMBlockCell"])
def test_unrolled_steps_are_one_layer(kind):
    graph = read_frozen(unrolled(kind))
    (node,) = [node for node in graph.nodes if isinstance(node.kind, Recurrent)]
    assert node.inputs["x"].node == "x"
    backward = read_frozen(unrolled(kind, backward=True))
    assert next(node.kind for node in backward.nodes) == Flip(1)
    two = read_frozen(unrolled(kind, layers=2))
    assert [type(node.kind) for node in two.nodes] == [Recurrent, Recurrent]


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


def classifier(size=(None, None), dtype="int32"):
    """Ids, embeddings, a loop of two cells as TensorFlow writes it from 1.15 on, the last output, a layer over it."""
    frozen, draw = Frozen(), np.random.default_rng(0)

    def weight(name, *shape):
        return frozen.weight(draw.normal(size=shape).astype("float32"), name)

    cells = [Cell(frozen, "lstm", 4, 3, scope="rnn/cell_0"), Cell(frozen, "gru", 3, 2, scope="rnn/cell_1")]
    ids, zero = frozen.placeholder("ids", *size, dtype=dtype), frozen.const(np.int32(0))
    x = frozen.op("GatherV2", weight("embedding", 9, 4), ids, zero)
    batch_first = frozen.const(np.array([1, 0, 2], np.int32))
    states = {f"{name}{number or ''}": frozen.const(np.zeros((2, size), "float32"))
              for number, cell in enumerate(cells) for name, size in cell.sizes.items()}  # fmt: skip
    sequence, last = dynamic(frozen, cells, frozen.op("Transpose", x, batch_first), states, sized=False)
    sequence = frozen.op("Transpose", sequence, batch_first)
    places = [frozen.const(np.array(numbers, np.int32)) for numbers in ([0, -1], [0, 0], [1, 1])]
    chosen = frozen.op("StridedSlice", sequence, *places, begin_mask=1, end_mask=1, shrink_axis_mask=2)
    scores = frozen.op("BiasAdd", frozen.op("MatMul", chosen, weight("w", 2, 5)), weight("b", 5))
    frozen.op("LogSoftmax", scores, name="out")
    frozen.op("Identity", last["c"], name="last_c")
    return frozen.file()


def test_ids_two_cells_in_one_loop_and_the_last_output():
    graph = read_frozen(classifier())
    assert [type(node.kind).__name__ for node in graph.nodes] == [
        "Embedding", "Recurrent", "Recurrent", "Select", "Dense", "Activation"]  # fmt: skip
    assert [(one.kind, one.limit, one.shape) for one in graph.inputs] == [("ids", 9, (None,))]
    assert (graph.nodes[3].kind.axis, graph.nodes[3].kind.index) == (1, -1)
    assert graph.outputs["last_c"].node == graph.nodes[1].name


def both_ways(kind="lstm", dtype="int32", back=True):
    """bidirectional_dynamic_rnn over rows of different lengths: the second cell reads them turned round."""
    frozen = Frozen()
    x, given = frozen.placeholder("x", None, None, 4), frozen.placeholder("lengths", None, dtype=dtype)
    lengths = given if dtype == "int32" else frozen.op("Cast", given, DstT="int32")
    batch_first, outputs = frozen.const(np.array([1, 0, 2], np.int32)), []
    for scope in ("fw", "bw"):
        cell = Cell(frozen, kind, 4, 3, scope=f"{scope}/cell", seed=ord(scope[0]))
        way = frozen.op("ReverseSequence", x, given, seq_dim=1) if scope == "bw" else x
        states = {name: frozen.const(np.zeros((2, size), "float32")) for name, size in cell.sizes.items()}
        found, last = dynamic(
            frozen, [cell], frozen.op("Transpose", way, batch_first), states, scope=scope, lengths=lengths
        )
        found = frozen.op("Transpose", found, batch_first)
        outputs.append(frozen.op("ReverseSequence", found, given, seq_dim=1) if scope == "bw" and back else found)
        frozen.op("Identity", last["h"], name=f"last_{scope}")
    frozen.op("ConcatV2", *outputs, frozen.const(np.int32(2)), name="out")
    return frozen.file()


@pytest.mark.parametrize(("kind", "dtype"), [("lstm", "int32"), ("gru", "int64"), ("LSTMBlockCell", "int32")])
def test_rows_of_different_lengths_are_masked_and_run_backward(kind, dtype):
    graph = read_frozen(both_ways(kind, dtype))
    mask, *layers, joined = graph.nodes
    assert mask.kind == MaskOfLengths()
    assert [(node.kind.direction, node.kind.zero_masked) for node in layers] == [("forward", True), ("backward", True)]
    assert all(node.inputs["mask"].node == mask.name and node.inputs["x"].node == "x" for node in layers)
    assert [ref.output for ref in joined.inputs.values()] == ["sequence", "sequence"]
    assert {one.name: one.kind for one in graph.inputs} == {"x": "float", "lengths": "lengths"}


def test_a_table_that_is_read_twice_is_one():
    frozen = Frozen()
    table = frozen.weight(np.random.default_rng(0).normal(size=(9, 4)).astype("float32"), "embedding")
    first, second = (
        frozen.op("Gather", table, frozen.placeholder(name, None, None, dtype="int64")) for name in ("a", "b")
    )
    total = frozen.op("Sum", frozen.op("AddV2", first, second), frozen.const(np.int32(1)))
    frozen.op("Sub", frozen.const(np.float32(1)), total, name="out")
    graph = read_frozen(frozen.file())
    assert [node.shares for node in graph.nodes] == ["", graph.nodes[0].name, "", "", ""]
    assert len(graph.weights()) == 1


def test_whole_numbers_that_choose_no_rows_are_refused():
    frozen = Frozen()
    frozen.op("Sub", frozen.const(np.int32(1)), frozen.placeholder("count", None, dtype="int32"), name="out")
    with pytest.raises(RefusalError, match="'count' is of int32, but neither chooses rows"):
        read_frozen(frozen.file())
    with pytest.raises(RefusalError, match="is of string; only real numbers and ids"):
        read_frozen(classifier(dtype="string"))


def halved(frozen, new, old):
    return frozen.op("Mul", new, frozen.const(np.float32(0.5)), name="rnn/while/halved")


def kept_here_and_there(frozen, new, old):
    return frozen.op("Select", frozen.const(np.array([True, False])), old, new, name="rnn/while/Select")


REFUSED = {
    "something done to the state": (lambda: one_loop("rnn", {}, after=halved), "halved: the operator Mul"),
    "rows that stay what they were": (
        lambda: one_loop("lstm", {}, after=kept_here_and_there), "Select_1: the operator Select is not understood"),
    "rows turned round for nobody": (lambda: both_ways(back=False), "converted only where a layer reads them"),
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

    def wrong(self, step, *given, **named):
        step.weights["bias_ih"] = step.weights["bias_ih"] + 1
        return right(self, step, *given, **named)

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
