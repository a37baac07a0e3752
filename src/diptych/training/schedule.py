"""What each training step is given: its batch and its dropout masks, made in a thread while the step before runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from diptych.config import RunConfig
from diptych.data.tokens.batches import (
    Batch,
    EncodedPairs,
    Ids,
    batch_ends,
    collate,
    target_length_counts,
    training_batches,
)
from diptych.panel import Masks
from diptych.parameters.specification import dropout_shapes
from diptych.randomness import dropout_masks
from diptych.training.shards import Shard, own_shards

T = TypeVar("T")

Resample = Callable[[EncodedPairs, Ids, int], EncodedPairs]
"""Gives the pairs of these rows as this epoch sees them, see `diptych.data.tokens.resampling`."""


@dataclass(frozen=True)
class Place:
    """A place in training, between two steps.

    Attributes:
        step: optimizer steps done.
        epoch: whole epochs done.
        position: steps of the next epoch done.
    """

    step: int = 0
    epoch: int = 0
    position: int = 0

    def next(self, steps: int) -> Place:
        """The place after one more step, where an epoch has so many steps."""
        ends = self.position + 1 >= steps
        return Place(self.step + 1, self.epoch + ends, 0 if ends else self.position + 1)


@dataclass(frozen=True)
class Work:
    """What one step is given.

    Attributes:
        batch: the pairs.
        masks: the dropout masks by place, True where kept; none without dropout.
        epoch: which epoch this is, from 0.
        more: the batches and masks whose gradients are added to this one's.
        shards: those of the batches that this worker computes, which have the masks then; None: the batches are not
            divided.
    """

    batch: Batch
    masks: Masks
    epoch: int
    more: tuple[tuple[Batch, Masks], ...] = ()
    shards: tuple[Shard, ...] | None = None

    @property
    def parts(self) -> list[tuple[Batch, Masks]]:
        """All batches of the step and their masks."""
        return [(self.batch, self.masks), *self.more]

    @property
    def rows(self) -> list[int]:
        """Which pairs of the corpus the step is made on."""
        return [int(row) for batch, _ in self.parts for row in batch.rows]

    @property
    def row_list(self) -> str:
        """The same for a message."""
        return ", ".join(map(str, self.rows))

    @property
    def target_tokens(self) -> int:
        """Real target positions of the step, eos counted."""
        return sum(batch.target_tokens for batch, _ in self.parts)


def steps_per_epoch(pairs: EncodedPairs, config: RunConfig) -> int:
    """How many steps an epoch has, each the same number."""
    batches = len(batch_ends(target_length_counts(pairs), config.training.batch_size, config.training.batch_by))
    return -(-batches // config.training.accumulate)


def total_steps(pairs: EncodedPairs, config: RunConfig, start: Place) -> int:
    """How many optimizer steps there will be in all, if training goes on from `start` to its end."""
    total = start.step + (config.training.epochs - start.epoch) * steps_per_epoch(pairs, config) - start.position
    return min(total, config.training.maximum_steps) if config.training.maximum_steps else total


def schedule(
    pairs: EncodedPairs,
    config: RunConfig,
    start: Place,
    steps: int,
    resample: Resample | None = None,
    worker: int = 0,
    workers: int = 1,
) -> Generator[Work, None, None]:
    """The next `steps` steps from a place in training, each a pure function of config, pairs and place.

    Batches follow from (seed, epoch), dropout masks from (seed, step, part of the step), all counted from 0; `resample`
    may change what is in a batch, but not which pairs. Where batches are divided into shards, this worker's are those
    that it has of so many workers, from 0. Close the iterator (or exhaust it) to end its thread.
    """
    seed, size, kind = config.training.seed, config.training.batch_size, config.training.batch_by
    accumulate = config.training.accumulate

    def prepare(step: int, epoch: int, groups: list[Ids]) -> Work:
        batches = [_batch(pairs, rows, epoch=epoch, resample=resample) for rows in groups]
        if config.training.shards > 1:
            no_masks: Masks = {}
            whole = [(batch, no_masks) for batch in batches]
            return Work(
                *whole[0],
                epoch,
                tuple(whole[1:]),
                own_shards(batches, config, step=step, worker=worker, workers=workers),
            )
        parts = []
        for part, batch in enumerate(batches):
            rows, width = batch.source.shape
            shapes = dropout_shapes(config.model, rows, source=width, target=batch.target_output.shape[1])
            parts.append((batch, dropout_masks(seed, step, shapes, rate=config.model.dropout, part=part)))
        return Work(*parts[0], epoch, tuple(parts[1:]))

    def jobs() -> Iterator[Callable[[], Work]]:
        step, position = start.step, start.position
        for epoch in range(start.epoch, config.training.epochs):
            batches = training_batches(pairs, size, seed=seed, epoch=epoch, batch_by=kind)
            for first in range(position * accumulate, len(batches), accumulate):
                yield partial(prepare, step, epoch, batches[first : first + accumulate])
                step += 1
            position = 0

    return prefetched(islice(jobs(), max(0, steps)))


def _batch(pairs: EncodedPairs, rows: Ids, epoch: int, resample: Resample | None) -> Batch:
    """The batch of these rows as this epoch sees them."""
    if resample:
        return collate(resample(pairs, rows, epoch), np.arange(len(rows), dtype=np.int32))
    return collate(pairs, rows)


def take_step(training: Any, parts: list[tuple[Batch, Masks]], rate: float) -> Any:
    """One optimizer step of a panel's `TrainingStep`, on one batch or on the gradients of several."""
    return training.step(*parts[0], rate) if len(parts) == 1 else training.step_over(parts, rate)


def prefetched(jobs: Iterable[Callable[[], T]], ahead: int = 3) -> Generator[T, None, None]:
    """The results of jobs, in order, computed in one thread up to `ahead` of the one that is being used.

    A job's exception is raised where its result would have come.
    """
    waiting: deque[Future[T]] = deque()
    thread = ThreadPoolExecutor(1, "prefetch")
    try:
        for job in jobs:
            waiting.append(thread.submit(job))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
