"""Keras 3's own formats: a .keras archive, and the .weights.h5 that it holds or that stands alone.

    config.json, metadata.json      the configuration; the version
    model.weights.h5                layers/CLASS_1/cell/vars/0, ..., optimizer/vars/0, ...

Weights lie under the class's name in snake case, with a number from the second layer of a class on: not under the
layer's own name. Their own names are numbers: 0 kernel, 1 recurrent kernel, 2 bias.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.hdf5_file import Hdf5File, read_hdf5
from diptych.convert.files.keras_config import MODELS, check_acyclic, keras_layers, optimizer_of
from diptych.convert.files.keras_notes import GATES, notes_of_layers
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, Training, WrittenBy
from diptych.convert.files.printable import shown
from diptych.convert.files.zip_archive import ZipArchive
from diptych.errors import RefusalError

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"


def is_keras_3_layout(file: Hdf5File) -> bool:
    """Whether an HDF5 file has its weights under .../vars/NUMBER."""
    return any("/vars/" in f"/{name}" for name in file.arrays)


def read_keras_archive(path: Path, archive: ZipArchive) -> ModelFile:
    """A .keras file.

    Raises:
        RefusalError: a part is missing or damaged.
    """
    config = _object(path, archive, CONFIG)
    version = _object(path, archive, METADATA).get("keras_version")
    version = version if isinstance(version, str) else None
    if WEIGHTS not in archive:
        held = ", ".join(map(shown, archive.names[:5]))
        raise RefusalError(f"{path} has no {WEIGHTS} (it has {held}): save it with weights in HDF5, in one piece")
    file = read_hdf5(archive.member(WEIGHTS))
    check_acyclic(path, config)
    placed = dict(_placed(path, keras_layers(path, config)))
    tensors, slots = _split(file)
    groups: dict[str, list[str]] = {}
    for name in tensors:
        groups.setdefault(_place(name, placed), []).append(name)
    layers = tuple(
        replace(layer, tensors=in_keras_order(groups.pop(place, []), layer.config)) for place, layer in placed.items()
    )
    if not layers:  # a model of the user's own class, which tells of no layers
        layers, groups = _by_place(file, tensors), {}
    compiled = config.get("compile_config")
    optimizer, settings = optimizer_of(compiled.get("optimizer") if isinstance(compiled, dict) else None)
    layers, notes = notes_of_layers(path, layers, tensors=tensors, version=version, whole=True)
    left = [name for names in groups.values() for name in names]
    left_over = tuple(Note(f"no layer of the configuration has {shown(name)}") for name in left[: limits.NOTES])
    written_by = WrittenBy("keras", version)
    training = _training(optimizer, settings, slots) if optimizer or slots else None
    return ModelFile(
        path,
        "keras",
        written_by=written_by,
        tensors=tensors,
        layers=layers,
        architecture=config,
        training=training,
        notes=(*notes, *left_over),
    )


def read_keras_weights(path: Path, file: Hdf5File) -> ModelFile:
    """A .weights.h5 file, which has neither configuration nor version."""
    tensors, slots = _split(file)
    found, notes = notes_of_layers(path, _by_place(file, tensors), tensors=tensors, version="3.0", whole=False)
    training = _training("", {}, slots) if slots else None
    return ModelFile(
        path,
        "keras-weights",
        written_by=WrittenBy("keras"),
        tensors=tensors,
        layers=found,
        architecture=None,
        training=training,
        notes=notes,
    )


def _split(file: Hdf5File) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The model's weights; and what only training needs: the optimizer's arrays, the generators of dropout."""
    tensors: dict[str, Tensor] = {}
    slots: dict[str, Tensor] = {}
    for name in sorted(file.arrays, key=in_number_order):
        tensor = file.arrays[name]
        place = slots if name.startswith("optimizer/") or "/seed_generator/" in name else tensors
        place[name] = tensor
    return tensors, slots


def in_number_order(name: str) -> str:
    """What to sort names by, for vars/10 to come after vars/9 and not after vars/1."""
    return re.sub(r"\d+", lambda found: found[0].zfill(8), name)


