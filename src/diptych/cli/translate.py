"""`diptych translate`: lines from standard input to lines on standard output."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import nullcontext
from functools import partial
from itertools import chain
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
    Quiet,
    Run,
    Threads,
    Vote,
    Workers,
)

if TYPE_CHECKING:
    from diptych.translation.translation import Translation


def translate(
    run_folder: Run,
    backend: AnyBackend = None,
    checkpoint: Checkpoint = "best",
    member: Members = None,
    average: Average = "probability",
    vote: Vote = False,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Above 0: sample; the lower, the likelier.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of sampling.")] = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", help="Sample from so many most probable tokens; 0: all.")
    ] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", help="Sample from the fewest tokens of so much probability; 1: all.")
    ] = None,
    beam_size: Annotated[int | None, typer.Option("--beam-size", help="Above 1: a beam of so many.")] = None,
    n_best: Annotated[int | None, typer.Option("--n-best", help="So many of the beam's translations, in JSON.")] = None,
    length_penalty: Annotated[float | None, typer.Option("--length-penalty", help="Of the beam; 0: none.")] = None,
    coverage_penalty: Annotated[
        float | None, typer.Option("--coverage-penalty", help="Of the beam, for source tokens hardly looked at.")
    ] = None,
    maximum_length: Annotated[
        int | None, typer.Option("--max-length", help="At most so many tokens; 0: twice the source's and 10.")
    ] = None,
    minimum_length: Annotated[
        int | None, typer.Option("--min-length", help="At least so many tokens before the end.")
    ] = None,
    no_repeat_ngram: Annotated[
        int | None, typer.Option("--no-repeat-ngram", help="No so many tokens in a row twice; 0: they may.")
    ] = None,
    forbid_unknown: Annotated[
        bool | None, typer.Option("--forbid-unknown/--allow-unknown", help="Never say <unk>.", show_default=False)
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="What every translation begins with.")] = "",
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Lines translated at once.")] = None,
    attention: Annotated[
        Path | None,
        typer.Option(
            "--attention",
            metavar="FILE.png|svg",
            help="Draw where the model looked. Several lines: FILE-1.png, FILE-2.png, by line number.",
        ),
    ] = None,
    replace_unknown: Annotated[
        bool, typer.Option("--replace-unknown", help="Say for <unk> the source word that the model looked at.")
    ] = False,
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", metavar="FILE.tsv", help="With --replace-unknown: what source words become."),
    ] = None,
    split: Annotated[
        Literal["none", "sentences"],
        typer.Option("--split", help="Cut lines into sentences, and join these again."),
    ] = "none",
    alignment: Annotated[
        Path | None,
        typer.Option("--alignment", metavar="FILE", help="Write which source word each word comes from: 0-0 2-1."),
    ] = None,
    shortlist: Annotated[
        Path | None,
        typer.Option("--shortlist", metavar="FILE", help="Say only its words of each source: `diptych shortlist`."),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(
            "--pairs",
            min=1,
            metavar="N",
            help="Write training pairs: N lines SOURCE, tab, TRANSLATION for each, the n best as their shares ask for.",
        ),
    ] = None,
    workers: Workers = 1,
    threads: Threads = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Translate lines of standard input to lines on standard output.

    The search is greedy unless the run's config or an option says otherwise. With --member an ensemble translates; a
    member in the other framework computes in a process of its own. Text is UTF-8, and only a line feed ends a line,
    which has at most 10,000 characters. An empty line gives an empty line. Lines are translated as they come, those
    that are there together from long to short, and written in their order. Standard error says how far it is, where it
    is a terminal, and at the end how many lines are doubtful and why, unless --quiet: unknown words, longer than any in
    training, cut off, repeating, empty; --json says it of each line.
    """
    from diptych.cli.lines import decoded_lines
    from diptych.cli.pace import Pace
    from diptych.cli.streams import standard_input, write_lines
    from diptych.errors import UsageError
    from diptych.exported.folder import default_backend
    from diptych.plots import picture_path
    from diptych.storage.place import file_in_place
    from diptych.translation.alignment import aligned
    from diptych.translation.doubts import Doubt, summary
    from diptych.translation.paragraphs import translate_paragraphs
    from diptych.translation.replacement import read_dictionary, with_words_of_source
    from diptych.translation.translator import load
    from diptych.translation.vote import load_vote

    pictures = _Pictures(picture_path(attention)) if attention else None
    if vote and workers > 1:
        raise UsageError(f"--workers {workers} cannot share a vote: leave out --workers or --vote")
    if vote and shortlist:
        raise UsageError(f"--shortlist {shortlist} is one model's, a vote has several: leave out one of the two")
    how: dict[str, Any] = {"threads": threads, "device": device, "members": member or []}
    translator = (
        load_vote(run_folder, backend or default_backend(run_folder), checkpoint, **how)
        if vote
        else load(run_folder, backend, checkpoint, **how, average=average, workers=workers, shortlist=shortlist)
    )
    if pictures and not translator.attends:
        raise UsageError(f"--attention {attention}: the model of {run_folder} has attention = 'none', nothing to draw")
    options = {
        "temperature": temperature,
        "seed": seed,
        "top_k": top_k,
        "top_p": top_p,
        "beam_size": beam_size,
        "n_best": n_best,
        "length_penalty": length_penalty,
        "coverage_penalty": coverage_penalty,
        "maximum_length": maximum_length,
        "minimum_length": minimum_length,
        "no_repeat_ngram": no_repeat_ngram,
        "forbid_unknown": forbid_unknown,
        "batch_size": batch_size,
    }
    overrides: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    translator.translate([], prefix=prefix, **overrides)  # what cannot be obeyed is said before anything is read
    if dictionary and not replace_unknown:
        raise UsageError(f"--dictionary {dictionary} is for --replace-unknown: give both")
    if replace_unknown and not translator.attends:
        raise UsageError(f"--replace-unknown: the model of {run_folder} has attention = 'none', it looks at no word")
    if split == "sentences" and (prefix or temperature):
        raise UsageError("--split sentences translates parts of lines: leave out --prefix and --temperature")
    words, tags = read_dictionary(dictionary) if dictionary else {}, translator.run.source_tokenizer.tags
    if alignment and not translator.attends:
        raise UsageError(f"--alignment {alignment}: the model of {run_folder} has attention = 'none', nothing to write")
    if pairs:
        others = {
            "--json": as_json,
            "--replace-unknown": replace_unknown,
            "--vote": vote,
            "--split sentences": split == "sentences",
        }
        if other := next((name for name, given in others.items() if given), None):
            raise UsageError(f"--pairs writes a table of the n best translations as they are: leave out it or {other}")
        if pairs > 1 and (n_best or 1) == 1:
            raise UsageError(f"--pairs {pairs} draws on the n best translations: give --n-best, and a beam as large")
    first, against, pace = 0, Counter[tuple[Doubt, ...]](), Pace(quiet)
    with pace, file_in_place(alignment) if alignment else nullcontext() as alignments:
        for lines in decoded_lines(standard_input(), prompt="> " if sys.stdin.isatty() else ""):
            if split == "sentences":
                translations = translate_paragraphs(lines, partial(translator.translate, **overrides), tags)
            else:
                translations = translator.translate(lines, first_row=first, prefix=prefix, **overrides)
            if replace_unknown:
                target = translator.run.target_tokenizer
                translations = [with_words_of_source(each, target, words) for each in translations]
            if alignments:
                run = translator.run
                links = (aligned(each, run.source_tokenizer, run.target_tokenizer) for each in translations)
                alignments.writelines(f"{line}\n".encode() for line in links)
            if pairs:
                write_lines(chain.from_iterable(_rows(each, pairs, tags=tags) for each in translations))
            else:
                write_lines(_json(each) if as_json else each.text for each in translations)
            for number, each in enumerate(translations, first + 1):
                if pictures and each.attention.size:
                    pictures.draw(number, each)
            against.update(each.doubts for each in translations)
            first += len(lines)
            pace.add(len(lines))
    if not quiet and (told := summary(against)):
        print(told, file=sys.stderr)


