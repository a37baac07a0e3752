"""A graph without its weights' numbers as plain values, to go from one process to another, and back."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Graph, Input, Node, Ref, Weights

KINDS = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, type) and is_dataclass(kind)}


def to_plain(graph: Graph) -> dict[str, Any]:
    """A graph as dicts and lists of JSON values; of its weights the names."""
    return {
        "inputs": [asdict(given) for given in graph.inputs],
        "nodes": [
            {
                "name": node.name,
                "kind": {"class": type(node.kind).__name__, **asdict(node.kind)},
                "inputs": {name: [ref.node, ref.output] for name, ref in node.inputs.items()},
                "weights": list(node.weights),
                "origin": node.origin,
                "shares": node.shares,
            }
            for node in graph.nodes
        ],
        "outputs": {name: [ref.node, ref.output] for name, ref in graph.outputs.items()},
        "assumptions": list(graph.assumptions),
        "uncertified": list(graph.uncertified),
        "origins": {name: [ref.node, ref.output] for name, ref in graph.origins.items()},
    }


def from_plain(plain: dict[str, Any], weights: Weights) -> Graph:
    """What `to_plain` was given, with these weights, which are named as `Graph.weights` names them."""
    return Graph(
        tuple(Input(**given | {"shape": tuple(given["shape"])}) for given in plain["inputs"]),
        tuple(
            Node(
                node["name"],
                _kind(node["kind"]),
                {name: Ref(*ref) for name, ref in node["inputs"].items()},
                weights={name: weights[f"{node['name']}.{name}"] for name in node["weights"]},
                origin=node["origin"],
                shares=node["shares"],
            )
            for node in plain["nodes"]
        ),
        {name: Ref(*ref) for name, ref in plain["outputs"].items()},
        assumptions=tuple(plain["assumptions"]),
        uncertified=tuple(plain["uncertified"]),
        origins={name: Ref(*ref) for name, ref in plain["origins"].items()},
    )  # fmt: skip


def _kind(plain: dict[str, Any]) -> kinds.Kind:
    made = KINDS[plain["class"]]
    values = {}
    for one in fields(made):
        value = plain[one.name]
        if isinstance(value, dict):
            value = kinds.Function(**value)
        values[one.name] = tuple(value) if isinstance(value, list) else value
    found: Any = made(**values)
    return found  # type: ignore[no-any-return]
