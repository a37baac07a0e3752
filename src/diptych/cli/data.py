"""`diptych data`: a corpus made ready for training, looked into, and shown by examples."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

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
    """Make a run's vocabularies and its pairs as token ids, so that training begins at once.

    The corpus is streamed, however large it is. Ctrl-C leaves what has been encoded, and the same command goes on from
    there. What is left out is counted by reason, and listed with file and line.
    """
    from diptych.cli.data_tables import print_preparation
    from diptych.cli.runs import Changes, default_folder, named_config, refuse_for_run
    from diptych.data.corpus.statistics import token_statistics
    from diptych.errors import DataError
    from diptych.runs.progress import make_reporter
    from diptych.runs.run import Run

    begun = time.perf_counter()
    changes = Changes(assignments)
    reporter = make_reporter(quiet, name="data")
    if what.is_dir():
        refuse_for_run(what, changes, {"--run": run_folder, "--overwrite": overwrite})
        run = Run.open(what)
    else:
        config = changes.make(named_config(what))
        run = Run.create(config, run_folder or default_folder(config), overwrite, reporter, strict)
    encoded = run.encoded(reporter)
    account = encoded.account
    if strict and account.bad_lines:
        examples = [
            place for reason, found in account.examples.items() if reason.startswith("bad") for place, _ in found
        ]
        raise DataError(
            f"{account.bad_lines} bad lines of {run.folder} were dropped when it was made, the first of them "
            f"{examples[0]}: mend the text and prepare it with --overwrite, or leave out --strict"
        )
    report: dict[str, Any] = {
        "run": str(run.folder),
        "account": dataclasses.asdict(account),
        "dropped_list": str(encoded.folder / "dropped.tsv") if account.examples else None,
        "pairs_per_epoch": len(encoded.train),
        "vocabulary": {side: len(getattr(run, side).vocabulary) for side in ("source", "target")},
        "train": {side: dataclasses.asdict(found) for side, found in token_statistics(encoded.train).items()},
        "validation": {side: dataclasses.asdict(found) for side, found in token_statistics(encoded.validation).items()},
        "bytes": sum(path.stat().st_size for path in encoded.folder.rglob("*") if path.is_file()),
        "seconds": time.perf_counter() - begun,
    }
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    elif not quiet:
        print_preparation(report)


@data.command()
def inspect(
    what: What,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of a config's or run's corpus.")
    ] = "train",
    source_column: SourceColumn = "",
    target_column: TargetColumn = "",
    strict: Strict = False,
    top: Annotated[int, typer.Option("--top", min=0, help="So many of the most frequent words.")] = 10,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say what is in a corpus: how many pairs, how long, in which scripts, with which words, what is repeated.

    Of a run also how many tokens there are, and how many of them its vocabularies do not have.
    """
    from diptych.cli.data_tables import print_inspection
    from diptych.data.corpus.account import make_account
    from diptych.data.corpus.statistics import text_statistics, token_statistics
    from diptych.runs.named_corpus import open_named
    from diptych.runs.preparation import Watched
    from diptych.runs.progress import make_reporter

    reporter = make_reporter(quiet, name="data")
    named = open_named(what, (source_column, target_column), strict, reporter)
    pairs = getattr(named.corpus, part)
    statistics = text_statistics(Watched(pairs, "counting", reporter), top)
    report: dict[str, Any] = {"part": part, "text": statistics and dataclasses.asdict(statistics)}
    if named.run:
        encoded = named.run.encoded(reporter)
        account = encoded.account
        sides = token_statistics(getattr(encoded, part)) if part != "test" else {}
        report["tokens"] = {side: dataclasses.asdict(found) for side, found in sides.items()}
        report["vocabulary"] = {side: len(getattr(named.run, side).vocabulary) for side in ("source", "target")}
    else:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            account = make_account(named.corpus, bytes(len(named.corpus.train)), named.config, nowhere)
    report["account"] = dataclasses.asdict(account)
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print_inspection(report)


@data.command()
def sample(
    what: What,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="So many pairs.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed gives other pairs.")] = 1,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of a config's or run's corpus.")
    ] = "train",
    source_column: SourceColumn = "",
    target_column: TargetColumn = "",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Show some pairs of a corpus, drawn at random: as text with a tab between, and of a run also as it reads them.

    The same seed draws the same pairs.
    """
    from diptych.cli.data_tables import print_samples
    from diptych.data.corpus.samples import sample as draw
    from diptych.runs.named_corpus import open_named
    from diptych.runs.progress import QuietReporter

    named = open_named(what, (source_column, target_column), strict, QuietReporter())
    found = []
    for row, (source, target) in draw(getattr(named.corpus, part), count, seed):
        entry: dict[str, Any] = {"row": row + 1, "source": source, "target": target}
        if named.run:
            for side, text, language in (("source", source, named.run.source), ("target", target, named.run.target)):
                ids = language.vocabulary.encode(language.tokenizer.tokenize(text))
                entry[f"{side}_tokens"] = language.vocabulary.decode(ids)
        found.append(entry)
    print_samples(found, as_json)
