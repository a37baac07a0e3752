"""Attention maps: the source along the top, the hypothesis down the side; several backends and their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diptych.errors import UsageError
from diptych.panel import NAMES
from diptych.plots.sheet import COLOURS, extent, move, new_sheet, picture_path, png, save
from diptych.plots.text import FAMILY, INK, label, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Weights = npt.NDArray[np.float64]
Hypotheses = Mapping[str, tuple[Sequence[str], npt.ArrayLike]]
"""For each backend its T tokens and its (T, S) attention; one row more than tokens is that of `<eos>`."""

WIDEST = 15.0
"""Maps that would be wider side by side, in inches, stand one below the other."""
GAP = 0.25
FRAME = "#b0b0b0"


def attention_map(
    source_tokens: Sequence[str],
    tokens: Sequence[str],
    attention: npt.ArrayLike,
    path: str | Path,
    title: str = "",
) -> None:
    """Draw one attention map: the source along the top, the hypothesis down the side.

    Args:
        source_tokens: the S tokens read.
        tokens: the tokens said; where the attention has one row more, that row is `<eos>`.
        attention: (T, S) weights; each row sums to 1.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or there is no attention to draw.
        ValueError: the attention's shape does not fit the tokens.
    """
    attention_maps(source_tokens, {"": (tokens, attention)}, path=path, title=title)


def attention_maps(
    source_tokens: Sequence[str],
    hypotheses: Hypotheses,
    path: str | Path,
    title: str = "",
    difference: npt.ArrayLike | None = None,
) -> None:
    """Draw the attention maps of several backends side by side and, of two that say the same, their difference.

    Maps of long sentences, which would be too wide, stand one below the other.

    Args:
        source_tokens: the S tokens read.
        hypotheses: for each backend its tokens and its (T, S) attention, as for `attention_map`.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.
        difference: (T, S) the second attention less the first, where the given ones are rounded; None: of those.

    Raises:
        UsageError: the path cannot be written, or there is no attention to draw.
        ValueError: an attention's shape does not fit its tokens.
    """
    path = picture_path(path)
    save(_draw(source_tokens, hypotheses, difference), path, title)


def attention_png(source_tokens: Sequence[str], hypotheses: Hypotheses, title: str = "") -> bytes:
    """The picture of `attention_maps` as the bytes of a PNG.

    Raises:
        UsageError: there is no attention to draw.
        ValueError: an attention's shape does not fit its tokens.
    """
    return png(_draw(source_tokens, hypotheses), title)


def _draw(source_tokens: Sequence[str], hypotheses: Hypotheses, difference: npt.ArrayLike | None = None) -> Figure:
    maps = {name: _weights(source_tokens, *hypothesis) for name, hypothesis in hypotheses.items()}
    if not any(weights.any() for _, weights in maps.values()):
        raise UsageError("no attention to draw: the line is empty, or the model has attention = 'none'")
    columns = [label(token) for token in source_tokens]
    sides = {name: [label(token) for token in said] for name, (said, _) in maps.items()}
    same = len({tuple(said) for said, _ in maps.values()}) == 1
    compared = same and len(maps) == 2
    cells = _Cells(columns, list(sides.values()))
    beside = (len(maps) + compared) * len(columns) * cells.size <= WIDEST or len(maps) == 1

    figure = new_sheet()
    place = _Place(beside)
    for number, (name, (_, weights)) in enumerate(maps.items()):
        rows = [] if number and same and beside else sides[name]
        axes = _heatmap(
            figure,
            cells,
            weights=weights,
            columns=columns,
            rows=rows,
            name=NAMES.get(name, name),
            colours="Blues",
            limits=(0.0, 1.0),
        )
        place.put(axes)
        if number == (len(maps) - 1 if beside else 0):
            place.put_scale(figure, axes, {0.0: "0", 0.5: "0.5", 1.0: "1"})
    if compared:
        rows = [] if beside else next(iter(sides.values()))
        (_, before), (_, after) = maps.values()
        gaps = after - before if difference is None else np.asarray(difference, np.float64)
        _draw_difference(figure, place, cells, names=list(maps), difference=gaps, columns=columns, rows=rows)
    return figure


def _draw_difference(
    figure: Figure, place: _Place, cells: _Cells, names: list[str], difference: Weights, columns: list[str],
    rows: list[str],
) -> None:  # fmt: skip
    """Draw the second map less the first, in the colour of the one that looks more."""
    from matplotlib.colors import LinearSegmentedColormap

    first, second = names
    largest = float(np.abs(difference).max())
    limit = largest if 0.0 < largest < np.inf else 1.0
    note = "no difference in float32" if largest == 0.0 else f"largest {largest:.1e}"
    name = f"{NAMES.get(second, second)} \N{MINUS SIGN} {NAMES.get(first, first)}\n{note}"
    ends = COLOURS.get(first, "#7f3b08"), "#f7f7f7", COLOURS.get(second, "#2d004b")
    axes = _heatmap(
        figure, cells, weights=difference, columns=columns, rows=rows, name=name,
        colours=LinearSegmentedColormap.from_list("difference", ends), limits=(-limit, limit),
    )  # fmt: skip
    place.put(axes)
    if limit == largest:
        place.put_scale(figure, axes, {-limit: f"\N{MINUS SIGN}{limit:.0e}", 0.0: "0", limit: f"{limit:.0e}"})


class _Cells:
    """Sizes that fit the longest map of a picture: cells in inches, letters in points, and whether labels slant."""

    def __init__(self, columns: list[str], sides: list[list[str]]) -> None:
        longest = max(len(columns), *(len(side) for side in sides))
        self.size = min(0.34, max(14.0 / longest, 0.15), 40.0 / longest)
        self.letter = min(11.0, 0.68 * self.size * 72.0)
        self.slanted = max(map(width, columns)) * self.letter > 0.9 * self.size * 72.0


class _Place:
    """Where the next map goes: to the right of the last one, or below it."""

    def __init__(self, beside: bool) -> None:
        self.beside = beside
        self.left = self.bottom = 0.0

    def put(self, axes: Axes) -> None:
        """Move a map, labels included, to its place."""
        if self.beside:
            self.left = move(axes, self.left)
        else:
            move(axes, extent(axes)[0], self.bottom)
            self.bottom = extent(axes)[1] - GAP

    def put_scale(self, figure: Figure, axes: Axes, ticks: dict[float, str]) -> None:
        """Draw the scale of a map's colours to its right."""
        map_box = axes.get_position()
        height = min(max(map_box.height, 0.8), 2.0)
        bar = figure.add_axes((0.0, map_box.y1 - height, 0.13, height))
        scale = figure.colorbar(axes.collections[0], cax=bar)
        scale.outline.set_edgecolor(FRAME)
        scale.set_ticks(list(ticks), labels=list(ticks.values()), fontsize=9, family=FAMILY, color=INK)
        bar.tick_params(length=2, color=FRAME)
        self.left = max(self.left, move(bar, map_box.x1 + 0.12)) + 0.1


