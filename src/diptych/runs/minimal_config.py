"""A small config for a text that somebody brings, with sizes chosen from the text's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.config.keys import sections
from diptych.config.toml import comment, to_toml
from diptych.data.corpus.statistics import SideStatistics, TextStatistics, text_statistics
from diptych.errors import DataError
from diptych.runs.named_corpus import open_named
from diptych.runs.progress import QuietReporter

OFTEN = 4.0
"""Words that come so often on average can be learnt as wholes."""
FEWEST = 3
"""With fewer different sources there is none for each part."""


@dataclass(frozen=True)
class Size:
    """What a text with up to so many pairs is given."""

    pairs: float
    embedding_size: int
    encoder_size: int
    dropout: float
    batch_size: int
    learning_rate: float
    epochs: int


SIZES = (
    Size(1_000, embedding_size=48, encoder_size=48, dropout=0.3, batch_size=16, learning_rate=0.003, epochs=40),
    Size(10_000, embedding_size=64, encoder_size=64, dropout=0.3, batch_size=32, learning_rate=0.003, epochs=20),
    Size(50_000, embedding_size=128, encoder_size=128, dropout=0.3, batch_size=64, learning_rate=0.002, epochs=12),
    Size(300_000, embedding_size=256, encoder_size=256, dropout=0.3, batch_size=64, learning_rate=0.001, epochs=8),
    Size(float("inf"), embedding_size=256, encoder_size=256, dropout=0.1, batch_size=64, learning_rate=0.001, epochs=3),
)


def minimal_config(paths: Sequence[Path], columns: tuple[str, str] = ("", ""), folder: Path | None = None) -> str:
    """A config for a text as TOML, with a comment above each choice that says why it was made.

    Args:
        paths: one table, or two aligned files.
        columns: which columns of the table hold the pairs; "" for the usual ones.
        folder: where the config will stand, to which its paths are relative; None: the current folder.

    Raises:
        UsageError: there is no such file, or more than two of them.
        DataError: no line holds a pair, or there are too few to divide.
    """
    corpus = open_named(paths, columns, strict=False, reporter=QuietReporter()).corpus
    text = text_statistics(corpus.train, 0)
    if text is None or text.pairs - text.repeated_sources < FEWEST:
        raise DataError(
            f"{' and '.join(map(str, paths))}: {text.pairs if text else 0} pair(s), expected at least {FEWEST} with "
            f"different sources, one each for training, validation and test"
        )
    size = next(size for size in SIZES if text.pairs <= size.pairs)
    names = " ".join(map(str, paths))
    lines = [
        *comment(
            f"For {names}: {text.pairs:,} pairs. Written by `diptych config --minimal {names}`; train with `diptych "
            f"train` and this file's name. What is not named here is as `diptych config` says."
        ),
        "",
        *comment("The run's folder: runs/ and this name."),
        f"name = {to_toml(_name(paths[0]))}",
    ]
    chosen = {
        "data": _data(paths, columns, folder=folder, text=text, bad=any(map(_is_bad, corpus.dropped))),
        "model": _model(text, size),
        "training": _training(text, size),
    }
    for section, choices in chosen.items():
        lines += ["", *comment(sections()[section]), f"[{section}]"]
        for key, value, why in choices:
            lines += [*comment(why), f"{key} = {to_toml(value)}"]
    return "\n".join(lines) + "\n"


Choice = tuple[str, Any, str]


def _data(
    paths: Sequence[Path], columns: tuple[str, str], folder: Path | None, text: TextStatistics, bad: bool
) -> Iterator[Choice]:
    yield "corpus", "files", "Pairs from files."
    what = "One table." if len(paths) == 1 else "Two aligned files, the source first."
    yield "train", [_relative(path, folder) for path in paths], f"{what} Relative to this file."
    for side, column in zip(("source", "target"), columns, strict=True):
        if column:
            yield f"{side}_column", column, f"The column of the {side}."
    held = max(1, min(500, (text.pairs - text.repeated_sources) // 10))
    yield "validation_size", held, "Taken out of the text, to choose the best checkpoint: a tenth, at most 500."
    yield "test_size", held, "Taken out of the text, for `diptych evaluate`."
    yield "maximum_pairs", 0, "Train on all the others."
    longest = 0
    for side, counted in (("source", text.source), ("target", text.target)):
        kind, why = _tokenizer(counted)
        yield f"{side}_tokenizer", kind, why
        lengths = counted.lengths if kind == "word" else counted.characters
        longest = max(longest, lengths.longest if lengths.longest <= 200 else lengths.percentile_99)
    if longest > 100:
        yield "maximum_length", longest, "Tokens; longer pairs, at most one in a hundred on a side, are left out."
    if text.pairs > 10_000 and "word" in (_tokenizer(text.source)[0], _tokenizer(text.target)[0]):
        yield "minimum_frequency", 2, "A word met once teaches nothing but itself: it becomes <unk>."
    if text.repeated_pairs > text.pairs // 100:
        yield "remove_duplicates", "pairs", f"{text.repeated_pairs:,} pairs came before."
    if bad:
        yield "bad_lines", "drop", "Some lines hold no pair; `diptych data inspect` says which."


def _model(text: TextStatistics, size: Size) -> Iterator[Choice]:
    few = "few" if text.pairs <= 10_000 else "so many"
    yield "embedding_size", size.embedding_size, f"For {few} pairs; a larger model learns them by heart."
    yield "encoder_size", size.encoder_size, "In each of two directions."
    yield "decoder_size", 2 * size.encoder_size, "As large as both directions together."
    if any(_tokenizer(side)[0] == "character" for side in (text.source, text.target)):
        yield "attention", "general", "Characters make long sequences: this attention needs no loop over them."
    why = "The fewer pairs, the more is dropped." if size.dropout > 0.1 else "So many pairs are not learnt by heart."
    yield "dropout", size.dropout, why


def _training(text: TextStatistics, size: Size) -> Iterator[Choice]:
    yield "epochs", size.epochs, f"About {size.epochs * text.pairs // size.batch_size:,} steps in all."
    why = "Small batches make many steps of few pairs." if size.batch_size < 64 else "Pairs in a step."
    yield "batch_size", size.batch_size, why
    yield "learning_rate", size.learning_rate, "Smaller for a larger model; `diptych find-rate` looks for a better one."
    yield "label_smoothing", 0.1, "Keeps the model from being too sure of what it has seen."
    if text.pairs <= 1_000:
        yield "stop_metric", "chrf", "With few pairs the loss is lowest long before the translations are best."


def _tokenizer(side: SideStatistics) -> tuple[str, str]:
    """Words or characters, and why."""
    if side.lengths.median < 2:
        return "character", "Most lines have no spaces: a token is a character."
    if side.different is None:
        return "word", "There is text enough to learn words from."
    often = side.words / side.different
    if often < OFTEN:
        return "character", f"A word comes {often:.1f} times on average, too rarely to be learnt; a character more."
    return "word", f"A word comes {often:.0f} times on average, often enough to be learnt."


def _name(path: Path) -> str:
    """A run's name from a file's."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.split(".")[0]).strip("-_")
    return name or "my-run"


def _relative(path: Path, folder: Path | None) -> str:
    try:
        return Path(os.path.relpath(path, folder or Path.cwd())).as_posix()
    except ValueError:  # on another drive
        return str(path.resolve())


def _is_bad(reason: str) -> bool:
    return reason.startswith("bad line")
