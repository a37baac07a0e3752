"""The objects of a TensorFlow checkpoint: which holds which under what name, and where each variable's numbers are.

A list of objects, the root first. Each has children (1: the number of another object, its name here) and attributes
(2: 2 the variable's own name, 3 its key in the checkpoint).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diptych.convert.files import limits
from diptych.convert.files.protobuf import Span, signed, text

# A layer's own weights as Keras lists them: in the order in which its `build` makes them, the untrained ones last.
WEIGHTS = (
    "embeddings", "scale", "gamma", "beta", "kernel", "recurrent_kernel", "bias", "moving_mean", "moving_variance",
)  # fmt: skip
HOLDERS = ("forward_layer", "backward_layer", "layer", "cell", "cells")
"""Where a layer of Keras holds other layers or cells; a list's have numbers."""


@dataclass(frozen=True)
class StoredObject:
    """One object.

    Attributes:
        children: by the name that it has for them, their numbers.
        key: of its variable in the checkpoint; "" if it is none.
        name: the variable's own.
    """

    children: Mapping[str, int]
    key: str
    name: str


def read_objects(message: Span) -> list[StoredObject]:
    """The objects in the order of their numbers."""
    found = []
    for number, node in message.fields():
        if number != 1 or not isinstance(node, Span):
            continue
        children, key, name = {}, "", ""
        for part, value in node.fields():
            entry = dict(value.fields()) if isinstance(value, Span) and part in (1, 2) else {}
            if part == 1:
                children[text(entry.get(2, 0))] = signed(entry.get(1, 0))
            elif part == 2:
                key, name = text(entry.get(3, 0)), text(entry.get(2, 0))
        found.append(StoredObject(children, key, name))
        limits.check_count(message.budget.path, len(found), "objects")
    return found


def keys_of_layer(objects: Sequence[StoredObject], layer: int) -> list[str]:
    """The keys of a layer's variables in the order of `get_weights()`: forward before backward, cells by number.

    The names of the keys tell no order: bias comes before kernel, and backward before forward in the alphabet.
    """
    found: list[str] = []
    waiting, seen = [layer], set()
    while waiting:
        number = waiting.pop()
        if number in seen or not 0 <= number < len(objects):
            continue
        seen.add(number)
        each = objects[number]
        if each.key:
            found.append(each.key)
        inside = sorted((_rank(name), child) for name, child in each.children.items() if _rank(name) is not None)
        waiting += [child for _, child in reversed(inside)]
    return found


def _rank(name: str) -> tuple[int, int] | None:
    """Where a child stands among its siblings; None for what is no weight and holds none."""
    if name in WEIGHTS:
        return 0, WEIGHTS.index(name)
    if name in HOLDERS:
        return 1, HOLDERS.index(name)
    kind, _, number = name.rpartition("-")
    if (number or name).isdigit() and len(number or name) < 9 and kind in ("", "layer", "layer_with_weights"):
        return (3 if kind == "layer" else 2), int(number or name)
    return None
