"""A learning rate range test: the rate grows with every step, and the loss shows which rates a model can bear."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from diptych.config import RunConfig
from diptych.errors import UsageError
from diptych.panel import load, training_panel
from diptych.runs.progress import QuietReporter, Reporter
from diptych.runs.run import Run
from diptych.training.interruption import Interruption
from diptych.training.memory import check_memory
from diptych.training.schedule import Place, Work, schedule, take_step

SMOOTHING = 0.9
"""How much of the smoothed loss before goes into the next: of about ten steps."""
DIVERGED = 1.1
"""The loss has diverged where, smoothed, it is so many times what it was at first."""
SHARE = 0.1
"""What is suggested, of the rate at which the loss diverged."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Attributes:
        backend: the framework.
        rates: the learning rate of each step, each the same number of times the one before.
        losses: the loss per target token of each step, before it.
        smoothed: the same, as a weighted mean of the steps up to it.
        lowest_at: the rate at which the smoothed loss was lowest.
        suggestion: a tenth of the last rate.
        ended: why that was the last: "the loss diverged", "the loss is not finite", "all steps were done" (then a
            higher rate may do, too) or "interrupted".
    """

    backend: str
    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    lowest_at: float
    suggestion: float
    ended: str


def range_test(
    run: Run,
    backend: str,
    threads: int | None = None,
    device: str = "auto",
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    reporter: Reporter | None = None,
) -> RangeTest:
    """Train for a few steps while the learning rate grows from step to step (Smith, 2017).

    The model starts from the run's initial weights and sees the batches and masks that training would give it, under
    the run's own optimizer and clipping. Nothing is written. It ends where the smoothed loss is a tenth above that of
    the first step, or where a loss is not finite: the loss has diverged.

    A tenth of the rate at which it diverged is suggested. The test is short, and one seed's: take it for an order of
    magnitude, and where the schedule begins with the full rate, for its upper end.

    Args:
        run: what would be trained.
        backend: with which framework.
        threads: how many processor threads; None leaves that to the framework.
        device: auto, cpu or cuda.
        lowest: the rate of the first step.
        highest: the rate of the last step.
        steps: how many steps at most.
        reporter: where to say how it goes; by default nowhere.

    Raises:
        UsageError: the rates do not grow, there are fewer than two steps, or the first loss is not finite.
        DataError: the corpus cannot be read.
        BackendError: the framework is not installed.
        RunError: the model cannot fit into memory.
    """
    if not 0.0 < lowest < highest < math.inf or steps < 2:
        raise UsageError(
            f"a range test needs 0 < lowest < highest and 2 or more steps, got {lowest:g}, {highest:g} and {steps} "
            f"steps; for instance 1e-6, 1 and 100"
        )
    reporter = reporter or QuietReporter()
    pairs = run.encoded(reporter).train
    check_memory(run, pairs, device)
    panel, config = training_panel(load(backend, threads, device)), _for_so_many(run.config, steps)
    training = panel.TrainingStep(run.build(panel), config.training)

    rates = [lowest * (highest / lowest) ** (step / (steps - 1)) for step in range(steps)]
    reporter.begin(backend, 0, steps)
    try:
        with closing(schedule(pairs, config, start=Place(), steps=steps, resample=run.resampling())) as works:
            losses, smoothed, ended = _losses(training, works, rates=rates, reporter=reporter)
    finally:
        reporter.end()
    if not losses:
        raise UsageError("the loss of the first step is not finite: look at the data, or at the model's precision")
    tried = rates[: len(losses)]
    lowest_at = tried[smoothed.index(min(smoothed))]
    return RangeTest(
        backend,
        rates=tried,
        losses=losses,
        smoothed=smoothed,
        lowest_at=lowest_at,
        suggestion=SHARE * tried[-1],
        ended=ended,
    )


def _losses(
    training: Any, works: Iterable[Work], rates: Sequence[float], reporter: Reporter
) -> tuple[list[float], list[float], str]:
    """The losses of steps at these rates, as they are and smoothed, up to where they diverge; and why they end."""
    losses: list[float] = []
    smoothed: list[float] = []
    mean, mark = 0.0, time.perf_counter()
    with Interruption() as interruption:
        for work, rate in zip(works, rates):
            if work.shards is None:
                loss = take_step(training, work.parts, rate).loss
            else:
                parts = [(shard.batch, shard.masks) for shard in work.shards]
                loss = training.step_shards(parts, work.target_tokens, rate).loss
            if not math.isfinite(loss):
                return losses, smoothed, "the loss is not finite"
            losses.append(loss)
            mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss
            smoothed.append(mean / (1.0 - SMOOTHING ** len(losses)))  # as Adam corrects its moments
            told = {"step": len(losses), "epoch": work.epoch + 1, "loss": loss, "seconds": time.perf_counter() - mark}
            reporter.step(told | {"target_tokens": work.target_tokens})
            mark = time.perf_counter()
            if smoothed[-1] > DIVERGED * smoothed[0]:
                return losses, smoothed, "the loss diverged"
            if interruption.requested:
                return losses, smoothed, "interrupted"
    return losses, smoothed, "all steps were done"


def _for_so_many(config: RunConfig, steps: int) -> RunConfig:
    """A config whose epochs are enough for so many steps, and that stops at nothing."""
    training = config.training.model_copy(update={"epochs": steps, "non_finite": "stop"})
    return config.model_copy(update={"training": training})
