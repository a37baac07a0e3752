"""What a search found: each training's score against each setting that was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from diptych.errors import UsageError
from diptych.plots.sheet import COLOURS, dress, new_sheet, picture_path, save
from diptych.plots.text import FAMILY, INK


def settings_and_scores(
    settings: Mapping[str, Sequence[float | str]], scores: Sequence[float], name: str, path: str | Path, title: str = ""
) -> None:
    """Draw a panel for each setting, one below the other; every training is a point in each.

    Args:
        settings: by name, N values; numbers stand on an axis, logarithmic where they span a factor of 10, texts side by
            side.
        scores: (N,) of the trainings.
        name: of the score.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or there is nothing to draw.
    """
    path = picture_path(path)
    if not settings or not len(scores):
        raise UsageError("no trainings to draw: a search has at least one, and varies at least one key")
    figure = new_sheet()
    for place, (key, values) in enumerate(settings.items()):
        axes = figure.add_axes((0.0, -3.6 * place, 7.0, 2.6))
        numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if len(numbers) == len(values):
            axes.scatter(numbers, scores, color=COLOURS["pytorch"], s=24)
            if min(numbers) > 0 and max(numbers) >= 10 * min(numbers):
                axes.set_xscale("log")
        else:
            texts = list(dict.fromkeys(map(str, values)))
            axes.scatter([texts.index(str(value)) for value in values], scores, color=COLOURS["pytorch"], s=24)
            axes.set_xticks(range(len(texts)), texts)
            axes.set_xlim(-0.5, len(texts) - 0.5)
        dress(axes, name)
        axes.set_xlabel(key, family=FAMILY, fontsize=10, color=INK)
    save(figure, path, title)
