"""Which pairs of a training text are held out for validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.corpus.corpus import OpenCorpus
from diptych.data.pairs import Pair, Pairs, Selected
from diptych.data.reasons import HELD_OUT, Reason
from diptych.data.tokens.tokenizers import Tokenizer
from diptych.errors import DataError
from diptych.randomness import generator


def divide(pairs: Pairs, validation_size: int, test_size: int, seed: int, source_tokenizer: Tokenizer) -> OpenCorpus:
    """Divide pairs at random so that no source sentence, as the tokenizer sees it, is in two parts.

    Validation and test hold exactly so many pairs, of as many different sources. A held-out source's other pairs are
    left out and counted. The test part does not depend on `validation_size`; each part keeps the order of `pairs`.

    In memory are 9 bytes for each pair while this runs, 1 byte after it, and the pairs that are held out.

    Raises:
        DataError: there are too few different source sentences.
    """
    chosen = choose(pairs, validation_size, test_size=test_size, seed=seed, source_tokenizer=source_tokenizer)
    if not chosen:
        return OpenCorpus(pairs, [], [])
    places = list(chosen.values())
    verdicts = held_out(pairs, chosen, taken={row for row, _ in places}, source_tokenizer=source_tokenizer)
    train = Selected(pairs, bytes(not verdict for verdict in verdicts))
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
    wanted = test_size + validation_size
    chosen: dict[str, tuple[int, Pair]] = {}
    if not wanted:
        return chosen

    def seen(pair: Pair) -> str:
        return source_tokenizer.detokenize(source_tokenizer.tokenize(pair[0]))

    distinct = _count_distinct(map(seen, pairs), enough=wanted + 1)
    if distinct <= wanted:
        raise DataError(
            f"the training text has {distinct:,} different source sentence{'s' * (distinct != 1)}, too few to take "
            f"{validation_size} pairs for validation and {test_size} for test out of it; lower validation_size and "
            f"test_size, or give validation and test files"
        )
    # One pair for each held-out sentence: the first in the shuffled order.
    order = generator(seed, "held-out pairs").permutation(len(pairs))
    looked_at = 2 * wanted
    while len(chosen) < wanted:
        for row, pair in _rows(pairs, order[:looked_at]):
            if len(chosen) < wanted:
                chosen.setdefault(seen(pair), (row, pair))
        looked_at *= 8  # more than half of those sentences came more than once
    return chosen


def held_out(
    pairs: Pairs, chosen: Mapping[str, Any], taken: set[int], source_tokenizer: Tokenizer
) -> Iterator[Reason | int]:
    """For each pair whether its source has been chosen, `taken` being the rows that were."""
    for row, (source, _) in enumerate(pairs):
        if source_tokenizer.detokenize(source_tokenizer.tokenize(source)) in chosen:
            yield Reason.TAKEN if row in taken else Reason.HELD_OUT
        else:
            yield 0


def _count_distinct(sentences: Iterable[str], enough: int) -> int:
    """How many different sentences there are, counted up to `enough`."""
    different: set[str] = set()
    for sentence in sentences:
        different.add(sentence)
        if len(different) == enough:
            break
    return len(different)


def _rows(pairs: Pairs, rows: npt.NDArray[np.integer[Any]]) -> list[tuple[int, Pair]]:
    """The pairs of these rows, in the order of the rows."""
    wanted = rows.tolist()
    places = set(wanted)
    taken = {row: pair for row, pair in enumerate(pairs) if row in places}
    return [(row, taken[row]) for row in wanted]
