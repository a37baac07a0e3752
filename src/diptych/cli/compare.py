"""`diptych compare`: the same model trained in both frameworks, and how far they agree."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import (
    Assignments,
    Device,
    Json,
    Precision,
    Quiet,
    RunFolder,
    TensorBoard,
    Threads,
    Tokenize,
    TrainingSeed,
    Workers,
)


def compare(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="A TOML config; by default the phrasebook.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small model and 2,000 pairs instead, for a first look: about a minute.")
    ] = False,
    run_folder: RunFolder = None,
    assignments: Assignments = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove the run that is there.")] = False,
    threads: Threads = None,
    device: Device = "auto",
    precision: Precision = None,
    seed: TrainingSeed = None,
    tokenize: Tokenize = "13a",
    workers: Workers = 1,
    tensorboard: TensorBoard = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train the same model in TensorFlow and in PyTorch, and compare.

    One process each, one after the other. Both have the same initial weights, batches, dropout masks and number of
    threads. Without a config it takes the phrasebook that Diptych makes itself, English to Korean, exact training (the
    same weights in both to the last bit, to the end), and some minutes; --quick does so in small.
    """
    from diptych.cli.opening import Changes, default_folder
    from diptych.comparison.comparison import compare as run_comparison
    from diptych.comparison.signature import DEFAULT, QUICK
    from diptych.comparison.table import print_table
    from diptych.errors import UsageError
    from diptych.ladder.whole_runs import describe

    if quick and config:
        raise UsageError(f"--quick compares a small model of its own, got {config} too: leave out one of the two")
    changes = Changes(assignments, seed, precision)
    chosen = changes.read(config) if config else changes.make(QUICK if quick else DEFAULT)
    folder = run_folder or default_folder(chosen)
    comparison = run_comparison(
        chosen,
        folder,
        overwrite=overwrite,
        threads=threads,
        device=device,
        tokenize=tokenize,
        quiet=quiet,
        tensorboard=tensorboard,
        quick=quick,
        workers=workers,
    )
    if as_json:
        print(json.dumps(comparison.report, ensure_ascii=False))
        return
    print_table(comparison.report)
    shown = _relative(comparison.folder)
    print(f"\n{'  '.join(str(shown / name) for name in comparison.files)}")
    print(f"Try it: echo {shlex.quote(comparison.example)} | diptych translate {shlex.quote(str(shown))}")
    exactness = comparison.report["exactness"]
    after = f" (SHA-256 {exactness['digest']})" if exactness["equal"] else ""
    print(f"\nTensorFlow and PyTorch, trained to the end: {describe(exactness)[0]}{after}")
    sys.stdout.flush()


def _relative(path: Path) -> Path:
    """A path as short as it can be written here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
