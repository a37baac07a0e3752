"""A SavedModel folder: saved_model.pb, variables/variables.index and its data, and up to 2.15 keras_metadata.pb.

The layers as programs (functions of the graph) are not read: Keras's configuration is, where there is one, and the
variables with the names that the object graph gives them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.graph import Graph
from diptych.convert.files.keras_archive import in_number_order
from diptych.convert.files.keras_config import check_acyclic, keras_layers, optimizer_of
from diptych.convert.files.keras_notes import notes_of_layers
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, Training, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Budget, Span, message_of, signed, text
from diptych.convert.files.tensor_bundle import TensorBundle, read_bundle
from diptych.convert.files.tensorflow_graph import graph_of
from diptych.errors import RefusalError

OBJECT_GRAPH, VALUE, SLOT = "_CHECKPOINTABLE_OBJECT_GRAPH", "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/"
OPTIMIZER = re.compile(r"(^|/)_?optimizer/|^save_counter")
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
    config, settings, keras_version = _keras(metadata) if metadata.is_file() else (None, {}, None)
    found = _checkpoint(folder, "saved-model", WrittenBy("tensorflow", version), index)
    note = Note("its layers as programs are in the graph's functions, which are not read")
    if config is None:
        return ModelFile(
            folder, found.format, found.written_by, found.tensors, found.layers, graph, found.training,
            (*found.notes, note),
        )  # fmt: skip
    check_acyclic(folder, config)
    named = keras_layers(folder, config)
    groups: dict[str, list[str]] = {}
    for tensor in found.tensors:
        groups.setdefault(tensor.partition("/")[0], []).append(tensor)
    layers = tuple(Layer(each.name, each.kind, tuple(groups.get(each.name, ())), each.config) for each in named)
    layers, notes = notes_of_layers(folder, layers, found.tensors, keras_version, whole=True)
    name, optimizer = optimizer_of((settings.get("training_config") or {}).get("optimizer_config"))
    training = found.training
    if training is not None or name:
        before = training or Training("")
        training = Training(name, optimizer, before.slots, before.step)
    writer = WrittenBy("tf.keras", keras_version or version)
    return ModelFile(folder, found.format, writer, found.tensors, layers, config, training, notes)


def read_tensorflow_checkpoint(index: Path) -> ModelFile:
    """A checkpoint by its index file.

    Raises:
        RefusalError: it is damaged, or its data is missing.
    """
    return _checkpoint(index, "tensorflow-checkpoint", WrittenBy("tensorflow"), index)


def _checkpoint(path: Path, kind: str, written_by: WrittenBy, index: Path) -> ModelFile:
    """A checkpoint's variables, those of the optimizer apart."""
    bundle = read_bundle(index)
    names = _full_names(bundle)
    tensors: dict[str, Tensor] = {}
    slots: dict[str, Tensor] = {}
    step = None
    for key in sorted(bundle.tensors, key=lambda each: (each.startswith(AGAIN), in_number_order(each))):
        tensor = bundle.tensors[key]
        name = names.get(key) or key.removesuffix(VALUE)
        if key.startswith(AGAIN) and name in tensors:
            continue
        name = name if name not in tensors and name not in slots else key.removesuffix(VALUE)
        is_slot = SLOT in key or OPTIMIZER.search(key) is not None or "seed_generator" in name
        place = slots if is_slot else tensors
        place[name] = Tensor(name, tensor.dtype, tensor.shape, tensor.load)
        if is_slot and tensor.shape == () and tensor.dtype == "int64" and "iter" in f"{key}/{name}":
            step = int(tensor.read())
    layers, notes = notes_of_layers(path, _by_scope(tensors), tensors, None, whole=False)
    training = Training("", {}, slots, step) if slots else None
    return ModelFile(path, kind, written_by, tensors, layers, None, training, notes)


def _by_scope(tensors: dict[str, Tensor]) -> tuple[Layer, ...]:
    """The weights by the scope in their names."""
    groups: dict[str, list[str]] = {}
    for name in tensors:
        groups.setdefault(name.rpartition("/")[0], []).append(name)
    return tuple(Layer(scope, "", tuple(names)) for scope, names in groups.items())


def _full_names(bundle: TensorBundle) -> dict[str, str]:
    """What the object graph calls each variable, by its key."""
    if OBJECT_GRAPH not in bundle.texts:
        return {}
    data = bundle.text(OBJECT_GRAPH)
    names: dict[str, str] = {}
    for number, node in Span(data, 0, len(data), Budget(bundle.texts[OBJECT_GRAPH].path)).fields():
        for part, attribute in node.fields() if number == 1 and isinstance(node, Span) else ():
            if part == 2 and isinstance(attribute, Span):
                entry = dict(attribute.fields())
                names[text(entry.get(3, 0))] = text(entry.get(2, 0))
    return names


def _described(path: Path) -> tuple[str | None, Graph]:
    """TensorFlow's version, and the nodes outside of functions."""
    version, graph = None, Graph("", (), (), ())
    with message_of(path) as message:
        for number, value in message.fields():
            for part, each in value.fields() if number == 2 and isinstance(value, Span) else ():
                if part == 1 and isinstance(each, Span):
                    version = text(dict(each.fields()).get(5, 0)) or version
                elif part == 2 and isinstance(each, Span):
                    graph = graph_of(path, each)
    return version, graph


def _keras(path: Path) -> tuple[dict[str, Any] | None, dict[str, Any], str | None]:
    """The model's configuration, all that Keras says of it, and Keras's version."""
    with message_of(path) as message:
        for number, value in message.fields():
            entry = dict(value.fields()) if number == 1 and isinstance(value, Span) else {}
            if text(entry.get(3, 0)) != "root" or signed(entry.get(2, 0)) != 0:
                continue
            said = entry.get(5)
            told = limits.parse_json(path, "its metadata", said.bytes() if isinstance(said, Span) else b"{}")
            if not isinstance(told, dict):
                raise RefusalError(f"{path}: its metadata is {shown(told)}, expected an object")
            config = told.get("model_config") or {key: told.get(key) for key in ("class_name", "config")}
            version = told.get("keras_version")
            usable = isinstance(config, dict) and isinstance(config.get("class_name"), str)
            return config if usable else None, told, version if isinstance(version, str) else None
    return None, {}, None
