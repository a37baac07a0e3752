"""Protocol buffers taken apart without their schemas: a message is a run of fields, each a number, a kind and a value.

A `Span` is a stretch of a file that is looked at in place, so a tensor's bytes are skipped, not copied. See
protobuf.dev, "Encoding".
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from diptych.convert.files import limits
from diptych.convert.files.stored_bytes import StoredBytes
from diptych.errors import RefusalError

FIELDS = 500_000  # of a file
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


@dataclass
class Budget:
    """How many fields may still be read of a file."""

    path: Path
    left: int = FIELDS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise RefusalError(f"{self.path} has more than {FIELDS:,} fields; no model has")


@dataclass(frozen=True)
class Span:
    """A stretch of a file, perhaps a message.

    Attributes:
        data: the whole file.
        start: where the stretch begins.
        end: behind its last byte.
        budget: of the whole file.
        depth: in how many messages it lies.
    """

    data: bytes | mmap.mmap
    start: int
    end: int
    budget: Budget = field(repr=False)
    depth: int = 0

    def fields(self) -> Iterator[tuple[int, Value]]:
        """The message's fields in order: number and value.

        Raises:
            RefusalError: it is no message, or messages nest too deep.
        """
        if self.depth > limits.DEPTH:
            raise RefusalError(f"{self.budget.path}: its messages nest more than {limits.DEPTH} deep")
        at = self.start
        while at < self.end:
            self.budget.spend()
            key, at = self._varint(at)
            kind = key & 7
            if kind == VARINT:
                value, at = self._varint(at)
                yield key >> 3, value
            elif kind == LENGTH:
                length, at = self._varint(at)
                if length > self.end - at:
                    raise self._damaged(f"a field of {length:,} bytes where {self.end - at:,} are left")
                yield key >> 3, Span(self.data, at, end=at + length, budget=self.budget, depth=self.depth + 1)
                at += length
            elif kind in (FIXED32, FIXED64):
                length = 4 if kind == FIXED32 else 8
                if length > self.end - at:
                    raise self._damaged("a number that is cut off")
                yield key >> 3, Fixed(self.data[at : at + length])
                at += length
            else:
                raise self._damaged(f"a field of kind {kind}")

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            if at >= self.end or shift > 63:
                raise self._damaged("a number without an end")
            byte = self.data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, at
            shift += 7

    def varints(self) -> Iterator[int]:
        """The numbers of a packed field."""
        at = self.start
        while at < self.end:
            self.budget.spend()
            value, at = self._varint(at)
            yield value

    def bytes(self, limit: int = limits.HEADER) -> bytes:
        """What it holds.

        Raises:
            RefusalError: that is too long for what is not weights.
        """
        if self.end - self.start > limit:
            length = self.end - self.start
            raise RefusalError(f"{self.budget.path}: a text of {length:,} bytes; expected at most {limit:,}")
        return bytes(self.data[self.start : self.end])

    def text(self) -> str:
        """A name: UTF-8, or what comes closest to it."""
        return self.bytes(limits.NAME).decode("utf-8", "replace")

    def stored(self) -> StoredBytes:
        """The stretch as a place in the file."""
        return StoredBytes(self.budget.path, self.start, self.end - self.start)

    def _damaged(self, what: str) -> RefusalError:
        place = f"{self.budget.path}, message at byte {self.start:,}"
        return RefusalError(f"{place}: {what}; it was cut short, or is of another format")


class Fixed(bytes):
    """A number of fixed width: 4 or 8 bytes, which the schema alone calls a float or an integer."""

    def real(self) -> float:
        return float(struct.unpack("<f" if len(self) == 4 else "<d", self)[0])


Value = int | Fixed | Span


@contextmanager
def message_of(path: Path) -> Iterator[Span]:
    """The message that a file is."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield Span(data, 0, end=len(data), budget=Budget(path))


def signed(value: Value) -> int:
    """An int64 from its varint; anything else that stands in its place is 0."""
    number = value if isinstance(value, int) else 0
    return number - (1 << 64) if number >> 63 else number


def text(value: Value) -> str:
    """A name; anything else that stands in its place is ""."""
    return value.text() if isinstance(value, Span) else ""


def integers(value: Value) -> list[int]:
    """One int64, or the packed ones."""
    return [signed(each) for each in value.varints()] if isinstance(value, Span) else [signed(value)]


def floats(value: Value) -> list[float]:
    """One float32, or the packed ones."""
    if isinstance(value, Fixed):
        return [value.real()]
    data = value.bytes() if isinstance(value, Span) else b""
    return list(struct.unpack(f"<{len(data) // 4}f", data[: len(data) // 4 * 4]))
