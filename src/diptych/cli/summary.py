"""`diptych summary`: a model's layers, weights and tensors in both frameworks, beside each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Assignments, Device, Json


def summary(
    what: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG|RUN]",
            help="A TOML config, or the folder of a run; by default the phrasebook's config.",
            show_default=False,
        ),
    ] = None,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Show a model as TensorFlow and as PyTorch have it: each weight's name and shape, each tensor's shape.

    Nothing is trained. Each framework makes the model, lets a batch of two sentences through to its loss, and takes
    one decoding step; where one is not installed, the other is shown.
    """
    from diptych.cli.opening import Changes, refuse_for_run
    from diptych.config import RunConfig
    from diptych.data.opening import open_corpus
    from diptych.data.tokens.language import build_languages
    from diptych.runs.run import Run
    from diptych.summary.summary import summarize
    from diptych.summary.table import print_summary

    changes = Changes(assignments)
    if what is not None and what.is_dir():
        refuse_for_run(what, changes)
        run = Run.open(what)
        config, vocabularies = run.config, (len(run.source_vocabulary), len(run.target_vocabulary))
    else:
        config = changes.read(what) if what else changes.make(RunConfig())
        source, target = build_languages(config.data, open_corpus(config.data).train)
        vocabularies = len(source.vocabulary), len(target.vocabulary)
    summarized = summarize(config, vocabularies, device)
    if as_json:
        print(json.dumps(summarized.to_json()))
    else:
        print_summary(summarized)
