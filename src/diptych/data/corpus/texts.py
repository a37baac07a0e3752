"""The corpus of a user's own texts: their pairs filtered, held out, limited and weighted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from diptych.config import DataConfig
from diptych.data.corpus.corpus import OpenCorpus, check_left, count_dropped
from diptych.data.corpus.division import choose, held_out
from diptych.data.corpus.files import FilePairs, Watch, without_repetition
from diptych.data.corpus.filters import Filter
from diptych.data.pairs import Joined, Repeated
from diptych.data.reasons import Reason
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.randomness import generator


def open_files(config: DataConfig, watch: Watch | None) -> OpenCorpus:
    """Bad lines go first, then what a filter leaves out, repetitions, what is held out, what is beyond the limit, and
    in the end what a weight below 1 does not draw."""
    compare = config.remove_duplicates
    texts = [FilePairs.open(config.train, Filter.of_training(config), compare=compare, watch=watch)]
    texts += [
        FilePairs.open(text.paths, Filter.of_training(config, text), compare=compare, watch=watch)
        for text in config.additional
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
    source_tokenizer = make_tokenizer(
        config.source_tokenizer, config.lowercase_source, config.normalization, tags=len(config.source_tags)
    )
    chosen = choose(texts[0], *sizes, config.seed, source_tokenizer)
    if chosen:
        taken = {row for row, _ in chosen.values()}
        texts = [
            text.judged(
                np.fromiter(held_out(text, chosen, taken=rows, source_tokenizer=source_tokenizer), np.uint8, len(text))
            )
            for text, rows in zip(texts, chain([taken], repeat(set())))
        ]
    if config.maximum_pairs:
        texts = _limited(texts, config.maximum_pairs, config.seed)
    parts = [(texts[0], 1.0)] + [(text, more.weight) for text, more in zip(texts[1:], config.additional, strict=True)]
    weighted = [_weighted(text, weight, seed=config.seed, place=place) for place, (text, weight) in enumerate(parts)]
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


def _limited(texts: Sequence[FilePairs], maximum_pairs: int, seed: int) -> list[FilePairs]:
    """So many pairs of all these texts together, each as likely as the others, in their order.

    The first ones would be, of a sorted file, those of one letter.
    """
    total = sum(map(len, texts))
    verdicts = np.full(total, Reason.LIMIT, np.uint8)
    verdicts[generator(seed, "maximum pairs").permutation(total)[:maximum_pairs]] = 0
    ends = np.cumsum([len(text) for text in texts])
    parts: list[npt.NDArray[np.uint8]] = np.split(verdicts, ends[:-1])
    return [text.judged(part) for text, part in zip(texts, parts, strict=True)]


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
