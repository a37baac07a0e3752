"""What a written Keras program computed, in the names of its graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from diptych.convert.certificate import Party
from diptych.convert.graph import Array, Graph, Weights
from diptych.convert.keras.writing import WrittenProgram, gradients_of

NAME = "the written Keras program"


def arrays_of_layers(written: WrittenProgram) -> dict[str, Array]:
    """The program's weights, "LAYER|NUMBER"."""
    return {f"{layer}|{n}": array for layer, arrays in written.weights.items() for n, array in enumerate(arrays)}


def doubled_said(graph: Graph, doubled: tuple[str, ...]) -> Graph:
    """The graph with a sentence on the biases that became one."""
    if not doubled:
        return graph
    sentence = (
        f"training of {', '.join(doubled)}: PyTorch trains two biases, Keras their sum, which an optimizer step moves "
        f"half as far"
    )
    return replace(graph, uncertified=(*graph.uncertified, sentence))


def party_of_program(
    graph: Graph, written: WrittenProgram, evidence: dict[str, Any], found: Weights, name: str = NAME
) -> Party:
    """The program's findings by the graph's refs and weights, and the gradients that it found, "LAYER|NUMBER"."""
    values = {ref: evidence["values"][str(ref)] for ref in written.variables if str(ref) in evidence["values"]}
    gradients = gradients_of(graph, written, found)
    stepped = None if written.doubled else evidence["stepped"]
    return Party.told_by(evidence, name, values=values, gradients=gradients, stepped=stepped)
