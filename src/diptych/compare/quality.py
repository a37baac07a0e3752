"""How well two backends translate, how sure that is, and how far they agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.evaluate import Scores, score

RESAMPLES = 1000
# A resampling holds statistics of so many sentences in memory; of a larger test part fewer resamples are drawn.
LARGEST_RESAMPLING = 2_000_000
MOST_RANGES = 6


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
    scores = {backend: score(said, references, tokenize) for backend, said in texts.items()}
    drawn = _bootstrap(texts, references, tokenize, "|eff:yes|" in next(iter(scores.values())).signatures["bleu"])
    return {backend: _describe(each, drawn[backend]) for backend, each in scores.items()}


def quality_by_length(
    lengths: Sequence[int], texts: Mapping[str, Sequence[str]], references: Sequence[str]
) -> list[dict[str, Any]]:
    """chrF for each range of source lengths, and its 95 % interval.

    Args:
        lengths: how many tokens each source has.
        texts: by backend, the translations.
        references: one for each sentence.

    Returns:
        For each range, from short to long, `shortest` and `longest` (both included), how many `sentences`, and `chrf`:
        by backend, the score and the low and high end of its interval.
    """
    found = []
    for shortest, longest in length_ranges(lengths):
        rows = [row for row, length in enumerate(lengths) if shortest <= length <= longest]
        inside = {backend: [said[row] for row in rows] for backend, said in texts.items()}
        drawn = _bootstrap(inside, [references[row] for row in rows])
        chrf = {backend: [each["chrf"]["score"], *each["chrf"]["interval"]] for backend, each in drawn.items()}
        found.append({"shortest": shortest, "longest": longest, "sentences": len(rows), "chrf": chrf})
    return found


def length_ranges(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of lengths, both ends included, with about as many sentences in each, and at most so many ranges."""
    enough = len(lengths) / MOST_RANGES
    ranges: list[tuple[int, int]] = []
    shortest, inside = None, 0
    counts = sorted(Counter(lengths).items())
    for length, count in counts:
        shortest, inside = length if shortest is None else shortest, inside + count
        if inside >= enough:
            ranges.append((shortest, length))
            shortest, inside = None, 0
    if shortest is not None:  # a rest: a range of its own if it is no mere handful
        if ranges and inside < enough / 2:
            shortest = ranges.pop()[0]
        ranges.append((shortest, counts[-1][0]))
    return ranges


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


def _describe(scores: Scores, drawn: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    intervals = {name: each["interval"] for name, each in drawn.items()}
    return {
        "bleu": scores.bleu,
        "chrf": scores.chrf,
        "exact_match": scores.exact_match,
        "intervals": intervals | {"exact_match": _wilson(scores.exact_match / 100.0, scores.sentences)},
        "p_values": {name: each["p_value"] for name, each in drawn.items()},
        "signatures": scores.signatures,
        "interval_signatures": {name: each["signature"] for name, each in drawn.items()},
    }


def _bootstrap(
    texts: Mapping[str, Sequence[str]], references: Sequence[str], tokenize: str = "", effective_order: bool = False
) -> dict[str, dict[str, Any]]:
    """By backend: chrF, and BLEU where it is said how to cut, with interval and p-value from sacreBLEU's bootstrap."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    metrics: dict[str, Any] = {"chrf": CHRF()}
    if tokenize:
        metrics["bleu"] = BLEU(tokenize=tokenize, force=True, effective_order=effective_order)
    resamples = max(100, min(RESAMPLES, LARGEST_RESAMPLING // len(references)))
    systems: list[tuple[str, Sequence[str]]] = [(backend, list(said)) for backend, said in texts.items()]
    results: Any  # by metric a list that begins with a name, as sacreBLEU types it, but here holds results alone
    signatures, results = PairedTest(systems, metrics, [list(references)], "bs", resamples)()
    first = systems[0][1]
    found: dict[str, dict[str, Any]] = {backend: {} for backend in texts}
    for name, key in (("chrF2", "chrf"), ("BLEU", "bleu")):
        for (backend, said), result in zip(systems, results.get(name, ())):
            low, high = result.mean - result.ci, result.mean + result.ci
            found[backend][key] = {
                "score": min(result.score, 100.0),
                "interval": [max(0.0, float(low)), min(100.0, float(high))],
                "p_value": None if said == first else result.p_value,  # of no difference there is nothing to ask
                "signature": str(signatures[name]),
            }
    return found


def _wilson(share: float, count: int) -> list[float]:
    """The 95 % interval of a percentage of `count` yes-or-no answers, by Wilson's formula."""
    z2 = 1.959963984540054**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return [max(0.0, 100.0 * (middle - half)), min(100.0, 100.0 * (middle + half))]
