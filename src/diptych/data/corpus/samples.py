"""Some pairs of a corpus, drawn at random."""

from __future__ import annotations

import numpy as np

from diptych.data.pairs import Pair, Pairs
from diptych.randomness import generator


def sample(pairs: Pairs, count: int, seed: int) -> list[tuple[int, Pair]]:
    """`count` different pairs, or all if there are no more, with their rows from 0, in the order of the corpus.

    Each is as likely as any other. They are a pure function of the seed and of how many pairs there are; in memory are
    only those that are drawn.
    """
    drawn = generator(seed, "sample").choice(len(pairs), min(count, len(pairs)), replace=False, shuffle=False)
    wanted = iter(np.sort(drawn).tolist())
    samples: list[tuple[int, Pair]] = []
    row = next(wanted, None)
    for place, pair in enumerate(pairs):
        if row is None:
            break
        if place == row:
            samples.append((row, pair))
            row = next(wanted, None)
    return samples
