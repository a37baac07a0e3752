"""Sentence pairs: a list of them, those of files, or some of either; read as they are asked for, again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress, islice, repeat
from pathlib import Path
from typing import Protocol

from diptych.data.faults import Fault
from diptych.errors import DataError

Pair = tuple[str, str]
"""A source sentence and its target."""


class Pairs(Protocol):
    """Sentence pairs of a known number, in order, as often as one likes: a list, or what reads a file each time."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Pair]: ...


@dataclass(frozen=True)
class Selected:
    """Some of these pairs, in their order.

    Attributes:
        pairs: all of them.
        mask: one byte for each of them, 1 where it is selected and 0 where not; what it is too short for is not.
    """

    pairs: Pairs
    mask: bytes

    def __len__(self) -> int:
        return self.mask.count(1)

    def __iter__(self) -> Iterator[Pair]:
        return compress(self.pairs, self.mask)


@dataclass(frozen=True)
class Repeated:
    """Each of these pairs so many times, one after the other.

    Attributes:
        pairs: the pairs.
        copies: one byte for each of them: how many times it comes, at least once.
    """

    pairs: Pairs
    copies: bytes

    def __len__(self) -> int:
        ones = self.copies.count(1)
        return ones if ones == len(self.copies) else sum(self.copies)

    def __iter__(self) -> Iterator[Pair]:
        if len(self) == len(self.copies):
            return iter(self.pairs)
        return chain.from_iterable(map(repeat, self.pairs, self.copies))


@dataclass(frozen=True)
class Joined:
    """The pairs of several texts, one text after the other."""

    parts: tuple[Pairs, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[Pair]:
        return chain.from_iterable(self.parts)


def beginning(pairs: Pairs, count: int) -> Pairs:
    """The first `count` pairs, or all if there are no more."""
    return pairs if len(pairs) <= count else Selected(pairs, b"\1" * count)


def exactly(pairs: Iterable[Pair | Fault], count: int, path: str | Path) -> Iterator[Pair]:
    """The first `count` of the pairs that come from a file.

    Raises:
        DataError: there are fewer, or one of them is none: somebody writes the file.
    """
    missing = count
    for pair in islice(pairs, count):
        if isinstance(pair, Fault):
            raise DataError(f"{path} has lines that were others before: it changed while it was read; try again")
        missing -= 1
        yield pair
    if missing:
        raise DataError(f"{path} had {count} pairs and now lacks {missing}: it changed while it was read; try again")
