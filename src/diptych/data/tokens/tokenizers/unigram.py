"""The unigram language model of pieces."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import ClassVar

from diptych.data.tokens.tokenizers.subword import SHORT, SubwordTokenizer

Lattice = list[tuple[Sequence[int], list[float]]]
"""For each place in a word where a piece may begin that ends there, and the probabilities of that, summed up."""
REMEMBERED = 1 << 14
"""So many short words' lattices are kept."""
UNKNOWN = -10.0
"""How much lower than the lowest score is that of a character that is no piece."""


@dataclass(frozen=True)
class UnigramTokenizer(SubwordTokenizer):
    """Divides a word into those pieces whose scores, their log-probabilities, have the largest sum (Kudo, 2018).

    Of equal sums it takes the one whose last piece is the longest.
    """

    kind: ClassVar[str] = "unigram"
    _longest: int = field(init=False, repr=False, compare=False)
    _unknown: float = field(init=False, repr=False, compare=False)
    _remembered_lattice: Callable[[str, float], Lattice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_longest", max(map(len, self.pieces), default=1))
        object.__setattr__(self, "_unknown", min(self.scores, default=0.0) + UNKNOWN)
        object.__setattr__(self, "_remembered_lattice", lru_cache(REMEMBERED)(self._lattice))

    def divide(self, word: str) -> list[str]:
        """The most probable pieces (Viterbi's algorithm)."""
        sums, starts = [0.0], [0]
        for end in range(1, len(word) + 1):
            largest, start = max((sums[start] + score, -start) for start, score in self._ending(word, end))
            sums.append(largest)
            starts.append(-start)
        return _trace(word, starts.__getitem__)

    def divide_at_random(self, word: str, strength: float, draws: Iterator[float]) -> list[str]:
        """Any pieces, with probabilities proportional to P(pieces)^strength (Kudo, 2018, section 3.3; l is infinite).

        Sums run forwards over the word, then pieces are drawn from its end backwards, so no list of the n best is
        needed. The lower the strength, the more even the probabilities.
        """
        lattice = (self._remembered_lattice if len(word) <= SHORT else self._lattice)(word, strength)

        def draw(end: int) -> int:
            starts, sums = lattice[end]
            return starts[bisect_right(sums, next(draws))]

        return _trace(word, draw)

    def _lattice(self, word: str, strength: float) -> Lattice:
        logarithms = [0.0]
        lattice: Lattice = [((), [])]
        for end in range(1, len(word) + 1):
            starts, scores = zip(*self._ending(word, end), strict=True)
            terms = [logarithms[start] + strength * score for start, score in zip(starts, scores, strict=True)]
            largest = max(terms)
            sums = list(accumulate(math.exp(term - largest) for term in terms))
            logarithms.append(largest + math.log(sums[-1]))
            lattice.append((starts, [each / sums[-1] for each in sums]))
        return lattice

    def _ending(self, word: str, end: int) -> Iterator[tuple[int, float]]:
        """Where the pieces that end here begin, and their scores; the last character is one in any case."""
        score = self._scores.get
        for start in range(max(0, end - self._longest), end - 1):
            scored = score(word[start:end])
            if scored is not None:
                yield start, scored
        yield end - 1, score(word[end - 1], self._unknown)


def _trace(word: str, start_of: Callable[[int], int]) -> list[str]:
    """The pieces, found from the last one to the first."""
    pieces, end = [], len(word)
    while end:
        start = start_of(end)
        pieces.append(word[start:end])
        end = start
    return pieces[::-1]
