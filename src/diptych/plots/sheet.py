"""The sheet a picture is drawn on: sizes in inches, cut to what is drawn, written as PNG or SVG."""

from __future__ import annotations

import textwrap
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import UsageError
from diptych.plots.text import FAMILY, INK, fonts, printable
from diptych.storage.place import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
# Vermilion and blue: apart for every kind of colour blindness, and in grey.
COLOURS = {"tensorflow": "#d55e00", "pytorch": "#0072b2"}
MARKERS = {"tensorflow": "o", "pytorch": "D"}


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


def new_sheet() -> Figure:
    """An empty sheet one inch wide: fractions of it are inches, and saving cuts it to what is drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fonts()
    figure = Figure(figsize=(1.0, 1.0), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, title: str) -> None:
    """Write the figure, its title above everything else.

    Raises:
        UsageError: the disk refuses.
    """
    _set_title(figure, title)
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, bbox_inches="tight", pad_inches=0.15, metadata=metadata)
    try:
        replace_file(path, buffer.getvalue())
    except OSError as error:
        raise UsageError(f"cannot write the picture {str(path)!r}: {error.strerror}; give another path") from error


def png(figure: Figure, title: str) -> bytes:
    """The figure as the bytes of a PNG, its title above everything else."""
    _set_title(figure, title)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", pad_inches=0.15, metadata={"Software": None})
    return buffer.getvalue()


def move(axes: Axes, left: float, top: float | None = None) -> float:
    """Move axes so that they and their labels begin at `left` inches, and end at `top` if it is given; return where
    they end on the right, with a margin."""
    box = extent(axes)
    place = axes.get_position()
    down = 0.0 if top is None else top - box[3]
    axes.set_position((place.x0 + left - box[0], place.y0 + down, place.width, place.height))
    return left + box[2] - box[0] + 0.15


def extent(axes: Axes) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of axes with all their labels, in inches."""
    figure = axes.figure
    box = axes.get_tightbbox(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    assert box is not None  # visible axes have one
    return box.x0 / figure.dpi, box.y0 / figure.dpi, box.x1 / figure.dpi, box.y1 / figure.dpi


def dress(axes: Axes, name: str) -> None:
    """The frame, grid and fonts of a curve's axes."""
    axes.set_ylabel(name, family=FAMILY, fontsize=10, color=INK)
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color("#808080")
    axes.tick_params(labelsize=9, labelcolor=INK, color="#808080", labelfontfamily=FAMILY[0])


def add_legend(axes: Axes) -> None:
    """What each line or mark stands for."""
    legend = axes.legend(frameon=False, prop={"family": FAMILY, "size": 10}, labelcolor=INK)
    legend.set_zorder(5)


def _set_title(figure: Figure, title: str) -> None:
    if title:
        boxes = [extent(axes) for axes in figure.axes]
        left, right, top = min(b[0] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
        text = textwrap.fill(printable(" ".join(title.split())), max(40, round(10 * (right - left))))
        figure.text(left, top + 0.15, text, fontsize=12, family=FAMILY, color=INK, parse_math=False)
