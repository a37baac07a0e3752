"""Batches: sentence pairs of similar length, padded, in an order that follows from (seed, epoch)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.data.corpus import Pair
from diptych.data.tokenizers import Tokenizer
from diptych.data.vocabulary import BOS, EOS, PAD, UNK, Vocabulary
from diptych.errors import DataError
from diptych.randomness import generator

__all__ = [
    "BOS", "EOS", "PAD", "UNK", "Batch", "EncodedPairs", "Ids", "Sequences", "collate", "encode_pairs",
    "padded_length", "source_batch", "training_batches", "validation_batches",
]  # fmt: skip

Ids = npt.NDArray[np.int32]


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
        return np.diff(self.offsets).astype(np.int32)

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
        left_out: how many of the corpus's pairs were too long.
    """

    sources: Sequences
    targets: Sequences
    corpus_rows: Ids
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.sources)


def encode_pairs(
    pairs: Sequence[Pair],
    source_tokenizer: Tokenizer,
    source_vocabulary: Vocabulary,
    target_tokenizer: Tokenizer,
    target_vocabulary: Vocabulary,
    maximum_length: int = 0,
) -> EncodedPairs:
    """The token ids of these pairs, without those that have more than `maximum_length` tokens on a side (0: all).

    Raises:
        DataError: a pair has a side without tokens, or every pair is too long.
    """
    sources: list[list[int]] = []
    targets: list[list[int]] = []
    kept: list[int] = []
    for row, (source_text, target_text) in enumerate(pairs):
        source = source_vocabulary.encode(source_tokenizer.tokenize(source_text))
        target = target_vocabulary.encode(target_tokenizer.tokenize(target_text))
        if not source or not target:
            raise DataError(
                f"pair {row + 1} of {len(pairs)} has an empty {'target' if source else 'source'}: remove it"
            )
        if not maximum_length or max(len(source), len(target)) <= maximum_length:
            sources.append(source)
            targets.append(target)
            kept.append(row)
    if pairs and not kept:
        raise DataError(
            f"each of the {len(pairs)} pairs has a side of more than maximum_length = {maximum_length} tokens; raise it"
        )
    rows = np.array(kept, np.int32)
    return EncodedPairs(Sequences.of(sources), Sequences.of(targets), rows, left_out=len(pairs) - len(kept))


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
    return Batch(
        source=pairs.sources.padded(rows, padded_length(int(source_lengths.max()))),
        source_lengths=source_lengths,
        target_input=target_input,
        target_output=target_output,
        target_lengths=target_lengths,
        rows=pairs.corpus_rows[rows],
    )


def training_batches(pairs: EncodedPairs, batch_size: int, seed: int, epoch: int) -> list[Ids]:
    """One epoch's batches, as rows for `collate`: every pair once, similar lengths together, batches in random order.

    Targets of one length stand together, because the decoder does most of the work; among them pairs go by the
    source's length, blurred by up to 2 tokens so that a pair meets other pairs in each epoch. A pure function of the
    arguments.
    """
    random = generator(seed, "batch order", epoch)
    source_lengths = pairs.sources.lengths + 2 * random.random(len(pairs))
    batches = _cut(np.lexsort((source_lengths, pairs.targets.lengths)), batch_size)
    return [batches[place] for place in random.permutation(len(batches))]


def validation_batches(pairs: EncodedPairs, batch_size: int) -> list[Ids]:
    """Batches from short to long, as rows for `collate`: every pair once."""
    return _cut(np.lexsort((pairs.sources.lengths, pairs.targets.lengths)), batch_size)


def _cut(order: npt.NDArray[np.intp], batch_size: int) -> list[Ids]:
    rows = order.astype(np.int32)
    return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]


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
