"""Scheduled sampling: target positions that read what the model would say instead of what the reference says.

The model first reads the reference (one pass without gradients), and its most probable tokens then take the place of
some of the reference's: parallel scheduled sampling with one pass (Duckworth et al., 2019, after Bengio et al., 2015).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from diptych.config import TrainingConfig
from diptych.data.tokens.batches import Batch, Ids
from diptych.randomness import generator

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


def mix(batch: Batch, predicted: Ids, ratio: float, seed: int, step: int, part: int = 0) -> Batch:
    """The batch whose decoder reads the model's own tokens where chance says so (docs/equations.md, 22).

    Args:
        batch: B pairs of up to T target positions.
        predicted: (B, T) the model's token at each position; it is read at the next one. The first reads bos always.
        ratio: the probability of reading the reference.
        seed: the training seed.
        step: the optimizer step, from 0.
        part: which of the batches of this step, from 0.
    """
    own = generator(seed, "scheduled sampling", step, part).random(predicted.shape) >= ratio
    own[:, 0] = False
    own &= np.arange(predicted.shape[1]) < batch.target_lengths[:, None]
    said = np.roll(predicted, 1, axis=1)
    return replace(batch, target_input=np.where(own, said, batch.target_input).astype(np.int32))
