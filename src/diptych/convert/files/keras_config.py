"""Keras's configuration of a model, as versions 1, 2 and 3 write it: plain JSON values, nothing made of them.

    {"class_name": "Sequential", "config": [LAYER, ...]}              up to Keras 2.2.2
    {"class_name": "Sequential", "config": {"layers": [LAYER, ...]}}
    {"class_name": "Functional", "config": {"layers": [LAYER, ...], "input_layers": .., "output_layers": ..}}

A LAYER is {"class_name": .., "config": {"name": .., ..}}, in a functional model with "inbound_nodes" besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.model_file import Layer
from diptych.convert.files.printable import shown
from diptych.errors import RefusalError

# Where one layer's configuration holds another's.
INNER = ("layer", "forward_layer", "backward_layer", "cell", "cells", "layers")
MODELS = ("Sequential", "Functional", "Model")


def keras_layers(path: Path, config: dict[str, Any]) -> tuple[Layer, ...]:
    """The layers of a model in its order, without their weights; of a class of the user's own, those it tells of.

    Raises:
        RefusalError: two layers have one name, or a layer is none.
    """
    found: dict[str, Layer] = {}
    for entry in _entries(config):
        kind, settings = class_of(path, entry)
        name = str(entry.get("name") or settings.get("name") or f"{kind.lower()}_{len(found) + 1}")
        if name in found:
            raise RefusalError(f"{path}: two layers are named {shown(name)}; expected different names")
        found[name] = Layer(name, kind, tensors=(), config=settings)
    limits.check_count(path, len(found))
    return tuple(found.values())


def class_of(path: Path, entry: Any) -> tuple[str, dict[str, Any]]:
    """A layer's class and its configuration.

    Raises:
        RefusalError: the entry is no layer.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        raise RefusalError(f"{path}: the configuration has {shown(entry)} where a layer was expected")
    settings = entry.get("config", {})
    # A nested Sequential of Keras 1 is a list.
    settings = {"layers": settings} if isinstance(settings, list) else settings
    if not isinstance(settings, dict):
        raise RefusalError(f"{path}: layer {shown(entry['class_name'])} is configured by {shown(settings)}")
    # Where a class comes from tells a stock layer from a user's own of the same name.
    origin = {key: entry[key] for key in ("module", "registered_name") if entry.get(key)}
    return entry["class_name"], {**settings, **({"_class": origin} if origin else {})}


def walk(path: Path, layers: tuple[Layer, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every layer and those within it (of a wrapper, a stack of cells, a nested model): path, class, configuration.

    Raises:
        RefusalError: they nest too deep.
    """
    waiting = [(layer.name, layer.kind, dict(layer.config), 0) for layer in reversed(layers)]
    while waiting:
        name, kind, settings, depth = waiting.pop()
        if depth > limits.DEPTH:
            raise RefusalError(f"{path}: the layers within {shown(name)} nest too deep to be a model's")
        yield name, kind, settings
        for key in INNER:
            value = settings.get(key)
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict) and isinstance(entry.get("class_name"), str):
                    inner, inner_settings = class_of(path, entry)
                    own = inner_settings.get("name") or inner
                    waiting.append((f"{name}/{own}", inner, inner_settings, depth + 1))


def check_acyclic(path: Path, config: dict[str, Any]) -> None:
    """A functional model must not need a tensor for making that tensor.

    A layer may be called several times; each call is a node (LAYER, which call), and the nodes have no cycle.

    Raises:
        RefusalError: they have one.
    """
    needs: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for entry in _entries(config):
        if isinstance(entry, dict) and isinstance(entry.get("inbound_nodes"), list):
            for call, node in enumerate(entry["inbound_nodes"]):
                needs[(str(entry.get("name")), call)] = list(_histories(node))
    done: set[tuple[str, int]] = set()
    for first in needs:
        trail, open_nodes = [(first, iter(needs[first]))], {first}
        while trail:
            node, rest = trail[-1]
            following = next((each for each in rest if each not in done), None)
            if following is None:
                trail.pop()
                open_nodes.discard(node)
                done.add(node)
            elif following in open_nodes:
                raise RefusalError(f"{path}: layer {shown(following[0])} needs its own output: the model is a cycle")
            else:
                trail.append((following, iter(needs.get(following, ()))))
                open_nodes.add(following)


def optimizer_of(config: Any) -> tuple[str, dict[str, Any]]:
    """An optimizer's class and settings, from {"class_name": .., "config": {..}} or a name alone."""
    if isinstance(config, str):
        return config, {}
    if not isinstance(config, dict):
        return "", {}
    settings = config.get("config", {})
    return str(config.get("class_name", "")), settings if isinstance(settings, dict) else {}


def _entries(config: dict[str, Any]) -> list[Any]:
    """The layers of a model's configuration."""
    inner = config.get("config")
    found = inner.get("layers", []) if isinstance(inner, dict) else inner
    return found if isinstance(found, list) else []


def _histories(node: Any) -> Iterator[tuple[str, int]]:
    """Whose outputs a call takes: ["NAME", call, output, ..], in Keras 3 {"keras_history": [the same]}."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            if len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int and type(value[2]) is int:
                yield value[0], value[1]
            waiting.extend(item for item in value if isinstance(item, list | dict))
