"""Pictures: attention maps and loss curves, as PNG or SVG, with Korean, German and English readable on any machine.

Matplotlib is imported only when a picture is drawn, and only its objects are used: no pyplot and no settings changed,
so that any thread may draw. Colours can be told apart by colour-blind readers; text is dark on white.
"""

from __future__ import annotations

import textwrap
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diptych.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ft2font import FT2Font

SUFFIXES = (".png", ".svg")
# Latin, Greek and Cyrillic come from the font matplotlib carries, Hangul from the one beside this file.
FAMILY = ["DejaVu Sans", "Diptych Hangul"]
HANGUL_FONT = Path(__file__).parent / "fonts" / "DiptychHangul.ttf"
COLOURS = {"tensorflow": "#d55e00", "pytorch": "#0072b2"}
INK = "#1a1a1a"
MAXIMUM_LABEL = 24
INCH = 72.0  # points


def picture_path(path: str | Path) -> Path:
    """The path of a picture that can be written: to be asked before any work is done.

    Raises:
        UsageError: the suffix is neither .png nor .svg, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot draw {str(path)!r}: give a name that ends in {' or '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise UsageError(f"cannot draw {str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    return path


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
    attention_maps(source_tokens, {"": (tokens, attention)}, path, title)


def attention_maps(
    source_tokens: Sequence[str],
    hypotheses: Mapping[str, tuple[Sequence[str], npt.ArrayLike]],
    path: str | Path,
    title: str = "",
) -> None:
    """Draw the attention maps of several backends side by side and, of two that say the same, their difference.

    Args:
        source_tokens: the S tokens read.
        hypotheses: for each backend its tokens and its (T, S) attention, as for `attention_map`.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or there is no attention to draw.
        ValueError: an attention's shape does not fit its tokens.
    """
    path = picture_path(path)
    maps = {name: _weights(source_tokens, *hypothesis) for name, hypothesis in hypotheses.items()}
    if not any(weights.any() for _, weights in maps.values()):
        raise UsageError("no attention to draw: the line is empty, or the model has attention = 'none'")
    columns = [_label(token) for token in source_tokens]
    sides = {name: [_label(token) for token in said] for name, (said, _) in maps.items()}
    same = len({tuple(said) for said, _ in maps.values()}) == 1

    figure = _figure()
    scale = _Scale(columns, list(sides.values()))
    left = 0.0
    for number, (name, (_, weights)) in enumerate(maps.items()):
        rows = [] if number and same else sides[name]
        axes, left = _heatmap(figure, left, scale, weights, columns, rows, name, "Blues", (0.0, 1.0))
    left = _colour_bar(figure, axes, left, {0.0: "0", 0.5: "0.5", 1.0: "1"})

    if same and len(maps) == 2:
        (first, (_, before)), (second, (_, after)) = maps.items()
        difference = after - before
        largest = float(np.abs(difference).max())
        limit = largest if 0.0 < largest < np.inf else 1.0
        note = "no difference at all" if largest == 0.0 else f"largest {largest:.1e}"
        name = f"{second} \N{MINUS SIGN} {first}\n{note}"
        axes, left = _heatmap(figure, left, scale, difference, columns, [], name, "PuOr", (-limit, limit))
        if limit == largest:
            _colour_bar(figure, axes, left, {-limit: f"\N{MINUS SIGN}{limit:.0e}", 0.0: "0", limit: f"{limit:.0e}"})
    _save(figure, path, title)


def loss_curves(losses: Mapping[str, Sequence[float]], path: str | Path, title: str = "") -> None:
    """Draw the loss of each backend over the steps and, of two, the gap between them on a logarithmic axis.

    Args:
        losses: for each backend the loss of each optimizer step.
        path: where the picture goes, ending in .png or .svg.
        title: a line above the picture.

    Raises:
        UsageError: the path cannot be written, or no backend has any loss.
    """
    path = picture_path(path)
    curves = {name: np.asarray(values, np.float64) for name, values in losses.items()}
    if not any(curve.size for curve in curves.values()):
        raise UsageError("no losses to draw: train for at least one step first")
    figure = _figure()
    upper = figure.add_axes((0.0, 0.0, 7.0, 3.0))
    # Equal curves cover each other: the first is broad and pale, the next thin and dashed on top of it.
    styles: list[dict[str, Any]] = [{"linewidth": 4.5, "alpha": 0.45}, {"linewidth": 1.3, "linestyle": (0, (5, 2))}]
    for number, (name, curve) in enumerate(curves.items()):
        steps = np.arange(1, curve.size + 1)
        marker = "o" if curve.size == 1 else ""
        style = styles[min(number, 1)]
        upper.plot(steps, curve, color=COLOURS.get(name, INK), label=_label(name), marker=marker, **style)
    _dress(upper, "loss per target token")
    legend = upper.legend(frameon=False, prop={"family": FAMILY, "size": 10}, labelcolor=INK)
    legend.set_zorder(3)

    lower = upper
    if len(curves) == 2:
        (first, before), (second, after) = curves.items()
        common = min(before.size, after.size)
        gap = np.abs(after[:common] - before[:common])
        lower = figure.add_axes((0.0, -2.0, 7.0, 1.75), sharex=upper)
        upper.tick_params(labelbottom=False)
        drawn = np.where(gap > 0.0, gap, np.nan)  # a logarithmic axis has no zero
        lower.plot(np.arange(1, common + 1), drawn, color=INK, linewidth=0.9, marker="." if common < 100 else "")
        _dress(lower, f"|{second} \N{MINUS SIGN} {first}|")
        if np.isfinite(drawn).any():
            lower.set_yscale("log")
        else:
            lower.set_yticks([])
        if not common:
            note = "no step in common"
        elif gap.any():
            note = f"largest gap {gap.max():.1e}"
        else:
            note = "no gap: every loss is the same number"
        lower.text(0.99, 0.06, note, transform=lower.transAxes, ha="right", family=FAMILY, fontsize=10, color=INK)
    lower.set_xlabel("optimizer step", family=FAMILY, fontsize=10, color=INK)
    _save(figure, path, title)


class _Scale:
    """Sizes that fit the longest map of a picture: cells in inches, letters in points, and whether labels slant."""

    def __init__(self, columns: list[str], sides: list[list[str]]) -> None:
        longest = max(len(columns), *(len(side) for side in sides))
        self.cell = min(0.34, max(14.0 / longest, 0.15), 40.0 / longest)
        self.letter = min(11.0, 0.68 * self.cell * INCH)
        self.slanted = max(map(_width, columns)) * self.letter > 0.9 * self.cell * INCH


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
    figure: Figure,
    left: float,
    scale: _Scale,
    weights: npt.NDArray[np.float64],
    columns: list[str],
    rows: list[str],
    name: str,
    colours: str,
    limits: tuple[float, float],
) -> tuple[Axes, float]:
    """Draw one map whose labels begin at `left` inches; return it and where it ends, labels included."""
    height, width = (count * scale.cell for count in weights.shape)
    axes = figure.add_axes((0.0, -height, width, height))
    low, high = limits
    lines = "#e4e4e4" if scale.cell > 0.2 else "none"
    axes.pcolormesh(weights, cmap=colours, vmin=low, vmax=high, edgecolors=lines, linewidth=0.4)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    slant: dict[str, Any] = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"} if scale.slanted else {}
    style: dict[str, Any] = {"fontsize": scale.letter, "family": FAMILY, "color": INK, "parse_math": False}
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, **style, **slant)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, **style)
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_color("#b0b0b0")
    axes.set_xlabel(name, fontsize=10, family=FAMILY, color=INK, labelpad=6)
    axes.xaxis.set_label_position("bottom")
    return axes, _place(axes, left)


def _colour_bar(figure: Figure, axes: Axes, left: float, ticks: dict[float, str]) -> float:
    """Draw the scale of a map's colours beside it; return where the picture ends, in inches."""
    map_box = axes.get_position()
    height = min(max(map_box.height, 0.8), 2.0)
    bar = figure.add_axes((0.0, -height, 0.13, height))
    scale = figure.colorbar(axes.collections[0], cax=bar)
    scale.outline.set_edgecolor("#b0b0b0")
    scale.set_ticks(list(ticks), labels=list(ticks.values()), fontsize=9, family=FAMILY, color=INK)
    bar.tick_params(length=2, color="#b0b0b0")
    return max(left, _place(bar, map_box.x1 + 0.12)) + 0.1


