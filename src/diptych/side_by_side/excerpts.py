"""A class or a function in each panel, found by name in the live source and set side by side.

The files are read, never imported: no framework has to be installed.
"""

from __future__ import annotations

import ast
import difflib
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from diptych.errors import UsageError

PANELS = ("tensorflow", "pytorch")
REFERENCE = "reference"
PACKAGE = Path(__file__).parents[1]
# What runs a layer has another name in each panel; it is found under any of them.
SAME_NAME = re.compile(r"\b(__call__|call)\b")


@dataclass(frozen=True)
class Line:
    """One line of source: its number in the file, from 1, and its text without the indentation all lines share."""

    number: int
    text: str


Row = tuple[Line | None, ...]


@dataclass(frozen=True)
class Excerpt:
    """What one panel has under a name: its file and its lines; none where the panel has nothing of that name."""

    panel: str
    path: Path
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class SideBySide:
    """One name in several panels.

    Attributes:
        name: what was asked for, as PyTorch names it.
        excerpts: one for each panel.
        rows: lines that face each other, one of each panel; None where a panel has no such line.
    """

    name: str
    excerpts: tuple[Excerpt, ...]
    rows: tuple[Row, ...]

    def pairs(self) -> list[tuple[str, str]]:
        """The text of the first two panels, line by line; "" where a panel has no such line."""
        return [(row[0].text if row[0] else "", row[1].text if row[1] else "") for row in self.rows]


def side_by_side(name: str, with_reference: bool = False) -> SideBySide:
    """The implementations of a class, method, function or file (`Decoder`, `Decoder.step`, `loss.py`).

    Raises:
        UsageError: there is nothing of that name, or more than one thing.
    """
    panels = (*PANELS, REFERENCE) if with_reference else PANELS
    file, inside = _find(name)
    excerpts = tuple(excerpt(panel, PACKAGE / panel / f"{file}.py", inside) for panel in panels)
    return facing(inside or f"{file}.py", excerpts)


def facing(name: str, excerpts: Sequence[Excerpt]) -> SideBySide:
    """Excerpts side by side, the lines that are most alike facing each other."""
    rows: list[Row] = [(line,) for line in excerpts[0].lines]
    for each in excerpts[1:]:
        rows = _add_column(rows, each.lines)
    return SideBySide(name, tuple(excerpts), tuple(rows))


def contents(panels: Sequence[str] = PANELS) -> dict[str, dict[str, tuple[str, ...]]]:
    """By file, every class, method and function in source order, and which of the panels have it."""
    names_by_file: dict[str, dict[str, tuple[str, ...]]] = {}
    for panel in panels:
        for path in sorted((PACKAGE / panel).glob("*.py")):
            names = names_by_file.setdefault(path.stem, {})
            for name in _definitions(path):
                names[name] = (*names.get(name, ()), panel)
    return dict(sorted(names_by_file.items()))


def _find(name: str) -> tuple[str, str]:
    """The file and the name inside it ("": the whole file) that a user's name stands for."""
    wanted = SAME_NAME.sub("forward", name)
    every = contents((*PANELS, REFERENCE))
    choices = {f"{file}.py": (file, "") for file in every}
    choices |= {f"{file}.{inside}": (file, inside) for file, names in every.items() for inside in names}
    short = [(file, inside) for file, names in every.items() for inside in names if inside == wanted]
    matching = [choices[key] for key in (wanted, f"{wanted}.py") if key in choices] or short
    if len(matching) == 1:
        return matching[0]
    if short:
        raise UsageError(
            f"{name!r} is in {len(short)} files: give one of {', '.join('.'.join(each) for each in short)}"
        )
    known = [*every, *dict.fromkeys(inside for names in every.values() for inside in names)]
    last = [each for each in known if each.rpartition(".")[2].lower() == wanted.lower()]
    lowered = {each.lower(): each for each in known}
    close = last or [lowered[each] for each in difflib.get_close_matches(wanted.lower(), lowered, n=5)]
    advice = f"did you mean {', '.join(close)}?" if close else "give a name such as Decoder, Decoder.step or loss.py;"
    raise UsageError(f"the panels have no class, function or file {name!r}; {advice} `diptych code --list` shows all")


