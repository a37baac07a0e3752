"""`diptych shortlist`: which target words may be said of each source word, and what it costs to say no others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from diptych.cli.options import Checkpoint, Device, Json, Quiet, Run, Threads


def shortlist(
    run_folder: Run,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.", show_default=False)],
    best: Annotated[int, typer.Option("--best", min=1, help="So many target words for each source word.")] = 50,
    frequent: Annotated[int, typer.Option("--frequent", min=0, help="And so many that any source may have.")] = 200,
    backend: Annotated[
        Literal["tensorflow", "pytorch", "reference"], typer.Option("--backend", help="What computes.")
    ] = "pytorch",
    checkpoint: Checkpoint = "best",
    scores: Annotated[
        bool, typer.Option("--scores/--no-scores", help="Translate the test part with all words and with these.")
    ] = True,
    threads: Threads = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a shortlist: few target words for each source word, so that translating projects these alone.

    The model reads the training pairs and its attention says which target word belongs to which source word. Then it
    translates the test part with all words and with the listed ones: what that costs in BLEU is told. `diptych
    translate RUN --shortlist FILE` uses it.
    """
    from diptych.errors import UsageError
    from diptych.export.scores import score
    from diptych.runs.run import Run as OpenedRun
    from diptych.search.shortlist import Shortlisted
    from diptych.translation.members import load_model
    from diptych.translation.shortlist import make_shortlist, sentence_sizes, write_shortlist

    def say(done: int, total: int) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\x1b[K{done:,} of {total:,} pairs", end="" if done < total else "\r\x1b[K", file=sys.stderr)

    if out.exists():
        raise UsageError(f"{out} is there already: give a name that is free, or remove it")
    run = OpenedRun.open(run_folder)
    loaded = load_model(run, backend, which=checkpoint, threads=threads, device=device)
    made = make_shortlist(run, loaded.panel, model=loaded.model, best=best, frequent=frequent, say=say)  # type: ignore[arg-type]
    sizes = sentence_sizes(run, made)
    told: dict[str, Any] = {
        "best": best,
        "frequent": frequent,
        "vocabulary": made.size,
        "words_a_sentence": sum(sizes) / len(sizes),
    }
    scored = None
    if scores:
        systems = {"with the shortlist": Shortlisted(loaded.stepper, made), "with all words": loaded.stepper}
        scored = score(run, systems)
    told["scores"] = scored.to_json() if scored else None
    write_shortlist(made, run, path=out, told=told)
    if as_json:
        print(json.dumps({"file": str(out), **told}, ensure_ascii=False))
        return
    share = 100.0 * told["words_a_sentence"] / made.size
    print(f"{out}: {told['words_a_sentence']:,.0f} of {made.size:,} target words a sentence ({share:.1f} %)")
    if scored and scored.missing:
        print(f"its cost is not known: {scored.missing}")
    elif scored:
        for system, row in scored.systems.items():
            print(f"{system}: BLEU {row['bleu'].score:.2f}, chrF {row['chrf'].score:.2f}")
        print(
            f"{scored.sentences:,} sentences, {scored.search}; {scored.equal_tokens:.2f} % of the tokens are the same"
        )
