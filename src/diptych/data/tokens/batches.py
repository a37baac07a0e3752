"""Batches: sentence pairs of similar length, padded, in an order that follows from (seed, epoch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.encoded import EncodedPairs, Ids, Sequences, encode_pairs
from diptych.data.tokens.vocabulary import BOS, EOS, PAD, UNK
from diptych.errors import DataError
from diptych.randomness import generator

__all__ = [
    "BOS", "EOS", "PAD", "UNK", "Batch", "EncodedPairs", "Ids", "Sequences", "batch_ends", "collate", "encode_pairs",
    "padded_length", "source_batch", "target_length_counts", "training_batches", "validation_batches",
]  # fmt: skip

BatchBy = Literal["sentences", "tokens"]
Counts = npt.NDArray[np.int64]

BLOCK = 1 << 18
"""How many pairs are looked at together when all are put in order."""


@dataclass(frozen=True)
class Batch:
    """B padded sentence pairs, int32, right-padded with 0; lengths count real tokens.

    Attributes:
        source: (B, S) source tokens; nothing is added to them.
        source_lengths: (B,) 1 <= length <= S.
        target_input: (B, T) bos, then the target's tokens: what the decoder reads.
        target_output: (B, T) the target's tokens, then eos: what it should say.
        target_lengths: (B,) real positions of the target, eos counted.
        rows: (B,) which pairs of the corpus these are.
    """

    source: Ids
    source_lengths: Ids
    target_input: Ids
    target_output: Ids
    target_lengths: Ids
    rows: Ids

    @property
    def target_tokens(self) -> int:
        """Real target positions in this batch, eos counted: what the loss is averaged over."""
        return int(self.target_lengths.sum())


def padded_length(longest: int) -> int:
    """How wide a batch is whose longest sequence has so many tokens: the one place that decides on padding."""
    return longest


def collate(pairs: EncodedPairs, rows: Ids) -> Batch:
    """The batch of these pairs; `rows` (B,) counts within `pairs`, and B is at least 1."""
    source_lengths = (pairs.sources.offsets[rows + 1] - pairs.sources.offsets[rows]).astype(np.int32)
    target_lengths = (pairs.targets.offsets[rows + 1] - pairs.targets.offsets[rows] + 1).astype(np.int32)
    target_output = pairs.targets.padded(rows, padded_length(int(target_lengths.max())))  # (B, T)
    target_input = np.empty_like(target_output)
    target_input[:, 0] = BOS
    target_input[:, 1:] = target_output[:, :-1]
    target_output[np.arange(len(rows)), target_lengths - 1] = EOS
    batch = Batch(
        source=pairs.sources.padded(rows, padded_length(int(source_lengths.max()))),
        source_lengths=source_lengths,
        target_input=target_input,
        target_output=target_output,
        target_lengths=target_lengths,
        rows=pairs.corpus_rows[rows],
    )
    pairs.release()
    return batch


def training_batches(
    pairs: EncodedPairs, batch_size: int, seed: int, epoch: int, batch_by: BatchBy = "sentences"
) -> list[Ids]:
    """One epoch's batches, as rows for `collate`: every pair once, similar lengths together, batches in random order.

    Targets of one length stand together, because the decoder does most of the work; among them pairs go by the
    source's length, blurred by up to 2 tokens so that a pair meets other pairs in each epoch. A pure function of the
    arguments.

    Args:
        pairs: the corpus.
        batch_size: how many pairs a batch has; or the most target positions, see `batch_ends`.
        seed: training's.
        epoch: from 0.
        batch_by: which of the two `batch_size` is.
    """
    random = generator(seed, "batch order", epoch)
    batches = _cut(pairs, _by_length(pairs, blur=random), batch_size=batch_size, batch_by=batch_by)
    return [batches[place] for place in random.permutation(len(batches))]


def validation_batches(pairs: EncodedPairs, batch_size: int, batch_by: BatchBy = "sentences") -> list[Ids]:
    """Batches from short to long, as rows for `collate`: every pair once; arguments as of `training_batches`."""
    return _cut(pairs, _by_length(pairs), batch_size=batch_size, batch_by=batch_by)


def target_length_counts(pairs: EncodedPairs) -> Counts:
    """(longest + 1,) how many targets have each length, eos not counted."""
    counts = np.zeros(1, np.int64)
    for block in _blocks(pairs):
        more = np.bincount(pairs.targets.lengths_of(block), minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
        pairs.release()
    return counts


def batch_ends(counts: Counts, batch_size: int, batch_by: BatchBy = "sentences") -> list[int]:
    """Where each batch ends, among all pairs in the order of their target's length.

    By sentences every batch but the last has `batch_size` pairs. By tokens a batch has as many pairs as fit: pairs
    times the longest target, eos and so padding counted, is at most `batch_size`, but for a single pair that is longer
    than that. Either way the ends follow from how many targets have each length, and from nothing else: every epoch
    has the same number of batches, whichever pairs are in them.

    Args:
        counts: of each target length, see `target_length_counts`.
        batch_size: pairs, or target positions.
        batch_by: which of the two.
    """
    total = int(counts.sum())
    if batch_by == "sentences":
        return [*range(batch_size, total, batch_size), total] if total else []
    ends: list[int] = []
    begin = done = 0  # of the batch that is being filled; of the lengths before
    for length in np.flatnonzero(counts).tolist():
        fits = max(1, batch_size // padded_length(length + 1))
        if begin + fits < done:  # too many by this width: the shorter ones are a batch by themselves
            ends.append(done)
            begin = done
        done += int(counts[length])
        full = range(begin + fits, done + 1, fits)
        ends += full
        begin = full[-1] if full else begin
    return [*ends, total] if begin < total else ends


def _cut(pairs: EncodedPairs, rows: Ids, batch_size: int, batch_by: BatchBy) -> list[Ids]:
    ends = batch_ends(target_length_counts(pairs), batch_size, batch_by)
    return [rows[start:end] for start, end in pairwise([0, *ends])]


def _blocks(pairs: EncodedPairs) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, len(pairs), BLOCK)]


def _by_length(pairs: EncodedPairs, blur: np.random.Generator | None = None) -> Ids:
    """(N,) all rows, by the target's length and then by the source's, blurred if asked for; equal ones as they come.

    What `np.lexsort((source_lengths, target_lengths))` gives, for 12 bytes a pair: block by block, rows and blurred
    lengths go to where the rows of their target length begin; then those of each target length are sorted.
    """
    counts = target_length_counts(pairs)
    ends = np.cumsum(counts)
    free = ends - counts  # for each target length the place of its next row
    rows, source_lengths = np.empty(len(pairs), np.int32), np.empty(len(pairs))
    for block in _blocks(pairs):
        target_lengths = pairs.targets.lengths_of(block)
        order = np.argsort(target_lengths, kind="stable")
        taken = np.bincount(target_lengths, minlength=len(counts))
        places = (free - np.cumsum(taken) + taken)[target_lengths[order]] + np.arange(len(order))
        free += taken
        noise = 2 * blur.random(len(order)) if blur else 0.0
        rows[places] = block.start + order
        source_lengths[places] = (pairs.sources.lengths_of(block) + noise)[order]
        pairs.release()
    for end, count in zip(ends.tolist(), counts.tolist(), strict=True):
        same = slice(end - count, end)
        rows[same] = rows[same][np.argsort(source_lengths[same], kind="stable")]
    return rows


def source_batch(sequences: Sequence[Sequence[int]]) -> tuple[Ids, Ids]:
    """The sources of B sentences to translate: padded (B, S), and their lengths (B,).

    Raises:
        DataError: there is no sentence, or one of them has no tokens.
    """
    if not sequences or not all(len(sequence) for sequence in sequences):
        raise DataError(
            "a batch needs at least one sentence, and every sentence at least one token: leave empty ones out"
        )
    flat = Sequences.of(sequences)
    rows = np.arange(len(flat), dtype=np.int32)
    return flat.padded(rows, padded_length(int(flat.lengths.max()))), flat.lengths
