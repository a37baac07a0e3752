"""`diptych score`: how probable a run's model finds given translations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diptych.cli.options import AnyBackend, Average, Checkpoint, Device, Json, Members, Run, Threads

if TYPE_CHECKING:
    from diptych.data.pairs import Pair
    from diptych.evaluation.pair_scores import PairScore

AT_ONCE = 1024
"""How many pairs of a file are read together, so that those of one length share a batch."""


def score(
    run_folder: Run,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="A file of lines SOURCE, tab, TARGET, or two aligned files; by default such lines on standard input.",
            show_default=False,
        ),
    ] = None,
    backend: AnyBackend = "pytorch",
    checkpoint: Checkpoint = "best",
    member: Members = None,
    average: Average = "probability",
    alignment: Annotated[
        Path | None,
        typer.Option("--alignment", metavar="FILE", help="Write the words' alignment by attention: 0-0 2-1."),
    ] = None,
    threads: Threads = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Say how probable a model finds given translations: log-probability and perplexity of each.

    A line for each pair. The log-probability is that of the whole translation and its end, in nats; the perplexity is
    by token. A word that the model does not know counts as <unk>. With --json also every token's log-probability.
    """
    from diptych.errors import UsageError
    from diptych.evaluation.pair_scores import score_pairs
    from diptych.storage.place import replace_file
    from diptych.translation.alignment import align, pharaoh, words_of
    from diptych.translation.translator import load

    if files and len(files) > 2:
        raise UsageError(f"score takes one table or two aligned files, got {len(files)} files")
    how: dict[str, Any] = {"threads": threads, "device": device, "members": member or [], "average": average}
    with load(run_folder, backend, checkpoint, **how) as translator:
        if alignment and not translator.attends:
            raise UsageError(f"--alignment {alignment}: the model of {run_folder} has attention = 'none', none to see")
        run, first, alignments = translator.run, 1, []
        for pairs in _blocks(files):
            scores = score_pairs(translator, pairs, first)
            first += len(pairs)
            print("\n".join(_json(each) if as_json else _line(each) for each in scores), flush=True)
            if alignment:
                sources = (words_of(each.source_tokens, run.source_tokenizer) for each in scores)
                targets = (words_of(each.tokens, run.target_tokenizer) for each in scores)
                looked = (each.attention for each in scores)
                alignments += [pharaoh(align(*each)) for each in zip(looked, sources, targets, strict=True)]
    if alignment:
        replace_file(alignment, "".join(f"{line}\n" for line in alignments))


def _blocks(files: list[Path] | None) -> Iterator[list[Pair]]:
    """The pairs of the files, many at a time; of standard input as many as there are to be read.

    Raises:
        DataError: a line is no pair, or one file has more lines than the other.
    """
    from diptych.cli.lines import decoded_lines
    from diptych.cli.streams import standard_input
    from diptych.data.corpus.lines import lines_of

    number = 0
    if files and len(files) == 2:
        both = enumerate(zip_longest(lines_of(files[0]), lines_of(files[1])), 1)
        while block := [_aligned(files, line, pair) for line, pair in islice(both, AT_ONCE)]:
            yield block
        return
    if files:
        lines = lines_of(files[0])
        blocks: Iterator[list[str]] = iter(lambda: list(islice(lines, AT_ONCE)), [])
    else:
        blocks = decoded_lines(standard_input())
    where = str(files[0]) if files else "standard input"
    for given in blocks:
        yield [_parted(line, where, number + place) for place, line in enumerate(given, 1)]
        number += len(given)


def _parted(line: str, where: str, number: int) -> Pair:
    from diptych.errors import DataError

    source, tab, target = line.partition("\t")
    if not tab or "\t" in target:
        raise DataError(
            f"{where}, line {number}: a line is a source, a tab and a target, got {len(line.split(chr(9)))} columns"
        )
    return source, target


def _aligned(files: list[Path], number: int, pair: tuple[str | None, str | None]) -> Pair:
    from diptych.errors import DataError

    source, target = pair
    if source is None or target is None:
        longer, shorter = (files[1], files[0]) if source is None else (files[0], files[1])
        raise DataError(f"{shorter} ends before line {number}, which {longer} has: give files with equally many lines")
    return source, target


def _line(score: PairScore) -> str:
    return f"{score.log_probability:.4f}\t{score.perplexity:.4f}"


def _json(score: PairScore) -> str:
    values = {
        "source": score.source,
        "target": score.target,
        "log_probability": score.log_probability,
        "perplexity": score.perplexity,
        "tokens": score.tokens,
        "token_log_probabilities": score.token_log_probabilities,
    }
    return json.dumps(values, ensure_ascii=False)
