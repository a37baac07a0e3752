"""Nests of tensors: tuples, named tuples and dictionaries of them, one in the other; None stands for no tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def leaves(nest: Any) -> list[Any]:
    """The tensors of a nest, or whatever else is at its ends, from the first to the last."""
    ends: list[Any] = []
    map_nest(ends.append, nest)
    return ends


def map_nest(function: Callable[..., Any], nest: Any, *others: Any) -> Any:
    """A nest built like this one, of what the function gives for each end and those of the others in its place."""
    if nest is None:
        return None
    if isinstance(nest, Mapping):
        return {key: map_nest(function, nest[key], *(other[key] for other in others)) for key in nest}
    if isinstance(nest, tuple):
        parts = [map_nest(function, *part) for part in zip(nest, *others, strict=True)]
        return type(nest)(*parts) if hasattr(nest, "_fields") else tuple(parts)
    return function(nest, *others)


def rebuild(like: Any, ends: Iterable[Any]) -> Any:
    """A nest built like another one, of these ends from the first to the last: `leaves` undone."""
    following = iter(ends)
    return map_nest(lambda _: next(following), like)
