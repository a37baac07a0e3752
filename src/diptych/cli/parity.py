"""`diptych parity`: the same weights, the same numbers, shown rung by rung."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Assignments, Json, Threads


def parity(
    config_or_run: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG|RUN]", help="By default the phrasebook's config.", show_default=False),
    ] = None,
    other_run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]", help="Compare two whole trainings by what they left, instead.", show_default=False
        ),
    ] = None,
    assignments: Assignments = None,
    locate: Annotated[bool, typer.Option("--locate", help="Name the first tensor that differs.")] = False,
    steps: Annotated[int, typer.Option(min=2, max=1_000_000, help="Optimizer steps of the training rung.")] = 200,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Prove that both frameworks compute the same: exit code 0 where every rung holds, 1 where one does not.

    With a config it starts from the initial weights; with a run, from the weights of its best checkpoint.

    With two runs, each a folder or FOLDER:BACKEND, nothing is computed: their metrics.jsonl tell whether their weights
    are equal to the last bit, from the first step to the last, or since which step they differ.
    """
    from diptych.cli.opening import Changes, refuse_for_run
    from diptych.config import RunConfig
    from diptych.ladder.ladder import parity as prove
    from diptych.ladder.table import print_location, print_parity
    from diptych.runs.run import Run

    if other_run is not None:
        _compare(str(config_or_run), str(other_run), as_json)
    changes = Changes(assignments)
    what: RunConfig | Run
    if config_or_run is not None and config_or_run.is_dir():
        refuse_for_run(config_or_run, changes)
        what = Run.open(config_or_run)
    else:
        what = changes.read(config_or_run) if config_or_run else changes.make(RunConfig())
    proof = prove(what, steps=steps, threads=threads, locate=locate)
    if as_json and locate:
        place = proof.location.to_json() if proof.location else None
        print(json.dumps({"location": place, "broken": [level.to_json() for level in proof.broken]}))
    elif as_json:
        levels = [level.to_json() for level in proof.levels]
        print(json.dumps({"levels": levels, "not_compared": list(proof.not_compared)}))
    elif locate:
        print_location(proof)
    else:
        print_parity(proof.levels)
        for reason in proof.not_compared:
            print(f"not compared: {reason}")
    raise typer.Exit(0 if proof.holds else 1)


def _compare(first: str, second: str, as_json: bool) -> None:
    """Hold the trainings of two runs against each other, say how far they are equal, and end."""
    from diptych.cli.opening import trainings
    from diptych.ladder.whole_runs import compare_runs

    ours, others = trainings(first), trainings(second)
    equal, told = True, []
    for backend, (record, config) in ours.items():
        name = backend if backend in others else next(iter(others))
        comparison = compare_runs(record, others[name][0], config)
        equal = equal and comparison.are_equal
        told.append({"runs": [str(record.folder), str(others[name][0].folder)], **comparison.to_json()})
        if not as_json:
            print(f"{record.folder} and {others[name][0].folder}:")
            print("\n".join(f"  {line}" for line in comparison.lines()))
    if as_json:
        print(json.dumps({"comparisons": told}))
    raise typer.Exit(0 if equal else 1)
