"""The learning rate of each step: a pure function of the config, the step and how many steps there will be."""

from __future__ import annotations

import math

from diptych.config import TrainingConfig


def learning_rate(config: TrainingConfig, step: int, total: int) -> float:
    """The learning rate of one optimizer step.

    During the first `warmup_steps` it rises linearly, reaching the config's learning rate with the last of them.
    After that it stays (constant), falls to zero with the last step (linear, or along half a cosine wave, Loshchilov
    and Hutter, 2017), or falls with the square root of the step (inverse_square_root, Vaswani et al., 2017).

    Args:
        config: how the model is trained.
        step: optimizer steps done before this one, from 0.
        total: how many steps the whole training has.
    """
    warmup = config.warmup_steps
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    factor = {
        "constant": 1.0,
        "linear": 1.0 - progress,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
        "inverse_square_root": math.sqrt(max(1, warmup) / (step + 1)),
    }[config.schedule]
    return config.learning_rate * factor
