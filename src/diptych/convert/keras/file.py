"""A Keras file as `read_keras` takes it: its config, and each layer's weights in the order of `get_weights()`."""

from __future__ import annotations

from typing import Any

from diptych.convert.files.model_file import ModelFile
from diptych.convert.graph import Array, Graph
from diptych.convert.keras.architecture import NamedArrays, read_keras


def named_arrays(file: ModelFile) -> dict[str, NamedArrays]:
    """Each layer's weights."""
    return {layer.name: [(name, file.tensors[name].read()) for name in layer.tensors] for layer in file.layers}


def graph_of_file(file: ModelFile, config: dict[str, Any] | None = None, version: str | None = None) -> Graph:
    """The graph of a Keras file.

    Args:
        file: a whole model, or weights only.
        config: of weights only, the config that belongs to them.
        version: Keras's, instead of the file's.
    """
    architecture = config or file.architecture
    assert isinstance(architecture, dict)
    return read_keras(architecture, named_arrays(file), version or file.written_by.version)


def original(file: ModelFile) -> dict[str, Array]:
    """The weights as `keras.running` sets them: "PATH|NUMBER"."""
    return {
        f"{path}|{number}": array
        for path, arrays in named_arrays(file).items()
        for number, (_, array) in enumerate(arrays)
    }
