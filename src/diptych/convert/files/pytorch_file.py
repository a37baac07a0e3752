"""PyTorch's .pt, .pth and .bin files: a state dict, or a checkpoint of several, in a zip archive or the older stream.

NAME/data.pkl, NAME/data/0, NAME/data/1, ..., NAME/version, NAME/byteorder     since PyTorch 1.6
magic number, version, system, value, keys (five pickles), then the numbers    before
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.files import limits
from diptych.convert.files.model_file import ModelFile, Tensor, WrittenBy
from diptych.convert.files.pickle_reader import Storage, StoredTensor, read_pickle
from diptych.convert.files.printable import shown
from diptych.convert.files.state_dict import sort_out
from diptych.convert.files.stored_bytes import SIZES, StoredBytes, to_array
from diptych.convert.files.zip_archive import ZipArchive
from diptych.errors import RefusalError

MAGIC, STREAM_VERSION = 0x1950A86A20F9469CFC6C, 1001

# Finds the bytes of a storage.
Find = Callable[[Storage], StoredBytes]


def read_pytorch_zip(path: Path, archive: ZipArchive) -> ModelFile:
    """A file of PyTorch 1.6 or later.

    Raises:
        RefusalError: it is damaged, a TorchScript program, or holds objects that only running a program restores.
    """
    pickles = [name for name in archive.names if name.rpartition("/")[2] == "data.pkl"]
    root = pickles[0].removesuffix("data.pkl")
    if any(name.startswith((f"{root}code/", f"{root}constants.pkl")) for name in archive.names):
        raise RefusalError(
            f"{path} is a TorchScript or exported program, which would have to be run: save model.state_dict() instead"
        )
    limits.check_count(path, len(archive.names))
    pickled = archive.member(pickles[0])
    order = archive.member(f"{root}byteorder") if f"{root}byteorder" in archive else None
    big = order is not None and order.read(0, min(order.size, 8)) == b"big"
    value = read_pickle(path, pickled.read(0, min(pickled.size, limits.HEADER), "its pickle"))
    return _model(path, value, find=lambda storage: archive.member(f"{root}data/{storage.key}"), big=big)


def read_pytorch_stream(path: Path) -> ModelFile:
    """A file of PyTorch before 1.6.

    Raises:
        RefusalError: it is a pickle of something else, damaged, or holds objects that only running a program restores.
    """
    with path.open("rb") as file:
        magic = read_pickle(path, file)
        if magic != MAGIC:
            raise RefusalError(
                f"{path} is a pickle, and none of PyTorch's: pickles are never loaded; save the weights as "
                f".safetensors or .npz"
            )
        version, system, value, keys = (read_pickle(path, file) for _ in range(4))
        at = file.tell()
    if version != STREAM_VERSION or not isinstance(keys, list) or not isinstance(system, dict):
        raise RefusalError(f"{path} is of PyTorch's old format {shown(version)}; expected {STREAM_VERSION}")
    storages = {storage.key: storage for storage in _storages(value)}
    whole, places = StoredBytes.of_file(path), {}
    for key in keys:
        if key not in storages or key in places:
            raise RefusalError(f"{path} has numbers for {shown(key)}, which none of its tensors uses once")
        count = int.from_bytes(whole.read(at, 8, key), "little")
        size = count * SIZES[storages[key].dtype]
        whole.read(at + 8 + size - 1, 1, key) if size else b""
        places[key] = StoredBytes(path, at + 8, size)
        at += 8 + size
    if missing := storages.keys() - places.keys():
        raise RefusalError(f"{path} lacks the numbers of {shown(sorted(missing)[0])}: it was cut short")
    return _model(path, value, find=lambda storage: places[storage.key], big=system.get("little_endian") is False)


def _model(path: Path, value: Any, find: Find, big: bool) -> ModelFile:
    """The model of an unpickled value."""

    def tensor(name: str, stored: StoredTensor) -> Tensor:
        return _tensor(path, name, stored=stored, place=find(stored.storage), big=big)

    found = sort_out(path, value, tensor)
    return ModelFile(
        path,
        "pytorch",
        written_by=WrittenBy("pytorch"),
        tensors=found.tensors,
        layers=found.layers,
        architecture=None,
        training=found.training,
        notes=found.notes,
    )


def _tensor(path: Path, name: str, stored: StoredTensor, place: StoredBytes, big: bool) -> Tensor:
    """A view of a storage, none of which may lie outside it."""
    storage, shape = stored.storage, stored.shape
    last = stored.offset + sum((size - 1) * stride for size, stride in zip(shape, stored.strides))
    size = int(np.prod(shape, dtype=object))
    if size and (last >= storage.count or storage.count * SIZES[storage.dtype] > place.size):
        raise RefusalError(
            f"{path}: tensor {shown(name)} of shape {shape} reaches beyond its storage of {storage.count:,} numbers "
            f"({place.size:,} bytes): the file was cut short or altered"
        )
    item = SIZES[storage.dtype]
    if size * item > limits.EXPANDED and size > limits.EXPANSION * storage.count:
        raise RefusalError(f"{path}: tensor {shown(name)} repeats {storage.count:,} numbers to {size:,}")

    def load() -> npt.NDArray[Any]:
        if not size:
            return to_array(path, b"", name=name, dtype=storage.dtype, shape=shape, big=big)
        data = place.read(stored.offset * item, (last + 1 - stored.offset) * item, name)
        flat = to_array(path, data, name=name, dtype=storage.dtype, shape=(len(data) // item,), big=big)
        steps = [stride * flat.itemsize for stride in stored.strides]
        return np.array(np.lib.stride_tricks.as_strided(flat, shape, steps, writeable=False), order="C")

    return Tensor(name, storage.dtype, shape=shape, load=load)


def _storages(value: Any) -> list[Storage]:
    """Every storage in a value."""
    waiting, seen, found = [value], set(), []
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Storage | StoredTensor):
            found.append(each if isinstance(each, Storage) else each.storage)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple):
            waiting.extend(each)
    return found
