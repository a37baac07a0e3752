"""The judge's derivatives, and what its layers must obey whatever the weights are."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.convert import kinds
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.judge import derivatives, run
from diptych.convert.judge.activations import FUNCTIONS, apply
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.trial import inputs_that_run
from diptych.errors import RefusalError

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def layer(kind, draw, hidden=3, width=2):
    """A graph of one recurrent layer with a mask."""
    shapes = {"weight_ih": width, "weight_hh": hidden, "bias_ih": 0, "bias_hh": 0}
    weights = {
        f"{name}{suffix}": draw.normal(size=(GATES[kind.cell] * hidden, *([columns] if columns else [])))
        for suffix in kind.suffixes for name, columns in shapes.items()
    }  # fmt: skip
    inputs = (Input("x", (None, width)), Input("mask", (None,), "mask"))
    node = Node("layer", kind, {"x": Ref("x"), "mask": Ref("mask")}, weights)
    return Graph(inputs, (node,), {"y": Ref("layer", "sequence")})


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("reset_after", [True, False])
def test_derivatives_match_differences(cell, reset_after):
    draw = np.random.default_rng(0)
    graph = layer(Recurrent(cell, reset_after=reset_after, direction="both"), draw)
    inputs = {"x": draw.normal(size=(2, 4, 2)), "mask": np.array([[True] * 4, [True, False, True, False]])}
    ref, name = Ref("layer", "sequence"), "layer.weight_hh"
    factors, weight = {ref: draw.normal(size=(2, 4, 6))}, graph.weights()[name]
    direction = draw.normal(size=weight.shape)
    found = derivatives(graph, run(graph, inputs), factors, {name: direction})[name]

    def loss(step):
        moved = graph.with_weights({name: weight + step * direction})
        return float((run(moved, inputs)[ref] * factors[ref]).sum())

    assert found == pytest.approx((loss(1e-6) - loss(-1e-6)) / 2e-6, rel=1e-7)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("zero", [True, False])
def test_masked_steps_might_as_well_not_be_there(cell, direction, zero):
    draw = np.random.default_rng(1)
    graph = layer(Recurrent(cell, direction=direction, zero_masked=zero), draw)
    x, mask = draw.normal(size=(1, 6, 2)), np.array([[False, True, True, False, True, False]])
    values = run(graph, {"x": x, "mask": mask})
    short = run(graph, {"x": x[:, mask[0]], "mask": np.ones((1, 3), bool)})
    assert np.array_equal(values[Ref("layer", "sequence")][:, mask[0]], short[Ref("layer", "sequence")])
    assert np.array_equal(values[Ref("layer", "h")], short[Ref("layer", "h")])
    if zero:
        assert not values[Ref("layer", "sequence")][:, ~mask[0]].any()


def test_the_two_hard_sigmoids_part_at_two_and_a_half():
    x = np.array([2.5])
    assert apply(Function("hard_sigmoid_keras_2"), x)[0] == 1.0
    assert apply(Function("hard_sigmoid"), x)[0] == pytest.approx(0.917, abs=1e-3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation_has_a_complex_derivative(name):
    x, function = np.array([-4.0, -1.3, 0.7, 2.2]), Function(name, 0.3)
    found = apply(function, x + 1e-30j).imag / 1e-30
    step = 1e-6
    assert found == pytest.approx(
        (apply(function, x + step) - apply(function, x - step)) / (2 * step), rel=1e-6, abs=1e-8
    )


def test_a_graph_without_what_nobody_asks_for():
    draw = np.random.default_rng(2)
    graph = layer(Recurrent("gru"), draw)
    extra = Node("unused", kinds.Flip(), {"x": Ref("x")})
    assert [node.name for node in Graph(graph.inputs, (*graph.nodes, extra), graph.outputs).pruned().nodes] == ["layer"]


@pytest.mark.filterwarnings("error")
def test_numbers_that_grow_beyond_all_bounds_are_refused_without_a_warning():
    weights = {"weight_ih": np.full((3, 2), 9.0), "weight_hh": np.full((3, 3), 9.0)}
    node = Node("l", Recurrent("rnn", Function("exponential")), inputs={"x": Ref("x")}, weights=weights)
    graph = Graph((Input("x", (None, 2)),), (node,), {"y": Ref("l", "sequence")})
    with pytest.raises(RefusalError, match="the outputs are not finite"):
        inputs_that_run(graph, 0)
