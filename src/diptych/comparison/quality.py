"""How well two backends translate, how sure that is, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.evaluation.systems import Measured, measure

MEASURED = ("bleu", "chrf", "exact_match")


def quality(texts: Mapping[str, Sequence[str]], references: Sequence[str], tokenize: str) -> dict[str, dict[str, Any]]:
    """By backend: BLEU, chrF and exact match of translations, each from 0 to 100, each with its 95 % interval.

    The intervals of BLEU and chrF are those of sacreBLEU's paired bootstrap, and so are the p-values: the probability
    that so large a difference from the first backend is chance. Exact match has a Wilson interval.

    Args:
        texts: by backend, the translations of the same sentences.
        references: one for each sentence.
        tokenize: how BLEU cuts a text.

    Raises:
        DataError: there is nothing to score.
    """
    measured = measure(texts, references, measures=MEASURED, tokenize=tokenize)
    return {backend: _describe(each) for backend, each in measured.items()}


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


def _describe(measured: Mapping[str, Measured]) -> dict[str, Any]:
    tested = ("chrf", "bleu")
    return {
        **{name: each.score for name, each in measured.items()},
        "intervals": {name: [each.low, each.high] for name, each in measured.items()},
        "p_values": {name: measured[name].p_value for name in tested},
        "signatures": {name: measured[name].plain_signature for name in tested},
        "interval_signatures": {name: measured[name].signature for name in tested},
    }
