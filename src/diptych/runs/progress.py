"""How training tells where it is: a bar on a terminal, plain lines elsewhere, or nothing. All go to standard error."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from diptych.visible import visible

T = TypeVar("T")
Metrics = Mapping[str, Any]
ITEMS = 1024
"""After so many items it is time to look at the clock."""


class Reporter(Protocol):
    """What training calls, from one thread; the metrics are the lines of metrics.jsonl."""

    def begin(self, backend: str, done: int, total: int) -> None:
        """Training with a backend begins, `done` of `total` steps having been done before."""

    def step(self, metrics: Metrics) -> None:
        """A step is done: step, epoch, loss, gradient_norm, target_tokens, seconds."""

    def validation(self, metrics: Metrics) -> None:
        """A validation is done: step, validation_loss, best and, if it translated, bleu, chrf, exact_match."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""

    def watch(self, items: Iterable[T], what: str, total: int | None) -> Iterable[T]:
        """These items, of which there are `total` if it is known; where it takes long, says how far it is."""

    def end(self) -> None:
        """Training has ended, in whatever way."""


class QuietReporter:
    """Says nothing."""

    def begin(self, backend: str, done: int, total: int) -> None: ...

    def step(self, metrics: Metrics) -> None: ...

    def validation(self, metrics: Metrics) -> None: ...

    def note(self, text: str) -> None: ...

    def watch(self, items: Iterable[T], what: str, total: int | None) -> Iterable[T]:
        return items

    def end(self) -> None: ...


class LineReporter:
    """Plain lines, for logs: one every so many seconds, and one for each validation."""

    def __init__(self, stream: TextIO, every_seconds: float = 10.0, name: str = "training") -> None:
        """Write to `stream`; `every_seconds` 0 gives a line for each step; `name` begins each line."""
        self.stream = stream
        self.every_seconds = every_seconds
        self.backend = name

    def begin(self, backend: str, done: int, total: int) -> None:
        """Say what is about to be done."""
        self.backend = backend
        self.total = total
        self.pace = Pace()
        self.last_line = time.monotonic()
        self.note(f"{done} of {total} steps done" if done else f"{total} steps to do")

    def step(self, metrics: Metrics) -> None:
        """Say how the step went, if the last line is old enough."""
        self.pace.add(metrics)
        now = time.monotonic()
        if now - self.last_line >= self.every_seconds and self.pace.seen > 1:
            self.last_line = now
            left = format_seconds(self.pace.seconds_left(self.total - metrics["step"]))
            self.note(
                f"step {metrics['step']} of {self.total}, epoch {metrics['epoch']}, loss {metrics['loss']:.4f}, "
                f"{self.pace.tokens_per_second():,.0f} target tokens/s, {left} left"
            )

    def validation(self, metrics: Metrics) -> None:
        """Say the validation's loss."""
        self.note(describe_validation(metrics))

    def note(self, text: str) -> None:
        """Say this."""
        self.stream.write(f"{self.backend}: {visible(text)}\n")
        self.stream.flush()

    def watch(self, items: Iterable[T], what: str, total: int | None) -> Iterable[T]:
        """Say every so many seconds how many items have been gone through."""
        last_line = time.monotonic()
        for number, item in enumerate(items):
            if number % ITEMS == 0 and time.monotonic() - last_line >= self.every_seconds:
                last_line = time.monotonic()
                self.stream.write(f"{what}: {number:,}{'' if total is None else f' of {total:,}'}\n")
                self.stream.flush()
            yield item

    def end(self) -> None:
        """The last line has said it."""


class BarReporter:
    """A progress bar with loss, tokens per second and time left; validations stay above it as lines."""

    def __init__(self, console: Console, name: str = "training") -> None:
        """Draw on `console`; `name` begins each line."""
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
        )
        self.backend = name

    def begin(self, backend: str, done: int, total: int) -> None:
        """Draw the bar."""
        self.backend = backend
        self.total = total
        self.pace = Pace()
        self.task: TaskID = self.progress.add_task(backend, total=total, completed=done, state="starting")
        self.progress.start()

    def step(self, metrics: Metrics) -> None:
        """Move the bar."""
        self.pace.add(metrics)
        left = format_seconds(self.pace.seconds_left(self.total - metrics["step"]))
        state = f"loss {metrics['loss']:.4f}  {self.pace.tokens_per_second():,.0f} tokens/s  {left} left"
        self.progress.update(self.task, completed=metrics["step"], state=state)

    def validation(self, metrics: Metrics) -> None:
        """Leave a line above the bar."""
        self.note(describe_validation(metrics))

    def note(self, text: str) -> None:
        """Leave a line above the bar."""
        self.progress.console.print(f"{self.backend}: {visible(text)}", markup=False, highlight=False)

    def watch(self, items: Iterable[T], what: str, total: int | None) -> Iterable[T]:
        """Draw a bar while it lasts, if it lasts longer than a second."""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        bar = Progress(*columns, console=self.progress.console, transient=True)
        task = bar.add_task(what, total=total)
        begun = time.monotonic()
        try:
            for number, item in enumerate(items):
                if number % ITEMS == 0 and time.monotonic() - begun > 1.0:
                    bar.start()  # nothing, if it has started
                    bar.update(task, completed=number)
                yield item
        finally:
            if bar.live.is_started:
                bar.stop()

    def end(self) -> None:
        """Leave the bar as it is."""
        self.progress.stop()


class Pace:
    """How fast the last steps were; the first step, which compiles, is left out as soon as there is another."""

    def __init__(self, steps: int = 50) -> None:
        """Look at so many steps."""
        self.recent: deque[tuple[float, int]] = deque(maxlen=steps)
        self.seen = 0

    def add(self, metrics: Metrics) -> None:
        """Another step is done."""
        if self.seen == 1:
            self.recent.clear()
        self.seen += 1
        self.recent.append((metrics["seconds"], metrics["target_tokens"]))

    def tokens_per_second(self) -> float:
        """Target tokens per second over the last steps."""
        return sum(tokens for _, tokens in self.recent) / max(sum(seconds for seconds, _ in self.recent), 1e-9)

    def seconds_left(self, steps: int) -> float:
        """How long so many more steps take at this pace, validations not counted."""
        return steps * sum(seconds for seconds, _ in self.recent) / max(len(self.recent), 1)


def make_reporter(quiet: bool = False, stream: TextIO | None = None, name: str = "training") -> Reporter:
    """The reporter that fits: none if quiet, a bar if the stream (standard error) is a terminal, else lines."""
    stream = stream or sys.stderr
    if quiet:
        return QuietReporter()
    if stream.isatty():
        return BarReporter(Console(file=stream), name)
    return LineReporter(stream, name=name)


def describe_validation(metrics: Metrics) -> str:
    """A validation in words."""
    best = ", the best so far" if metrics["best"] else ""
    names = {"bleu": "BLEU", "chrf": "chrF", "exact_match": "exact match"}
    scores = "".join(f", {name} {metrics[key]:.2f}" for key, name in names.items() if key in metrics)
    return f"step {metrics['step']}, validation loss {metrics['validation_loss']:.4f}{scores}{best}"


def format_seconds(seconds: float) -> str:
    """A duration as people say it: 42 s, 3:05 min, 2:10 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
