"""Scheduled sampling: target positions that read what the model would say instead of what the reference says.

The model first reads the reference (one pass without gradients), and its most probable tokens then take the place of
some of the reference's: parallel scheduled sampling with one pass (Duckworth et al., 2019, after Bengio et al., 2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from diptych.config import TrainingConfig
from diptych.data.tokens.batches import Batch, Ids
from diptych.panel import Masks
from diptych.randomness import generator
from diptych.training.shards import Shard

STEEPNESS = 6.0
"""Of the inverse sigmoid decay: how many of the logistic function's units lie on either side of its middle."""


def teacher_forcing_ratio(config: TrainingConfig, step: int, total: int) -> float:
    """The share of target positions that read the reference at one optimizer step.

    Constant, or falling from 1 to the config's share: linearly, or slowly at both ends (inverse_sigmoid).

    Args:
        config: how the model is trained.
        step: optimizer steps done before this one, from 0.
        total: how many steps the whole training has.
    """
    progress = step / max(1, total - 1)
    left = {
        "none": 0.0,
        "linear": 1.0 - progress,
        "inverse_sigmoid": 0.5 * (1.0 - math.tanh(STEEPNESS * (progress - 0.5)) / math.tanh(STEEPNESS / 2.0)),
    }[config.teacher_forcing_decay]
    return config.teacher_forcing + (1.0 - config.teacher_forcing) * left


def mix(
    batch: Batch,
    predicted: Ids,
    ratio: float,
    seed: int,
    step: int,
    part: int = 0,
    first: int = 0,
    whole: tuple[int, int] | None = None,
) -> Batch:
    """The batch whose decoder reads the model's own tokens where chance says so (docs/equations.md, 22).

    Args:
        batch: B pairs of up to T target positions.
        predicted: (B, T) the model's token at each position; it is read at the next one. The first reads bos always.
        ratio: the probability of reading the reference.
        seed: the training seed.
        step: the optimizer step, from 0.
        part: which of the batches of this step, from 0.
        first: where this is only a shard of that batch: which row is its first.
        whole: how many rows and target positions that batch has; None: this is the whole one.
    """
    rows, positions = predicted.shape
    drawn = generator(seed, "scheduled sampling", step, part).random(whole or (rows, positions))
    own = drawn[first : first + rows, :positions] >= ratio
    own[:, 0] = False
    own &= np.arange(predicted.shape[1]) < batch.target_lengths[:, None]
    said = np.roll(predicted, 1, axis=1)
    return replace(batch, target_input=np.where(own, said, batch.target_input).astype(np.int32))


def own_tokens_mixed_in_shards(
    shards: Sequence[Shard],
    predict: Callable[[Batch, Masks], Ids],
    config: TrainingConfig,
    *,
    step: int,
    last_step: int,
) -> list[tuple[Batch, Masks]]:
    """A step's shards as batches and masks, with the tokens that `own_tokens_mixed_in` would give their rows."""
    ratio = teacher_forcing_ratio(config, step, last_step)
    if ratio >= 1.0:
        return [(shard.batch, shard.masks) for shard in shards]
    parts = []
    for shard in shards:
        said, place = predict(shard.batch, shard.masks), (shard.part, shard.first, shard.whole)
        parts.append((mix(shard.batch, said, ratio, config.seed, step, *place), shard.masks))
    return parts


def own_tokens_mixed_in(
    parts: Sequence[tuple[Batch, Masks]],
    predict: Callable[[Batch, Masks], Ids],
    config: TrainingConfig,
    *,
    step: int,
    last_step: int,
) -> list[tuple[Batch, Masks]]:
    """A step's batches, with the model's own tokens among those that are read, where the config asks for it.

    Args:
        parts: the batches and their dropout masks.
        predict: gives the model's most probable token at each target position (B, T).
        config: how the model is trained.
        step: optimizer steps done before.
        last_step: how many there will be in all.
    """
    ratio = teacher_forcing_ratio(config, step, last_step)
    if ratio >= 1.0:
        return list(parts)
    return [
        (mix(batch, predict(batch, masks), ratio=ratio, seed=config.seed, step=step, part=part), masks)
        for part, (batch, masks) in enumerate(parts)
    ]
