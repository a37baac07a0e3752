"""Sentence pairs: a list of them, those of a file, or some of either; read as they are asked for, again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path
from typing import NamedTuple, Protocol

from diptych.data.lines import lines_of
from diptych.errors import DataError

Pair = tuple[str, str]
"""A source sentence and its target."""


class Pairs(Protocol):
    """Sentence pairs of a known number, in order, as often as one likes: a list, or what reads a file each time."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Pair]: ...


@dataclass(frozen=True)
class FilePairs:
    """The sentence pairs of one TSV or of two aligned files; `open` checks the files and makes one.

    Attributes:
        paths: the file, or the source's and the target's.
        count: how many pairs there are; blank lines at the end are none.
    """

    paths: tuple[str | Path, ...]
    count: int

    @classmethod
    def open(cls, paths: Sequence[str | Path]) -> FilePairs:
        """The pairs of these files, which are read once from beginning to end.

        Raises:
            DataError: a file cannot be read, holds no sentence, the two have different lengths, or a side is empty.
        """
        if len(paths) not in (1, 2):
            raise DataError(
                f"sentence pairs come from one TSV or from two aligned files, got {len(paths)} files: {paths}"
            )
        return cls(tuple(paths), _check_columns(paths[0]) if len(paths) == 1 else _check_aligned(*paths))

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Pair]:
        found = zip(*map(lines_of, self.paths)) if len(self.paths) == 2 else map(_columns, lines_of(self.paths[0]))
        return exactly(found, self.count, self.paths[0])


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


def beginning(pairs: Pairs, count: int) -> Pairs:
    """The first `count` pairs, or all if there are no more."""
    return pairs if len(pairs) <= count else Selected(pairs, b"\1" * count)


def exactly(pairs: Iterable[Pair], count: int, path: str | Path) -> Iterator[Pair]:
    """The first `count` of the pairs that come from a file.

    Raises:
        DataError: there are fewer: somebody writes the file.
    """
    missing = count
    for pair in islice(pairs, count):
        missing -= 1
        yield pair
    if missing:
        raise DataError(f"{path} had {count} pairs and now lacks {missing}: it changed while it was read; try again")


def read_pairs(paths: Sequence[str | Path]) -> list[Pair]:
    """Sentence pairs from one TSV (its first two columns) or from two aligned files, plain or gzipped.

    Blank lines at the end of a file are ignored.

    Raises:
        DataError: as `FilePairs.open`.
    """
    return list(FilePairs.open(paths))


class _Count(NamedTuple):
    """What a file holds: lines, the last one that is not blank, and the first blank one (0: none), counted from 1."""

    lines: int
    filled: int
    blank: int


def _check_aligned(*paths: str | Path) -> int:
    """How many pairs two aligned files have."""
    counts = [_count(path) for path in paths]
    for path, count in zip(paths, counts, strict=True):
        _check_filled(path, count.filled)
    pairs = max(count.filled for count in counts)
    if min(count.lines for count in counts) < pairs:
        raise DataError(
            f"{paths[0]} has {counts[0].filled} lines but {paths[1]} has {counts[1].filled} (blank lines at the end "
            f"not counted); line n of the one must be the translation of line n of the other"
        )
    blanks = [(count.blank, side) for side, count in enumerate(counts) if 0 < count.blank <= pairs]
    if blanks:
        number, side = min(blanks)
        raise _empty_side(f"{paths[side]}, line {number}", side)
    return pairs


def _count(path: str | Path) -> _Count:
    number = filled = blank = 0
    for number, line in enumerate(lines_of(path), 1):
        if line and not line.isspace():
            filled = number
        else:
            blank = blank or number
    return _Count(number, filled, blank)


def _check_columns(path: str | Path) -> int:
    """How many pairs a TSV has."""
    filled = without_tab = 0
    empty: tuple[int, int] | None = None
    for number, line in enumerate(lines_of(path), 1):
        if line and not line.isspace():
            filled = number
        if "\t" not in line:
            without_tab = without_tab or number
        elif empty is None:
            empty = next(((number, side) for side, text in enumerate(_columns(line)) if not text.strip()), None)
    _check_filled(path, filled)
    if 0 < without_tab <= filled:
        raise DataError(
            f"{path}, line {without_tab}: no tab, expected source and target with a tab between them; if these are "
            f"the sources of two aligned files, give both files"
        )
    if empty and empty[0] <= filled:
        number, side = empty
        raise _empty_side(f"{path}, line {number}, column {side + 1}", side)
    return filled


def _columns(line: str) -> Pair:
    source, _, rest = line.partition("\t")
    return source, rest.partition("\t")[0]


def _check_filled(path: str | Path, filled: int) -> None:
    if not filled:
        raise DataError(f"{path} holds only blank lines, expected one sentence per line")


def _empty_side(where: str, side: int) -> DataError:
    name = ("source", "target")[side]
    return DataError(f"{where}: the {name} is empty; write its text or remove the pair")
