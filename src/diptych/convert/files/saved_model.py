"""A SavedModel folder: saved_model.pb, variables/variables.index and its data, and up to 2.15 keras_metadata.pb.

The layers as programs (functions of the graph) are not read: Keras's configuration is, where there is one, and the
variables with the names that the object graph gives them. A layer's variables are found by where the object graph holds
them (`layer_with_weights-1`, `forward_layer`, `cell`), in Keras's order; `keras_metadata.pb` says which layer that is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.graph import Graph
from diptych.convert.files.keras_archive import in_number_order
from diptych.convert.files.keras_config import check_acyclic, keras_layers, optimizer_of
from diptych.convert.files.keras_notes import notes_of_layers
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, Training, WrittenBy
from diptych.convert.files.object_graph import StoredObject, keys_of_layer, read_objects
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Budget, Span, message_of, text
from diptych.convert.files.tensor_bundle import TensorBundle, read_bundle
from diptych.convert.files.tensorflow_graph import graph_of
from diptych.errors import RefusalError

OBJECT_GRAPH, VALUE, SLOT = "_CHECKPOINTABLE_OBJECT_GRAPH", "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/"
OPTIMIZER = re.compile(r"(^|/)_?optimizer/|^save_counter|^keras_api/metrics/")
AGAIN = "_all_variables/"  # where Keras's export keeps a second copy of each variable


def read_saved_model(folder: Path) -> ModelFile:
    """The variables of a SavedModel, and Keras's configuration if it is there.

    Raises:
        RefusalError: a part is missing or damaged.
    """
    index = folder / "variables" / "variables.index"
    if not index.is_file():
        raise RefusalError(f"{folder} has no variables/variables.index: it has no weights, or was copied in part")
    version, graph = _described(folder / "saved_model.pb")
    metadata = folder / "keras_metadata.pb"
    told = _keras(metadata) if metadata.is_file() else Told()
    bundle = read_bundle(index)
    objects = _objects(bundle)
    found, names = _checkpoint(
        folder, "saved-model", written_by=WrittenBy("tensorflow", version), bundle=bundle, objects=objects
    )
    if told.config is None:
        note = Note("its layers as programs are in the graph's functions, which are not read")
        return replace(found, architecture=graph, notes=(*found.notes, note))
    check_acyclic(folder, told.config)
    groups = _by_layer(objects, told.layers, names) or _by_name(found.tensors)
    layers = tuple(
        replace(each, tensors=tuple(groups.get(each.name, ()))) for each in keras_layers(folder, told.config)
    )
    layers, notes = notes_of_layers(folder, layers, tensors=found.tensors, version=told.version, whole=True)
    name, optimizer = optimizer_of((told.settings.get("training_config") or {}).get("optimizer_config"))
    training = found.training
    if training is not None or name:
        training = replace(training or Training(""), optimizer=name, config=optimizer)
    return replace(
        found, written_by=WrittenBy("tf.keras", told.version or version), layers=layers, architecture=told.config,
        training=training, notes=notes,
    )  # fmt: skip


def read_tensorflow_checkpoint(index: Path) -> ModelFile:
    """A checkpoint by its index file.

    Raises:
        RefusalError: it is damaged, or its data is missing.
    """
    bundle = read_bundle(index)
    return _checkpoint(
        index, "tensorflow-checkpoint", written_by=WrittenBy("tensorflow"), bundle=bundle, objects=_objects(bundle)
    )[0]


def _checkpoint(
    path: Path, kind: str, written_by: WrittenBy, bundle: TensorBundle, objects: Sequence[StoredObject]
) -> tuple[ModelFile, dict[str, str]]:
    """A checkpoint's variables, those of the optimizer apart; and what the model's are called, by their keys."""
    full = {each.key: each.name for each in objects if each.key}
    names: dict[str, str] = {}
    tensors: dict[str, Tensor] = {}
    slots: dict[str, Tensor] = {}
    step = None
    for key in sorted(bundle.tensors, key=lambda each: (each.startswith(AGAIN), in_number_order(each))):
        tensor = bundle.tensors[key]
        name = full.get(key) or key.removesuffix(VALUE)
        if key.startswith(AGAIN) and name in tensors:
            continue
        name = name if name not in tensors and name not in slots else key.removesuffix(VALUE)
        is_slot = SLOT in key or OPTIMIZER.search(key) is not None or "seed_generator" in name
        place = slots if is_slot else tensors
        place[name] = Tensor(name, tensor.dtype, shape=tensor.shape, load=tensor.load)
        if not is_slot:
            names[key] = name
        elif tensor.shape == () and tensor.dtype == "int64" and "iter" in f"{key}/{name}":
            step = int(tensor.read())
    layers, notes = notes_of_layers(path, _by_scope(tensors), tensors=tensors, version=None, whole=False)
    training = Training("", config={}, slots=slots, step=step) if slots else None
    return ModelFile(
        path,
        kind,
        written_by=written_by,
        tensors=tensors,
        layers=layers,
        architecture=None,
        training=training,
        notes=notes,
    ), names


def _by_scope(tensors: dict[str, Tensor]) -> tuple[Layer, ...]:
    """The weights by the scope in their names."""
    groups: dict[str, list[str]] = {}
    for name in tensors:
        groups.setdefault(name.rpartition("/")[0], []).append(name)
    return tuple(Layer(scope, "", tuple(names)) for scope, names in groups.items())


def _by_layer(
    objects: Sequence[StoredObject], layers: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, list[str]]:
    """Each layer's weights where the object graph holds them; none if it does not tell.

    Args:
        objects: of the checkpoint.
        layers: by what the root calls them, their names.
        names: of the variables, by their keys.
    """
    groups: dict[str, list[str]] = {}
    for child, number in objects[0].children.items() if objects else ():
        if child in layers:
            groups[layers[child]] = [names[key] for key in keys_of_layer(objects, number) if key in names]
    return groups if any(groups.values()) else {}


def _by_name(tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Each layer's weights by how their names begin."""
    groups: dict[str, list[str]] = {}
    for name in tensors:
        groups.setdefault(name.partition("/")[0], []).append(name)
    return groups


