"""Layers seen in the names and shapes of weights, where a file tells of no layers."""

from __future__ import annotations

from collections.abc import Mapping

from diptych.convert.files.model_file import Layer, Note, Tensor


def recognise(tensors: Mapping[str, Tensor], framework: str) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """The layers that the names make out, and what their weights leave open.

    Args:
        tensors: the weights.
        framework: who wrote them; pytorch has conventions that leave less open.
    """
    layers: dict[str, list[str]] = {}
    for name in tensors:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    return tuple(Layer(name, "", tuple(names)) for name, names in layers.items()), ()