def _weights(
    source_tokens: Sequence[str], tokens: Sequence[str], attention: npt.ArrayLike
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """What stands at the T rows of a map, `<eos>` included, and its (T, S) weights."""
    weights = np.asarray(attention, np.float64)
    said = list(tokens)
    if weights.ndim == 2 and weights.shape[0] == len(said) + 1:
        said.append("<eos>")
    if weights.shape != (len(said), len(source_tokens)):
        raise ValueError(
            f"attention has shape {weights.shape}, but there are {len(tokens)} tokens and {len(source_tokens)} source "
            f"tokens: give one row per token (one more for <eos>) and one column per source token"
        )
    return said, weights


def _heatmap(
    figure: Figure, cells: _Cells, weights: Weights, columns: list[str], rows: list[str], name: str,
    colours: str | Colormap, limits: tuple[float, float],
) -> Axes:  # fmt: skip
    """Draw one map, its upper left corner at the origin."""
    high, wide = (count * cells.size for count in weights.shape)
    axes = figure.add_axes((0.0, -high, wide, high))
    low, top = limits
    lines = "#e4e4e4" if cells.size > 0.2 else "none"
    axes.pcolormesh(weights, cmap=colours, vmin=low, vmax=top, edgecolors=lines, linewidth=0.4)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    slant: dict[str, Any] = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"} if cells.slanted else {}
    style: dict[str, Any] = {"fontsize": cells.letter, "family": FAMILY, "color": INK, "parse_math": False}
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, **style, **slant)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, **style)
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_color(FRAME)
    axes.set_xlabel(name, fontsize=10, family=FAMILY, color=INK, labelpad=6)
    axes.xaxis.set_label_position("bottom")
    return axes
