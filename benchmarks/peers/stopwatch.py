"""Times a training loop from inside: blocks of target tokens per second, once the loop is warm."""

from __future__ import annotations

import time


class Finished(Exception):
    """Raised out of a toolkit's own training loop when enough was measured or learned."""


class Stopwatch:
    """What a training loop calls after each optimizer step.

    Args:
        seconds: how long to measure.
        blocks: into how many blocks those seconds are cut, each ending with a step.
        warm_up: how many seconds after the first step to wait before measuring; the first step counts as loading.
        steps: how many steps at least belong to the warm-up.
    """

    def __init__(self, seconds: float, blocks: int = 4, warm_up: float = 3.0, steps: int = 5) -> None:
        self.block_seconds = seconds / blocks
        self.blocks = blocks
        self.warm_up = warm_up
        self.warm_up_steps = steps
        self.speeds: list[float] = []
        self.steps = 0
        self.warm_up_seconds = 0.0
        self._begun = time.perf_counter()
        self._first: float | None = None
        self._mark: float | None = None
        self._tokens = 0

    def step(self, target_tokens: int) -> None:
        """Count one step with so many real target tokens (eos counted, padding not).

        Raises:
            Finished: all blocks are measured.
        """
        now = time.perf_counter()
        self.steps += 1
        if self._first is None:
            self._first = now
        if self._mark is None:
            if now - self._first >= self.warm_up and self.steps >= self.warm_up_steps:
                self._mark, self.warm_up_seconds = now, now - self._begun
            return
        self._tokens += target_tokens
        if now - self._mark >= self.block_seconds:
            self.speeds.append(self._tokens / (now - self._mark))
            self._mark, self._tokens = now, 0
        if len(self.speeds) == self.blocks:
            raise Finished


class Countdown:
    """Ends a training loop after so many steps, or so many seconds, and measures nothing."""

    def __init__(self, steps: int, seconds: float = float("inf")) -> None:
        self.steps = steps
        self.end = time.perf_counter() + seconds

    def step(self, target_tokens: int) -> None:
        """Count one step.

        Raises:
            Finished: that was the last one.
        """
        self.steps -= 1
        if self.steps <= 0 or time.perf_counter() >= self.end:
            raise Finished
