"""Which sentences a comparison shows with their attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diptych.config import RunConfig
from diptych.data.corpus.corpus import Corpus
from diptych.data.pairs import Pair

LONG = 20
"""Tokens of a sentence that is long enough to show: maps much larger do not fit side by side (characters, say)."""


def fixed_examples(config: RunConfig, corpus: Corpus) -> list[Pair]:
    """A sentence that is always shown: the phrasebook's first."""
    return corpus.train[:1] if config.data.corpus == "phrasebook" else []


def choose_examples(translations: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The translations that are shown: right in both if there are such, and rather long than short.

    Of the sentences whose length only a quarter exceeds, or which have `LONG` tokens if that is less, the first; then
    those next in length.
    """
    lengths = sorted(len(each["source_tokens"]) for each in translations)
    wanted = min(lengths[3 * len(lengths) // 4], LONG)

    def rank(each: dict[str, Any]) -> tuple[int, int]:
        wrong = sum(text != each["reference"] for text in each["outputs"].values())
        return wrong, abs(len(each["source_tokens"]) - wanted)

    return sorted(translations, key=rank)[:count]