def excerpt(panel: str, path: Path, inside: str) -> Excerpt:
    """The lines of a file under a name ("": all), without the indentation that all of them share."""
    if not path.is_file():
        return Excerpt(panel, path, ())
    texts = _read(path)
    if inside:
        place = _definitions(path).get(inside, range(0))
    else:
        place = range(1, len(texts) + 1)
    lines = [Line(number, texts[number - 1]) for number in place]
    shared = min((len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip()), default=0)
    return Excerpt(panel, path, tuple(Line(line.number, line.text[shared:]) for line in lines))


def _read(path: Path) -> list[str]:
    with tokenize.open(path) as file:  # in the encoding that the file itself declares
        return [line.rstrip() for line in file.read().split("\n")][:-1]


@cache
def _definitions(path: Path) -> dict[str, range]:
    """Every class, method and function of a file by its qualified name, and the numbers of its lines."""
    texts = _read(path)
    places: dict[str, range] = {}

    def visit(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, range]]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = prefix + (SAME_NAME.sub("forward", node.name) if prefix else node.name)
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                while first > 1 and texts[first - 2].lstrip().startswith("#"):  # what is said above it
                    first -= 1
                yield name, range(first, (node.end_lineno or first) + 1)
                if isinstance(node, ast.ClassDef):
                    yield from visit(node.body, f"{name}.")

    places.update(visit(ast.parse("\n".join(texts)).body, ""))
    return places


def _add_column(rows: list[Row], lines: Sequence[Line]) -> list[Row]:
    """Give each row the line that belongs beside it, or None; lines that belong beside none get rows of their own."""
    columns = len(rows[0]) if rows else 1
    beside = [next(line.text for line in reversed(row) if line) for row in rows]
    empty: Row = (None,) * columns
    return [
        (*(empty if i is None else rows[i]), None if j is None else lines[j])
        for i, j in align(beside, [line.text for line in lines])
    ]


def align(left: Sequence[str], right: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Which lines face each other: equal ones, and between these the ones that are most alike.

    Returns:
        Pairs of places, each place once and in order; None faces a line that has no partner.
    """
    ours, theirs = ([SAME_NAME.sub("forward", line.strip()) for line in lines] for lines in (left, right))
    pairs: list[tuple[int | None, int | None]] = []
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            pairs += zip(range(i, i_end), range(j, j_end), strict=True)
        else:
            inside = _align_changed(ours[i:i_end], theirs[j:j_end])
            pairs += [(None if a is None else i + a, None if b is None else j + b) for a, b in inside]
    return pairs


def _align_changed(left: Sequence[str], right: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Of lines that all differ, as many pairs as there can be, in order, as alike as they can be."""
    # best[i][j]: the best total for the lines from i and from j on, and the step that gives it
    best = [[(0.0, (0, 0))] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left) + 1)):
        for j in reversed(range(len(right) + 1)):
            steps = []
            if i < len(left) and j < len(right):
                steps.append((best[i + 1][j + 1][0] + _likeness(left[i], right[j]), (1, 1)))
            if i < len(left):
                steps.append((best[i + 1][j][0], (1, 0)))
            if j < len(right):
                steps.append((best[i][j + 1][0], (0, 1)))
            if steps:
                best[i][j] = max(steps)
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(left) or j < len(right):
        down, across = best[i][j][1]
        pairs.append((i if down else None, j if across else None))
        i, j = i + down, j + across
    return pairs


def _likeness(one: str, other: str) -> float:
    """How good it is that two lines face each other: the share of words they have in common, and a little."""
    if not one or not other:
        return 0.0 if one == other else -1.0  # a blank line faces no other
    words, others = (Counter(re.findall(r"\w+", line)) for line in (one, other))
    return 0.1 + 2.0 * (words & others).total() / max(1, words.total() + others.total())
