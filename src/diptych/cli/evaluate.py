"""`diptych evaluate`: how good a run's translations are, and whether another system's are better."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diptych.cli.options import AnyBackend, Average, Checkpoint, Device, Json, Members, Run, Threads, Tokenize

if TYPE_CHECKING:
    from diptych.evaluation.evaluation import UnknownWords
    from diptych.evaluation.forced import Forced
    from diptych.evaluation.systems import Measured


def evaluate(
    run_folder: Run,
    backend: AnyBackend = "pytorch",
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of the corpus.")
    ] = "test",
    measures: Annotated[
        str, typer.Option("--measures", help="Some of bleu,chrf,chrf++,ter,exact_match,cer,wer, or all.")
    ] = "bleu,chrf,exact_match",
    tokenize: Tokenize = "13a",
    checkpoint: Checkpoint = "best",
    member: Members = None,
    average: Average = "probability",
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
        Literal["tensorflow", "pytorch", "reference"] | None,
        typer.Option("--against-backend", help="Which framework the other run translates with; by default the same."),
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
    threads: Threads = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a run's translations of a part of its corpus, each score with its 95 % interval.

    The search is the run's own unless an option says otherwise. With --against the other system's scores stand beside
    it, with the probability that the difference is chance. Signatures say how each score was computed.
    """
    from diptych.evaluation import evaluation
    from diptych.evaluation.lengths import quality_by_length
    from diptych.evaluation.measures import MEASURES, chosen_measures
    from diptych.evaluation.systems import measure
    from diptych.plots import picture_path
    from diptych.runs.run import Run as OpenRun
    from diptych.storage.place import replace_file
    from diptych.translation.members import Member
    from diptych.translation.translator import Translator

    names = chosen_measures(measures)
    picture = picture_path(plot) if plot else None
    run = OpenRun.open(run_folder)
    pairs = evaluation.read_part(run, part)
    form = run.target_tokenizer.form  # all texts in the run's normal form, as its translations are
    sources, references = [source for source, _ in pairs], [form(target) for _, target in pairs]
    search = {"beam_size": beam_size, "length_penalty": length_penalty}
    overrides: dict[str, Any] = {key: value for key, value in search.items() if value is not None}

    read: Forced | None = None
    unknown: UnknownWords | None = None
    if hypotheses:
        first = str(hypotheses)
        texts = {first: evaluation.read_hypotheses(hypotheses, len(pairs))}
    else:
        first = str(run_folder)
        members = [Member.open(each, backend) for each in member or []]
        with Translator(run, backend, checkpoint, threads, None, device, members, average) as translator:
            found = translator.translate(sources, **overrides)
            read, unknown = evaluation.read_by(translator, pairs), evaluation.unknown_words(run, pairs, found)
        texts = {first: [each.text for each in found]}
    if against:
        other = str(against) if str(against) != first else f"{against} (2)"
        rival = evaluation.Rival(against, against_backend or backend, checkpoint, threads, device)
        texts[other] = rival.translate(run, part, pairs, overrides, loaded=None if hypotheses else backend)

    texts = {system: [form(text) for text in said] for system, said in texts.items()}
    measured = measure(texts, references, names, tokenize, test)
    lengths = [len(run.source_tokenizer.tokenize(source)) for source in sources]
    ranges = quality_by_length(lengths, texts, references) if by_length or picture else []
    if output:
        replace_file(output, "".join(f"{text}\n" for text in texts[first]))
    if picture:
        _draw(ranges, picture)
    if as_json:
        values: dict[str, Any] = {
            "run": str(run_folder),
            "part": part,
            "backend": None if hypotheses else backend,
            "sentences": len(pairs),
            **{name: each.score for name, each in measured[first].items()},
            "intervals": {name: [each.low, each.high] for name, each in measured[first].items()},
            "signatures": {
                name: each.plain_signature for name, each in measured[first].items() if MEASURES[name].sacrebleu
            },
            "systems": {
                system: {name: dataclasses.asdict(each) for name, each in row.items()}
                for system, row in measured.items()
            },
            "token_accuracy": read.accuracy if read else None,
            "loss": read.loss if read else None,
            "perplexity": read.perplexity if read else None,
            "unknown_words": dataclasses.asdict(unknown) if unknown else None,
            "by_length": ranges,
        }
        print(json.dumps(values, ensure_ascii=False))
        return
    for line in (*_table(measured, names, test), *_by_length(ranges if by_length else [], list(texts))):
        print(line)
    if read:
        print(f"\ntoken accuracy  {read.accuracy:6.2f} %, of {read.tokens:,} target tokens, the reference being read")
        print(f"loss            {read.loss:6.4f} a token, perplexity {read.perplexity:.2f}")
    if unknown:
        print(
            f"unknown words   {unknown.source:6.2f} % of the sources, {unknown.reference:.2f} % of the references, "
            f"{unknown.said:.2f} % said"
        )
    together = f", in an ensemble with {', '.join(member)}" if member else ""
    how = "scored as they are" if hypotheses else f"translated with {backend}{together}"
    print(f"\n{len(pairs):,} sentences of the {part} part of {run_folder}, {how}")


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
        {system: [tuple(each["chrf"][system]) for each in ranges] for system in systems},
        path,
    )
