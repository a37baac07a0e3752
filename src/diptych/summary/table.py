"""A summary as tables for a terminal."""

from __future__ import annotations

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diptych.panel import NAMES
from diptych.summary.summary import Summary, Weight

WIDTH = 100
"""Elsewhere than on a terminal nothing is folded to fit."""


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Print the weights by layer, then the tensors of a step."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, highlight=False)
    console.print(_weights(summary))
    console.print(_tensors(summary))
    letters = ", ".join(f"{letter} = {size:,}" for letter, size in summary.sizes.items())
    told = ", ".join(f"{NAMES[each]} {next(iter(versions.values()))}" for each, versions in summary.versions.items())
    lines = [f"{letters}; H of an encoder's layer is its own", told]
    lines += [f"{NAMES[each]} is not installed here: pip install 'diptych[{each}]'" for each in summary.missing]
    console.print(Text("\n".join(lines), style="dim"))


def _weights(summary: Summary) -> Table:
    table = _table(f"{summary.name}: {summary.parameters:,} parameters")
    for backend in summary.versions:
        table.add_column(NAMES[backend], overflow="fold")
        table.add_column("shape", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for layer, group in groupby(summary.weights, key=lambda weight: weight.name.rpartition(".")[0]):
        weights = list(group)
        first, *others = (_layers(weights, backend) for backend in summary.versions)
        head = [layer, first]  # by the mirror rule a layer has one name in both; so has its class, mostly
        for kind in others:
            head += ["", "" if kind == first else kind]
        table.add_row(*head, *_counts(sum(weight.parameters for weight in weights), summary), style="bold")
        for weight in weights:
            cells = []
            for variable in (weight.variables[backend] for backend in summary.versions):
                cells += [f"  {variable.name.removeprefix(f'{layer}.')}", _shape(variable.shape)]
            table.add_row(*map(Text, (*cells, *_counts(weight.parameters, summary))))
    return table


def _tensors(summary: Summary) -> Table:
    table = _table("a small batch from its tokens to its loss, and one decoding step")
    table.add_column("tensor", overflow="fold")
    table.add_column("axes", no_wrap=True)
    for backend in summary.versions:
        table.add_column(NAMES[backend], no_wrap=True)
    for tensor in summary.tensors:
        table.add_row(tensor.name, tensor.axes, *(_shape(shape) for shape in tensor.shapes.values()))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _layers(weights: list[Weight], backend: str) -> str:
    return ", ".join(dict.fromkeys(weight.variables[backend].layer for weight in weights))


def _counts(parameters: int, summary: Summary) -> tuple[str, str]:
    return f"{parameters:,}", f"{100 * parameters / summary.parameters:.1f} %"


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
