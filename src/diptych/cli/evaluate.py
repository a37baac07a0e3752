"""`diptych evaluate`: how good a run's translations are, and whether another system's are better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diptych.cli.options import (
    AnyBackend,
    Average,
    Checkpoint,
    Device,
    Json,
    Members,
    Run,
    Threads,
    Tokenize,
    Vote,
    Workers,
)

if TYPE_CHECKING:
    from diptych.evaluation.systems import Measured


def evaluate(
    run_folder: Run,
    backend: AnyBackend = None,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of the corpus.")
    ] = "test",
    measures: Annotated[
        str, typer.Option("--measures", help="Some of bleu,chrf,chrf++,ter,exact_match,cer,wer,per, or all.")
    ] = "bleu,chrf,exact_match",
    tokenize: Tokenize = "13a",
    checkpoint: Checkpoint = "best",
    member: Members = None,
    average: Average = "probability",
    vote: Vote = False,
    beam_size: Annotated[int | None, typer.Option("--beam-size", help="Instead of the config's.")] = None,
    length_penalty: Annotated[float | None, typer.Option("--length-penalty", help="Instead of the config's.")] = None,
    hypotheses: Annotated[
        Path | None, typer.Option("--hypotheses", metavar="FILE", help="Score these lines, and translate nothing.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="RUN|FILE", help="Compare with another run, or with lines of translations."),
    ] = None,
    against_backend: Annotated[
        Literal["tensorflow", "pytorch", "reference", "onnxruntime"] | None,
        typer.Option(
            "--against-backend",
            help="Which framework the other run translates with; by default the same; an export its own.",
        ),
    ] = None,
    test: Annotated[
        Literal["bs", "ar"],
        typer.Option("--test", help="Between systems: paired bootstrap, or approximate randomization."),
    ] = "bs",
    by_length: Annotated[bool, typer.Option("--by-length", help="Also chrF by the length of the source.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png|svg", help="Draw chrF by the length of the source.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write the translations, one a line.")
    ] = None,
    workers: Workers = 1,
    threads: Threads = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a run's translations of a part of its corpus, each score with its 95 % interval.

    The search is the run's own unless an option says otherwise. With --against the other system's scores stand beside
    it, with the probability that the difference is chance. Signatures say how each score was computed.
    """
    from diptych.evaluation.evaluate import evaluate as find_out
    from diptych.evaluation.measures import chosen_measures
    from diptych.plots import picture_path
    from diptych.storage.place import replace_file

    names = chosen_measures(measures)
    picture = picture_path(plot) if plot else None
    search = {"beam_size": beam_size, "length_penalty": length_penalty}
    evaluation = find_out(
        run_folder,
        backend,
        part=part,
        measures=names,
        tokenize=tokenize,
        checkpoint=checkpoint,
        members=member or (),
        average=average,
        vote=vote,
        hypotheses=hypotheses,
        against=against,
        against_backend=against_backend,
        test=test,
        by_length=by_length or picture is not None,
        workers=workers,
        threads=threads,
        device=device,
        **{key: value for key, value in search.items() if value is not None},
    )
    if output:
        replace_file(output, "".join(f"{text}\n" for text in evaluation.translations))
    if picture:
        _draw(evaluation.by_length, picture)
    if as_json:
        print(json.dumps(evaluation.to_json(), ensure_ascii=False))
        return
    ranges = evaluation.by_length if by_length else []
    for line in (*_table(evaluation.measured, names, test), *_by_length(ranges, list(evaluation.texts))):
        print(line)
    if read := evaluation.forced:
        print(f"\ntoken accuracy  {read.accuracy:6.2f} %, of {read.tokens:,} target tokens, the reference being read")
        print(f"loss            {read.loss:6.4f} a token, perplexity {read.perplexity:.2f}")
    if unknown := evaluation.unknown_words:
        print(
            f"unknown words   {unknown.source:6.2f} % of the sources, {unknown.reference:.2f} % of the references, "
            f"{unknown.said:.2f} % said"
        )
    print()
    for each in evaluation.samples:
        print(f"source       {each.source}\ntranslation  {each.said}\nreference    {each.reference}\n")
    for warning in evaluation.warnings:
        print(f"warning: {warning}")
    together = f", {'in a vote' if vote else 'in an ensemble'} with {', '.join(member)}" if member else ""
    how = "scored as they are" if hypotheses else f"translated with {evaluation.backend}{together}"
    print(f"{evaluation.sentences:,} sentences of the {part} part of {run_folder}, {how}")


def _table(measured: dict[str, dict[str, Measured]], names: list[str], test: str) -> list[str]:
    """Each measure with its interval, the other system's beside it, and the signatures beneath."""
    from diptych.evaluation.measures import MEASURES

    first, *others = measured
    width = max(len(MEASURES[name].title) for name in names)
    lines = []
    if others:
        lines.append(f"A  {first}")
        lines.append(f"B  {others[0]}")
        lines.append("")
        lines.append(f"{'':{width}}  {'A':>6}  {'95 % interval':>15}  {'B':>6}  {'95 % interval':>15}  {'B - A':>6}  p")
    for name in names:
        row = f"{MEASURES[name].title:{width}}  {_interval(measured[first][name])}"
        for other in others:
            each = measured[other][name]
            chance = "the same text" if each.p_value is None else f"{each.p_value:.4f}"
            row += f"  {_interval(each)}  {each.score - measured[first][name].score:+6.2f}  {chance}"
        lines.append(row)
    if others:
        kind = {"bs": "paired bootstrap resampling", "ar": "paired approximate randomization"}[test]
        lines.append(f"\np: how probable so large a difference is by chance alone ({kind})")
    return [*lines, "", *(f"{MEASURES[name].title:{width}}  {measured[first][name].signature}" for name in names)]


def _interval(measured: Measured) -> str:
    return f"{measured.score:6.2f}  {measured.low:6.2f} - {measured.high:6.2f}"


def _by_length(ranges: list[dict[str, Any]], systems: list[str]) -> list[str]:
    """chrF for each range of source lengths."""
    if not ranges:
        return []
    heads = "".join(f"  {name:>24}" for name in ("chrF" if len(systems) == 1 else "chrF, A", "chrF, B")[: len(systems)])
    lines = ["", f"{'tokens':>9}  {'sentences':>9}{heads}"]
    for each in ranges:
        span = f"{each['shortest']} - {each['longest']}"
        scores = "".join("  {:6.2f}  {:6.2f} - {:6.2f}".format(*each["chrf"][system]) for system in systems)
        lines.append(f"{span:>9}  {each['sentences']:9,}{scores}")
    return lines


def _draw(ranges: list[dict[str, Any]], path: Path) -> None:
    from diptych.plots import length_and_quality

    systems = list(ranges[0]["chrf"])
    length_and_quality(
        [(each["shortest"], each["longest"]) for each in ranges],
        [each["sentences"] for each in ranges],
        scores={system: [tuple(each["chrf"][system]) for each in ranges] for system in systems},
        path=path,
    )
