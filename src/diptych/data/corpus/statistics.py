"""What is in a corpus: how long its sentences are, in which scripts, which words come most often, what is repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from diptych.data.corpus.filters import pair_digest, repeated
from diptych.data.corpus.scripts import script_of
from diptych.data.pairs import Pairs
from diptych.data.tokens.encoded import EncodedPairs, Sequences
from diptych.data.tokens.vocabulary import UNK

BLOCK = 4096
"""How many pairs are counted at a time."""
ENCODED_BLOCK = 1 << 20
"""How many token ids, or lengths, are looked at together."""
WORDS = 200_000
"""How many different words are counted side by side; beyond that the rare ones are forgotten."""


@dataclass(frozen=True)
class Lengths:
    """How long sentences are: the shortest, the longest, and what 50, 90 and 99 in 100 do not exceed."""

    shortest: int
    median: int
    percentile_90: int
    percentile_99: int
    longest: int

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> Lengths:
        """Of how many sentences of each length there are, at least one in all."""
        lengths = np.array(sorted(counts), np.int64)
        below = np.cumsum([counts[length] for length in lengths.tolist()])
        shares = [lengths[np.searchsorted(below, share * below[-1])] for share in (0.5, 0.9, 0.99)]
        return cls(*map(int, (lengths[0], *shares, lengths[-1])))


@dataclass(frozen=True)
class SideStatistics:
    """One side of a text.

    Attributes:
        words: how many there are between white space.
        lengths: of the sentences, in words.
        characters: of the sentences, in characters.
        scripts: how many letters of each script there are, most first.
        top: the most frequent words and how often they come; counts are too low by as many as were forgotten.
        different: how many different words there are; None if there were too many to count them.
    """

    words: int
    lengths: Lengths
    characters: Lengths
    scripts: dict[str, int]
    top: dict[str, int]
    different: int | None


@dataclass(frozen=True)
class TextStatistics:
    """Sentence pairs as text.

    Attributes:
        pairs: how many there are.
        repeated_pairs: how many of them came before, but for white space and normal forms.
        repeated_sources: how many have a source that came before.
    """

    pairs: int
    repeated_pairs: int
    repeated_sources: int
    source: SideStatistics
    target: SideStatistics


class _Side:
    """Counts one side, block by block."""

    def __init__(self) -> None:
        self.words, self.lengths, self.characters = Counter[str](), Counter[int](), Counter[int]()
        self.letters = Counter[str]()
        self.complete = True

    def add(self, texts: list[str]) -> None:
        words = [text.split() for text in texts]
        self.lengths.update(map(len, words))
        self.characters.update(map(len, texts))
        self.words.update(chain.from_iterable(words))
        for text in texts:
            self.letters.update(text)
        for floor in range(1, 1 << 30):
            if len(self.words) <= WORDS:
                break
            self.complete = False
            self.words = Counter({word: count for word, count in self.words.items() if count > floor})

    def statistics(self, top: int) -> SideStatistics:
        scripts: Counter[str] = Counter()
        for letter, count in self.letters.items():
            scripts[script_of(letter)] += count
        scripts.pop("", None)
        return SideStatistics(
            words=sum(length * count for length, count in self.lengths.items()),
            lengths=Lengths.of(self.lengths),
            characters=Lengths.of(self.characters),
            scripts=dict(scripts.most_common()),
            top=dict(sorted(self.words.items(), key=lambda item: (-item[1], item[0]))[:top]),
            different=len(self.words) if self.complete else None,
        )


def text_statistics(pairs: Pairs, top: int = 10) -> TextStatistics | None:
    """What is in these pairs, which are read once; None if there is none.

    In memory are 16 bytes for each pair, and `WORDS` words of each side.
    """
    sides = _Side(), _Side()
    sources, both = bytearray(), bytearray()
    rest = iter(pairs)
    while block := list(islice(rest, BLOCK)):
        for side, texts in zip(sides, zip(*block), strict=True):
            side.add(list(texts))
        sources += b"".join(pair_digest(pair, "sources") for pair in block)
        both += b"".join(pair_digest(pair, "pairs") for pair in block)
    if not both:
        return None
    source, target = (side.statistics(top) for side in sides)
    return TextStatistics(
        len(both) // 8, int(repeated(both).sum()), int(repeated(sources).sum()), source=source, target=target
    )


@dataclass(frozen=True)
class TokenStatistics:
    """One side of a corpus as token ids.

    Attributes:
        tokens: how many there are.
        unknown: how many of them are not in the vocabulary.
        lengths: of the sentences, in tokens.
    """

    tokens: int
    unknown: int
    lengths: Lengths


def token_statistics(pairs: EncodedPairs) -> dict[str, TokenStatistics]:
    """The token statistics of either side, at least one pair being there."""
    return {"source": _count(pairs, pairs.sources), "target": _count(pairs, pairs.targets)}


def _count(pairs: EncodedPairs, side: Sequences) -> TokenStatistics:
    counts = np.zeros(1, np.int64)
    for start in range(0, len(side), ENCODED_BLOCK):
        more = np.bincount(side.lengths_of(slice(start, start + ENCODED_BLOCK)), minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
        pairs.release()
    unknown = 0
    for ids in _blocks(side):
        unknown += int((ids == UNK).sum())
        pairs.release()
    lengths = {length: int(count) for length, count in enumerate(counts.tolist()) if count}
    return TokenStatistics(len(side.tokens), unknown, Lengths.of(lengths))


def _blocks(side: Sequences) -> Iterator[np.ndarray]:
    return (side.tokens[start : start + ENCODED_BLOCK] for start in range(0, len(side.tokens), ENCODED_BLOCK))
