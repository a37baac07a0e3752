"""`diptych find-rate`: which learning rates a config's model can bear."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Assignments, Backend, Device, Json, Precision, Quiet, RunFolder, Threads, TrainingSeed


def find_rate(
    what: Annotated[
        Path, typer.Argument(metavar="CONFIG|RUN", help="A TOML config, or the folder of a run.", show_default=False)
    ],
    backend: Backend = "pytorch",
    run_folder: RunFolder = None,
    assignments: Assignments = None,
    lowest: Annotated[float, typer.Option("--from", help="The learning rate of the first step.")] = 1e-6,
    highest: Annotated[float, typer.Option("--to", help="The learning rate of the last step.")] = 1.0,
    steps: Annotated[int, typer.Option("--steps", min=2, max=1_000_000, help="How many steps at most.")] = 100,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw loss against rate: a .png or .svg.", show_default=False),
    ] = None,
    threads: Threads = None,
    device: Device = "auto",
    precision: Precision = None,
    seed: TrainingSeed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find a learning rate: train for a few steps while it grows, and see where the loss diverges.

    A tenth of that rate is suggested. The weights are the run's initial ones, and nothing is trained in the run. Its
    folder is made if need be, with the corpus encoded, which `diptych train` then finds there. (A range test, as Smith
    described it in 2017.)
    """
    from diptych.cli.opening import Changes, open_or_create
    from diptych.plots import picture_path, rate_curve
    from diptych.runs.progress import make_reporter
    from diptych.training.rate_search import range_test

    if plot is not None:
        picture_path(plot)
    reporter = make_reporter(quiet)
    changes = Changes(assignments, seed, precision)
    run = open_or_create(what, run_folder, backend, overwrite=False, changes=changes, reporter=reporter)
    search = range_test(
        run, backend, threads=threads, device=device, lowest=lowest, highest=highest, steps=steps, reporter=reporter
    )
    if plot is not None:
        title = f"{run.config.name}: the loss while the learning rate grows"
        rate_curve(
            backend,
            search.rates,
            losses=search.losses,
            smoothed=search.smoothed,
            suggestion=search.suggestion,
            path=plot,
            title=title,
        )
    if as_json:
        print(json.dumps(dataclasses.asdict(search) | {"run": str(run.folder)}))
    else:
        print(
            f"{backend}: {len(search.rates)} steps, learning rate {search.rates[0]:.2g} to {search.rates[-1]:.2g}; "
            f"{search.ended}\nlowest smoothed loss {min(search.smoothed):.4f} at {search.lowest_at:.2g}\n"
            f"suggested: learning_rate = {search.suggestion:.2g}, a tenth of the last; the config has "
            f"{run.config.training.learning_rate:g}"
        )
    if search.ended == "interrupted":
        raise typer.Exit(130)
