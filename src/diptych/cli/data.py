"""`diptych data`: a corpus made ready for training, looked into, and shown by examples."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from diptych.cli.options import Assignments, Json, Quiet, RunFolder

data = typer.Typer(help="Prepare a corpus for training, look into one, or show some of its pairs.")

What: TypeAlias = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN|CONFIG|FILES",
        help="A run's folder, a TOML config, one table (.tsv, .csv, .jsonl) or two aligned files.",
        show_default=False,
    ),
]
SourceColumn: TypeAlias = Annotated[
    str, typer.Option("--source-column", metavar="NAME|N", help="Of a table.", show_default=False)
]
TargetColumn: TypeAlias = Annotated[
    str, typer.Option("--target-column", metavar="NAME|N", help="Of a table.", show_default=False)
]
Strict: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="A line that holds no pair is an error, whatever the config says.")
]


@data.command()
def prepare(
    what: Annotated[
        Path, typer.Argument(metavar="CONFIG|RUN", help="A TOML config, or the folder of a run.", show_default=False)
    ],
    run_folder: RunFolder = None,
    assignments: Assignments = None,
    strict: Strict = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove the run that is there.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a run's vocabularies, and its pairs as token ids.

    Training begins at once where that is done. The corpus is streamed, however large it is. Ctrl-C leaves what has been
    encoded, and the same command goes on from there. What is left out is counted by reason, and listed with file and
    line.
    """
    from diptych.cli.data_tables import print_preparation
    from diptych.cli.opening import Changes, default_folder, refuse_for_run
    from diptych.runs.corpus_report import prepared
    from diptych.runs.progress import make_reporter
    from diptych.runs.run import Run

    begun = time.perf_counter()
    changes = Changes(assignments)
    reporter = make_reporter(quiet, name="data")
    if what.is_dir():
        refuse_for_run(what, changes, {"--run": run_folder, "--overwrite": overwrite})
        run = Run.open(what)
    else:
        config = changes.read(what)
        run = Run.create(config, run_folder or default_folder(config), overwrite, reporter, strict)
    preparation = dataclasses.asdict(prepared(run, reporter, strict=strict, begun=begun))
    if as_json:
        print(json.dumps(preparation, ensure_ascii=False))
    elif not quiet:
        print_preparation(preparation)


@data.command()
def inspect(
    what: What,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of a config's or run's corpus.")
    ] = "train",
    source_column: SourceColumn = "",
    target_column: TargetColumn = "",
    strict: Strict = False,
    top: Annotated[int, typer.Option("--top", min=0, max=1_000_000, help="So many of the most frequent words.")] = 10,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say what is in a corpus: pairs, lengths, scripts, words.

    It says what is repeated, too, and of a run how many tokens there are and how many of them its vocabularies lack.
    """
    from diptych.cli.data_tables import print_inspection
    from diptych.runs.corpus_report import inspected
    from diptych.runs.named_corpus import open_named
    from diptych.runs.progress import make_reporter

    reporter = make_reporter(quiet, name="data")
    named = open_named(what, (source_column, target_column), strict=strict, reporter=reporter)
    inspection = dataclasses.asdict(inspected(named, part, reporter, top=top))
    if as_json:
        print(json.dumps(inspection, ensure_ascii=False))
    else:
        print_inspection(inspection)


@data.command()
def sample(
    what: What,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000_000, help="So many pairs.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Another seed gives other pairs.")] = 1,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of a config's or run's corpus.")
    ] = "train",
    source_column: SourceColumn = "",
    target_column: TargetColumn = "",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Show some pairs of a corpus, drawn at random.

    They are printed with a tab between, and those of a run also as it reads them. The same seed draws the same pairs.
    """
    from diptych.cli.data_tables import print_samples
    from diptych.runs.corpus_report import sampled
    from diptych.runs.named_corpus import open_named
    from diptych.runs.progress import QuietReporter

    named = open_named(what, (source_column, target_column), strict, reporter=QuietReporter())
    print_samples(sampled(named, part, count=count, seed=seed), as_json)
