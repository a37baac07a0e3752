"""Translations of one or several systems, measured on the same references, with intervals and tests between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.evaluation.error_rates import edits
from diptych.evaluation.measures import MEASURES
from diptych.evaluation.scores import bleu_metric, check_texts, matches
from diptych.randomness import generator

RESAMPLES = 1000
LARGEST_RESAMPLING = 2_000_000
"""A resampling holds statistics of so many sentences in memory; of a larger text fewer resamples are drawn."""
SEED = 12345
"""Of the resampling, as in sacreBLEU."""

Test = Literal["bs", "ar"]
"""Paired bootstrap resampling (Koehn, 2004), or paired approximate randomization (Riezler and Maxwell, 2005)."""

Line = Literal["sentence", "word"]
"""What a text is: a sentence of words, or one word written in letters or phones."""


@dataclass(frozen=True)
class Measured:
    """One system by one measure, in percent.

    Attributes:
        score: of all sentences.
        low, high: the ends of the 95 % interval.
        p_value: the probability that so large a difference from the first system is chance; None for the first one
            and for texts that are the first one's.
        signature: how it was computed.
    """

    score: float
    low: float
    high: float
    p_value: float | None
    signature: str

    @property
    def plain_signature(self) -> str:
        """How the score alone was computed, without its interval: what published scores carry."""
        return "|".join(part for part in self.signature.split("|") if not part.startswith(("bs:", "seed:")))


def measure(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    measures: Sequence[str],
    tokenize: str = "13a",
    test: Test = "bs",
    line: Line = "sentence",
) -> dict[str, dict[str, Measured]]:
    """Measure each system's texts, by system and measure; the others are tested against the first.

    Args:
        systems: by name, the texts of the same sentences.
        references: one for each sentence.
        measures: names of `MEASURES`.
        tokenize: how BLEU cuts a text.
        test: which test between systems. Intervals are always those of the bootstrap, and Wilson's where a text is
            right or wrong as a whole.
        line: what a text is; the error rate of "word"s counts whole ones.

    Raises:
        DataError: there is nothing to score, or not one text per reference.
        ConfigError: the tokenizer is unknown.
    """
    for texts in systems.values():
        check_texts(texts, references)
    by_sacrebleu = [name for name in measures if MEASURES[name].sacrebleu]
    by_measure = (
        _by_sacrebleu(systems, references, names=by_sacrebleu, tokenize=tokenize, test=test) if by_sacrebleu else {}
    )
    counted = [name for name in measures if not MEASURES[name].sacrebleu]
    by_measure |= {name: _by_counts(name, systems, references=references, test=test, line=line) for name in counted}
    return {system: {name: by_measure[name][system] for name in measures} for system in systems}


def resamples(sentences: int) -> int:
    """How many resamples are drawn of a text of so many sentences."""
    return max(100, min(RESAMPLES, LARGEST_RESAMPLING // sentences))


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a percentage of `count` yes-or-no answers, by Wilson's formula."""
    z2 = 1.959963984540054**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return max(0.0, 100.0 * (middle - half)), min(100.0, 100.0 * (middle + half))


def _by_sacrebleu(
    systems: Mapping[str, Sequence[str]], references: Sequence[str], names: Sequence[str], tokenize: str, test: Test
) -> dict[str, dict[str, Measured]]:
    """By measure and system, what sacreBLEU's own resampling says."""
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER
    from sacrebleu.significance import PairedTest

    first = list(next(iter(systems.values())))
    makers: dict[str, Any] = {
        "bleu": lambda: bleu_metric(first, references, tokenize),
        "chrf": CHRF,
        "chrf++": lambda: CHRF(word_order=2),
        "ter": TER,
    }
    metrics: dict[str, Any] = {name: makers[name]() for name in names}
    titles = {"bleu": "BLEU", "chrf": "chrF2", "chrf++": "chrF2++", "ter": "TER"}
    given: list[tuple[str, Sequence[str]]] = [(system, list(texts)) for system, texts in systems.items()]

    def run(kind: Test) -> tuple[Any, Any]:
        return PairedTest(given, metrics, [list(references)], kind, resamples(len(references)))()

    signatures, results = run("bs")
    tests = run(test)[1] if test != "bs" and len(given) > 1 else results
    by_measure: dict[str, dict[str, Measured]] = {}
    for name in names:
        # A list that begins with a name, as sacreBLEU types it, but here holds results alone.
        rows = zip(given, results[titles[name]], tests[titles[name]], strict=True)
        best = 100.0 if MEASURES[name].higher_is_better else math.inf
        by_measure[name] = {
            system: Measured(
                score=min(float(result.score), best),  # BLEU's logarithms are rounded
                low=max(0.0, float(result.mean - result.ci)),
                high=min(best, float(result.mean + result.ci)),
                p_value=_checked(tested.p_value, list(texts) == first, result.score == results[titles[name]][0].score),
                signature=str(signatures[titles[name]]),
            )
            for (system, texts), result, tested in rows
        }
    return by_measure


