"""What a beam ranks its hypotheses by (Wu et al., 2016, equation 14)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.search.stepper import Ids, Reals

LEAST_ATTENTION = float(np.finfo(np.float32).tiny)
"""What a source token that was never looked at counts for: both frameworks take smaller numbers to be 0, whose
logarithm would put every such hypothesis equally far down."""


def penalty(length: Ids, exponent: float) -> npt.NDArray[np.float64]:
    """The length penalty ((5 + length) / 6) ** exponent, eos counted in the length."""
    return np.asarray(((5.0 + length) / 6.0) ** exponent)


def coverage(attention: Sequence[Reals]) -> float:
    """The sum over the S source tokens of log(min(what each was looked at in all T rows together, 1)); at most 0."""
    looked_at = np.asarray(attention, np.float64).sum(axis=0)  # (S,)
    return float(np.log(np.clip(looked_at, LEAST_ATTENTION, 1.0)).sum())