def _place(axes: Axes, left: float) -> float:
    """Move axes so that they and their labels begin at `left` inches; return where they end, with a margin."""
    box = _extent(axes)
    place = axes.get_position()
    axes.set_position((place.x0 + left - box[0], place.y0, place.width, place.height))
    return left + box[2] - box[0] + 0.15


def _extent(axes: Axes) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of axes with all their labels, in inches."""
    figure = axes.figure
    box = axes.get_tightbbox(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    assert box is not None  # visible axes have one
    return box.x0 / figure.dpi, box.y0 / figure.dpi, box.x1 / figure.dpi, box.y1 / figure.dpi


def _dress(axes: Axes, name: str) -> None:
    """The frame, grid and fonts of a curve's axes."""
    axes.set_ylabel(name, family=FAMILY, fontsize=10, color=INK)
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color("#808080")
    axes.tick_params(labelsize=9, labelcolor=INK, color="#808080", labelfontfamily=FAMILY[0])


def _figure() -> Figure:
    """An empty sheet one inch wide: fractions of it are inches, and saving cuts it to what is drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    _fonts()
    figure = Figure(figsize=(1.0, 1.0), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path, title: str) -> None:
    """Write the figure, its title above everything else."""
    if title:
        boxes = [_extent(axes) for axes in figure.axes]
        left, right, top = min(b[0] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
        text = textwrap.fill(_printable(" ".join(title.split())), max(40, round(10 * (right - left))))
        figure.text(left, top + 0.15, text, fontsize=12, family=FAMILY, color=INK, parse_math=False)
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    try:
        figure.savefig(path, format=kind, bbox_inches="tight", pad_inches=0.15, metadata=metadata)
    except OSError as error:
        raise UsageError(f"cannot write the picture {str(path)!r}: {error.strerror}; give another path") from error


@cache
def _fonts() -> tuple[FT2Font, ...]:
    """The fonts of every text, in the order in which they are asked for a character."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    fontManager.addfont(HANGUL_FONT)
    return tuple(get_font(fontManager.findfont(FontProperties(family=[name]))) for name in FAMILY)


def _label(token: str) -> str:
    """A token as it stands beside a map: white space made visible, and shortened where it is very long."""
    text = "".join("\N{OPEN BOX}" if character.isspace() else character for character in token)
    return _printable(text if len(text) <= MAXIMUM_LABEL else text[: MAXIMUM_LABEL - 1] + "\N{HORIZONTAL ELLIPSIS}")


def _printable(text: str) -> str:
    """The text with what no font has a picture of replaced by U+FFFD, and a warning that says so."""
    text = unicodedata.normalize("NFC", text)  # Hangul spelt in single letters becomes syllables
    missing = {c for c in text if not any(font.get_char_index(ord(c)) for font in _fonts())}
    if missing:
        names = ", ".join(f"U+{ord(character):04X}" for character in sorted(missing))
        warnings.warn(f"no glyph for {names}: drawn as \N{REPLACEMENT CHARACTER}", stacklevel=2)
    return "".join("\N{REPLACEMENT CHARACTER}" if character in missing else character for character in text)


def _width(text: str) -> float:
    """About how wide a text is, in letter heights."""
    return sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.62 for character in text)
