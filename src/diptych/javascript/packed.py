"""A model's weights as bytes that `weights.mjs` reads, and its config as `model.mjs` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.config import ModelConfig

Kind = Literal["float64", "float32", "int8"]
ALIGNMENT = 8
LARGEST = 127.0


def pack(parameters: Mapping[str, npt.NDArray[Any]], kind: Kind) -> tuple[list[dict[str, Any]], bytes]:
    """Where each weight lies, and the bytes.

    In int8 a matrix has a scale for each row, whose largest number is 127 of them; a bias stays float32.
    """
    layout: list[dict[str, Any]] = []
    data = bytearray()

    def add(array: npt.NDArray[Any]) -> int:
        offset = len(data)
        data.extend(array.astype(array.dtype.newbyteorder("<")).tobytes())
        data.extend(bytes(-len(data) % ALIGNMENT))
        return offset

    for name, value in parameters.items():
        stored: Kind = "float32" if kind == "int8" and value.ndim == 1 else kind
        entry: dict[str, Any] = {"name": name, "shape": list(value.shape), "type": stored}
        if stored == "int8":
            largest = np.abs(value).max(axis=1, keepdims=True)
            scales = np.where(largest > 0.0, largest / LARGEST, 1.0).astype(np.float32)
            entry |= {"offset": add(np.rint(value / scales).astype(np.int8)), "scales": add(scales)}
        else:
            entry["offset"] = add(value.astype(stored))
        layout.append(entry)
    return layout, bytes(data)


def settings(config: ModelConfig) -> dict[str, Any]:
    """The config with the one size that a model works out of it."""
    return config.model_dump(mode="json") | {"feature_size": config.feature_size}
