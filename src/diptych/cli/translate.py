"""`diptych translate`: lines from standard input to lines on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diptych.cli.options import AnyBackend, Checkpoint, Device, Json, Run, Threads

if TYPE_CHECKING:
    from diptych.translation import Translation


def translate(
    run_folder: Run,
    backend: AnyBackend = "pytorch",
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Above 0: sample; the lower, the likelier.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of sampling.")] = None,
    beam_size: Annotated[int | None, typer.Option("--beam-size", help="Above 1: a beam of so many.")] = None,
    n_best: Annotated[int | None, typer.Option("--n-best", help="So many of the beam's translations, in JSON.")] = None,
    length_penalty: Annotated[float | None, typer.Option("--length-penalty", help="Of the beam; 0: none.")] = None,
    maximum_length: Annotated[
        int | None, typer.Option("--max-length", help="At most so many tokens; 0: twice the source's and 10.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Lines translated at once.")] = None,
    checkpoint: Checkpoint = "best",
    attention: Annotated[
        Path | None,
        typer.Option(
            "--attention",
            metavar="FILE.png|svg",
            help="Draw where the model looked. Several lines: FILE-1.png, FILE-2.png, by line number.",
        ),
    ] = None,
    threads: Threads = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Translate lines of standard input to lines on standard output.

    The search is greedy unless the run's config or an option says otherwise. Text is UTF-8, and only a line feed ends
    a line. An empty line gives an empty line.
    """
    from diptych.cli.lines import decoded_lines
    from diptych.errors import UsageError
    from diptych.plots import picture_path
    from diptych.translation import load

    pictures = _Pictures(picture_path(attention)) if attention else None
    translator = load(run_folder, backend, checkpoint, threads=threads, device=device)
    if pictures and translator.run.config.model.attention == "none":
        raise UsageError(f"--attention {attention}: the model of {run_folder} has attention = 'none', nothing to draw")
    options = {
        "temperature": temperature,
        "seed": seed,
        "beam_size": beam_size,
        "n_best": n_best,
        "length_penalty": length_penalty,
        "maximum_length": maximum_length,
        "batch_size": batch_size,
    }
    overrides: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    translator.translate([], **overrides)  # what cannot be obeyed is said before anything is read
    first = 0
    for lines in decoded_lines(sys.stdin.buffer, prompt="> " if sys.stdin.isatty() else ""):
        found = translator.translate(lines, first_row=first, **overrides)
        _print_lines(_json(each) if as_json else each.text for each in found)
        for number, each in enumerate(found, first + 1):
            if pictures and each.attention.size:
                pictures.draw(number, each)
        first += len(lines)


def _print_lines(lines: Iterator[str]) -> None:
    """Write each with a line feed, in UTF-8 whatever the terminal's language is, and at once."""
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    sys.stdout.buffer.flush()


def _json(translation: Translation) -> str:
    """A translation as one line of JSON."""
    values: dict[str, Any] = vars(translation) | {"attention": translation.attention.tolist()}
    values["alternatives"] = [{"text": text, "score": score} for text, score in translation.alternatives]
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
        attention_map(translation.source_tokens, translation.tokens, translation.attention, path)

    def _numbered(self, number: int) -> Path:
        return self.path.with_stem(f"{self.path.stem}-{number}")
