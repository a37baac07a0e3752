"""Source side by side on a terminal: coloured, in columns that fit its width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise, zip_longest

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from diptych.side_by_side.excerpts import PACKAGE, Excerpt, Line, Row, SideBySide

MARKS = {(True, False): "<", (False, True): ">"}
THEME = "ansi_dark"  # the terminal's own colours


def print_side_by_side(both: SideBySide, color: bool = True) -> None:
    """Print the columns; a mark before each but the first says how its line differs from the one on its left.

    No mark: they are equal; | they differ; < or > only the left or only the right one is there. On a terminal long
    lines are folded to fit, elsewhere they stay whole.
    """
    console = Console(color_system="auto" if color else None, highlight=False, markup=False, soft_wrap=True)
    coloured = [_colour(excerpt) for excerpt in both.excerpts]
    digits = max((len(str(line.number)) for row in both.rows for line in row if line), default=1)
    longest = max((len(line.text) for row in both.rows for line in row if line), default=1)
    columns = len(both.excerpts)
    margin = digits + 2
    titles = [_title(excerpt) for excerpt in both.excerpts]
    width = max(longest, *map(len, titles)) + margin
    if console.is_terminal:
        width = min(width, max(margin + 20, (console.width - 3 * (columns - 1)) // columns))
    console.print(_join([fold(Text(title, style="bold"), width) for title in titles], [" "] * columns, width))
    console.print(_join([[Text("─" * width, style="dim")] for _ in titles], [" "] * columns, width))
    for row in both.rows:
        cells = [
            _cell(line, texts, digits=digits, width=width) if line else []
            for line, texts in zip(row, coloured, strict=True)
        ]
        console.print(_join(cells, _marks(row), width))


def _title(excerpt: Excerpt) -> str:
    path = excerpt.path.relative_to(PACKAGE.parent).as_posix()
    if not excerpt.lines:
        return f"{path}: not there"
    return f"{path}:{excerpt.lines[0].number}-{excerpt.lines[-1].number}"


def _colour(excerpt: Excerpt) -> dict[int, Text]:
    """Each line's coloured text by its number; all are read at once, because a string may go over several lines."""
    source = "\n".join(line.text for line in excerpt.lines)
    texts = Syntax(source, "python", theme=THEME).highlight(source).split("\n", allow_blank=True)
    return {line.number: text for line, text in zip(excerpt.lines, texts, strict=False)}


def _cell(line: Line, texts: dict[int, Text], digits: int, width: int) -> list[Text]:
    """A line with its number, folded into as many lines as it needs."""
    parts = fold(texts[line.number], width - digits - 2)
    numbers = [f"{line.number:{digits}}  "] + [" " * (digits + 2)] * (len(parts) - 1)
    return [Text.assemble((number, "dim"), part) for number, part in zip(numbers, parts, strict=True)]


def fold(text: Text, width: int) -> list[Text]:
    """A line in pieces of at most `width` characters, cut at spaces if it has them; all but the first are indented."""
    plain = text.plain
    indent = min(len(plain) - len(plain.lstrip()) + 4, width // 2)
    pieces, start, room = [], 0, width
    while len(plain) - start > room:
        cut = plain.rfind(" ", start + 1, start + room + 1)
        inside = plain[start:cut].strip() if cut > 0 else ""
        end = cut if inside else start + room
        pieces.append(text[start:end])
        start = end + (1 if inside else 0)
        room = width - indent
    pieces.append(text[start:])
    return [piece if place == 0 else Text(" " * indent) + piece for place, piece in enumerate(pieces)]


def _marks(row: Row) -> list[str]:
    """The mark before each column but the first."""
    marks = []
    for left, right in pairwise(row):
        same = (left and left.text) == (right and right.text)
        marks.append(" " if same else MARKS.get((left is not None, right is not None), "|"))
    return marks


def _join(cells: Sequence[Iterable[Text]], marks: Sequence[str], width: int) -> Text:
    """Cells of several lines each, beside each other; the marks stand on the first line."""
    lines = []
    for number, parts in enumerate(zip_longest(*cells)):
        line = Text()
        for column, part in enumerate(parts):
            if column:
                line.append(f" {marks[column - 1] if number == 0 else ' '} ", style="bold yellow")
            part = part or Text()
            line += part
            line.append(" " * (width - len(part)))
        line.rstrip()
        lines.append(line)
    return Text("\n").join(lines)
