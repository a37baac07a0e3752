"""Training pairs of what a model, or several together, would say: distillation of sequences (Kim and Rush, 2016)."""

from __future__ import annotations

import numpy as np

from diptych.data.pairs import Pair
from diptych.translation.translation import Said, Translation


def training_pairs(translation: Translation, copies: int) -> list[Pair]:
    """So many pairs of a line and what was said of it; none where nothing was said.

    Each of the n best translations comes as often as its probability, as a share of theirs, asks for: rounded down, and
    what is left goes to the largest remainders. So a model that is trained on the pairs learns the others' doubts, too.

    Args:
        translation: of the line, with the alternatives that count.
        copies: how many pairs.
    """
    said: tuple[Said, ...] = translation.alternatives or (translation,)
    said = tuple(each for each in said if each.text.strip())
    if not said:
        return []
    logarithms = np.array([each.log_probability for each in said])
    shares = np.exp(logarithms - logarithms.max())
    wanted = copies * shares / shares.sum()
    counts = np.floor(wanted).astype(int)
    missing = copies - int(counts.sum())
    counts[np.argsort(counts - wanted, kind="stable")[:missing]] += 1
    return [(translation.source, each.text) for each, count in zip(said, counts, strict=True) for _ in range(count)]
