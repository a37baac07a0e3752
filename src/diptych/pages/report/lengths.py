"""Quality by length, as a chart of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.pages.report.charts import Axis, Tick, axis

WIDTH, LEFT, RIGHT = 760, 64, 752
TOP, BOTTOM = 12, 210
APART = 12  # pixels between the marks of two backends, so that both are seen where they are equal


@dataclass(frozen=True)
class Mark:
    """One score: where it stands, and where its interval ends."""

    backend: str
    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class LengthChart:
    """Everything the template draws: ticks beside the scores, marks, and for each range its place and its words."""

    scores: list[Tick]
    marks: list[Mark]
    ranges: list[tuple[float, str, str]]


def length_chart(ranges: Sequence[Mapping[str, Any]]) -> LengthChart:
    """The chart of a report's `quality_by_length`."""
    every = [number for each in ranges for estimate in each["chrf"].values() for number in estimate]
    height = axis(every, BOTTOM, TOP)
    height = Axis(height.low, high=min(height.high, 100.5), start=BOTTOM, end=TOP)
    width = (RIGHT - LEFT) / len(ranges)
    marks, words = [], []
    for number, each in enumerate(ranges):
        middle = LEFT + width * (number + 0.5)
        short, long, sentences = each["shortest"], each["longest"], each["sentences"]
        shown = f"{short}" if short == long else f"{short}\N{EN DASH}{long}"
        words.append((round(middle, 1), shown, f"{sentences:,}"))
        for place, (backend, (score, low, high)) in enumerate(each["chrf"].items()):
            x = round(middle + APART * (place - (len(each["chrf"]) - 1) / 2), 1)
            text = f"{shown} tokens: chrF {score:.1f} ({low:.1f} to {high:.1f})"
            marks.append(
                Mark(backend, x, y=height.place(score), low=height.place(low), high=height.place(high), text=text)
            )
    return LengthChart(height.ticks(5), marks, words)
