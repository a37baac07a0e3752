"""Keras's own layout of an HDF5 file, of versions 1 and 2 and of Keras 3's .h5: a group for each layer.

    model_config, training_config, keras_version   attributes; not in a file of weights only
    model_weights/LAYER/WEIGHT                     LAYER's attribute `weight_names` says in which order
    optimizer_weights/WEIGHT                       the same

A file of weights only has the layers at its root.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.hdf5_file import Hdf5File
from diptych.convert.files.keras_config import check_acyclic, keras_layers, optimizer_of
from diptych.convert.files.keras_notes import notes_of_layers
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, Training, WrittenBy
from diptych.convert.files.printable import shown
from diptych.errors import RefusalError


def is_keras_layout(file: Hdf5File) -> bool:
    """Whether an HDF5 file is of this layout."""
    return any(_has(file, root, "layer_names") for root in ("", "model_weights"))


def read_keras_hdf5(path: Path, file: Hdf5File) -> ModelFile:
    """A whole model or its weights.

    Raises:
        RefusalError: a weight that is named is missing, or the configuration is no model's.
    """
    root = "model_weights" if _has(file, "model_weights", "layer_names") else ""
    attributes = file.attributes.get("", {})
    weights = file.attributes.get(root, {})
    tensors: dict[str, Tensor] = {}
    groups: dict[str, list[str]] = {}
    for layer in _names(path, file, group=root, attribute="layer_names"):
        group = f"{root}/{layer}".lstrip("/")
        groups[layer] = []
        for name in _names(path, file, group=group, attribute="weight_names"):
            found = file.arrays.get(f"{group}/{name}")
            if found is None:
                raise RefusalError(f"{path}: layer {shown(layer)} names the weight {shown(name)}, which is not there")
            full = f"{layer}/{name}"
            tensors[full] = Tensor(full, found.dtype, shape=found.shape, load=found.load)
            groups[layer].append(full)
    version = _text(attributes.get("keras_version", weights.get("keras_version")))
    config = _json(path, "model_config", attributes)
    if config is not None:
        check_acyclic(path, config)
        layers = _with_weights(path, keras_layers(path, config), groups)
    else:
        layers = tuple(Layer(name, "", tuple(names)) for name, names in groups.items())
    training = _training(path, file, _json(path, "training_config", attributes))
    used = {f"{root}/{name}".lstrip("/") for name in tensors} | set(training.slots if training else ())
    layers, notes = notes_of_layers(path, layers, tensors=tensors, version=version, whole=config is not None)
    extra = [Note(f"no layer names {shown(name)}: it would be left over") for name in file.arrays if name not in used]
    extra += [Note(f"left out: {shown(text)}") for text in file.left_out]
    kind = "keras-h5" if config is not None else "keras-h5-weights"
    return ModelFile(
        path,
        kind,
        written_by=written_by_keras(version),
        tensors=tensors,
        layers=layers,
        architecture=config,
        training=training,
        notes=(*notes, *extra[: limits.NOTES]),
    )


def written_by_keras(version: str | None) -> WrittenBy:
    """Keras or the tf.keras of its version: from 2.4 to 2.15 they were one, and 2.2.4-tf names itself."""
    numbers = (version or "").split("-")[0].split(".")
    minor = int(numbers[1]) if len(numbers) > 1 and numbers[0] == "2" and numbers[1].isdigit() else 0
    return WrittenBy("tf.keras" if (version or "").endswith("-tf") or minor >= 4 else "keras", version)


def _training(path: Path, file: Hdf5File, config: dict[str, Any] | None) -> Training | None:
    """The optimizer's state."""
    name, settings = optimizer_of((config or {}).get("optimizer_config"))
    slots = {}
    for weight in _names(path, file, group="optimizer_weights", attribute="weight_names"):
        found = file.arrays.get(f"optimizer_weights/{weight}")
        if found is None:
            raise RefusalError(f"{path}: the optimizer names the weight {shown(weight)}, which is not there")
        full = f"optimizer_weights/{weight}"
        slots[full] = Tensor(full, found.dtype, shape=found.shape, load=found.load)
    if config is None and not slots:
        return None
    counters = [slot for slot in slots.values() if slot.shape == () and slot.dtype.startswith(("int", "uint"))]
    return Training(name, config=settings, slots=slots, step=int(counters[0].read()) if counters else None)


def _with_weights(path: Path, layers: tuple[Layer, ...], groups: dict[str, list[str]]) -> tuple[Layer, ...]:
    """The configuration's layers, each with its weights."""
    known = {layer.name for layer in layers}
    strange = [name for name in groups if name not in known]
    if strange:
        raise RefusalError(f"{path} has weights of a layer {shown(strange[0])}, which its configuration does not have")
    return tuple(
        Layer(each.name, each.kind, tensors=tuple(groups.get(each.name, ())), config=each.config) for each in layers
    )


def _has(file: Hdf5File, path: str, name: str) -> bool:
    attributes = file.attributes.get(path, {})
    return name in attributes or f"{name}0" in attributes


def _names(path: Path, file: Hdf5File, group: str, attribute: str) -> list[str]:
    """A list of names, which Keras cuts into several attributes if it is long."""
    attributes = file.attributes.get(group, {})
    found = list(attributes.get(attribute, []))
    part = 0
    while f"{attribute}{part}" in attributes:
        found += attributes[f"{attribute}{part}"]
        part += 1
    if not all(isinstance(name, str) for name in found) or len(set(found)) != len(found):
        raise RefusalError(f"{path}: {attribute} of {shown(group) or 'the file'} is no list of different names")
    limits.check_count(path, len(found))
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _json(path: Path, name: str, attributes: Any) -> dict[str, Any] | None:
    text = _text(attributes.get(name))
    if text is None:
        return None
    value = limits.parse_json(path, name, text.encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise RefusalError(f"{path}: {name} is a {type(value).__name__}, expected an object")
    return value
