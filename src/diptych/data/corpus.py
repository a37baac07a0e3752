"""Corpora: sentence pairs in three parts, training, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import DataConfig
from diptych.data.files import FilePairs, Watch, read_pairs, without_repetition
from diptych.data.filters import Filter
from diptych.data.lines import read_lines
from diptych.data.pairs import Joined, Pair, Pairs, Repeated, Selected
from diptych.data.reasons import HELD_OUT, Reason
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
    """A corpus that is read as its parts are gone through, and need not fit into memory; attributes as of `Corpus`.

    Attributes:
        texts: the files that the pairs come from, those of training first, in the order in which `train` has them.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    dropped: dict[str, int] = field(default_factory=dict)
    texts: tuple[FilePairs, ...] = ()

    def read(self) -> Corpus:
        """All of it, in memory."""
        return Corpus(list(self.train), list(self.validation), list(self.test), self.dropped)

    @property
    def training_texts(self) -> int:
        """How many of the texts are those of training."""
        return len(self.train.parts) if isinstance(self.train, Joined) else 0

    def judged(self, verdicts: bytes) -> tuple[FilePairs, ...]:
        """The texts, with one verdict more on each pair of `train`: a `Reason`, or 0."""
        if not isinstance(self.train, Joined):
            return self.texts
        found, judged = np.frombuffer(verdicts, np.uint8), []
        for text, part in zip(self.texts, self.train.parts):
            copies = np.frombuffer(part.copies, np.uint8).astype(np.int64)  # type: ignore[attr-defined]
            judged.append(text.judged(found[np.cumsum(copies) - copies]))
            found = found[len(part) :]
        return (*judged, *self.texts[len(judged) :])


def load_corpus(config: DataConfig) -> Corpus:
    """The corpus of a config, in memory; see `open_corpus`.

    Raises:
        DataError: as `open_corpus`.
    """
    return open_corpus(config).read()


def open_corpus(config: DataConfig, watch: Watch | None = None) -> OpenCorpus:
    """The corpus of a config; what it does not give for validation or test is taken out of the training text.

    Args:
        config: where the pairs come from, and which are left out.
        watch: is handed the rows of the files when they are read for the first time, to say how far it is.

    Raises:
        DataError: a file cannot be read, has a bad line that is not to be dropped, or no pair is left; or the text is
            too small to be divided.
    """
    if config.corpus == "files":
        return _open_files(config, watch)
    from diptych.data.builtin import open_builtin

    return open_builtin(config)


def count_dropped(texts: Iterable[FilePairs], config: DataConfig) -> dict[str, int]:
    """How many pairs of these texts were left out, by reason in words."""
    counts: dict[Reason, int] = {}
    for text in texts:
        for reason, count in text.counts().items():
            counts[reason] = counts.get(reason, 0) + count
    return {reason.describe(config): counts[reason] for reason in sorted(counts)}


def _open_files(config: DataConfig, watch: Watch | None) -> OpenCorpus:
    """Bad lines go first, then what a filter leaves out, repetitions, what is held out, what is beyond the limit, and
    in the end what a weight below 1 does not draw."""
    compare = config.remove_duplicates
    texts = [FilePairs.open(config.train, Filter.of_training(config), compare, watch)]
    texts += [
        FilePairs.open(text.paths, Filter.of_training(config, text), compare, watch) for text in config.additional
    ]
    if compare != "none":
        texts = without_repetition(texts)
    check_left(texts[:1], config, f"the training text {texts[0].paths[0]}")
    validation, test = (
        FilePairs.open(paths, Filter.of_held_out(config), watch=watch) if paths else None
        for paths in (config.validation, config.test)
    )
    for given in (validation, test):
        if given:
            check_left([given], config, str(given.paths[0]))
    sizes = 0 if validation else config.validation_size, 0 if test else config.test_size
    source_tokenizer = make_tokenizer(config.source_tokenizer, config.lowercase_source, config.normalization)
    chosen = choose(texts[0], *sizes, config.seed, source_tokenizer)
    if chosen:
        taken = {row for row, _ in chosen.values()}
        texts = [
            text.judged(np.fromiter(_held_out(text, chosen, rows, source_tokenizer), np.uint8, len(text)))
            for text, rows in zip(texts, chain([taken], repeat(set())))
        ]
    if config.maximum_pairs:
        texts = _limited(texts, config.maximum_pairs)
    parts = [(texts[0], 1.0)] + [(text, more.weight) for text, more in zip(texts[1:], config.additional, strict=True)]
    weighted = [_weighted(text, weight, config.seed, place) for place, (text, weight) in enumerate(parts)]
    check_left([text for text, _ in weighted], config, "training")
    all_texts = [*(text for text, _ in weighted), *(each for each in (validation, test) if each)]
    places = list(chosen.values())
    return OpenCorpus(
        train=Joined(tuple(Repeated(text, copies) for text, copies in weighted)),
        validation=validation or [pair for _, pair in sorted(places[sizes[1] :])],
        test=test or [pair for _, pair in sorted(places[: sizes[1]])],
        dropped=count_dropped(all_texts, config),
        texts=tuple(all_texts),
    )


