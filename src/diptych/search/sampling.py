"""Sampling: each token drawn from the model's distribution at a temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.errors import ConfigError
from diptych.randomness import generator
from diptych.search.greedy import walk
from diptych.search.hypothesis import Hypothesis
from diptych.search.stepper import FIRST_CHOICE, Ids, Reals, Rows, Stepper


def sample(
    stepper: Stepper,
    source: Ids,
    source_lengths: Ids,
    maximum_lengths: Ids,
    temperature: float,
    seed: int,
    rows: Sequence[int],
) -> list[Hypothesis]:
    """Draw every token from softmax(log-probabilities / temperature), without pad and bos.

    The largest of log-probability / temperature + Gumbel noise is taken, in float64: a fair draw, and two panels take
    different tokens only where the two largest sums are closer than the panels are to each other. The noise follows
    from the seed, the sentence's own row and the step alone, so the batch a sentence is in does not change its sample.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        maximum_lengths: (B,) the most tokens each translation may have, eos counted.
        temperature: above 0; near 0 it is greedy search, 1 the model's own distribution.
        seed: of the noise.
        rows: (B,) a number for each sentence, its own whatever the batch: its row in the text, say.

    Returns:
        One hypothesis per sentence, in order; log-probabilities are the model's own, those of temperature 1.

    Raises:
        ConfigError: the temperature is not above 0, the arrays do not fit together, or a maximum length is below 1.
        CheckpointError: the model's log-probabilities are no numbers.
    """
    if not 0.0 < temperature < math.inf:
        raise ConfigError(f"a sampling temperature is a number above 0, got {temperature}; use greedy search for 0")
    if len(rows) != len(source):
        raise ConfigError(f"sampling takes one row number per sentence: got {len(rows)} for {len(source)} sentences")

    def draw(table: Reals, sentences: Rows, step: int) -> Rows:
        choices = table[:, FIRST_CHOICE:].astype(np.float64)
        choices -= choices.max(axis=1, keepdims=True)  # so that the best one stays finite at any temperature
        with np.errstate(over="ignore"):
            choices /= temperature
        for choice, sentence in zip(choices, sentences, strict=True):
            choice += gumbel_noise(seed, int(rows[sentence]), step, len(choice))
        best: Rows = choices.argmax(axis=1)
        return best + FIRST_CHOICE

    return walk(stepper, source, source_lengths, maximum_lengths, draw)


def gumbel_noise(seed: int, row: int, step: int, count: int) -> npt.NDArray[np.float64]:
    """What one sentence's sampling adds at one step: (count,) for the ids from `FIRST_CHOICE` on."""
    noise: npt.NDArray[np.float64] = -np.log(generator(seed, "sampling", row, step).standard_exponential(count))
    return noise
