"""Batches: sentence pairs of similar length, padded, in an order that follows from (seed, epoch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PAD, BOS, EOS, UNK = 0, 1, 2, 3
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
