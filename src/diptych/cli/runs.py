"""`diptych runs`: the runs below a folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diptych.cli.options import Json

if TYPE_CHECKING:
    from diptych.experiments.listing import Listed


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="By default runs.", show_default=False)] = Path(
        "runs"
    ),
    as_json: Json = False,
) -> None:
    """List the runs below a folder: how far each is, how good, how fast.

    A line for each run and backend. Loss and scores are those of the best validation; the speed is in target tokens a
    second over all steps.
    """
    from diptych.experiments.listing import list_runs

    listed = list_runs(folder)
    if as_json:
        print(json.dumps([dataclasses.asdict(each) for each in listed], default=str, ensure_ascii=False))
        return
    if not listed:
        print(f"no run below {folder}")
        return
    heads = ("run", "backend", "state", "steps", "loss", "scores", "tokens/s", "changed")
    lines = [heads, *(_cells(each, folder) for each in listed)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    for each in listed:
        if each.fault:
            print(f"\n{each.fault}")


def _cells(each: Listed, folder: Path) -> tuple[str, ...]:
    done, total = each.steps
    return (
        str(each.folder.relative_to(folder)) if each.folder != folder else each.folder.name,
        each.backend,
        each.state,
        f"{done:,}" if total is None else f"{done:,} of {total:,}",
        "" if each.validation_loss is None else f"{each.validation_loss:.4f}",
        " ".join(f"{name} {score:.2f}" for name, score in each.scores.items()),
        "" if each.tokens_per_second is None else f"{each.tokens_per_second:,.0f}",
        "" if each.changed is None else f"{each.changed:%Y-%m-%d %H:%M}",
    )
