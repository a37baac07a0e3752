"""A wrong gradient is found whatever those of the other layers are; rounding of one that is zero is no mistake."""

from __future__ import annotations

import numpy as np

from diptych.convert.certificate import LIMIT, check
from diptych.convert.gradients import along_directions, number_by_number, outputs_after_a_step
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.judge import derivatives, run
from diptych.convert.kinds import Dense, Scaled
from diptych.convert.trial import make_trial


def two_layers():
    """One whose weights the loss hangs on by 10,000, one by a millionth."""
    draw = np.random.default_rng(3)
    nodes = (
        Node("wide", Scaled(1e4), {"x": Ref("x")}),
        Node("large", Dense(), {"x": Ref("wide")}, {"weight": draw.normal(size=(2, 3)) * 1e-4}),
        Node("small", Dense(), {"x": Ref("x")}, {"weight": draw.normal(size=(2, 3)), "bias": draw.normal(size=2)}),
        Node("little", Scaled(1e-6), {"x": Ref("small")}),
    )
    return Graph((Input("x", (3,)),), nodes, {"y": Ref("large"), "z": Ref("little")})


def gradients_of(graph, trial):
    """By weight, one derivative for each of its numbers."""
    factors = {ref: trial.factors[name] for name, ref in graph.outputs.items()}
    found = {}
    for name, weight in graph.weights().items():
        found[name] = np.zeros(weight.shape)
        for place in np.ndindex(weight.shape):
            direction = np.zeros(weight.shape)
            direction[place] = 1.0
            found[name][place] = derivatives(graph, trial.values, factors, {name: direction})[name]
    return found


def test_a_millionth_off_in_a_weight_that_hardly_counts_is_found():
    graph = two_layers()
    trial = make_trial(graph)
    right = gradients_of(graph, trial)
    assert np.abs(right["large.weight"]).max() > 1e9 * np.abs(right["small.weight"]).max()
    assert check("", along_directions(graph, trial, right), LIMIT).holds
    assert check("", number_by_number(graph, trial, right, right), LIMIT).holds
    for name in ("small.weight", "small.bias"):
        wrong = right | {name: right[name] * (1 + 1e-6)}
        for pairs in (along_directions(graph, trial, wrong), number_by_number(graph, trial, right, wrong)):
            found = check("", pairs, LIMIT)
            assert not found.holds
            assert found.where.startswith(name)


def test_rounding_of_a_derivative_that_is_zero_is_none():
    graph = two_layers()
    trial = make_trial(graph)
    right = gradients_of(graph, trial)
    largest = np.abs(right["large.weight"]).max()
    noise = right | {"large.weight": right["large.weight"] + 1e-17 * largest}
    assert check("", number_by_number(graph, trial, right, noise), LIMIT).holds


def test_the_outputs_after_a_step_are_those_of_moved_weights():
    graph = two_layers()
    trial = make_trial(graph)
    found = gradients_of(graph, trial)
    moved = graph.with_weights({name: weight - 0.125 * found[name] for name, weight in graph.weights().items()})
    expected = run(moved, trial.inputs)
    for one, ref in zip(outputs_after_a_step(graph, trial, found, 0.125), graph.outputs.values(), strict=True):
        assert np.array_equal(one, expected[ref])
