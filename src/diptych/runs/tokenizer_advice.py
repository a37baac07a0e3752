"""Which tokenizer would help: where punctuation sticks to words, and where many words are unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from diptych.data.corpus.statistics import TokenStatistics
from diptych.data.tokens.encoded import EncodedPairs, Sequences
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import SubwordTokenizer
from diptych.data.tokens.tokenizers.word_punctuation import is_punctuation
from diptych.runs.run import Run

GLUED, UNKNOWN = 0.15, 0.05
"""From these shares on there is something to say."""
BLOCK = 1 << 20


def advice(run: Run, pairs: EncodedPairs, validation: Mapping[str, TokenStatistics]) -> Iterator[str]:
    """A sentence for each side and each thing that could be better, from the training pairs and what is counted."""
    for side, language, train in (
        ("source", run.source, pairs.sources),
        ("target", run.target, pairs.targets),
    ):
        if language.tokenizer.kind == "word":
            share, example = glued(language, train)
            if share >= GLUED:
                yield (
                    f"{100 * share:.1f} % of the {side}'s words have punctuation stuck to them, as {example!r}: "
                    f'data.{side}_tokenizer = "word_punctuation" parts them'
                )
        counted = validation[side]
        if counted.unknown >= UNKNOWN * counted.tokens and not isinstance(language.tokenizer, SubwordTokenizer):
            copies = ", or model.copies = true where they are names" if not language.copies else ""
            yield (
                f"{100 * counted.unknown / counted.tokens:.1f} % of the {side}'s tokens in the validation part are "
                f'unknown: data.{side}_tokenizer = "bpe" or "character" has no unknown words, a lower '
                f"data.minimum_frequency fewer{copies}"
            )
    pairs.release()


def glued(language: Language, sequences: Sequences) -> tuple[float, str]:
    """Which share of the tokens are words with a mark at an end, and the most frequent of them."""
    size = len(language.vocabulary)
    counts = np.zeros(size, np.int64)
    for start in range(0, len(sequences.tokens), BLOCK):
        ids = sequences.tokens[start : start + BLOCK]
        counts += np.bincount(ids[ids < size], minlength=size)
    stuck = np.array([_is_glued(token) for token in language.vocabulary.tokens])
    stuck[: size - len(language.vocabulary.entries)] = False  # the special ones
    held = counts * stuck
    return float(held.sum() / max(1, len(sequences.tokens))), language.vocabulary.tokens[int(held.argmax())]


def _is_glued(token: str) -> bool:
    ends = token[0], token[-1]
    return any(map(is_punctuation, ends)) and any(character.isalnum() for character in token)
