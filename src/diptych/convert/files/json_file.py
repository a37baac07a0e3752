"""Models as JSON: RTNeural's layers with their weights, a state dict as lists, or Keras's configuration alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diptych.convert.files import limits
from diptych.convert.files.keras_config import check_acyclic, keras_layers
from diptych.convert.files.keras_notes import notes_of_layers
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.questions import question
from diptych.convert.files.recognition import recognise
from diptych.convert.files.stored_bytes import StoredBytes
from diptych.errors import RefusalError

# RTNeural's names of Keras's layers, and what each array of theirs is.
LAYERS = {
    "lstm": ("LSTM", ("kernel", "recurrent_kernel", "bias")),
    "gru": ("GRU", ("kernel", "recurrent_kernel", "bias")),
    "dense": ("Dense", ("kernel", "bias")),
    "time-distributed-dense": ("TimeDistributed(Dense)", ("kernel", "bias")),
    "conv1d": ("Conv1D", ("kernel", "bias")),
    "batchnorm": ("BatchNormalization", ()),
    "prelu": ("PReLU", ("alpha",)),
    "activation": ("Activation", ()),
}


def read_json(path: Path) -> ModelFile:
    """A model in a JSON file.

    Raises:
        RefusalError: it is not JSON, or no model.
    """
    whole = StoredBytes.of_file(path)
    data = whole.read(0, min(whole.size, limits.TEXT_NUMBERS + 1))
    value = limits.parse_json(path, "it", data=data, limit=limits.TEXT_NUMBERS)
    if isinstance(value, dict) and "in_shape" in value and isinstance(value.get("layers"), list):
        return _rtneural(path, value)
    if isinstance(value, dict) and isinstance(value.get("class_name"), str) and "config" in value:
        return _configuration(path, value)
    if isinstance(value, dict) and value and all(isinstance(each, list) for each in value.values()):
        limits.check_count(path, len(value))
        tensors = {name: _tensor(path, name, each) for name, each in value.items()}
        layers, notes = recognise(tensors, "pytorch")
        return ModelFile(
            path, "json-state-dict", written_by=WrittenBy("pytorch"), tensors=tensors, layers=layers, notes=notes
        )
    raise RefusalError(
        f"{path} is JSON of no kind that is read: expected RTNeural's layers, a state dict of lists, or the "
        f"configuration of a Keras model"
    )


def _rtneural(path: Path, value: Mapping[str, Any]) -> ModelFile:
    tensors: dict[str, Tensor] = {}
    layers, notes = [], []
    limits.check_count(path, len(value["layers"]))
    for number, layer in enumerate(value["layers"]):
        if not isinstance(layer, dict) or not isinstance(layer.get("weights", []), list):
            raise RefusalError(f"{path}: layer {number} is {shown(layer)}, expected an object with weights")
        kind, parts = LAYERS.get(str(layer.get("type")), (str(layer.get("type")), ()))
        name = f"{layer.get('type')}_{number}"
        own = []
        for position, each in enumerate(layer.get("weights", [])):
            part = parts[position] if position < len(parts) else str(position)
            tensor = _tensor(path, f"{name}/{part}", each)
            tensors[tensor.name] = tensor
            own.append(tensor.name)
        config = {key: item for key, item in layer.items() if key != "weights"}
        layers.append(Layer(name, kind, tensors=tuple(own), config=config))
        if str(layer.get("type")) not in LAYERS:
            notes.append(Note(f"{shown(kind)} is no layer that RTNeural has", name))
        if kind in ("GRU", "LSTM"):
            text = "the gates' activation is not in the file; RTNeural computes sigmoid"
            notes.append(question("recurrent_activation", name, text=text, likely="sigmoid"))
    return ModelFile(
        path,
        "rtneural-json",
        written_by=WrittenBy("rtneural"),
        tensors=tensors,
        layers=tuple(layers),
        architecture=dict(value),
        notes=tuple(notes),
    )


def _configuration(path: Path, config: dict[str, Any]) -> ModelFile:
    """A Keras model's configuration, whose weights are in another file."""
    version = config.get("keras_version")
    version = version if isinstance(version, str) else None
    check_acyclic(path, config)
    layers, notes = notes_of_layers(path, keras_layers(path, config), tensors={}, version=version, whole=True)
    said = Note("a configuration without weights: they are in a file of their own")
    return ModelFile(
        path,
        "keras-json",
        written_by=WrittenBy("keras", version),
        tensors={},
        layers=layers,
        architecture=config,
        notes=(said, *notes),
    )


def _tensor(path: Path, name: str, value: Any) -> Tensor:
    """Nested lists of numbers as an array of float64."""
    if not isinstance(value, list):
        raise RefusalError(f"{path}: {shown(name)} is {shown(value)}, expected a list of numbers")
    try:
        array = np.array(value)
    except (ValueError, OverflowError) as error:
        raise RefusalError(f"{path}: {shown(name)} has rows of different lengths") from error
    if array.dtype.kind not in "iuf" or array.ndim > limits.RANK or math.prod(array.shape) > limits.TEXT_NUMBERS:
        raise RefusalError(f"{path}: {shown(name)} is {shown(value)}, expected a list of numbers")
    numbers = array.astype(np.float64)
    return Tensor(name, "float64", shape=numbers.shape, load=numbers.copy)
