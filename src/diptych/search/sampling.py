"""Sampling: each token drawn from the model's distribution at a temperature, or from its most probable part."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.errors import ConfigError
from diptych.randomness import generator
from diptych.search.constraints import Constraints
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
    top_k: int = 0,
    top_p: float = 1.0,
    constraints: Constraints | None = None,
) -> list[Hypothesis]:
    """Draw every token from softmax(log-probabilities / temperature), without pad and bos, or from the top of it.

    The largest of log-probability / temperature + Gumbel noise is taken, in float64: a fair draw. Two panels take
    different tokens only where the two largest sums, or two tokens of which one just belongs to the top, are closer
    than the panels are to each other. The noise follows from the seed, the sentence's own row and the step alone, so
    the batch a sentence is in does not change its sample.

    Args:
        stepper: the model.
        source: (B, S) token ids, right-padded.
        source_lengths: (B,) 1 <= length <= S.
        maximum_lengths: (B,) the most tokens each translation may have, eos counted.
        temperature: above 0; near 0 it is greedy search, 1 the model's own distribution.
        seed: of the noise.
        rows: (B,) a number for each sentence, its own whatever the batch: its row in the text, say.
        top_k: draw from so many most probable tokens alone; 0: from all.
        top_p: draw from the fewest most probable tokens alone that have this much probability together (the nucleus:
            Holtzman et al., 2020), after temperature and top_k; 1: from all. Of equally probable ones the lowest id.
        constraints: what translations must keep to.

    Returns:
        One hypothesis per sentence, in order; log-probabilities are the model's own, those of temperature 1.

    Raises:
        ConfigError: the temperature is not above 0, top_k or top_p cannot be, the arrays do not fit together, a maximum
            length is below 1, or the constraints cannot be kept to.
        CheckpointError: the model's log-probabilities are no numbers.
    """
    if not 0.0 < temperature < math.inf:
        raise ConfigError(f"a sampling temperature is a number above 0, got {temperature}; use greedy search for 0")
    if top_k < 0 or not 0.0 < top_p <= 1.0:
        raise ConfigError(f"sampling takes top_k from 0 on and top_p above 0 up to 1; got {top_k} and {top_p}")
    if len(rows) != len(source):
        raise ConfigError(f"sampling takes one row number per sentence: got {len(rows)} for {len(source)} sentences")

    def draw(table: Reals, sentences: Rows, step: int) -> Rows:
        choices = table[:, FIRST_CHOICE:].astype(np.float64)
        choices -= choices.max(axis=1, keepdims=True)  # so that the best one stays finite at any temperature
        with np.errstate(over="ignore"):
            choices /= temperature
        for choice, sentence in zip(choices, sentences, strict=True):
            if top_k or top_p < 1.0:
                keep_top(choice, top_k, top_p)
            choice += gumbel_noise(seed, int(rows[sentence]), step, count=len(choice))
        best: Rows = choices.argmax(axis=1)
        return best + FIRST_CHOICE

    return walk(
        stepper,
        source,
        source_lengths=source_lengths,
        maximum_lengths=maximum_lengths,
        choose=draw,
        constraints=constraints,
    )


def keep_top(choices: npt.NDArray[np.float64], top_k: int, top_p: float) -> None:
    """Put minus infinity, in place, wherever the logits (C,), the largest of them 0, are not at the top."""
    ids = np.arange(len(choices))
    if 0 < top_k < len(ids):
        ids = np.flatnonzero(choices >= np.partition(choices, -top_k)[-top_k])
        ids = ids[np.argsort(-choices[ids], kind="stable")[:top_k]]  # of equals, the lowest id
    if top_p < 1.0:
        weights = np.exp(choices[ids])
        total = weights.sum()
        # What has less than an equal share of the rest is not in the nucleus: only the others need to be sorted.
        ids = ids[weights >= 0.5 * (1.0 - top_p) * total / len(ids)]
        ids = ids[np.argsort(-choices[ids], kind="stable")]
        together = np.exp(choices[ids]).cumsum()
        ids = ids[: 1 + np.searchsorted(together, top_p * total)]
    top = choices[ids]
    choices[:] = -np.inf
    choices[ids] = top


def gumbel_noise(seed: int, row: int, step: int, count: int) -> npt.NDArray[np.float64]:
    """What one sentence's sampling adds at one step: (count,) for the ids from `FIRST_CHOICE` on."""
    noise: npt.NDArray[np.float64] = -np.log(generator(seed, "sampling", row, step).standard_exponential(count))
    return noise
