"""Sentence pairs as token ids, in memory or in files that are mapped into memory."""

from __future__ import annotations

import hashlib
import mmap
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from diptych.data.pairs import Pairs
from diptych.data.reasons import Reason
from diptych.data.tokens.language import Language
from diptych.data.tokens.vocabulary import PAD
from diptych.errors import DataError

Ids = npt.NDArray[np.int32]
FINGERPRINT_BLOCK = 1 << 20


@dataclass(frozen=True)
class Sequences:
    """N sequences of token ids, end to end in one array.

    Attributes:
        tokens: (all tokens,) int32.
        offsets: (N + 1,) int64; sequence n is `tokens[offsets[n]:offsets[n + 1]]`.
    """

    tokens: Ids
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> Sequences:
        """These sequences, end to end."""
        tokens, offsets = array("i"), array("q", [0])
        for sequence in sequences:
            tokens.extend(sequence)
            offsets.append(len(tokens))
        return cls(np.array(tokens, np.int32), np.array(offsets, np.int64))

    @property
    def lengths(self) -> Ids:
        """(N,) the number of tokens in each sequence."""
        return self.lengths_of(slice(0, len(self)))

    def lengths_of(self, rows: slice) -> Ids:
        """The number of tokens in each of the sequences from `rows.start` to before `rows.stop`, or to the end."""
        offsets = self.offsets[rows.start : rows.stop + 1]
        return np.diff(offsets).astype(np.int32)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Ids:
        if not 0 <= row < len(self):
            raise IndexError(f"sequence {row} of {len(self)}")
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]

    def padded(self, rows: Ids, width: int) -> Ids:
        """(B, width) the sequences of these rows, right-padded; `width` is at least the longest one's length."""
        starts = self.offsets[rows, None]
        lengths = self.offsets[rows + 1, None] - starts
        positions = np.arange(width)
        gathered = self.tokens.take(starts + positions, mode="clip")  # (B, width), running on into what follows
        return np.where(positions < lengths, gathered, np.int32(PAD))


@dataclass(frozen=True)
class EncodedPairs:
    """N sentence pairs as token ids, neither bos nor eos among them.

    Attributes:
        sources: N sequences, none empty.
        targets: N sequences, none empty.
        corpus_rows: (N,) where each pair stands in the corpus, increasing.
        left_out: how many of the corpus's pairs were not taken.
        maps: the files that these arrays are views of; none if they are in memory.
    """

    sources: Sequences
    targets: Sequences
    corpus_rows: Ids
    left_out: int = 0
    maps: tuple[mmap.mmap, ...] = ()

    def __len__(self) -> int:
        return len(self.sources)

    def release(self) -> None:
        """Give the pages of mapped files that have been read back to the system; they come again when they are read.

        They stay in the system's cache as long as nobody else needs the room. Without this, the memory of a process
        would grow with every page that it has ever looked at, until it holds the whole corpus.
        """
        for pages in self.maps:
            if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
                pages.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Encoder:
    """What turns the two sides of a pair into token ids.

    Attributes:
        source, target: how a line of either side becomes tokens, and their ids.
        maximum_length: a pair with more tokens than this on either side is left out (0: none is).
        minimum_length: one with fewer tokens is left out, too.
        maximum_ratio: and one whose longer side has more than so many times the shorter one's tokens (0: none is).
    """

    source: Language
    target: Language
    maximum_length: int = 0
    minimum_length: int = 1
    maximum_ratio: float = 0.0

    def encode(
        self, pairs: Pairs, verdicts: bytearray | None = None, first: int = 0
    ) -> Iterator[tuple[int, list[int], list[int]]]:
        """The row, the source's and the target's token ids of each pair that is not left out.

        Args:
            pairs: what to encode.
            verdicts: gets a byte for each row that is looked at, 0 or the `Reason` why it is left out. A caller that
                goes on from an earlier call gives what that one has filled.
            first: the row to begin with.

        Raises:
            DataError: a pair has a side without tokens, or every pair is left out.
        """
        split_source, split_target = self.source.tokenizer.tokenize, self.target.tokenizer.tokenize
        verdicts = bytearray() if verdicts is None else verdicts
        row = first - 1
        for row, (source_text, target_text) in enumerate(islice(pairs, first, None), first):
            read, said = split_source(source_text), split_target(target_text)
            source, target = self.source.encode(read), self.target.encode(said, read)
            if not source or not target:
                raise DataError(
                    f"pair {row + 1} of {len(pairs)} has an empty {'target' if source else 'source'}: remove it"
                )
            verdict = self._judge(len(source), len(target))
            verdicts.append(verdict)
            if not verdict:
                yield row, source, target
        if row >= 0 and not verdicts.count(0):
            counts = {reason: verdicts.count(reason) for reason in Reason if reason in verdicts}
            raise DataError(self._nothing_left(row + 1, counts))

    def _judge(self, source: int, target: int) -> int:
        """Why a pair with so many tokens on its sides is left out, or 0."""
        shorter, longer = (source, target) if source < target else (target, source)
        if self.maximum_length and longer > self.maximum_length:
            return Reason.LONG
        if shorter < self.minimum_length:
            return Reason.SHORT
        if self.maximum_ratio and longer > self.maximum_ratio * shorter:
            return Reason.RATIO
        return 0

    def _nothing_left(self, rows: int, counts: dict[Reason, int]) -> str:
        if set(counts) == {Reason.LONG}:
            limit = self.maximum_length
            return f"each of the {rows} pairs has a side of more than maximum_length = {limit} tokens; raise it"
        options = {
            Reason.LONG: f"maximum_length = {self.maximum_length}",
            Reason.SHORT: f"minimum_length = {self.minimum_length}",
            Reason.RATIO: f"maximum_ratio = {self.maximum_ratio:g}",
        }
        reasons = ", ".join(f"{count:,} by {options[reason]}" for reason, count in counts.items())
        return f"each of the {rows} pairs is left out ({reasons}): change these options"


def encode_pairs(pairs: Pairs, source: Language, target: Language, maximum_length: int = 0) -> EncodedPairs:
    """The token ids of these pairs, without those that have more than `maximum_length` tokens on a side (0: all).

    Raises:
        DataError: a pair has a side without tokens, or every pair is too long.
    """
    encoded = list(Encoder(source, target, maximum_length).encode(pairs))
    rows = np.array([row for row, _, _ in encoded], np.int32)
    sources, targets = Sequences.of(ids for _, ids, _ in encoded), Sequences.of(ids for _, _, ids in encoded)
    return EncodedPairs(sources, targets, rows, left_out=len(pairs) - len(rows))


def fingerprint(pairs: EncodedPairs) -> str:
    """Twelve hexadecimal digits that name these token ids: the same ids, the same digits."""
    digest = hashlib.sha256()
    for side in (pairs.sources, pairs.targets):
        for values in (side.offsets, side.tokens):
            for start in range(0, len(values), FINGERPRINT_BLOCK):
                digest.update(values[start : start + FINGERPRINT_BLOCK].data)
                pairs.release()
    return digest.hexdigest()[:12]
