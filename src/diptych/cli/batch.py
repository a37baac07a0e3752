"""`diptych batch`: one recipe on many tasks, with many seeds, in one table."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diptych.cli.options import Assignments, Device, Json, Quiet

if TYPE_CHECKING:
    from diptych.experiments.batch import Batch
    from diptych.experiments.plan import Planned


def batch(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML config.", show_default=False)],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="KEY=VALUE,VALUE",
            help="Train with each of these values; given several times, with each combination. KEY is a config's, one "
            "of its [variables] (variables.language=kor,ice), or backend.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[str, typer.Option("--seeds", metavar="SEED,SEED", help="Of training.")] = "1",
    backend: Annotated[
        Literal["tensorflow", "pytorch"], typer.Option("--backend", help="Which framework, where none is varied.")
    ] = "pytorch",
    assignments: Assignments = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where the runs go; by default runs/NAME-batch for NAME.toml."),
    ] = None,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of each corpus is scored.")
    ] = "validation",
    measures: Annotated[
        str, typer.Option("--measures", help="Some of those of `diptych evaluate`.")
    ] = "bleu,chrf,exact_match",
    beam_size: Annotated[int | None, typer.Option("--beam-size", help="Instead of the config's.")] = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Also score all models of a task saying each token together.")
    ] = False,
    vote: Annotated[
        bool, typer.Option("--vote", help="Also score all models of a task by what most of them say.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings at once, each in a process of its own.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Of each training; by default the processors by the jobs.")
    ] = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train and score a recipe on many tasks, with many seeds, and show one table.

    What is done is noted in batch.json in the folder, beside the runs: the same command given again goes on where it
    stopped, and with more values does what is new. Scores are those of the validation part unless --part says test.
    """
    from diptych.evaluation.measures import chosen_measures
    from diptych.experiments.batch import Judgement
    from diptych.experiments.plan import BACKEND, SEED, Variation, settings
    from diptych.experiments.table import markdown, rows

    names = chosen_measures(measures)
    together = (*(["ensemble"] if ensemble else []), *(["vote"] if vote else []))
    search = {} if beam_size is None else {"beam_size": beam_size}
    varied = settings([*map(Variation.read, vary or []), Variation.read(f"{SEED}={seeds}")])
    plan = [planned(config, assignments, settings=each, backend=each.get(BACKEND, backend)) for each in varied]
    work = open_batch(config, folder, jobs=jobs, threads=threads, device=device)

    def say(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr, flush=True)

    work.run(plan, judgement := Judgement(part, tuple(names), search=search, together=together), jobs=jobs, say=say)
    table = rows(work.results(plan, judgement), names)
    if as_json:
        shown: list[dict[str, Any]] = [dataclasses.asdict(row) for row in table]
        print(json.dumps(shown, ensure_ascii=False))
    else:
        print(markdown(table, names))


def planned(config: Path, assignments: list[str] | None, settings: dict[str, str], backend: str) -> Planned:
    """The training of a config with these settings.

    Raises:
        BackendError: its framework is not installed.
        UsageError, ConfigError: there is no such key or variable, or a value does not fit.
    """
    from diptych.cli.opening import Changes
    from diptych.errors import BackendError
    from diptych.experiments.plan import BACKEND, Planned, folder_name
    from diptych.panel import is_installed

    if not is_installed(backend):
        raise BackendError(f"{backend} is not installed: pip install 'diptych[{backend}]', or choose another backend")
    given = [*(assignments or []), *(f"{key}={value}" for key, value in settings.items() if key != BACKEND)]
    made = Changes(given).read(config)
    return Planned(folder_name(made.name, settings), settings, config=made, backend=backend)


def open_batch(config: Path, folder: Path | None, jobs: int, threads: int | None, device: str) -> Batch:
    """The batch in a folder, by default runs/NAME-batch for NAME.toml; the jobs share the processors.

    Raises:
        UsageError: a run is there: a training that overwrites it would take the batch with it.
    """
    from diptych.errors import UsageError
    from diptych.experiments.batch import Batch
    from diptych.processes.machine import usable_processors

    folder = folder or Path("runs") / f"{config.stem}-batch"
    if (folder / "config.toml").exists():
        raise UsageError(f"{folder} is the folder of one run: give a batch another one with --folder")
    return Batch(folder, threads or max(1, usable_processors() // jobs), device)
