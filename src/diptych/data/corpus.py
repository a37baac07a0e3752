"""Corpora: sentence pairs in three parts, training, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import DataConfig
from diptych.data.lines import read_lines
from diptych.data.pairs import FilePairs, Pair, Pairs, Selected, beginning, read_pairs
from diptych.data.tokenizers import Tokenizer, make_tokenizer
from diptych.errors import DataError
from diptych.randomness import generator

__all__ = [
    "Corpus",
    "OpenCorpus",
    "Pair",
    "divide",
    "hold_out",
    "load_corpus",
    "open_corpus",
    "read_lines",
    "read_pairs",
]


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs in three parts.

    Attributes:
        train: what the model learns from.
        validation: what decides when to stop and which checkpoint is the best.
        test: what is looked at once, at the end.
        dropped: how many pairs were left out, by reason.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenCorpus:
    """A corpus that is read as its parts are gone through, and need not fit into memory; attributes as of `Corpus`."""

    train: Pairs
    validation: Pairs
    test: Pairs
    dropped: dict[str, int] = field(default_factory=dict)

    def read(self) -> Corpus:
        """All of it, in memory."""
        return Corpus(list(self.train), list(self.validation), list(self.test), self.dropped)


def load_corpus(config: DataConfig) -> Corpus:
    """The corpus of a config, in memory; see `open_corpus`.

    Raises:
        DataError: as `open_corpus`.
    """
    return open_corpus(config).read()


def open_corpus(config: DataConfig) -> OpenCorpus:
    """The corpus of a config; what it does not give for validation or test is taken out of the training text.

    Raises:
        DataError: a file cannot be read, or the text is too small to be divided.
    """
    if config.corpus == "files":
        corpus = _open_files(config)
    else:
        from diptych.data.builtin import open_builtin

        corpus = open_builtin(config)
    if config.maximum_pairs:
        corpus = replace(corpus, train=beginning(corpus.train, config.maximum_pairs))
    return corpus


def _open_files(config: DataConfig) -> OpenCorpus:
    corpus = divide(
        FilePairs.open(config.train),
        validation_size=0 if config.validation else config.validation_size,
        test_size=0 if config.test else config.test_size,
        seed=config.seed,
        source_tokenizer=make_tokenizer(config.source_tokenizer, config.lowercase_source, config.normalization),
    )
    if config.validation:
        corpus = replace(corpus, validation=FilePairs.open(config.validation))
    if config.test:
        corpus = replace(corpus, test=FilePairs.open(config.test))
    return corpus


def hold_out(
    pairs: Sequence[Pair], validation_size: int, test_size: int, seed: int, source_tokenizer: Tokenizer
) -> Corpus:
    """Divide pairs that are in memory; see `divide`.

    Raises:
        DataError: as `divide`.
    """
    return divide(pairs, validation_size, test_size, seed, source_tokenizer).read()


def divide(pairs: Pairs, validation_size: int, test_size: int, seed: int, source_tokenizer: Tokenizer) -> OpenCorpus:
    """Divide pairs at random so that no source sentence, as the tokenizer sees it, is in two parts.

    Validation and test hold exactly so many pairs, of as many different sources. A held-out source's other pairs are
    left out and counted. The test part does not depend on `validation_size`; each part keeps the order of `pairs`.

    In memory are 9 bytes for each pair while this runs, 1 byte after it, and the pairs that are held out.

    Raises:
        DataError: there are too few different source sentences.
    """
    held_out = test_size + validation_size
    if not held_out:
        return OpenCorpus(pairs, [], [])

    def seen(pair: Pair) -> str:
        return source_tokenizer.detokenize(source_tokenizer.tokenize(pair[0]))

    distinct = _count_distinct(map(seen, pairs), enough=held_out + 1)
    if distinct <= held_out:
        raise DataError(
            f"the training text has {distinct} different source sentences, too few to take {validation_size} pairs "
            f"for validation and {test_size} for test out of it; lower validation_size and test_size, or give "
            f"validation and test files"
        )
    # One pair for each held-out sentence: the first in the shuffled order.
    order = generator(seed, "held-out pairs").permutation(len(pairs))
    chosen: dict[str, tuple[int, Pair]] = {}
    looked_at = 2 * held_out
    while len(chosen) < held_out:
        for row, pair in _rows(pairs, order[:looked_at]):
            if len(chosen) < held_out:
                chosen.setdefault(seen(pair), (row, pair))
        looked_at *= 8  # more than half of those sentences came more than once
    places = list(chosen.values())
    train = Selected(pairs, bytes(seen(pair) not in chosen for pair in pairs))
    left_out = len(pairs) - len(train) - held_out
    return OpenCorpus(
        train=train,
        validation=[pair for _, pair in sorted(places[test_size:])],
        test=[pair for _, pair in sorted(places[:test_size])],
        dropped={"source sentence is in validation or test": left_out} if left_out else {},
    )


def _count_distinct(sentences: Iterable[str], enough: int) -> int:
    """How many different sentences there are, counted up to `enough`."""
    found: set[str] = set()
    for sentence in sentences:
        found.add(sentence)
        if len(found) == enough:
            break
    return len(found)


def _rows(pairs: Pairs, rows: npt.NDArray[np.integer[Any]]) -> list[tuple[int, Pair]]:
    """The pairs of these rows, in the order of the rows."""
    wanted = rows.tolist()
    places = set(wanted)
    found = {row: pair for row, pair in enumerate(pairs) if row in places}
    return [(row, found[row]) for row in wanted]