def _rows(translation: Translation, copies: int, tags: int) -> list[str]:
    """A translation as rows of a table to train on; tags are columns of their own, and no text has a tab in it."""
    from diptych.data.tags import TAG_END
    from diptych.translation.distillation import training_pairs

    rows = []
    for source, target in training_pairs(translation, copies):
        *front, text = source.split(TAG_END, tags)
        rows.append("\t".join([*front, text.replace("\t", " "), target.replace("\t", " ")]))
    return rows


def _json(translation: Translation) -> str:
    """A translation as one line of JSON."""
    values: dict[str, Any] = vars(translation) | {"attention": translation.attention.tolist()}
    values["alternatives"] = [vars(each) | {"attention": each.attention.tolist()} for each in translation.alternatives]
    return json.dumps(values, ensure_ascii=False)


class _Pictures:
    """The attention maps of the lines: FILE where there is one line, else FILE-NUMBER."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: int | None = None

    def draw(self, number: int, translation: Translation) -> None:
        """Draw the map of a line. As soon as there are two, the first one gets its number, too."""
        from diptych.plots import attention_map

        path = self.path
        if self.first is None:
            self.first = number
        else:
            if self.path.exists() and self.first:
                self.path.replace(self._numbered(self.first))
                self.first = 0
            path = self._numbered(number)
        attention_map(translation.source_tokens, translation.tokens, attention=translation.attention, path=path)

    def _numbered(self, number: int) -> Path:
        return self.path.with_stem(f"{self.path.stem}-{number}")
