"""The text that every contestant is given: four plain files of words, one sentence a line."""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

MULTI30K = Path(__file__).resolve().parents[2] / "shared" / "data" / "multi30k"
# Where there is no test text, so many training sentences are translated instead.
HELD = 1000

Pair = tuple[Path, Path]


def prepare(train: Pair | None, test: Pair | None, root: Path) -> Path:
    """Write train.source, train.target, test.source and test.target into a folder named after what is in them.

    White space is made single, and pairs with an empty side are left out. Without `train`: Multi30k, German-English.

    Raises:
        SystemExit: a file is missing, or two files are not aligned.
    """
    if train is None:
        train, test = multi30k()
    parts = {"train": read(train)}
    parts["test"] = read(test) if test else parts["train"][:HELD]
    texts = {
        f"{part}.{side}": "".join(f"{line}\n" for line in lines)
        for part, pairs in parts.items()
        for side, lines in zip(("source", "target"), zip(*pairs, strict=True), strict=True)
    }
    digest = hashlib.sha256("\0".join(texts.values()).encode()).hexdigest()[:12]
    folder = root / digest
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def multi30k() -> tuple[Pair, Pair]:
    """The default: train and test, German and English.

    Raises:
        SystemExit: it is not there; with status 0, since nothing has failed.
    """
    pairs = [(MULTI30K / f"{part}.de.gz", MULTI30K / f"{part}.en.gz") for part in ("train", "test")]
    if not all(path.is_file() for pair in pairs for path in pair):
        print(
            f"skipped: no Multi30k at {MULTI30K} (train.de.gz, train.en.gz, test.de.gz, test.en.gz). "
            f"Give any two aligned files instead: --train SOURCE TARGET [--test SOURCE TARGET]",
            file=sys.stderr,
        )
        raise SystemExit(0)
    return pairs[0], pairs[1]


def read(pair: Pair) -> list[tuple[str, str]]:
    """The sentence pairs of two aligned files, plain or gzipped.

    Raises:
        SystemExit: a file cannot be read, or they are not aligned.
    """
    try:
        sides = []
        for path in pair:
            with (
                gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text
            ):
                sides.append([" ".join(line.split()) for line in text])
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"error: cannot read {pair[0]} and {pair[1]}: {error}; give two text files in UTF-8")
    if len(sides[0]) != len(sides[1]):
        raise SystemExit(
            f"error: {pair[0]} has {len(sides[0]):,} lines and {pair[1]} {len(sides[1]):,}: "
            f"give two files that have a sentence and its translation on the same line"
        )
    pairs = [(source, target) for source, target in zip(*sides, strict=True) if source and target]
    if not pairs:
        raise SystemExit(f"error: {pair[0]} and {pair[1]} hold no sentence pairs")
    return pairs
