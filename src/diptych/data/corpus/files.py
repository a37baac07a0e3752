"""The sentence pairs of one table or of two aligned files, and what became of every line of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.corpus.filters import Filter, is_invisible, pair_digest, repeated, row_is_invisible
from diptych.data.corpus.layout import USUAL, Layout
from diptych.data.corpus.lines import tolerant_lines_of
from diptych.data.corpus.tables import Numbered, Row, rows_of
from diptych.data.faults import Fault
from diptych.data.pairs import Pair, exactly
from diptych.data.reasons import Reason
from diptych.errors import DataError

Watch = Callable[[Iterable[Numbered], str], Iterable[Numbered]]
"""Hands rows on, and says how far it is; the text says what is done with them."""
UNLISTED = bytes([0, Reason.LIMIT, Reason.WEIGHT, Reason.TAKEN])
"""Verdicts that nobody needs to see line by line."""


class Drop(NamedTuple):
    """A row that was left out, and what is wrong with it where it holds no pair."""

    path: str
    line: int
    reason: Reason
    text: str
    detail: str = ""


@dataclass(frozen=True)
class FilePairs:
    """The pairs of one table or of two aligned files; `open` checks the files and makes one.

    Attributes:
        paths: the file, or the source's and the target's.
        verdicts: one byte for each row of the file, 0 where it is a pair, else the `Reason` why it is not; blank rows
            at the end are none.
        layout: how a file holds its pairs.
        digests: 8 bytes for each pair, if `open` was asked for them, else none.
    """

    paths: tuple[str | Path, ...]
    verdicts: bytes
    layout: Layout = USUAL
    digests: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def open(
        cls, paths: Sequence[str | Path], judge: Filter | None = None, compare: str = "none", watch: Watch | None = None
    ) -> FilePairs:
        """The pairs of these files, which are read once from beginning to end.

        Args:
            paths: one table, or two aligned files.
            judge: what is left out; by default nothing, and a bad line is an error.
            compare: make digests of "pairs" or of "sources", or "none".
            watch: is handed the rows, to say how far it is.

        Raises:
            DataError: a file cannot be read or holds only blank lines, aligned files have different lengths, or a
                line is bad and is not to be dropped.
        """
        if len(paths) not in (1, 2):
            raise DataError(
                f"sentence pairs come from one TSV or from two aligned files, got {len(paths)} files: {paths}"
            )
        judge = judge or Filter()
        verdicts, digests = bytearray(), bytearray()
        filled = 0  # rows up to the last one in which there is anything to be seen
        bad: tuple[int, DataError] | None = None  # the first bad line: how many rows there are up to it, and its error
        rows = _rows(paths, judge.layout)
        for number, row in watch(rows, f"reading {Path(paths[0]).name}") if watch else rows:
            verdict = judge.judge(row)
            verdicts.append(verdict)
            if not isinstance(verdict, Reason):
                filled = len(verdicts)
                if compare != "none" and not isinstance(row, Fault):
                    digests += pair_digest(row, compare)
                continue
            if verdict not in (Reason.EMPTY, Reason.NO_COLUMN) or not row_is_invisible(row):
                filled = len(verdicts)
            if verdict.is_bad_line and not judge.drop_bad_lines and bad is None:
                bad = len(verdicts), _error(paths, judge.layout, number=number, row=row)
                if verdict in (Reason.NOT_UTF8, Reason.NUL):
                    raise bad[1]
        del verdicts[filled:]
        pairs = cls(tuple(paths), bytes(verdicts), judge.layout, bytes(digests))
        if not len(pairs):
            _check_visible(paths, judge.layout.encoding)
        if bad and bad[0] <= filled:
            raise bad[1]
        return pairs

    def __len__(self) -> int:
        return self.verdicts.count(0)

    def __iter__(self) -> Iterator[Pair]:
        rows = (row for _, row in _rows(self.paths, self.layout))
        wanted = compress(rows, map((0).__eq__, self.verdicts)) if any(self.verdicts) else rows
        return exactly(wanted, len(self), self.paths[0])

    def judged(self, verdicts: npt.NDArray[np.uint8]) -> FilePairs:
        """With these verdicts, as many as there are pairs, on what are pairs now."""
        all_verdicts = np.frombuffer(self.verdicts, np.uint8).copy()
        all_verdicts[all_verdicts == 0] = verdicts
        return replace(self, verdicts=all_verdicts.tobytes(), digests=b"")

    def counts(self) -> dict[Reason, int]:
        """How many rows were left out, by reason."""
        counts = {reason: self.verdicts.count(reason) for reason in Reason if reason is not Reason.TAKEN}
        return {reason: count for reason, count in counts.items() if count}

    def drops(self) -> Iterator[Drop]:
        """Every row that was left out, but for those beyond a limit or not drawn; the files are read once more."""
        if not self.verdicts.translate(None, UNLISTED):
            return
        for (number, row), verdict in zip(_rows(self.paths, self.layout), self.verdicts):
            if verdict not in UNLISTED:
                side = row.side if isinstance(row, Fault) else 0
                text, detail = (row.text, row.detail) if isinstance(row, Fault) else ("\t".join(row), "")
                yield Drop(str(self.paths[side]), line=number, reason=Reason(verdict), text=text, detail=detail)


def without_repetition(texts: Sequence[FilePairs]) -> list[FilePairs]:
    """These texts, opened with digests, without pairs that came before in the same text or in one before it."""
    again = repeated(b"".join(text.digests for text in texts))
    ends = np.cumsum([len(text) for text in texts])
    parts: list[npt.NDArray[np.bool_]] = np.split(again, ends[:-1])
    return [text.judged(part * np.uint8(Reason.DUPLICATE)) for text, part in zip(texts, parts, strict=True)]


def _rows(paths: Sequence[str | Path], layout: Layout) -> Iterator[Numbered]:
    if len(paths) == 2 and (layout.tags or len(layout.sources) > 1):
        raise DataError(
            f"{paths[0]} and {paths[1]} are two aligned files, which have no columns: make one table of them for "
            f"data.source_tags, or for a source of several columns"
        )
    rows = _aligned(paths, layout.encoding) if len(paths) == 2 else rows_of(paths[0], layout)
    return _without(rows, layout) if layout.source_remove or layout.target_remove else rows


def _without(rows: Iterator[Numbered], layout: Layout) -> Iterator[Numbered]:
    """The rows without what is to be taken out of each side, and without white space at the ends of what is left."""
    patterns = [re.compile(each) if each else None for each in (layout.source_remove, layout.target_remove)]
    for number, row in rows:
        if isinstance(row, Fault):
            yield number, row
            continue
        text = layout.untagged(row[0])
        source, target = (
            pattern.sub("", side).strip() if pattern else side
            for pattern, side in zip(patterns, (text, row[1]), strict=True)
        )
        yield number, (row[0].removesuffix(text) + source, target)


def _aligned(paths: Sequence[str | Path], encoding: str) -> Iterator[Numbered]:
    """Line by line of both files; blank lines that only one of them has at its end are left out.

    Raises:
        DataError: a file cannot be read, or has more lines than the other.
    """
    as_long = True
    for number, (source, target) in enumerate(zip_longest(*(tolerant_lines_of(path, encoding) for path in paths)), 1):
        if isinstance(source, str) and isinstance(target, str):
            yield number, (source, target)
            continue
        if isinstance(source, Fault):
            yield number, source
        elif isinstance(target, Fault):
            yield number, replace(target, side=1)
        if source is None or target is None:
            rest = target if source is None else source
            as_long = as_long and isinstance(rest, str) and is_invisible(rest)
    if not as_long:
        counts = [_visible(path, encoding) for path in paths]
        raise DataError(
            f"{paths[0]} has {counts[0]} lines but {paths[1]} has {counts[1]} (blank lines at the end not counted); "
            f"line n of the one must be the translation of line n of the other"
        )


def _visible(path: str | Path, encoding: str) -> int:
    """How many lines a file has, blank ones at its end not counted."""
    filled = 0
    for number, line in enumerate(tolerant_lines_of(path, encoding), 1):
        if isinstance(line, Fault) or not is_invisible(line):
            filled = number
    return filled


def _check_visible(paths: Sequence[str | Path], encoding: str) -> None:
    for path in paths:
        if not _visible(path, encoding):
            raise DataError(f"{path} holds only blank lines, expected one sentence per line")


def _error(paths: Sequence[str | Path], layout: Layout, number: int, row: Row) -> DataError:
    """What is wrong with a bad line."""
    if isinstance(row, Fault):
        return row.error(paths[row.side], number)
    side = 0 if is_invisible(row[0]) else 1
    name = ("source", "target")[side]
    named = (" and ".join(layout.sources), layout.target)[side]
    column = "" if len(paths) == 2 else f", column {named or side + 1}"
    where = f"{paths[side if len(paths) == 2 else 0]}, line {number}{column}"
    return DataError(f"{where}: the {name} is empty; write its text or remove the pair")
