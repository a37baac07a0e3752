"""A hypothesis: one translation that a search found, as token ids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.vocabulary import EOS
from diptych.search.stepper import Reals


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One translation of one sentence, T tokens long.

    Attributes:
        tokens: (T,) ids; the last one is eos, unless the search reached the maximum length before.
        log_probability: the sum of `token_log_probabilities`.
        token_log_probabilities: (T,) the model's own log-probability of each token.
        attention: (T, S) float32 where each token looked, S the sentence's own length; zeros without attention.
        score: what the search ranks by: the log-probability, in a beam with the length and the coverage penalty.
    """

    tokens: tuple[int, ...]
    log_probability: float
    token_log_probabilities: tuple[float, ...]
    attention: npt.NDArray[np.float32]
    score: float

    @property
    def ended(self) -> bool:
        """Whether the model said eos; if not, the maximum length cut the hypothesis off."""
        return self.tokens[-1] == EOS


def make_hypothesis(
    tokens: Sequence[int],
    token_log_probabilities: Sequence[float],
    attention: Sequence[Reals],
    source_length: int,
    length_penalty: float = 1.0,
    coverage_penalty: float = 0.0,
) -> Hypothesis:
    """A hypothesis of T tokens from their T log-probabilities and T rows of attention, padded to any length.

    Its score is the log-probability divided by the length penalty, plus the coverage penalty, which is at most 0.
    """
    log_probability = math.fsum(token_log_probabilities)
    return Hypothesis(
        tokens=tuple(tokens),
        log_probability=log_probability,
        token_log_probabilities=tuple(token_log_probabilities),
        attention=np.array([row[:source_length] for row in attention], np.float32),
        score=log_probability / length_penalty + coverage_penalty,
    )
