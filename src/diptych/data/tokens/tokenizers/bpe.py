"""Byte-pair encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import ClassVar

from diptych.data.tokens.tokenizers.subword import SubwordTokenizer

NO_PIECE = -inf


@dataclass(frozen=True)
class BpeTokenizer(SubwordTokenizer):
    """Merges neighbours, beginning with single characters, as long as any two make a piece (Sennrich et al., 2016).

    The two whose piece has the highest score come first, and of equal ones the first in the word.
    """

    kind: ClassVar[str] = "bpe"

    def divide(self, word: str) -> list[str]:
        """What is left when no two neighbours make a piece."""
        return self._merge(word, lambda scores: scores.index(best) if (best := max(scores)) > NO_PIECE else None)

    def divide_at_random(self, word: str, strength: float, draws: Iterator[float]) -> list[str]:
        """BPE-dropout: at each step each merge is left out with probability `strength` (Provilkov et al., 2020).

        With 0 this is `divide`, with 1 it is single characters.
        """

        def choose(scores: list[float]) -> int | None:
            rest = scores
            while (best := max(rest)) > NO_PIECE:
                place = rest.index(best)
                if next(draws) >= strength:
                    return place
                rest = rest.copy()
                rest[place] = NO_PIECE
            return None

        return self._merge(word, choose)

    def _merge(self, word: str, choose: Callable[[list[float]], int | None]) -> list[str]:
        """Merge what `choose` says, given the scores of all pairs of neighbours, until it says None."""
        symbols, score = list(word), self._scores.get
        scores = [score(left + right, NO_PIECE) for left, right in pairwise(symbols)]
        while scores and (place := choose(scores)) is not None:
            symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
            del scores[place]
            for pair in range(max(0, place - 1), min(place + 1, len(scores))):
                scores[pair] = score(symbols[pair] + symbols[pair + 1], NO_PIECE)
        return symbols
