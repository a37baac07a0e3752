"""The learning rate of each step: a pure function of the config, the step, how many there will be, and validations."""

from __future__ import annotations

import math

from diptych.config import TrainingConfig

CYCLE_BEGIN = 0.1
"""Where a cycle begins, of the rate at its top: a tenth (Smith and Topin, 2019)."""
CYCLE_END = 0.001
"""Where the rate ends after a cycle: "several orders of magnitude" below its top (the same)."""


def learning_rate(config: TrainingConfig, step: int, total: int, plateau: float = 1.0) -> float:
    """The learning rate of one optimizer step.

    During the first `warmup_steps` it rises linearly to where the schedule begins, which it reaches with the last of
    them: the config's learning rate, or a tenth of it for one_cycle. After that it

    - stays (constant),
    - falls to zero with the last step (linear, or along half a cosine wave, Loshchilov and Hutter, 2017),
    - falls with the square root of the step (inverse_square_root, Vaswani et al., 2017),
    - is multiplied by `decay_rate` after each step (exponential),
    - rises from a tenth to the whole during `rise_share` of the steps, falls back during as many, and falls to a
      thousandth during the rest (one_cycle, Smith and Topin, 2019, without their cycle of the momentum), or
    - is multiplied by `plateau_factor` whenever `plateau_patience` validations in a row were no better (plateau).

    From the warm-up's end on it is at least `minimum_learning_rate`.

    Args:
        config: how the model is trained.
        step: optimizer steps done before this one, from 0.
        total: how many steps the whole training has.
        plateau: what validations have left of the rate, see `TrainingState`; 1 but for a plateau.
    """
    warmup = config.warmup_steps
    progress = max(0, step - warmup) / max(1, total - warmup)
    if config.schedule == "inverse_square_root":
        factor = math.sqrt(max(1, warmup) / max(warmup, step + 1))
    elif config.schedule == "exponential":
        factor = config.decay_rate ** max(0, step - warmup)
    elif config.schedule == "one_cycle":
        factor = _cycle(progress, config.rise_share)
    else:
        factor = {
            "constant": 1.0,
            "linear": 1.0 - progress,
            "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
            "plateau": plateau,
        }[config.schedule]
    rate = max(config.learning_rate * factor, config.minimum_learning_rate)
    return rate * (step + 1) / warmup if step < warmup else rate


def _cycle(progress: float, rise: float) -> float:
    """Three straight lines: up, down again, and down further."""
    if progress < rise:
        return CYCLE_BEGIN + (1.0 - CYCLE_BEGIN) * progress / rise
    if progress < 2.0 * rise:
        return 1.0 - (1.0 - CYCLE_BEGIN) * (progress - rise) / rise
    rest = (progress - 2.0 * rise) / max(1.0 - 2.0 * rise, 1e-9)
    return CYCLE_BEGIN - (CYCLE_BEGIN - CYCLE_END) * rest
