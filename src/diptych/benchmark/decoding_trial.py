"""Decoding as a trial: the translation of a few batches of the test sentences, from long to short."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from diptych.benchmark.arithmetic import Product, decoding_products
from diptych.benchmark.trial import evenly_spaced, middle
from diptych.data.pairs import Pair
from diptych.data.tokens.batches import Ids, source_batch
from diptych.runs.run import Run
from diptych.search import Stepper, beam, greedy


class Steppers(Protocol):
    """What a trial needs of a panel."""

    def Stepper(self, model: Any) -> Stepper:
        """Drives a model one target token at a time."""


class DecodingTrial:
    """Greedy or beam search over sentences, as token ids.

    A model that has not been trained does not end its sentences: each translation then has as many tokens as the
    reference, `diptych.benchmark.speed` having seen to it that none ends before.

    Attributes:
        counts: batches, sentences and target tokens of a block.
    """

    def __init__(
        self, panel: Steppers, run: Run, model: Any, test: Iterable[Pair], beam_size: int, batches: int, ends: bool
    ) -> None:
        """Choose the batches: so many, evenly spaced among all in the order of their length; 0: all.

        Args:
            panel: the backend's, or what makes a runtime's steppers.
            run: the model's.
            model: the panel's.
            test: whose sources are translated.
            beam_size: 1 for greedy search.
            batches: how many, of `search.batch_size` sentences each.
            ends: whether the model ends its sentences itself.
        """
        self._panel, self._run, self._model, self._ends = panel, run, model, ends
        self._search = run.config.search.model_copy(update={"beam_size": beam_size})
        tokens = [
            (run.source_tokenizer.tokenize(source), run.target_tokenizer.tokenize(target)) for source, target in test
        ]
        pairs = [(run.source.encode(source), len(target) + 1) for source, target in tokens]  # eos counted
        pairs.sort(key=lambda pair: -len(pair[0]))
        size = self._search.batch_size
        cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        self.batches = [self._batch(each) for each in evenly_spaced(cut, batches or len(cut))]
        self.counts = {
            "batches": len(self.batches),
            "sentences": sum(len(lengths) for _, lengths, _ in self.batches),
            "target_tokens": sum(int(longest.sum()) for _, _, longest in self.batches),
        }

    def prepare(self) -> None:
        """Make the stepper and translate one batch."""
        self._stepper = self._panel.Stepper(self._model)
        self._translate(*self.batches[0])

    def block(self) -> float:
        """Translate every batch."""
        mark = time.perf_counter()
        tokens = sum(self._translate(*batch) for batch in self.batches)
        seconds = time.perf_counter() - mark
        self.counts["target_tokens"] = tokens
        return seconds

    def products(self) -> list[Product]:
        """Those of each batch; none where the model decides when it ends."""
        if self._ends:
            return []
        products = []
        for source, lengths, longest in self.batches:
            products += self._products(len(lengths), source.shape[1], self._rows(longest))
        return products

    def typical(self) -> list[Product]:
        """Those of a batch and a step whose sizes are the medians."""
        sizes = [[*source.shape, int(np.median(self._rows(longest)))] for source, _, longest in self.batches]
        sentences, positions, rows = middle(sizes)
        return self._products(sentences, positions, [rows])

    def details(self) -> dict[str, Any]:
        """Who ends the translations."""
        return {"lengths": "the model's own" if self._ends else "the references'"}

    def _products(self, sentences: int, source: int, rows: list[int]) -> list[Product]:
        return decoding_products(
            self._run.config.model, len(self._run.target_vocabulary), sentences=sentences, source=source, rows=rows
        )

    def _rows(self, longest: Ids) -> list[int]:
        """How many hypotheses each step extends: the sentences that go on, times the beam's size after the first."""
        going_on = [int((longest > step).sum()) for step in range(int(longest.max()))]
        return [rows * (self._search.beam_size if step else 1) for step, rows in enumerate(going_on)]

    def _batch(self, pairs: list[tuple[list[int], int]]) -> tuple[Ids, Ids, Ids]:
        """Sources, their lengths, and the most tokens that each translation may have."""
        source, lengths = source_batch([pair[0] for pair in pairs])
        if self._ends:
            most = self._search.maximum_length
            return source, lengths, np.full_like(lengths, most) if most else self._run.longest_translations(lengths)
        return source, lengths, np.array([pair[1] for pair in pairs], np.int32)

    def _translate(self, source: Ids, lengths: Ids, longest: Ids) -> int:
        """Translate a batch: how many tokens its translations have."""
        if self._search.beam_size > 1:
            size, penalty = self._search.beam_size, self._search.length_penalty
            hypotheses = [
                best[0]
                for best in beam(
                    self._stepper,
                    source,
                    source_lengths=lengths,
                    maximum_lengths=longest,
                    size=size,
                    length_penalty=penalty,
                )
            ]
        else:
            hypotheses = greedy(self._stepper, source, source_lengths=lengths, maximum_lengths=longest)
        return sum(len(hypothesis.tokens) for hypothesis in hypotheses)
