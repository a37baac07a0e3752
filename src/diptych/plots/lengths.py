"""Quality against length: how well sentences of each length are translated, and how many of them there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from diptych.errors import UsageError
from diptych.panel import NAMES
from diptych.plots.sheet import COLOURS, MARKERS, add_legend, dress, new_sheet, picture_path, save
from diptych.plots.text import FAMILY, INK, label

OTHERS = (INK, "#b07d00")
"""The colours of systems that are no backends."""

Estimate = tuple[float, float, float]
"""A score and the two ends of its interval."""


def length_and_quality(
    lengths: Sequence[tuple[int, int]],
    sentences: Sequence[int],
    scores: Mapping[str, Sequence[Estimate]],
    path: str | Path,
    measure: str = "chrF",
    title: str = "",
) -> None:
    """Draw a score with its interval for each range of source lengths and, below, how many sentences it stands on.

    Args:
        lengths: the ranges, (shortest, longest) in source tokens, both included.
        sentences: how many sentences are in each.
        scores: for each backend, and each range, the score and the low and high end of its interval.
        path: where the picture goes, ending in .png or .svg.
        measure: what the score is called.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or there is no range.
        ValueError: a backend has not one score for each range.
    """
    path = picture_path(path)
    if not lengths:
        raise UsageError("no lengths to draw: score at least one sentence first")
    if bad := [name for name, values in scores.items() if len(values) != len(lengths)]:
        raise ValueError(f"got {len(lengths)} lengths but other numbers of scores for {', '.join(bad)}")
    places = np.arange(len(lengths), dtype=np.float64)
    figure = new_sheet()
    upper = figure.add_axes((0.0, 0.0, 7.0, 2.8))
    for number, (name, values) in enumerate(scores.items()):
        shift = 0.14 * (number - (len(scores) - 1) / 2)  # beside each other, so that both are seen where they are equal
        score, low, high = (np.array(column) for column in zip(*values, strict=True))
        colour = COLOURS.get(name, OTHERS[number % 2])
        upper.errorbar(
            places + shift, score, yerr=(np.maximum(score - low, 0.0), np.maximum(high - score, 0.0)),
            color=colour, label=label(NAMES.get(name, name)), marker=MARKERS.get(name, "s"),
            markersize=6, linewidth=1.0, capsize=3,
        )  # fmt: skip
    dress(upper, measure)
    add_legend(upper)
    upper.tick_params(labelbottom=False)

    lower = figure.add_axes((0.0, -1.15, 7.0, 0.95), sharex=upper)
    bars = lower.bar(places, sentences, width=0.6, color="#9a9a9a")
    lower.bar_label(bars, [f"{count:,}" for count in sentences], padding=2, fontsize=9, color=INK, family=FAMILY)
    dress(lower, "sentences")
    lower.set_ylim(0, 1.3 * max(sentences))
    lower.set_yticks([])
    shown = [f"{short}" if short == long else f"{short}\N{EN DASH}{long}" for short, long in lengths]
    lower.set_xticks(places, shown, fontsize=9, family=FAMILY, color=INK)
    lower.set_xlabel("source tokens", family=FAMILY, fontsize=10, color=INK)
    save(figure, path, title)
