"""The two implementations for the page: each component's lines, side by side and coloured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, String, Token

from diptych.side_by_side.excerpts import Excerpt, Line, contents, side_by_side

# The class of each kind of token; the first that fits. What has none is set in the text's own colour.
CLASSES = (
    (Comment, "c"),
    (String, "s"),
    (Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Number, "m"),
    (Name.Decorator, "d"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Builtin, "b"),
)

MOST_INDENT = 5  # report.css has a class for each


@dataclass(frozen=True)
class Cell:
    """One line of one panel: its number, its coloured text, and its indentation in fours of spaces."""

    number: int
    text: Markup
    indent: int


@dataclass(frozen=True)
class Component:
    """One class or function in both panels.

    Attributes:
        name: as PyTorch names it.
        rows: for each row one cell for each panel (None: the panel has no such line), and whether the lines are equal.
    """

    name: str
    rows: list[tuple[Cell | None, Cell | None, bool]]


@cache
def components() -> dict[str, list[Component]]:
    """By file, every class and function of the two panels."""
    return {
        f"{file}.py": [_component(file, name) for name in names if "." not in name]
        for file, names in contents().items()
        if names
    }


@cache
def coloured(source: str) -> list[Markup]:
    """The lines of a Python source, escaped, each with its own tags: a string over several lines has several."""
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        name = next((name for family, name in CLASSES if kind in family), "")
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((name, part))
    return [Markup().join(_tagged(line)) for line in lines]


def _tagged(line: list[tuple[str, str]]) -> Iterator[Markup]:
    """A line's parts, neighbours of one class together."""
    for name, group in groupby(line, key=lambda part: part[0]):
        text = "".join(part for _, part in group)
        yield Markup("<i class={}>{}</i>").format(name, text) if name else escape(text)


def _component(file: str, name: str) -> Component:
    both = side_by_side(f"{file}.{name}")
    cells = [_cells(excerpt) for excerpt in both.excerpts]
    rows = [
        (_cell(left, cells[0]), _cell(right, cells[1]), bool(left and right and left.text == right.text))
        for left, right in both.rows
    ]
    return Component(name, rows)


def _cells(excerpt: Excerpt) -> dict[int, Cell]:
    """Each line's cell by its number; all are read at once, because a string may go over several lines."""
    texts = coloured("\n".join(line.text for line in excerpt.lines))
    return {
        line.number: Cell(line.number, text, min(MOST_INDENT, (len(line.text) - len(line.text.lstrip())) // 4))
        for line, text in zip(excerpt.lines, texts, strict=False)
    }


def _cell(line: Line | None, cells: dict[int, Cell]) -> Cell | None:
    return cells[line.number] if line else None