def _checked(p_value: float, same_texts: bool, same_score: bool) -> float | None:
    """sacreBLEU's p-value, where it has a meaning: of equal scores it finds the smallest there is."""
    return None if same_texts else 1.0 if same_score else p_value


def _by_counts(
    name: str, systems: Mapping[str, Sequence[str]], references: Sequence[str], test: Test, line: Line
) -> dict[str, Measured]:
    """By system, a percentage that is one sum over sentences divided by another: matches, or edits."""
    count = resamples(len(references))
    whole = name == "exact_match" or (name == "wer" and line == "word")
    counts = {system: _counts(name, texts, references=references, whole=whole) for system, texts in systems.items()}
    first, first_texts = next(iter(counts.values())), list(next(iter(systems.values())))
    drawn = _drawn(len(references), count)
    by_system = {}
    for system, (parts, wholes) in counts.items():
        share = float(parts.sum() / wholes.sum())
        samples = parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1)
        low, high = np.quantile(samples, (0.025, 0.975)) * 100.0
        if whole:
            low, high = wilson(share, len(references))
        same = list(systems[system]) == first_texts
        by_system[system] = Measured(
            score=100.0 * share,
            low=min(float(low), 100.0 * share),
            high=max(float(high), 100.0 * share),
            p_value=None if same else _p_value(first, (parts, wholes), drawn=drawn, test=test),
            signature=_signature(name, whole, count=count, test=test if len(systems) > 1 else "bs"),
        )
    return by_system


Counts = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""What of each sentence counts, and what it is counted out of: (N,) and (N,)."""


def _counts(name: str, texts: Sequence[str], references: Sequence[str], whole: bool) -> Counts:
    if whole:
        right = np.array(matches(texts, references), np.float64)
        return (right if name == "exact_match" else 1.0 - right), np.ones(len(references))
    return edits(texts, references, words=name in ("wer", "per"))


def _drawn(sentences: int, count: int) -> npt.NDArray[np.intp]:
    """(count, N) the sentences of each resample."""
    return np.asarray(generator(SEED, "bootstrap").integers(0, sentences, (count, sentences)), np.intp)


def _p_value(first: Counts, second: Counts, drawn: npt.NDArray[np.intp], test: Test) -> float:
    """How often chance alone makes a difference as large as the one between two systems, as sacreBLEU counts it."""
    (parts, wholes), (other_parts, other_wholes) = first, second
    difference = abs(parts.sum() / wholes.sum() - other_parts.sum() / other_wholes.sum())
    if test == "bs":
        gaps = parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1)
        gaps = gaps - other_parts[drawn].sum(axis=1) / other_wholes[drawn].sum(axis=1)
        gaps -= gaps.mean()
    else:  # exchange the systems' sentences at random
        swap = generator(SEED, "randomization").random(drawn.shape) < 0.5
        one = np.where(swap, other_parts, parts).sum(axis=1) / np.where(swap, other_wholes, wholes).sum(axis=1)
        other = np.where(swap, parts, other_parts).sum(axis=1) / np.where(swap, wholes, other_wholes).sum(axis=1)
        gaps = one - other
    return float((np.sum(np.abs(gaps) >= difference - 1e-12) + 1) / (len(drawn) + 1))


def _signature(name: str, whole: bool, count: int, test: Test) -> str:
    what = {
        "exact_match": "whitespace runs as one space|interval:wilson",
        "cer": f"edits per reference character, NFC|bs:{count}|seed:{SEED}",
        "wer": "lines that are not their reference, whitespace runs as one space|interval:wilson"
        if whole
        else f"edits per reference word, NFC|bs:{count}|seed:{SEED}",
        "per": f"edits per reference phone, NFC|bs:{count}|seed:{SEED}",
    }[name]
    return f"{what}|test:{test}"
