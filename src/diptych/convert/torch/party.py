"""What a written PyTorch module computed, in the names of its graph."""

from __future__ import annotations

from typing import Any

from diptych.convert.certificate import Party
from diptych.convert.graph import Graph, Ref, Weights
from diptych.convert.kinds import Recurrent
from diptych.convert.torch.writing import WrittenModule

NAME = "the written PyTorch module"


def variables_of(written: WrittenModule) -> dict[str, str]:
    """By what a value is called, the local variable that holds it: what `running.run_written` asks for."""
    return {str(ref): variable for ref, variable in written.variables.items()}


def party_of(graph: Graph, written: WrittenModule, evidence: dict[str, Any], found: Weights, name: str = NAME) -> Party:
    """The module's findings by the graph's refs and weights."""
    values = {ref: evidence["values"][str(ref)] for ref in written.variables if str(ref) in evidence["values"]}
    for node in graph.nodes:
        if isinstance(node.kind, Recurrent) and node.name in written.states:
            values |= _states(node.name, node.kind, variable=written.states[node.name], found=evidence["states"])
    gradients = {weight: found[place] for weight, place in written.names.items() if place in found}
    return Party.told_by(evidence, name, values=values, gradients=gradients, stepped=evidence.get("stepped"))


def _states(node: str, kind: Recurrent, variable: str, found: dict[str, Any]) -> dict[Ref, Any]:
    """Final states by direction: a stock layer stacks the directions, a written one has a variable for each."""
    states = {}
    for place, suffix in enumerate(kind.suffixes):
        for number, name in enumerate(kind.state_names):
            stacked = found.get(variable, [])[number : number + 1]
            if stacked and stacked[0].ndim == 3:
                states[Ref(node, f"{name}{suffix}")] = stacked[0][place]
            elif own := found.get(f"{variable}{suffix}"):
                states[Ref(node, f"{name}{suffix}")] = own[number]
    return states


def party_of_module(graph: Graph, evidence: dict[str, Any], found: Weights, name: str = "the PyTorch module") -> Party:
    """A user's module's findings; its parameters are named as the graph's nodes say they come from.

    Only those weights have a gradient here that the graph has taken over one by one.
    """
    values = {ref: evidence["layers"][path] for path, ref in graph.origins.items() if path in evidence["layers"]}
    gradients = {}
    for node in graph.nodes:
        path, _, depth = node.origin.partition(".layer ")
        for weight in node.weights:
            place = f"{path}.{weight}"
            if isinstance(node.kind, Recurrent):
                base, reverse = weight.removesuffix("_reverse"), "_reverse" if weight.endswith("_reverse") else ""
                place = f"{path}.{base}_l{depth or 0}{reverse}"
                place = f"{path}.{weight}" if place not in found else place
            if place in found and not node.origin.endswith("(expanded)"):
                gradients[f"{node.name}.{weight}"] = found[place]
    whole = len(gradients) == len([one for one in graph.weights() if not one.endswith((".mean", ".variance"))])
    stepped = evidence["stepped"] if whole else None
    return Party.told_by(evidence, name, values=values, gradients=gradients, stepped=stepped)
