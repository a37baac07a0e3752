"""BLEU, chrF and exact match against one reference each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diptych.errors import ConfigError, DataError

TOKENIZERS = ("13a", "none", "char", "intl", "zh")
"""How BLEU may cut a text into tokens; "none" at spaces alone, for text that is tokens already."""


@dataclass(frozen=True)
class Scores:
    """Scores of a text, each from 0 to 100.

    Attributes:
        bleu: sacreBLEU's corpus BLEU.
        chrf: sacreBLEU's chrF, on characters.
        exact_match: the percentage of sentences that are their reference, whitespace runs taken as one space.
        signatures: sacreBLEU's own, by score: all that is needed to compare with a published one.
        sentences: how many were scored.
    """

    bleu: float
    chrf: float
    exact_match: float
    signatures: dict[str, str]
    sentences: int


def score(hypotheses: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> Scores:
    """Score translations against one reference each.

    BLEU is the standard one, over n-grams up to four, and a text without any match of four tokens scores near 0.
    Only where no reference has four tokens are shorter n-grams all there is (effective order); the signature says
    which of the two it was ("eff:").

    Raises:
        DataError: there is nothing to score, or not one reference per hypothesis.
        ConfigError: the tokenizer is unknown.
        TypeError: one of the two is a string.
    """
    check_texts(hypotheses, references)
    # Here, because it is slow to import.
    from sacrebleu.metrics.chrf import CHRF

    bleu = bleu_metric(hypotheses, references, tokenize)
    bleu_score = bleu.corpus_score(hypotheses, [references])
    chrf = CHRF()
    chrf_score = chrf.corpus_score(hypotheses, [references])
    return Scores(
        bleu=min(bleu_score.score, 100.0),  # its logarithms are rounded
        chrf=min(chrf_score.score, 100.0),
        exact_match=100.0 * sum(matches(hypotheses, references)) / len(hypotheses),
        signatures={"bleu": str(bleu.get_signature()), "chrf": str(chrf.get_signature())},
        sentences=len(hypotheses),
    )


def check_texts(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Refuse what cannot be scored.

    Raises:
        DataError: there is nothing to score, or not one reference per hypothesis.
        TypeError: one of the two is a string.
    """
    for what, texts in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(texts, str):
            raise TypeError(f"score takes a list of {what}, got the string {texts[:40]!r}: put it in a list")
    if len(hypotheses) != len(references):
        raise DataError(
            f"got {len(hypotheses)} hypotheses and {len(references)} references: give one reference per hypothesis"
        )
    if not hypotheses:
        raise DataError("got no sentences to score: give at least one hypothesis and its reference")


def bleu_metric(hypotheses: Sequence[str], references: Sequence[str], tokenize: str) -> Any:
    """sacreBLEU's BLEU as it fits these texts, see `score`.

    Raises:
        ConfigError: the tokenizer is unknown.
    """
    from sacrebleu.metrics.bleu import BLEU

    if tokenize not in TOKENIZERS:
        raise ConfigError(f"unknown tokenizer {tokenize!r} for BLEU; choose among: {', '.join(TOKENIZERS)}")
    quiet = BLEU(tokenize=tokenize, force=True)
    short = not any(quiet.corpus_score(texts, [references]).totals[-1] for texts in (hypotheses, references))
    # Only text that was left tokenized by mistake deserves sacreBLEU's warning about it.
    return BLEU(tokenize=tokenize, force=tokenize == "none", effective_order=short)


def matches(hypotheses: Sequence[str], references: Sequence[str]) -> list[bool]:
    """Whether each hypothesis is its reference, whitespace runs taken as one space."""
    return [one.split() == other.split() for one, other in zip(hypotheses, references, strict=True)]
