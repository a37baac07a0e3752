"""Edits that turn a translation into its reference, in characters or words: the error rates' counts."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize

import numpy as np
import numpy.typing as npt


def edits(
    texts: Sequence[str], references: Sequence[str], words: bool = False
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """For each sentence the edits (Levenshtein, 1966), and the reference's length, both (N,).

    A substitution, an insertion and a deletion each cost 1. Characters are code points in normal form C, spaces
    among them, runs of whitespace taken as one and none at the ends. The error rate is the sum of the edits divided
    by the sum of the lengths; it may be above 1.

    Args:
        texts: N translations.
        references: N references; one that is empty has the length 1, so that what is said of it counts.
        words: edit words, not characters.
    """
    from rapidfuzz.distance import Levenshtein  # here, because most of the time nobody asks

    pairs = [(normalize("NFC", one).split(), normalize("NFC", other).split()) for one, other in zip(texts, references)]
    if words:
        counts = [Levenshtein.distance(one, other) for one, other in pairs]
        lengths = [len(other) for _, other in pairs]
    else:
        counts = [Levenshtein.distance(" ".join(one), " ".join(other)) for one, other in pairs]
        lengths = [len(" ".join(other)) for _, other in pairs]
    return np.array(counts, np.float64), np.maximum(np.array(lengths, np.float64), 1.0)
