"""Training as a trial: optimizer steps on a few batches, from short to long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, cycle, islice
from typing import Any

from diptych.benchmark.arithmetic import Product, training_products
from diptych.benchmark.trial import evenly_spaced, middle
from diptych.data.tokens.batches import Batch, Ids, collate, padded_length, training_batches
from diptych.panel import TrainingPanel
from diptych.parameters.specification import dropout_shapes
from diptych.randomness import dropout_masks
from diptych.runs.run import Run
from diptych.training.schedule import Work, prefetched


class TrainingTrial:
    """Steps of a run's training, with dropout masks made beside them as in training.

    Attributes:
        counts: steps, sentences, target tokens (eos counted) and all target positions of a block.
    """

    def __init__(self, panel: TrainingPanel, run: Run, model: Any, steps: int) -> None:
        """Choose the batches: so many, evenly spaced among all full ones of an epoch in the order of their length."""
        self._panel, self._run, self._model = panel, run, model
        self._config = run.config.training
        pairs = run.encoded().train
        epoch = training_batches(
            pairs, self._config.batch_size, self._config.seed, epoch=0, batch_by=self._config.batch_by
        )
        sources, targets = pairs.sources.lengths, pairs.targets.lengths
        by_tokens = self._config.batch_by == "tokens"  # then all but a few are full
        full = [rows for rows in epoch if by_tokens or len(rows) == self._config.batch_size] or epoch
        full.sort(key=lambda rows: int(targets[rows].sum()))
        self.batches = [collate(pairs, rows) for rows in evenly_spaced(full, steps)]
        self._distinct_shapes = len({_shape(sources[rows], targets[rows]) for rows in epoch})
        self._works = prefetched(self._jobs())
        self.counts = {
            "steps": len(self.batches),
            "sentences": sum(len(batch.rows) for batch in self.batches),
            "target_tokens": sum(batch.target_tokens for batch in self.batches),
            "target_positions": sum(batch.target_output.size for batch in self.batches),
        }

    def prepare(self) -> None:
        """Make the training step and do one."""
        self._training = self._panel.TrainingStep(self._model, self._config)
        self._train([self._work(self.batches[0], 0)])

    def block(self) -> float:
        """One step on each batch."""
        return self._train(islice(self._works, len(self.batches)))

    def products(self) -> list[Product]:
        """Those of each batch, padding included."""
        return [product for batch in self.batches for product in self._products(*_sizes(batch))]

    def typical(self) -> list[Product]:
        """Those of a batch whose sizes are the medians."""
        return self._products(*middle([_sizes(batch) for batch in self.batches]))

    def details(self) -> dict[str, Any]:
        """How often the panel compiled, and how many shapes the batches of a whole epoch have."""
        return {
            "compilations": self._training.compilations,
            "distinct_shapes": self._distinct_shapes,
        }

    def _products(self, *sizes: int) -> list[Product]:
        return training_products(self._run.config.model, len(self._run.target_vocabulary), *sizes)

    def _train(self, works: Sequence[Work] | Iterator[Work]) -> float:
        mark = time.perf_counter()
        for work in works:
            self._training.step(work.batch, work.masks, self._config.learning_rate)
        return time.perf_counter() - mark

    def _jobs(self) -> Iterator[Callable[[], Work]]:
        return (partial(self._work, batch, step) for step, batch in zip(count(), cycle(self.batches)))

    def _work(self, batch: Batch, step: int) -> Work:
        """What a step is given."""
        model = self._run.config.model
        shapes = dropout_shapes(
            model, len(batch.rows), source=batch.source.shape[1], target=batch.target_output.shape[1]
        )
        return Work(batch, dropout_masks(self._config.seed, step, shapes, rate=model.dropout), epoch=0)


def _sizes(batch: Batch) -> tuple[int, int, int, int]:
    """B, S, T and the real target positions of a batch."""
    return len(batch.rows), batch.source.shape[1], batch.target_output.shape[1], batch.target_tokens


def _shape(source_lengths: Ids, target_lengths: Ids) -> tuple[int, int, int]:
    """B, S and T of a batch that is not made, of pairs of these lengths."""
    source, target = int(source_lengths.max()), int(target_lengths.max()) + 1  # eos
    return len(source_lengths), padded_length(source), padded_length(target)
