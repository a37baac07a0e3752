"""How well two backends translate, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.evaluate import score


def quality(texts: Sequence[str], references: Sequence[str], tokenize: str) -> dict[str, Any]:
    """BLEU, chrF and exact match of translations, each from 0 to 100, and sacreBLEU's signatures.

    Raises:
        DataError: there is nothing to score.
    """
    scores = score(texts, references, tokenize)
    return {
        "bleu": scores.bleu,
        "chrf": scores.chrf,
        "exact_match": scores.exact_match,
        "signatures": scores.signatures,
    }


def agreement(losses: Mapping[str, Sequence[float]], texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """How far two backends are apart: over the loss curves, step by step, and translation by translation.

    Args:
        losses: by backend, the loss of each step.
        texts: by backend, the translations of the same sentences.
    """
    first, second = (np.asarray(curve, np.float64) for curve in losses.values())
    steps = min(first.size, second.size)
    gaps = np.abs(first[:steps] - second[:steps])
    ones, others = texts.values()
    return {
        "largest_loss_gap": float(gaps.max(initial=0.0)),
        "largest_loss_gap_step": int(gaps.argmax()) + 1 if steps else 0,
        "identical_translations": sum(one == other for one, other in zip(ones, others, strict=True)),
        "sentences": len(ones),
    }
