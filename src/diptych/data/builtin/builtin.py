"""The corpora Diptych makes itself: the phrasebook, spaces and capitals restored, numbers in words, invented names."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

import numpy as np

from diptych.config import DataConfig
from diptych.data.builtin.names import names
from diptych.data.builtin.numbers import numbers
from diptych.data.builtin.phrasebook import phrasebook
from diptych.data.corpus.corpus import OpenCorpus
from diptych.data.corpus.division import divide
from diptych.data.corpus.lines import lines_of
from diptych.data.pairs import Pair, Pairs, Selected, beginning, exactly
from diptych.data.reasons import HELD_OUT, Reason
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import DataError

__all__ = ["names", "numbers", "open_builtin", "phrasebook", "spacing_pairs"]

MOST_NAMES = 200_000
"""So many sentences with names there are where a config wants all."""
REPEATED = "source sentence comes more than once"


def open_builtin(config: DataConfig) -> OpenCorpus:
    """The corpus of a config whose `corpus` is not "files"; it holds at most `maximum_pairs` for training.

    Raises:
        DataError: a file cannot be read, or there are too few sentences to be divided.
    """
    if config.corpus == "spacing" and config.train:
        return _open_spacing(config)
    distinct, dropped = _distinct(_made(config))
    return _divide(list(distinct), dropped, config)


def _made(config: DataConfig) -> list[Pair]:
    """Pairs that are enough for a config, or all there are, in random order."""
    enough = 1 + config.validation_size + config.test_size + (config.maximum_pairs or sys.maxsize)
    if config.corpus == "numbers":
        return numbers(config.seed, config.language, enough)
    if config.corpus == "names":
        return names(config.seed, min(enough, MOST_NAMES))
    if config.corpus == "phrasebook":
        return phrasebook(config.seed, enough)
    if config.language == "english":
        return spacing_pairs(english for english, _ in phrasebook(config.seed, enough))
    # Many English sentences have the same translation, so how many of them are enough is not known beforehand. In
    # Korean no space stands before a question mark.
    return spacing_pairs(dict.fromkeys(korean.replace(" ?", "?") for _, korean in phrasebook(config.seed)))


def spacing_pairs(lines: Iterable[str]) -> list[Pair]:
    """Each line without its spaces in lower case, and the line itself; lines of nothing but white space are left out.

    Any run of white space counts as one space; at either end of a line it counts as nothing.
    """
    return list(_spaced(lines))


def _spaced(lines: Iterable[str]) -> Iterator[Pair]:
    words = (line.split() for line in lines)
    return (("".join(line).lower(), " ".join(line)) for line in words if line)


@dataclass(frozen=True)
class SpacingText:
    """The pairs that `spacing_pairs` makes of a file's lines, read as they are asked for.

    Attributes:
        path: the file.
        count: how many of its lines are not blank.
    """

    path: str
    count: int

    @classmethod
    def open(cls, path: str) -> SpacingText:
        """The pairs of a file, which is read once from beginning to end.

        Raises:
            DataError: it cannot be read, or holds no sentence.
        """
        count = sum(bool(line) and not line.isspace() for line in lines_of(path))
        if not count:
            raise DataError(f"{path} holds only blank lines, expected one sentence per line")
        return cls(path, count)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Pair]:
        return exactly(_spaced(lines_of(self.path)), self.count, self.path)


def _divide(pairs: list[Pair], dropped: dict[str, int], config: DataConfig) -> OpenCorpus:
    """Pairs that come in random order, in three parts: the first pair stays in training."""
    test_end = 1 + config.test_size
    validation_end = test_end + config.validation_size
    if len(pairs) < validation_end:
        raise DataError(
            f"corpus {config.corpus!r} has {len(pairs)} different sources, too few to take {config.validation_size} "
            f"pairs for validation and {config.test_size} for test out of it; lower validation_size and test_size"
        )
    train = pairs[:1] + pairs[validation_end:]
    return OpenCorpus(
        train=train[: config.maximum_pairs or None],
        validation=pairs[test_end:validation_end],
        test=pairs[1:test_end],
        dropped=dropped,
    )


def _open_spacing(config: DataConfig) -> OpenCorpus:
    pairs, dropped = _distinct(SpacingText.open(config.train[0]))
    corpus = divide(
        pairs,
        validation_size=0 if config.validation else config.validation_size,
        test_size=0 if config.test else config.test_size,
        seed=config.seed,
        source_tokenizer=make_tokenizer("character", normalization=config.normalization),
    )
    validation = SpacingText.open(config.validation[0]) if config.validation else corpus.validation
    test = SpacingText.open(config.test[0]) if config.test else corpus.test
    held_out = {source for source, _ in chain(validation, test)}
    train = Selected(corpus.train, bytes(source not in held_out for source, _ in corpus.train))
    if not len(train):
        raise DataError(
            f"every line of {config.train[0]} is also in the validation or test text, so nothing is left to train on; "
            f"give a training text of its own"
        )
    if len(train) < len(corpus.train):
        dropped = {**dropped, HELD_OUT: len(corpus.train) - len(train)}
    limit = config.maximum_pairs or len(train)
    if len(train) > limit:
        dropped = {**dropped, Reason.LIMIT.describe(config): len(train) - limit}
    return OpenCorpus(beginning(train, limit), validation, test=test, dropped=dropped)


def _distinct(pairs: Pairs) -> tuple[Pairs, dict[str, int]]:
    """The first pair of each source sentence, and how many others were left out.

    Sentences are compared by 8 bytes of BLAKE2b, for which 24 MB hold 3,000,000 of them. The chance that two different
    ones among so many look alike is one in four million.
    """
    digests = bytearray()
    for source, _ in pairs:
        digests += blake2b(source.encode(), digest_size=8).digest()
    numbers = np.frombuffer(digests, np.uint64)
    first = np.zeros(len(numbers), np.bool_)
    first[np.unique(numbers, return_index=True)[1]] = True
    repeated = len(pairs) - int(first.sum())
    return (Selected(pairs, first.tobytes()), {REPEATED: repeated}) if repeated else (pairs, {})
