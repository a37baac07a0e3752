"""A frozen graph of TensorFlow 1 read into a graph: cells found by their operators, loops turned into layers.

Every node between the inputs and the outputs is understood or refused by name. What was read is then run against the
frozen graph itself, operator by operator; a difference is a refusal, so no misreading goes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from diptych.convert.certificate import LIMIT, gap
from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.model_file import ModelFile, Tensor
from diptych.convert.files.printable import shown
from diptych.convert.graph import Array, Graph, Input, Ref, unique_name
from diptych.convert.judge import run
from diptych.convert.kinds import Embedding, Flip, Recurrent, Transpose
from diptych.convert.tf1.evaluation import Evaluation, place_of
from diptych.convert.tf1.layers import Layers
from diptych.errors import RefusalError
from diptych.randomness import generator

BATCH, STEPS = 2, 4
"""What an open axis becomes where a graph is run against what was read from it."""


def read_frozen(file: ModelFile, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> Graph:
    """The graph of a frozen graph.

    Args:
        file: as `files.opening` reads it.
        inputs: the nodes that are its inputs; of none, its placeholders.
        outputs: the tensors that are its outputs; of none, what no node reads and depends on an input.

    Raises:
        RefusalError: an operator on the way has no form here, an input is not said, or what was read gives other
            numbers than the frozen graph.
    """
    frozen = file.architecture
    assert isinstance(frozen, FrozenGraph)
    given = _inputs(file.path, frozen, inputs)
    names = list(outputs) or _outputs(frozen, set(given))
    if not names:
        raise RefusalError(f"{file.path}: nothing in it depends on {', '.join(given)}")
    kinds = {node.name: str(node.attributes.get("dtype", "")) for node in frozen.nodes}
    whole = {name for name, (node, _) in given.items() if not kinds[node].startswith("float")}
    layers = Layers(frozen, given, whole)
    refs = {name: layers.value(name) for name in names}
    graph = layers.graph(refs)
    if idle := [one for one in graph.inputs if one.name in whole and one.kind == "float"]:
        node = given[idle[0].name][0]
        raise RefusalError(
            f"{file.path}: the input {node!r} is of {kinds[node]}, but neither chooses rows of an embedding nor says "
            f"how long rows are"
        )
    graph = replace(graph, inputs=tuple(_with_batch(graph, one, given[one.name][1]) for one in graph.inputs))
    graph = graph.pruned()
    if lost := [ref.node for node in graph.nodes for ref in (*node.inputs.values(), *graph.outputs.values())
                if ref.output == "turned"]:  # fmt: skip
        raise RefusalError(
            f"{shown(lost[0])}: rows turned round as far as they go (ReverseSequence) are converted only where a layer "
            f"reads them and its outputs are turned back"
        )
    apart = _check(file.path, frozen, graph=graph, given=given, names=list(refs))
    said = f"read from the graph's operators; run themselves, in NumPy and float64, they give the same to {apart:.1e}"
    return replace(graph, assumptions=(*graph.assumptions, said))


def _inputs(path: Path, frozen: FrozenGraph, wanted: Sequence[str]) -> dict[str, tuple[str, tuple[int | None, ...]]]:
    """By name in Python, the node and the shape of each input."""
    nodes = {node.name: node for node in frozen.nodes}
    names = list(wanted) or [node.name for node in frozen.nodes if node.operator.startswith("Placeholder")]
    if not names:
        constants = [
            node.name for node in frozen.nodes
            if isinstance(value := node.attributes.get("value"), Tensor)
            and len(value.shape) > 1 and "/" not in node.name
        ]  # fmt: skip
        raise RefusalError(
            f"{path} has no placeholder, so it does not say what it is given; name the constants that stand for its "
            f"inputs, in order, with --input NAME{f', for instance --input {constants[0]}' if constants else ''}"
        )
    found: dict[str, tuple[str, tuple[int | None, ...]]] = {}
    for name in names:
        node = nodes.get(name)
        if node is None:
            raise RefusalError(f"{path} has no node {name!r}")
        value = node.attributes.get("value")
        shape = value.shape if isinstance(value, Tensor) else node.attributes.get("shape")
        if not shape or any(isinstance(size, str) for size in shape):
            raise RefusalError(f"{path}: the shape of the input {name!r} is not in the file, so its axes are not known")
        kind = str(node.attributes.get("dtype", ""))
        if not kind.startswith(("float", "int32", "int64")):
            raise RefusalError(
                f"{path}: the input {name!r} is of {kind or 'no type'}; only real numbers and ids are converted"
            )
        found[unique_name(name, found)] = (name, tuple(shape))
    return found


def _outputs(frozen: FrozenGraph, given: set[str]) -> list[str]:
    """What no node reads, of the nodes that depend on an input."""
    depends = set(given)
    reached = True
    while reached:
        new = {
            node.name for node in frozen.nodes
            if node.name not in depends and any(place_of(name)[0] in depends for name in node.inputs)
        }  # fmt: skip
        depends |= new
        reached = bool(new)
    dangling = {"Switch", "Exit", "Shape", "TensorArraySizeV3", "NoOp", "Assert"}
    return [
        one.name
        for node in frozen.nodes
        for one in frozen.outputs
        if one.name == node.name and node.name in depends and node.operator not in dangling
    ]


def _with_batch(graph: Graph, given: Input, shape: tuple[int | None, ...]) -> Input:
    """An input whose shape leaves out its batch: the axis that recurrent layers take for it."""
    axis = next((found for node in graph.nodes if isinstance(node.kind, Recurrent)
                 for found in [_batch_axis(graph, node.inputs["x"], given.name)] if found is not None), 0)  # fmt: skip
    return replace(given, shape=(*shape[:axis], *shape[axis + 1 :]), batch_axis=axis)


def _batch_axis(graph: Graph, ref: Ref, wanted: str) -> int | None:
    """Which axis of an input is the batch, where a value whose first axis is the batch was made of it."""
    axis, nodes = 0, {node.name: node for node in graph.nodes}
    while ref.node in nodes:
        node = nodes[ref.node]
        if isinstance(node.kind, Transpose):
            axis = node.kind.axes[axis]
        elif not isinstance(node.kind, Flip | Embedding):
            return None
        ref = node.inputs["x"]
    return axis if ref.node == wanted else None


def _check(
    path: Path,
    frozen: FrozenGraph,
    graph: Graph,
    given: dict[str, tuple[str, tuple[int | None, ...]]],
    names: list[str],
) -> float:
    """How far apart the frozen graph and the graph are on random numbers."""
    draw = generator(0, "conversion: inputs")
    worst = 0.0
    values, fed = {}, {}
    for one in graph.inputs:
        node, shape = given[one.name]
        sizes = [size if size else BATCH if axis == one.batch_axis else STEPS for axis, size in enumerate(shape)]
        value: Array
        if one.kind == "ids":
            value = draw.integers(0, one.limit or 2, sizes)
        elif one.kind == "lengths":
            value = np.array([STEPS, *draw.integers(0, STEPS, sizes[0] - 1)])
        else:
            value = draw.normal(size=sizes)
        values[one.name] = fed[node] = value
    evaluation = Evaluation(frozen, fed)
    try:
        mine = run(graph, values)
    except (ValueError, IndexError) as error:
        raise RefusalError(f"{path}: what was read from it does not run ({error}); it is refused") from error
    for name, ref in zip(names, graph.outputs.values()):
        apart, place = gap(mine[ref], evaluation.tensor(name))
        if not apart <= LIMIT:
            raise RefusalError(
                f"{path}: what was read gives other numbers than the graph itself: {apart:.2g} apart at "
                f"{shown(name)}{place}; it is refused rather than converted wrongly"
            )
        worst = max(worst, apart)
    return worst
