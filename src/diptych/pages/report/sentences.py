"""The translations as rows of the page, and the attention maps that the page draws from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diptych.pages.report.words import Words, mark_words
from diptych.plots.text import stand_alone

LARGEST = 3_000_000
"""How many bytes report.json and report.html may have each; attention maps that would make them larger are left out."""


@dataclass(frozen=True)
class Sentence:
    """One sentence: the source, the reference, and by backend what it said.

    Attributes:
        number: from 1.
        source, reference: as they are.
        length: how many tokens the source has.
        outputs: by backend, the translation in pieces.
        differ: whether the two translations do.
        wrong: whether one of them is not the reference.
        chrf: the lower of the two, against the reference.
        has_maps: whether there is attention to draw.
    """

    number: int
    source: str
    reference: str
    length: int
    outputs: dict[str, list[Words]]
    differ: bool
    wrong: bool
    chrf: float
    has_maps: bool


def sentences(translations: Sequence[Mapping[str, Any]], maps: Sequence[Any]) -> list[Sentence]:
    """The rows of a report's `translations`; `maps` holds None where there is nothing to draw."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    rows = []
    for number, (each, drawn) in enumerate(zip(translations, maps, strict=True), 1):
        reference = each["reference"]
        (one, said), (other, also) = each["outputs"].items()
        scores = {text: min(100.0, metric.sentence_score(text, [reference]).score) for text in {said, also}}
        rows.append(
            Sentence(
                number=number,
                source=each["source"],
                reference=reference,
                length=len(each["source_tokens"]),
                outputs={one: mark_words(said, also, reference), other: mark_words(also, said, reference)},
                differ=said != also,
                wrong=any(text.split() != reference.split() for text in (said, also)),
                chrf=min(scores.values()),
                has_maps=drawn is not None,
            )
        )
    return rows


def map_data(translation: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page draws a sentence's maps from, weights in ten-thousandths; None without attention."""
    attention, difference = translation["attention"], translation.get("difference")
    if not attention or not any(np.any(weights) for weights in attention.values()):
        return None
    return {
        "source": [stand_alone(token) for token in translation["source_tokens"]],
        "tokens": [[stand_alone(token) for token in said] for said in translation["tokens"].values()],
        "weights": [
            np.rint(np.multiply(weights, 10_000)).astype(int).ravel().tolist() for weights in attention.values()
        ],
        "difference": difference
        and {
            "largest": difference["largest"],
            "hundredths": np.ravel(difference["hundredths"]).tolist(),
        },
    }


def kept_maps(translations: Sequence[Mapping[str, Any]], sizes: Sequence[int], room: int) -> set[int]:
    """Which rows keep their maps, of so many bytes each, in so many bytes together.

    Maps of sentences that the backends translate differently stay longest, then those of the first sentences.
    """
    kept = set()
    for row in sorted(range(len(sizes)), key=lambda row: len(set(translations[row]["outputs"].values())) == 1):
        if sizes[row] <= room:
            room -= sizes[row]
            kept.add(row)
    return kept