def in_keras_order(names: Sequence[str], config: Mapping[str, Any]) -> tuple[str, ...]:
    """A layer's weights as `get_weights()` has them; the file has what is within a layer in the alphabet's order.

    Forward comes before backward, and cells come as the configuration lists them.
    """
    cells = [f"/cells/{place.rpartition('/')[2]}/" for place in _paths(_cells(config))]

    def rank(name: str) -> tuple[bool, int]:
        return "/backward_layer/" in name, next((n for n, cell in enumerate(cells) if cell in name), 0)

    return tuple(sorted(names, key=rank))


def _cells(config: Any) -> tuple[Layer, ...]:
    """The cells that a layer's configuration lists."""
    if not isinstance(config, Mapping):
        return ()
    listed = config.get("cells")
    if isinstance(listed, list):
        return tuple(Layer("", str(one.get("class_name")), ()) for one in listed if isinstance(one, Mapping))
    return next((found for one in config.values() if (found := _cells(one))), ())


def _by_place(file: Hdf5File, tensors: dict[str, Tensor]) -> tuple[Layer, ...]:
    """The layers by where their weights lie: what is within a cell or a wrapper is the layer's around it."""
    groups: dict[str, list[str]] = {}
    for name in tensors:
        place = re.sub(r"/?vars/\d+$", "", name)
        place = re.sub(r"/(forward_layer|backward_layer|layer)$", "", re.sub(r"/cell$", "", place))
        groups.setdefault(place, []).append(name)
    found = []
    for place, names in groups.items():
        own = file.attributes.get(f"{place}/vars", {}).get("name", place)
        found.append(Layer(str(own), _kind(place, names, tensors), in_keras_order(names, {})))
    return tuple(found)


def _placed(path: Path, layers: tuple[Layer, ...], place: str = "", model: str = "") -> Iterator[tuple[str, Layer]]:
    """Every layer by where its weights lie; those of a model in the model too, with its name before theirs."""
    for layer, own in zip(layers, _paths(layers)):
        layer = replace(layer, name=f"{model}{layer.name}")
        yield f"{place}{own}", layer
        if layer.kind in MODELS:
            inner = keras_layers(path, {"config": layer.config})
            yield from _placed(path, inner, place=f"{place}{own}/", model=f"{layer.name}/")


def _place(name: str, places: Container[str]) -> str:
    """The layer's place in which a weight lies, the innermost one; its own name where there is none."""
    place = name
    while place and place not in places:
        place = place.rpartition("/")[0]
    return place or name


def _paths(layers: tuple[Layer, ...]) -> list[str]:
    """Where each layer's weights lie, within the model that it is in."""
    seen: dict[str, int] = {}
    found = []
    for layer in layers:
        name = re.sub(r"\W+", "", layer.kind)
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
        seen[name] = seen.get(name, -1) + 1
        found.append(f"layers/{name}_{seen[name]}" if seen[name] else f"layers/{name}")
    return found


def _kind(prefix: str, names: list[str], tensors: dict[str, Tensor]) -> str:
    """A layer's class from its place and its shapes."""
    base = re.sub(r"_\d+$", "", prefix.rpartition("/")[2])
    stock = {
        "embedding": "Embedding", "dense": "Dense", "conv1d": "Conv1D", "layer_normalization": "LayerNormalization",
        "batch_normalization": "BatchNormalization", "lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN",
        "bidirectional": "Bidirectional", "time_distributed": "TimeDistributed",
    }.get(base, "")  # fmt: skip
    if stock == "Bidirectional":
        recurrent = next((tensors[name].shape for name in names if name.endswith("/cell/vars/1")), ())
        inner = GATES.get(recurrent[1] // recurrent[0], "") if len(recurrent) == 2 and recurrent[0] else ""
        return f"Bidirectional({inner})" if inner else stock
    return stock


def _training(optimizer: str, settings: dict[str, Any], slots: dict[str, Tensor]) -> Training:
    counter = slots.get("optimizer/vars/0")
    is_counter = counter is not None and counter.shape == () and counter.dtype.startswith(("int", "uint"))
    return Training(
        optimizer,
        config=settings,
        slots=slots,
        step=int(counter.read()) if counter is not None and is_counter else None,
    )


def _object(path: Path, archive: ZipArchive, name: str) -> dict[str, Any]:
    stored = archive.member(name)
    value = limits.parse_json(path, name, stored.read(0, min(stored.size, limits.HEADER + 1), name))
    if not isinstance(value, dict):
        raise RefusalError(f"{path}: {name} is a {type(value).__name__}, expected an object")
    return value
