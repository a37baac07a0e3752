"""Pieces of words as tokens: what the unigram and the BPE tokenizer have in common."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from diptych.data.tokens.tokenizers.tokenizer import Tokenizer
from diptych.errors import DataError

REMEMBERED, SHORT = 1 << 16, 32
"""So many of the words of at most so many characters are not divided anew each time."""
LONGEST = 512
"""A longer word is cut before it is divided, so that the time it takes grows with its length and no faster."""
LOWEST = -1e9


@dataclass(frozen=True)
class SubwordTokenizer(Tokenizer):
    """Divides each word into pieces that sentencepiece has found (Kudo and Richardson, 2018), by their scores.

    A word is what follows a space, the space included, and no piece reaches beyond one. A line is read with a space
    before it, so that its first word has the pieces that it has elsewhere. So the pieces are the line, cut: joining
    them gives it back whatever is in it. A character that is no piece is a token by itself, which the vocabulary does
    not know.

    Attributes:
        pieces: what a word may be divided into.
        scores: of each piece, from -1e9 to 0.

    Raises:
        DataError: there are not as many scores as pieces, or one of them is no such number.
    """

    pieces: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    _scores: dict[str, float] = field(init=False, repr=False, compare=False)
    _remembered: Callable[[str], tuple[str, ...]] = field(init=False, repr=False, compare=False)
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        if len(self.pieces) != len(self.scores):
            raise DataError(f"each piece has one score, got {len(self.pieces)} pieces and {len(self.scores)} scores")
        for score in self.scores:
            if not (isinstance(score, float) and LOWEST <= score <= 0.0):
                raise DataError(f"a piece's score is a number from {LOWEST:.0e} to 0.0, got {score!r}")
        object.__setattr__(self, "_scores", dict(zip(self.pieces, self.scores, strict=True)))
        object.__setattr__(self, "_remembered", lru_cache(REMEMBERED)(lambda word: tuple(self.divide(word))))

    def words(self, text: str) -> list[str]:
        """What follows each space of a normalized line, and what comes before the first; none if it is empty."""
        return text.split(" ") if text else []

    def split(self, text: str) -> list[str]:
        """The pieces of one line, in order: of all ways to divide it the one that the scores prefer."""
        pieces: list[str] = []
        for word in self.words(text):
            if len(word) <= SHORT:
                pieces += self._remembered(" " + word)
            else:
                for part in _cut(" " + word):
                    pieces += self.divide(part)
        return pieces

    def join(self, tokens: Iterable[str]) -> str:
        """The pieces side by side, without the space that was put before them."""
        return "".join(tokens).removeprefix(" ")

    def sample(self, text: str, strength: float, draws: Iterator[float]) -> list[str]:
        """The pieces of one line, divided at random.

        Args:
            text: as `normalize` gave it.
            strength: what the tokenizer's kind makes of `subword_sampling`.
            draws: random numbers, uniform over [0, 1); as many are taken as it needs.
        """
        pieces: list[str] = []
        for word in self.words(text):
            for part in _cut(" " + word):
                pieces += self.divide_at_random(part, strength, draws)
        return pieces

    @abstractmethod
    def divide(self, word: str) -> list[str]:
        """The pieces that the scores prefer."""

    @abstractmethod
    def divide_at_random(self, word: str, strength: float, draws: Iterator[float]) -> list[str]:
        """Pieces drawn at random, see `sample`."""


def _cut(word: str) -> list[str]:
    return [word] if len(word) <= LONGEST else re.findall(f"(?s).{{1,{LONGEST}}}", word)
