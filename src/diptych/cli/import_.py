"""`diptych import`: a run made of an export, which trains on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Assignments, RunFolder


def import_(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of an export.", show_default=False)],
    run_folder: RunFolder = None,
    assignments: Assignments = None,
) -> None:
    """Make a run of an export: its config, tokenizers and weights; `diptych train RUN --resume` trains it on.

    Its corpus is the config's; --set data.corpus=files --set data.train=... names another one, and --set
    training.learning_rate=... trains it on more gently. The optimizer starts afresh.
    """
    from diptych.export.importing import import_export

    run = import_export(out, run_folder, assignments or ())
    shown = run_folder or f"runs/{run.config.name}"
    print(f"{shown} has the weights of {out}; train it on with: diptych train {shown} --resume")
