"""`diptych parity`: the same weights, the same numbers, shown rung by rung."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Assignments, Json, Threads


def parity(
    config_or_run: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG|RUN]", help="By default the phrasebook's config.", show_default=False),
    ] = None,
    assignments: Assignments = None,
    locate: Annotated[bool, typer.Option("--locate", help="Name the first tensor that differs.")] = False,
    steps: Annotated[int, typer.Option(min=2, help="Optimizer steps of the training rung.")] = 200,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Prove that both frameworks compute the same: exit code 0 where every rung holds, 1 where one does not.

    With a config it starts from the initial weights; with a run, from the weights of its best checkpoint.
    """
    from diptych.cli.runs import Changes, named_config, refuse_for_run
    from diptych.config import RunConfig
    from diptych.ladder.ladder import climb, temporary_run
    from diptych.ladder.location import locate as find
    from diptych.ladder.table import print_parity
    from diptych.runs.run import Run

    changes = Changes(assignments)
    if config_or_run is not None and config_or_run.is_dir():
        refuse_for_run(config_or_run, changes)
        run = Run.open(config_or_run)
        weights = next(iter(run.trained_backends()), "")
        opened = nullcontext(run)
    else:
        config = changes.make(named_config(config_or_run) if config_or_run else RunConfig())
        opened = temporary_run(config)  # type: ignore[assignment]
        weights = ""
    with opened as run:
        if locate:
            found = find(run, weights, threads)
            if as_json:
                print(json.dumps({"location": found.to_json() if found else None}))
            else:
                print(found or "no tensor differs")
            raise typer.Exit(1 if found else 0)
        levels = climb(run, weights, steps, threads)
    if as_json:
        print(json.dumps({"levels": [level.to_json() for level in levels]}))
    else:
        print_parity(levels)
    raise typer.Exit(0 if all(level.holds for level in levels) else 1)
