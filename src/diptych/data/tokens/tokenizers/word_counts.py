"""How often each word of a text comes, however long the text is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

LARGEST = 1 << 22
"""So many characters of different words are held; then the rarest words are forgotten until half as many are."""


class WordCounts:
    """A count of words in bounded memory: what is rare in a large text may be forgotten, what is common is exact.

    Attributes:
        counts: how often each word came.
    """

    def __init__(self, largest: int = LARGEST) -> None:
        """Nothing is counted yet; at most about `largest` characters will be held."""
        self.counts: Counter[str] = Counter()
        self._largest = largest
        self._held = 0

    def update(self, words: Iterable[str]) -> None:
        """Count some words more."""
        words = list(words)
        self._held += sum(map(len, set(words) - self.counts.keys()))
        self.counts.update(words)
        if self._held > self._largest:
            self._forget()

    def _forget(self) -> None:
        """Keep the most frequent words, and of equally frequent ones the first, up to half of what may be held."""
        kept: Counter[str] = Counter()
        held = 0
        for word, count in self.counts.most_common():
            held += len(word)
            if held > self._largest // 2:
                held -= len(word)
                break
            kept[word] = count
        self.counts, self._held = kept, held
