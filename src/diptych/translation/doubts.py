"""What speaks against a translation, told from its tokens alone: a model is fluent whatever it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from diptych.data.tokens.vocabulary import EOS, SPECIALS, UNK, Vocabulary

Doubt = Literal["unknown_words", "mostly_unknown", "longer_than_training", "cut_off", "loop", "empty"]

MEANINGS: dict[Doubt, str] = {
    "unknown_words": "words unknown to the model",
    "mostly_unknown": "mostly or all unknown to the model",
    "longer_than_training": "longer than any in training",
    "cut_off": "translation cut off at the maximum length",
    "loop": "translation repeats itself",
    "empty": "translation empty",
}
"""Each doubt, as what is said of a line."""

LONGEST_LOOP, REPEATED = 8, 4
"""A loop is at most so many tokens said at least so often without a break, to half of the translation or more."""


def doubts(
    source_tokens: Sequence[str], tokens: Sequence[str], text: str, vocabulary: Vocabulary, longest: int | None
) -> tuple[Doubt, ...]:
    """What speaks against one translation; nothing of a line without tokens.

    Args:
        source_tokens: (S,) the line's.
        tokens: (T,) what the model said, "<eos>" last unless it was cut off.
        text: the translation.
        vocabulary: the source's.
        longest: how many tokens the longest training source has; None where that is not known.
    """
    if not source_tokens:
        return ()
    unknown = vocabulary.encode(source_tokens).count(UNK)
    ended = bool(tokens) and tokens[-1] == SPECIALS[EOS]
    found: dict[Doubt, bool] = {
        "mostly_unknown": 2 * unknown > len(source_tokens),
        "unknown_words": 0 < 2 * unknown <= len(source_tokens),
        "longer_than_training": longest is not None and len(source_tokens) > longest,
        "cut_off": not ended,
        "loop": repeats(tokens[:-1] if ended else tokens),
        "empty": not text.strip(),
    }
    return tuple(name for name, there in found.items() if there)


def repeats(tokens: Sequence[str]) -> bool:
    """Whether a few tokens are said again and again, see `LONGEST_LOOP`."""
    for size in range(1, LONGEST_LOOP + 1):
        run = 0  # how many tokens in a row are what was said `size` tokens before
        for place in range(size, len(tokens)):
            run = run + 1 if tokens[place] == tokens[place - size] else 0
            said = run + size
            if said >= REPEATED * size and 2 * said >= len(tokens):
                return True
    return False


def summary(of_lines: Iterable[tuple[Doubt, ...]] | Counter[tuple[Doubt, ...]]) -> str:
    """One line for many: "doubtful lines: 3 of 10 (translation empty: 2; ...)"; "" where there is nothing to say.

    Whoever translates without end counts the lines that have the same doubts, and gives the counts.
    """
    lines = Counter(of_lines)
    doubtful = sum(count for each, count in lines.items() if each)
    if not doubtful:
        return ""
    counted = [(meaning, sum(lines[each] for each in lines if name in each)) for name, meaning in MEANINGS.items()]
    reasons = "; ".join(f"{meaning}: {count:,}" for meaning, count in counted if count)
    return f"doubtful lines: {doubtful:,} of {lines.total():,} ({reasons})"
