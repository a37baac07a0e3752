"""An LSTM with a projection (`proj_size`), as an LSTM without one and a product: for Keras, which has no stock form.

With h = P m, the gates see W x + U P m: an LSTM of the state m whose recurrent weights are U P, and P m after it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diptych.convert.graph import Array, Graph, Node, Ref
from diptych.convert.kinds import Concatenate, Dense, Recurrent, Slice
from diptych.errors import RefusalError


def without_projections(graph: Graph) -> Graph:
    """The graph with every projection that it has written out.

    Raises:
        RefusalError: a projecting layer is given an initial h, from which m cannot be told, or clips.
    """
    nodes: list[Node] = []
    moved: dict[Ref, Ref] = {}
    for node in graph.nodes:
        node = replace(node, inputs={name: moved.get(ref, ref) for name, ref in node.inputs.items()})
        if isinstance(node.kind, Recurrent) and "weight_hr" in node.weights:
            nodes += _expanded(node, node.kind, moved)
        else:
            nodes.append(node)
    outputs = {name: moved.get(ref, ref) for name, ref in graph.outputs.items()}
    origins = {name: moved.get(ref, ref) for name, ref in graph.origins.items()}
    return replace(graph, nodes=tuple(nodes), outputs=outputs, origins=origins).pruned()


def _expanded(node: Node, kind: Recurrent, moved: dict[Ref, Ref]) -> list[Node]:
    where = node.origin or node.name
    if any(name.startswith("h0") for name in node.inputs):
        raise RefusalError(
            f"{where}: it projects and is given an initial h: no state of an LSTM without projection is it"
        )
    if kind.projection_clip is not None:
        raise RefusalError(f"{where}: a clipped projection has no form without one")
    inner, origin = f"{node.name}_inner", f"{where} (expanded)"
    weights: dict[str, Array] = {}
    for suffix in kind.suffixes:
        own = {name: value for name, value in node.weights.items() if name.endswith("_reverse") == bool(suffix)}
        weights |= {name: value for name, value in own.items() if not name.startswith("weight_hr")}
        weights[f"weight_hh{suffix}"] = own[f"weight_hh{suffix}"].astype(np.float64) @ own[f"weight_hr{suffix}"]
        moved[Ref(node.name, f"c{suffix}")] = Ref(inner, f"c{suffix}")
    nodes = [Node(inner, kind, node.inputs, weights=weights, origin=origin)]
    hidden = weights["weight_hh"].shape[1]
    for output in ("sequence", "last"):
        parts = []
        for place, suffix in enumerate(kind.suffixes):
            whole = Ref(inner, output)
            if kind.direction == "both":
                part = f"{node.name}_{output}_part{suffix}"
                nodes.append(Node(part, Slice(-1, place * hidden, (place + 1) * hidden), {"x": whole}))
                whole = Ref(part)
            parts.append(_projection(node, nodes, name=f"{output}{suffix}", x=whole, suffix=suffix, origin=origin))
        if len(parts) > 1:
            joined = f"{node.name}_{output}_joined"
            nodes.append(Node(joined, Concatenate(-1), {f"x{number}": ref for number, ref in enumerate(parts)}))
            parts = [Ref(joined)]
        moved[Ref(node.name, output)] = parts[0]
    for suffix in kind.suffixes:
        moved[Ref(node.name, f"h{suffix}")] = _projection(
            node, nodes, name=f"h{suffix}", x=Ref(inner, f"h{suffix}"), suffix=suffix, origin=origin
        )
    return nodes


def _projection(node: Node, nodes: list[Node], name: str, x: Ref, suffix: str, origin: str) -> Ref:
    owner = f"{node.name}_projection{suffix}"
    first = all(one.name != owner for one in nodes)
    own = {"weight": node.weights[f"weight_hr{suffix}"]} if first else {}
    made = owner if first else f"{owner}_{name}"
    nodes.append(Node(made, Dense(), {"x": x}, weights=own, origin=origin, shares="" if first else owner))
    return Ref(made)
