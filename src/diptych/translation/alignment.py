"""Which source word each target word comes from, as the attention has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.tokenizers import Tokenizer
from diptych.data.tokens.vocabulary import EOS, SPECIALS
from diptych.translation.translation import Translation

NOWHERE = -1
"""The word of a token that belongs to none: white space by itself, or the end of the sentence."""


def words_of(tokens: Sequence[str], tokenizer: Tokenizer) -> npt.NDArray[np.int64]:
    """(N,) the number of the word, from 0, that each of N tokens is of; words are what white space parts.

    A token of words is a word. Of smaller tokens those without white space between them make one. Where the tokenizer
    reverses, the words are still numbered as the line has them. A last "<eos>" is the end.
    """
    end = [NOWHERE] if tokens and tokens[-1] == SPECIALS[EOS] else []
    said = list(tokens)[: len(tokens) - len(end)]
    numbers: list[int] = []
    count, inside = 0, False
    for token in said[::-1] if tokenizer.reverse else said:
        if tokenizer.kind == "word" or token[:1].isspace():
            inside = False
        if not token.strip():
            numbers.append(NOWHERE)
            continue
        count += not inside
        numbers.append(count - 1)
        inside = not token[-1].isspace()
    return np.array((numbers[::-1] if tokenizer.reverse else numbers) + end, np.int64)


def align(
    attention: npt.NDArray[np.floating], source_words: npt.NDArray[np.int64], target_words: npt.NDArray[np.int64]
) -> list[tuple[int, int]]:
    """For each target word the source word that got the most attention, as (source, target), by target.

    A word's attention is the mean over its target tokens of the sum over the source word's tokens. Of equals the first.

    Args:
        attention: (T, S).
        source_words: (S,) see `words_of`.
        target_words: (T,).
    """
    if not source_words.size or source_words.max() == NOWHERE:
        return []
    of_word = np.zeros((len(source_words), int(source_words.max()) + 1))  # (S, words)
    real = np.flatnonzero(source_words != NOWHERE)
    of_word[real, source_words[real]] = 1.0
    received = np.asarray(attention, np.float64) @ of_word  # (T, words)
    return [
        (int(received[target_words == word].mean(axis=0).argmax()), word)
        for word in range(int(target_words.max(initial=NOWHERE)) + 1)
    ]


def aligned(translation: Translation, source: Tokenizer, target: Tokenizer) -> str:
    """A translation's alignment as Pharaoh writes it; empty where there is none."""
    words = words_of(translation.source_tokens, source), words_of(translation.tokens, target)
    return pharaoh(align(translation.attention, *words)) if translation.attention.size else ""


def pharaoh(pairs: Sequence[tuple[int, int]]) -> str:
    """An alignment as Pharaoh writes it: "0-0 2-1", source first, counted from 0."""
    return " ".join(f"{source}-{target}" for source, target in pairs)
