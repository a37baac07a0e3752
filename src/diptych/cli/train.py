"""`diptych train`: train a run with one framework."""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diptych.cli.options import (
    Assignments,
    Backend,
    Device,
    Json,
    Precision,
    Quiet,
    RunFolder,
    TensorBoard,
    Threads,
    TrainingSeed,
    Watch,
)

if TYPE_CHECKING:
    from diptych.runs.progress import Reporter
    from diptych.runs.run import Run
    from diptych.training.report import TrainingReport
    from diptych.workers.membership import Membership


def train(
    what: Annotated[
        list[Path],
        typer.Argument(metavar="CONFIG|RUN", help="A TOML config, or the folder of a run.", show_default=False),
    ],
    backend: Backend = "pytorch",
    run_folder: RunFolder = None,
    assignments: Assignments = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the latest checkpoint, also with an edited config.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove what is there and begin anew.")] = False,
    threads: Threads = None,
    device: Device = "auto",
    precision: Precision = None,
    seed: TrainingSeed = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="So many processes train together; see docs/distributed.md."),
    ] = None,
    threads_per_worker: Annotated[
        int | None,
        typer.Option("--threads-per-worker", min=1, help="Of each; by default the processors divided by the workers."),
    ] = None,
    restarts: Annotated[
        int, typer.Option("--restarts", min=0, help="Start all workers again so often where one is lost.")
    ] = 0,
    tensorboard: TensorBoard = False,
    watch: Watch = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a model with one framework.

    Ctrl-C finishes the step and writes a checkpoint, from which --resume goes on. To resume with the other backend is
    to go on in the other framework from the same weights and optimizer state.

    With --workers several processes here train one model, to the same bits as one would. Under torchrun, srun or with
    TF_CONFIG set, the command joins the others instead.
    """
    from diptych.cli.opening import Changes, named_config, open_or_create, text_given
    from diptych.errors import UsageError
    from diptych.runs.progress import make_reporter
    from diptych.training import loop
    from diptych.training.launch import Crew, train_together
    from diptych.training.shards import check_workers
    from diptych.workers.membership import membership

    if resume and overwrite:
        raise UsageError("--resume goes on from what is there and --overwrite removes it: give one of them")
    if len(what) > 1:
        raise text_given(what)
    [named] = what
    reporter = make_reporter(quiet)
    changes = Changes(assignments, seed, precision)
    member = membership(os.environ, workers)
    if threads is not None and threads_per_worker is not None:
        raise UsageError("--threads and --threads-per-worker say the same of a worker: give one of them")
    if restarts and (member or (workers or 1) == 1):
        raise UsageError("--restarts starts workers again that --workers 2 or more has started: give both")
    if not named.is_dir():  # before a run is made that so many could not train
        check_workers(changes.make(named_config(named)).training, member.size if member else workers or 1)
    threads = threads_per_worker or threads
    opened = partial(open_or_create, named, run_folder, backend, overwrite, changes, resume=resume)
    begin: dict[str, Any] = {"resume": resume, "overwrite": overwrite, "tensorboard": tensorboard}
    begin["watch"] = list(watch or ())
    if member is not None:
        run, report = _join(member, opened, backend, threads=threads, device=device, reporter=reporter, **begin)
    elif (workers or 1) > 1:
        crew = Crew(backend, workers or 1, threads=threads, device=device, restarts=restarts)
        run = opened(reporter)
        report = train_together(run, crew, reporter, quiet=quiet, **begin)
    else:
        run = opened(reporter)
        report = loop.train(run, backend, threads=threads, device=device, reporter=reporter, **begin)
    if member is not None and member.rank:
        pass  # worker 0 says it
    elif as_json:
        print(json.dumps(dataclasses.asdict(report) | {"run": str(run.folder)}))
    elif not quiet:
        print(_describe(report, named if run_folder is None and named.is_dir() else run.folder))
    if report.interrupted:
        raise typer.Exit(130)


def _join(
    member: Membership, opened: Callable[[Reporter], Run], backend: str, *, reporter: Reporter, **options: Any
) -> tuple[Run, TrainingReport]:
    """Join the workers that somebody else has started, and train with them; worker 0 opens or makes the run."""
    from diptych.runs.run import Run
    from diptych.training import loop
    from diptych.workers.group import Workers

    try:
        with Workers.join(member, backend, threads=options["threads"], device=options["device"]) as workers:
            run = workers.first(lambda: opened(reporter))
            folder = workers.share(str(run.folder) if run else None)
            run = run or Run.open(folder)
            return run, loop.train(run, backend, reporter=reporter, workers=workers, **options)
    except BaseException as error:
        # A framework that still waits for somebody would not let the process end.
        code = error.code if isinstance(error, SystemExit) else getattr(error, "exit_code", 1)
        atexit.register(_leave, code if isinstance(code, int) else 1)
        raise


def _leave(code: int) -> None:
    """End this process without asking anybody."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _describe(report: TrainingReport, folder: Path) -> str:
    """What training did, in a few lines."""
    lines = [f"left out: {count:,} pairs, {reason}" for reason, count in report.dropped.items()]
    done = report.steps - report.resumed_from
    if done:
        speed = f", {report.target_tokens_per_second:,.0f} target tokens/s" if report.seconds else ""
        loss = f"; loss {report.losses[-1]:.4f} at step {report.steps:,}" if report.losses else ""
        lines.append(f"{report.backend}: {done:,} steps{speed}{loss}")
    else:
        lines.append(f"{report.backend}: nothing left to do after {report.steps:,} steps")
    if report.skipped:
        lines.append(f"skipped {report.skipped:,} steps whose loss or gradient was not finite: see metrics.jsonl")
    if report.best_validation_loss is not None:
        score = "" if report.best_score is None else f" with {report.stop_metric} {report.best_score:.2f}"
        lines.append(f"best validation loss {report.best_validation_loss:.4f}{score} at step {report.best_step:,}")
    if report.stopped_early:
        lines.append("stopped early: no validation has been better for a while")
    if report.interrupted:
        lines.append(f"interrupted; go on with: diptych train {folder} --backend {report.backend} --resume")
    else:
        lines.append(f"translate with: diptych translate {folder} --backend {report.backend}")
    return "\n".join(lines)
