"""How a functional model's config says that a layer is called, and with what, in the form of any version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diptych.convert.keras.reading import Value


@dataclass(frozen=True)
class Call:
    """One call of a layer, as a functional model's config says it: `Tensor` stands for each tensor."""

    positional: list[Any]
    keywords: dict[str, Any]


@dataclass(frozen=True)
class Tensor:
    """Which output of which call of which layer."""

    layer: str
    call: int
    output: int


def calls_of(nodes: list[Any]) -> Iterator[Call]:
    """The calls of a layer, in the form of any version."""
    for node in nodes:
        if isinstance(node, dict):  # Keras 3
            yield Call(_with_tensors(node["args"]), _with_tensors(node["kwargs"]))
            continue
        node = [node] if node and isinstance(node[0], str) else node
        keywords: dict[str, Any] = {}
        for entry in node:
            for name, value in (entry[3] if len(entry) > 3 else {}).items():
                keywords[name] = _with_tensors_of_keras_2(value)
        yield Call([Tensor(*entry[:3]) for entry in node], keywords)


def _with_tensors_of_keras_2(value: Any) -> Any:
    """Each tensor is a list there: the layer's name, the call and the output."""
    if not isinstance(value, list):
        return value
    is_tensor = len(value) >= 3 and isinstance(value[0], str) and all(isinstance(one, int) for one in value[1:3])
    return Tensor(*value[:3]) if is_tensor else [_with_tensors_of_keras_2(one) for one in value]


def _with_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return Tensor(*value["config"]["keras_history"])
        return {name: _with_tensors(one) for name, one in value.items()}
    return [_with_tensors(one) for one in value] if isinstance(value, list) else value


def tensors_in(call: Call) -> list[Tensor]:
    def walk(value: Any) -> Iterator[Tensor]:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | dict):
            for one in value.values() if isinstance(value, dict) else value:
                yield from walk(one)

    return [*walk(call.positional), *walk(call.keywords)]


def replaced(value: Any, values: Mapping[Tensor, Value]) -> Any:
    if isinstance(value, Tensor):
        return values[value]
    if isinstance(value, dict):
        return {name: replaced(one, values) for name, one in value.items()}
    return [replaced(one, values) for one in value] if isinstance(value, list) else value


def flat(value: Any) -> list[Value]:
    if isinstance(value, Value):
        return [value]
    return [found for one in value for found in flat(one)] if isinstance(value, list) else []


def tensors(value: Any) -> list[list[Any]]:
    """Keras 3 may nest them, and writes a single one without a list around it."""
    if isinstance(value, dict):
        return [found for one in value.values() for found in tensors(one)]
    if value and isinstance(value[0], str):
        return [list(value)]
    return [found for one in value for found in tensors(one)]
