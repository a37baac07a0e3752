"""A corpus: sentence pairs in three parts, training, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from diptych.config import DataConfig
from diptych.data.corpus.files import FilePairs
from diptych.data.pairs import Joined, Pair, Pairs
from diptych.data.reasons import Reason
from diptych.errors import DataError


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
        return Corpus(list(self.train), validation=list(self.validation), test=list(self.test), dropped=self.dropped)

    @property
    def training_texts(self) -> int:
        """How many of the texts are those of training."""
        return len(self.train.parts) if isinstance(self.train, Joined) else 0

    def judged(self, verdicts: bytes) -> tuple[FilePairs, ...]:
        """The texts, with one verdict more on each pair of `train`: a `Reason`, or 0."""
        if not isinstance(self.train, Joined):
            return self.texts
        rest, judged = np.frombuffer(verdicts, np.uint8), []
        for text, part in zip(self.texts, self.train.parts):
            copies = np.frombuffer(part.copies, np.uint8).astype(np.int64)  # type: ignore[attr-defined]
            judged.append(text.judged(rest[np.cumsum(copies) - copies]))
            rest = rest[len(part) :]
        return (*judged, *self.texts[len(judged) :])


def count_dropped(texts: Iterable[FilePairs], config: DataConfig) -> dict[str, int]:
    """How many pairs of these texts were left out, by reason in words."""
    counts: dict[Reason, int] = {}
    for text in texts:
        for reason, count in text.counts().items():
            counts[reason] = counts.get(reason, 0) + count
    return {reason.describe(config): counts[reason] for reason in sorted(counts)}


def check_left(texts: Sequence[FilePairs], config: DataConfig, what: str) -> None:
    """Refuse texts of which no pair is left."""
    if any(map(len, texts)):
        return
    dropped = "; ".join(f"{count:,} {reason}" for reason, count in count_dropped(texts, config).items())
    if not dropped:
        raise DataError(f"{texts[0].paths[0]} holds no pair, expected one on each line, after the header if it has one")
    first = next(chain.from_iterable(text.drops() for text in texts), None)
    example = f", the first of them {first.path}, line {first.line}{first.detail}" if first else ""
    raise DataError(f"no pair is left of {what}: {dropped}{example}; mend the text or change the options of [data]")
