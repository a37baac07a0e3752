"""The corpora Diptych makes itself: the phrasebook, and the restoring of spaces and capitals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diptych.config import DataConfig
from diptych.data.corpus import Corpus, Pair, hold_out, read_lines
from diptych.data.phrasebook import PAIRS, phrasebook
from diptych.data.tokenizers import make_tokenizer
from diptych.errors import DataError

__all__ = ["builtin_corpus", "phrasebook", "spacing_pairs"]

REPEATED = "source sentence comes more than once"
HELD_OUT = "source sentence is in validation or test"


def builtin_corpus(config: DataConfig) -> Corpus:
    """The corpus of a config with `corpus` "phrasebook" or "spacing"; it holds at most `maximum_pairs` for training.

    Raises:
        DataError: a file cannot be read, or there are too few sentences to be divided.
    """
    if config.corpus == "spacing" and config.train:
        return _spacing_from_files(config)
    held_out = config.validation_size + config.test_size
    pairs = phrasebook(config.seed, 1 + held_out + config.maximum_pairs if config.maximum_pairs else PAIRS)
    if config.corpus == "spacing":
        pairs = spacing_pairs(english for english, _ in pairs)
    return _divide(*_distinct(pairs), config)


def spacing_pairs(lines: Iterable[str]) -> list[Pair]:
    """Each line without its spaces in lower case, and the line itself; lines of nothing but white space are left out.

    Any run of white space counts as one space; at either end of a line it counts as nothing.
    """
    words = (line.split() for line in lines)
    return [("".join(line).lower(), " ".join(line)) for line in words if line]


def _divide(pairs: list[Pair], dropped: dict[str, int], config: DataConfig) -> Corpus:
    """Phrasebook pairs, which come in random order, in three parts: the first pair stays in training."""
    test_end = 1 + config.test_size
    validation_end = test_end + config.validation_size
    if len(pairs) < validation_end:
        raise DataError(
            f"the phrasebook has {PAIRS} different sentences, too few to take {config.validation_size} pairs for "
            f"validation and {config.test_size} for test out of it; lower validation_size and test_size"
        )
    train = pairs[:1] + pairs[validation_end:]
    return Corpus(
        train=train[: config.maximum_pairs or None],
        validation=pairs[test_end:validation_end],
        test=pairs[1:test_end],
        dropped=dropped,
    )


def _spacing_from_files(config: DataConfig) -> Corpus:
    pairs, dropped = _distinct(_spacing_from_file(config.train))
    corpus = hold_out(
        pairs,
        validation_size=0 if config.validation else config.validation_size,
        test_size=0 if config.test else config.test_size,
        seed=config.seed,
        source_tokenizer=make_tokenizer("character", lowercase=False),
    )
    validation = _spacing_from_file(config.validation) if config.validation else corpus.validation
    test = _spacing_from_file(config.test) if config.test else corpus.test
    held_out = {source for source, _ in (*validation, *test)}
    train = [pair for pair in corpus.train if pair[0] not in held_out]
    if not train:
        raise DataError(
            f"every line of {config.train[0]} is also in the validation or test text, so nothing is left to train on; "
            f"give a training text of its own"
        )
    if len(train) < len(corpus.train):
        dropped = {**dropped, HELD_OUT: len(corpus.train) - len(train)}
    return Corpus(train[: config.maximum_pairs or None], validation, test, dropped)


def _spacing_from_file(paths: Sequence[str]) -> list[Pair]:
    pairs = spacing_pairs(read_lines(paths[0]))
    if not pairs:
        raise DataError(f"{paths[0]} holds only blank lines, expected one sentence per line")
    return pairs


def _distinct(pairs: Iterable[Pair]) -> tuple[list[Pair], dict[str, int]]:
    """The first pair of each source sentence, and how many others were left out."""
    found: dict[str, str] = {}
    count = 0
    for source, target in pairs:
        found.setdefault(source, target)
        count += 1
    repeated = count - len(found)
    return list(found.items()), {REPEATED: repeated} if repeated else {}
