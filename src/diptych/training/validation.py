"""A validation: the loss over the validation pairs and, where it is wanted, the scores of their translations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from diptych.config import SearchConfig
from diptych.data.opening import open_corpus
from diptych.data.pairs import Pair
from diptych.data.tokens.batches import EncodedPairs, collate, validation_batches
from diptych.evaluation import score
from diptych.evaluation.samples import sameness
from diptych.runs.run import Run
from diptych.translation.translator import Translator
from diptych.workers.group import Workers

T = TypeVar("T")
SENTENCES = 500
"""How many sentences are translated where a config wants a score and does not say of how many."""
BLOCK = 256
"""How many sentences are translated before it is asked whether to stop."""
SCORES = ("bleu", "chrf", "exact_match")


@dataclass(frozen=True)
class ValidationResult:
    """What a validation gave.

    Attributes:
        loss: per target token, eos counted; no smoothing, no dropout.
        scores: BLEU, chrF and exact match by name, from 0 to 100; empty where none are wanted.
        warning: what is wrong with the translations; "" where nothing is, or none are made.
    """

    loss: float
    scores: dict[str, float] = field(default_factory=dict)
    warning: str = ""

    @property
    def is_finite(self) -> bool:
        """Whether the loss is a number."""
        return math.isfinite(self.loss)


class Validation:
    """Validates a model in training, over and over.

    Attributes:
        run: the run.
        pairs: its validation pairs.
    """

    def __init__(self, run: Run, pairs: EncodedPairs, workers: Workers | None = None) -> None:
        """Nothing is read before it is needed; with several workers each does its part, and all have the result."""
        self.workers = workers or Workers()
        self.run = run
        self.pairs = pairs

    def __call__(
        self, training: Any, translator: Callable[[], Translator], stop: Callable[[], bool]
    ) -> ValidationResult | None:
        """Validate; None if `stop` says so before the end. The loss may be NaN or infinite: nothing is scored then.

        Args:
            training: the panel's training step.
            translator: makes or gives a translator with the model that is trained.
            stop: whether to stop here.
        """
        config = self.run.config.training
        batches = validation_batches(self.pairs, config.batch_size, config.batch_by)
        own: list[float] = []
        for rows in batches[self.workers.rank :: self.workers.size]:
            if stop():
                return None
            own.append(training.evaluate(collate(self.pairs, rows)))
        loss = sum(self._in_order(own))  # batch by batch, whoever computed them: the sum has the same bits
        result = ValidationResult(loss / (int(self.pairs.targets.lengths.sum()) + len(self.pairs)))  # eos counted
        if not config.scores_translations or not result.is_finite:
            return result
        said = self._translations(translator(), stop)
        if said is None:
            return None
        form = self.run.target_tokenizer.form
        scores = score(said, [form(target) for _, target in self._texts])
        by_name = {name: getattr(scores, name) for name in SCORES}
        return ValidationResult(result.loss, by_name, _warning([source for source, _ in self._texts], said))

    def _translations(self, translator: Translator, stop: Callable[[], bool]) -> list[str] | None:
        """The first sentences' greedy translations; None if it was stopped."""
        sources = [source for source, _ in self._texts]
        given = self.run.config.search
        search = SearchConfig(maximum_length=given.maximum_length, batch_size=given.batch_size)
        own: list[list[str]] = []
        for start in range(0, len(sources), BLOCK)[self.workers.rank :: self.workers.size]:
            if stop():
                return None
            own.append([each.text for each in translator.translate(sources[start : start + BLOCK], search)])
        return [text for block in self._in_order(own) for text in block]

    def _in_order(self, own: list[T]) -> list[T]:
        """What all workers have, each of every so many-th of a list, as that list."""
        told = self.workers.gather(own)
        longest = max(map(len, told))
        return [each[place] for place in range(longest) for each in told if place < len(each)]

    @cached_property
    def _texts(self) -> list[Pair]:
        """The pairs that are translated, as text: what a vocabulary does not know must not match itself as <unk>."""
        wanted = self.run.config.training.validation_sentences
        limit = SENTENCES if wanted is None else wanted or None
        return list(islice(open_corpus(self.run.config.data).validation, limit))


def _warning(sources: list[str], said: list[str]) -> str:
    """What is said where most sources get the same translation."""
    found = sameness(sources, said)
    if found is None:
        return ""
    text, times = found
    what = f"{text[:60]!r}" if text else "nothing"
    return f"{times:,} of {len(set(sources)):,} validation sources get the same translation, {what}"
