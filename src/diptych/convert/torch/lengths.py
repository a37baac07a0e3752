"""Sizes of examples on which a module does not depend: it takes any length there, and so does what is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from diptych.convert.graph import Graph, Input
from diptych.convert.judge import run
from diptych.convert.trial import make_inputs
from diptych.errors import RefusalError
from diptych.randomness import generator

FURTHER = (1, 3)
"""By how much the lengths that are tried are longer than the example's."""


def check_examples(graph: Graph, examples: Mapping[str, tuple[int, ...] | None]) -> None:
    """Refuse examples that do not go through the model: where the sizes part is said in its layers' names.

    Args:
        graph: as it was read.
        examples: the shape of each input's example, the batch in it; None where there is none, and nothing is checked.
    """
    if None in examples.values():
        return
    inputs = []
    for given in graph.inputs:
        whole = examples[given.name] or ()
        sizes = tuple(size for axis, size in enumerate(whole) if axis != given.batch_axis)
        inputs.append(replace(given, shape=sizes))
    exact = replace(graph, inputs=tuple(inputs))
    longest = max((size for given in inputs for size in given.shape if size), default=1)
    try:
        run(exact, make_inputs(exact, generator(0, "conversion: inputs"), length=longest, pattern="whole"))
    except ValueError as error:
        told = ", ".join(f"{name} {shape}" for name, shape in examples.items())
        raise RefusalError(
            f"the examples of its inputs ({told}) do not go through the model: {error}; give examples (--input) of the "
            f"sizes that it takes"
        ) from error


def with_open_lengths(graph: Graph, told: Collection[str]) -> Graph:
    """The graph with the time axes open of which no layer told: memory of an attention, masks, a second sequence.

    An axis is opened where the formulas run with other lengths, too; axes of one size first together.

    Args:
        graph: as it was read, with the sizes of the examples.
        told: the inputs whose sizes their layers tell.
    """
    opened: list[str] = []
    for axis in (0, 1):
        by_size: dict[int, list[Input]] = {}
        for given in graph.inputs:
            size = given.shape[axis] if axis < len(_lengths(given)) and given.name not in told else None
            if size not in (None, 1) and given.name not in opened:
                by_size.setdefault(size, []).append(given)
        for size, alike in by_size.items():
            for names in _choices([given.name for given in alike]):
                changed = _opened(graph, names, axis)
                if not set(names) & set(opened) and _runs(changed, size):
                    graph, opened = changed, [*opened, *names]
    if not opened:
        return graph
    sentence = f"any length of {' and '.join(opened)}: nothing in the module depends on that of the example"
    return replace(graph, assumptions=(*graph.assumptions, sentence))


def _lengths(given: Input) -> tuple[int | None, ...]:
    """The sizes that may be lengths: of (B, T, W) both, for it may be (B, C, T); of ids and masks their only one."""
    if given.batch_axis or len(given.shape) != (2 if given.kind == "float" else 1):
        return ()
    return given.shape


def _choices(names: list[str]) -> Iterator[list[str]]:
    """All of them, then each alone."""
    yield names
    if len(names) > 1:
        yield from ([name] for name in names)


def _opened(graph: Graph, names: list[str], axis: int) -> Graph:
    def shape(given: Input) -> tuple[int | None, ...]:
        return tuple(None if place == axis else size for place, size in enumerate(given.shape))

    inputs = tuple(replace(given, shape=shape(given)) if given.name in names else given for given in graph.inputs)
    return replace(graph, inputs=inputs)


def _runs(graph: Graph, size: int) -> bool:
    """Whether the formulas take longer sequences."""
    try:
        for further in FURTHER:
            draw = generator(0, "conversion: inputs")
            run(graph, make_inputs(graph, draw, length=size + further, pattern="whole"))
    except (ValueError, RefusalError):
        return False
    return True