def _held_out(
    pairs: Pairs, chosen: Mapping[str, Any], taken: set[int], source_tokenizer: Tokenizer
) -> Iterator[Reason | int]:
    """For each pair whether its source has been chosen, `taken` being the rows that were."""
    for row, (source, _) in enumerate(pairs):
        if source_tokenizer.detokenize(source_tokenizer.tokenize(source)) in chosen:
            yield Reason.TAKEN if row in taken else Reason.HELD_OUT
        else:
            yield 0


def _limited(texts: Sequence[FilePairs], maximum_pairs: int) -> list[FilePairs]:
    """The first pairs of all these texts together."""
    found, room = [], maximum_pairs
    for text in texts:
        verdicts = np.full(len(text), Reason.LIMIT, np.uint8)
        verdicts[:room] = 0
        found.append(text.judged(verdicts))
        room = max(0, room - len(text))
    return found


def _weighted(text: FilePairs, weight: float, seed: int, place: int) -> tuple[FilePairs, bytes]:
    """A text, and how often each of its pairs comes: round(weight * pairs) in all, which ones follows from the seed."""
    count = len(text)
    whole = int(weight)
    copies = np.full(count, whole, np.uint8)
    more = round(weight * count) - whole * count
    if more:
        copies[generator(seed, "weighted text", place).permutation(count)[:more]] += 1
    if not whole:
        text = text.judged((copies == 0) * np.uint8(Reason.WEIGHT))
        copies = copies[copies > 0]
    return text, copies.tobytes()


def check_left(texts: Sequence[FilePairs], config: DataConfig, what: str) -> None:
    """Refuse texts of which no pair is left."""
    if any(map(len, texts)):
        return
    dropped = "; ".join(f"{count:,} {reason}" for reason, count in count_dropped(texts, config).items())
    if not dropped:
        raise DataError(f"{texts[0].paths[0]} holds no pair, expected one on each line, after the header if it has one")
    first = next(chain.from_iterable(text.drops() for text in texts), None)
    example = f", the first of them {first.path}, line {first.line}" if first else ""
    raise DataError(f"no pair is left of {what}: {dropped}{example}; mend the text or change the options of [data]")


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
    chosen = choose(pairs, validation_size, test_size, seed, source_tokenizer)
    if not chosen:
        return OpenCorpus(pairs, [], [])
    places = list(chosen.values())
    held_out = _held_out(pairs, chosen, {row for row, _ in places}, source_tokenizer)
    train = Selected(pairs, bytes(not verdict for verdict in held_out))
    left_out = len(pairs) - len(train) - len(chosen)
    return OpenCorpus(
        train=train,
        validation=[pair for _, pair in sorted(places[test_size:])],
        test=[pair for _, pair in sorted(places[:test_size])],
        dropped={HELD_OUT: left_out} if left_out else {},
    )


def choose(
    pairs: Pairs, validation_size: int, test_size: int, seed: int, source_tokenizer: Tokenizer
) -> dict[str, tuple[int, Pair]]:
    """The pairs that are held out, those of the test first: by their source, as the tokenizer sees it, row and pair.

    Raises:
        DataError: there are too few different source sentences.
    """
    held_out = test_size + validation_size
    chosen: dict[str, tuple[int, Pair]] = {}
    if not held_out:
        return chosen

    def seen(pair: Pair) -> str:
        return source_tokenizer.detokenize(source_tokenizer.tokenize(pair[0]))

    distinct = _count_distinct(map(seen, pairs), enough=held_out + 1)
    if distinct <= held_out:
        raise DataError(
            f"the training text has {distinct:,} different source sentence{'s' * (distinct != 1)}, too few to take "
            f"{validation_size} pairs for validation and {test_size} for test out of it; lower validation_size and "
            f"test_size, or give validation and test files"
        )
    # One pair for each held-out sentence: the first in the shuffled order.
    order = generator(seed, "held-out pairs").permutation(len(pairs))
    looked_at = 2 * held_out
    while len(chosen) < held_out:
        for row, pair in _rows(pairs, order[:looked_at]):
            if len(chosen) < held_out:
                chosen.setdefault(seen(pair), (row, pair))
        looked_at *= 8  # more than half of those sentences came more than once
    return chosen


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
