"""`diptych train`: train a run with one framework."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
)

if TYPE_CHECKING:
    from diptych.training.report import TrainingReport


def train(
    what: Annotated[
        list[Path],
        typer.Argument(metavar="CONFIG|RUN", help="A TOML config, or the folder of a run.", show_default=False),
    ],
    backend: Backend = "pytorch",
    run_folder: RunFolder = None,
    assignments: Assignments = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the latest checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove what is there and begin anew.")] = False,
    threads: Threads = None,
    device: Device = "auto",
    precision: Precision = None,
    seed: TrainingSeed = None,
    tensorboard: TensorBoard = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a model with one framework.

    Ctrl-C finishes the step and writes a checkpoint, from which --resume goes on. To resume with the other backend is
    to go on in the other framework from the same weights and optimizer state.
    """
    from diptych.cli.runs import Changes, open_or_create, text_given
    from diptych.errors import UsageError
    from diptych.runs.progress import make_reporter
    from diptych.training import loop

    if resume and overwrite:
        raise UsageError("--resume goes on from what is there and --overwrite removes it: give one of them")
    if len(what) > 1:
        raise text_given(what)
    [named] = what
    reporter = make_reporter(quiet)
    run = open_or_create(named, run_folder, backend, overwrite, Changes(assignments, seed, precision), reporter)
    report = loop.train(run, backend, resume, overwrite, threads, device, reporter, tensorboard=tensorboard)
    if as_json:
        print(json.dumps(dataclasses.asdict(report) | {"run": str(run.folder)}))
    elif not quiet:
        print(_describe(report, named if run_folder is None and named.is_dir() else run.folder))
    if report.interrupted:
        raise typer.Exit(130)


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
