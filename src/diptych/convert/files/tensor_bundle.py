"""TensorFlow's checkpoint: NAME.index says of each variable where its bytes lie in NAME.data-00000-of-00001.

The index is a table of LevelDB's kind: blocks of sorted entries, each key cut short by what it shares with the one
before; a block of handles to the others; a footer. TensorFlow writes it without compression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diptych.convert.files import limits
from diptych.convert.files.model_file import Tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.protobuf import Budget, Span, signed
from diptych.convert.files.stored_bytes import SIZES, StoredBytes, number_bytes
from diptych.convert.files.tensorflow_tensor import TYPES, read_shape
from diptych.errors import RefusalError

MAGIC, FOOTER = (0xDB4775248B80FB57).to_bytes(8, "little"), 48


@dataclass(frozen=True)
class TensorBundle:
    """A checkpoint's variables.

    Attributes:
        tensors: by key, those that hold numbers.
        texts: by key, where those lie that hold texts.
    """

    tensors: dict[str, Tensor]
    texts: dict[str, StoredBytes]

    def text(self, key: str) -> bytes:
        """A single text: its length, a checksum of four bytes, then itself.

        Raises:
            RefusalError: it is too long.
        """
        stored = self.texts[key]
        data = stored.read(0, min(stored.size, limits.HEADER), key)
        length, at = _varint(stored.path, data, 0)
        return data[at + 4 : at + 4 + length]


def read_bundle(index: Path) -> TensorBundle:
    """The variables of a checkpoint by its index.

    Raises:
        RefusalError: the index is damaged, or the bytes are not there.
    """
    tensors: dict[str, Tensor] = {}
    texts: dict[str, StoredBytes] = {}
    prefix = index.name.removesuffix(".index")
    shards, big = 1, False
    opened: dict[int, StoredBytes] = {}
    for key, value in _entries(index):
        entry = dict(Span(value, 0, end=len(value), budget=Budget(index)).fields())
        if not key:
            shards, big = signed(entry.get(1, 1)), signed(entry.get(2, 0)) == 1
            continue
        name, shape_field = key.decode("utf-8", "replace"), entry.get(2)
        shape = read_shape(shape_field) if isinstance(shape_field, Span) else ()
        sizes = tuple(size if isinstance(size, int) else -1 for size in shape or ())
        dtype = TYPES.get(signed(entry.get(1, 0)), f"type {signed(entry.get(1, 0))}")
        shard, offset, size = (signed(entry.get(number, 0)) for number in (3, 4, 5))
        if not 0 <= shard < shards or 7 in entry:
            raise RefusalError(f"{index}: {shown(name)} lies in part {shard} of {shards}, or is cut into slices")
        if shard not in opened:
            opened[shard] = _shard(index.with_name(f"{prefix}.data-{shard:05d}-of-{shards:05d}"))
        place = opened[shard]
        if dtype not in SIZES:
            if not 0 <= offset <= offset + size <= place.size:
                raise RefusalError(f"{place.path} was cut short: {shown(name)} should lie at {offset:,}")
            texts[name] = StoredBytes(place.path, offset, size)
            continue
        if size != number_bytes(index, name, dtype=dtype, shape=sizes):
            raise RefusalError(f"{index}: {shown(name)} of shape {sizes}, {dtype}, has {size:,} bytes")
        tensors[name] = place.tensor(name, dtype, shape=sizes, offset=offset, big=big)
        limits.check_count(index, len(tensors))
    return TensorBundle(tensors, texts)


def is_index(path: Path) -> bool:
    """Whether a file ends as such a table does."""
    whole = StoredBytes.of_file(path)
    return whole.size >= FOOTER and whole.read(whole.size - 8, 8) == MAGIC


def _shard(path: Path) -> StoredBytes:
    if not path.is_file():
        raise RefusalError(f"{path} is missing: the index names it; copy it too")
    return StoredBytes.of_file(path)


def _entries(index: Path) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value of the table."""
    whole = StoredBytes.of_file(index)
    if whole.size > limits.HEADER or not is_index(index):
        raise RefusalError(f"{index} is no index of a checkpoint, or was cut short")
    data = whole.read(0, whole.size)
    at = len(data) - FOOTER
    for _ in range(2):  # the handle of the block of metadata
        _, at = _varint(index, data, at)
    budget = limits.HEADER  # of keys, which repeat one another's beginnings
    for _, handle in _block(index, data, at):
        for key, value in _block(index, handle, at=0, data=data):
            budget -= len(key)
            if budget < 0:
                raise RefusalError(f"{index} has more names than a model")
            yield key, value


def _block(index: Path, handle: bytes, at: int, data: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
    """The entries of the block that a handle names: where it begins and how long it is."""
    data = handle if data is None else data
    start, at = _varint(index, handle, at)
    size, at = _varint(index, handle, at)
    end = start + size
    if end + 5 > len(data) or size < 4:
        raise RefusalError(f"{index} names a block at {start:,} that it does not have: it was cut short or altered")
    if data[end] != 0:
        raise RefusalError(f"{index} is compressed, which TensorFlow does not do; save the checkpoint again")
    restarts = int.from_bytes(data[end - 4 : end], "little")
    entries_end = end - 4 - 4 * restarts
    at, key = start, b""
    while at < entries_end:
        shared, at = _varint(index, data, at)
        own, at = _varint(index, data, at)
        length, at = _varint(index, data, at)
        if shared > len(key) or shared + own > limits.NAME or at + own + length > entries_end:
            raise RefusalError(f"{index} has a damaged entry at byte {at:,}")
        key = key[:shared] + data[at : at + own]
        yield key, data[at + own : at + own + length]
        at += own + length


def _varint(path: Path, data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift <= 63:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
    raise RefusalError(f"{path}: a number without an end at byte {at:,}")