def _objects(bundle: TensorBundle) -> list[StoredObject]:
    """What the checkpoint says of its objects."""
    if OBJECT_GRAPH not in bundle.texts:
        return []
    data = bundle.text(OBJECT_GRAPH)
    return read_objects(Span(data, 0, end=len(data), budget=Budget(bundle.texts[OBJECT_GRAPH].path)))


def _described(path: Path) -> tuple[str | None, Graph]:
    """TensorFlow's version, and the nodes outside of functions."""
    version, graph = None, Graph("", (), inputs=(), outputs=())
    with message_of(path) as message:
        for number, value in message.fields():
            for part, each in value.fields() if number == 2 and isinstance(value, Span) else ():
                if part == 1 and isinstance(each, Span):
                    version = text(dict(each.fields()).get(5, 0)) or version
                elif part == 2 and isinstance(each, Span):
                    graph = graph_of(path, each)
    return version, graph


@dataclass(frozen=True)
class Told:
    """What `keras_metadata.pb` says.

    Attributes:
        config: the model's configuration; None if there is none.
        settings: all that is said of the model.
        version: of Keras.
        layers: by what the root calls them ("layer-1", "layer_with_weights-0"), the layers' names.
    """

    config: dict[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    layers: Mapping[str, str] = field(default_factory=dict)


def _keras(path: Path) -> Told:
    """A list of objects: 2 its number, 3 its place ("root", "root.layer-1"), 5 what Keras says of it, as JSON."""
    told = Told()
    layers: dict[str, str] = {}
    with message_of(path) as message:
        for number, value in message.fields():
            entry = dict(value.fields()) if number == 1 and isinstance(value, Span) else {}
            place, said = text(entry.get(3, 0)), entry.get(5)
            if place.count(".") > 1 or not (place == "root" or place.startswith("root.layer")):
                continue
            data = said.bytes() if isinstance(said, Span) else b"{}"
            own = limits.parse_json(path, "its metadata", data, pairs=_plain)
            if not isinstance(own, dict):
                raise RefusalError(f"{path}: its metadata is {shown(own)}, expected an object")
            if place != "root":
                layers[place.removeprefix("root.")] = str(own.get("name"))
                continue
            config = own.get("model_config") or {key: own.get(key) for key in ("class_name", "config")}
            usable = isinstance(config, dict) and isinstance(config.get("class_name"), str)
            version = own.get("keras_version")
            told = Told(
                config if usable else None, own, version=version if isinstance(version, str) else None, layers=layers
            )
    return told


def _plain(pairs: list[tuple[str, Any]]) -> Any:
    """An object of Keras's metadata, where a tuple and a shape are objects, too."""
    found = dict(pairs)
    if found.get("class_name") in ("__tuple__", "TensorShape") and isinstance(found.get("items"), list):
        return found["items"]
    return found
