"""Corpora: sentence pairs read from files, and divided into training, validation and test."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from diptych.config import DataConfig
from diptych.data.tokenizers import Tokenizer, make_tokenizer
from diptych.errors import DataError
from diptych.randomness import generator

Pair = tuple[str, str]
"""A source sentence and its target."""


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs in three parts.

    Attributes:
        train: what the model learns from.
        validation: what decides when to stop and which checkpoint is the best.
        test: what is looked at once, at the end.
        dropped: how many pairs were left out, by reason.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    dropped: dict[str, int] = field(default_factory=dict)


def load_corpus(config: DataConfig) -> Corpus:
    """The corpus of a config; what it does not give for validation or test is taken out of the training text.

    Raises:
        DataError: a file cannot be read, or the text is too small to be divided.
    """
    if config.corpus == "files":
        corpus = _corpus_from_files(config)
    else:
        from diptych.data.builtin import builtin_corpus

        corpus = builtin_corpus(config)
    if config.maximum_pairs:
        corpus = replace(corpus, train=corpus.train[: config.maximum_pairs])
    return corpus


def _corpus_from_files(config: DataConfig) -> Corpus:
    corpus = hold_out(
        read_pairs(config.train),
        validation_size=0 if config.validation else config.validation_size,
        test_size=0 if config.test else config.test_size,
        seed=config.seed,
        source_tokenizer=make_tokenizer(config.source_tokenizer, config.lowercase_source),
    )
    if config.validation:
        corpus = replace(corpus, validation=read_pairs(config.validation))
    if config.test:
        corpus = replace(corpus, test=read_pairs(config.test))
    return corpus


def hold_out(
    pairs: Sequence[Pair], validation_size: int, test_size: int, seed: int, source_tokenizer: Tokenizer
) -> Corpus:
    """Divide pairs at random so that no source sentence, as the tokenizer sees it, is in two parts.

    Validation and test hold exactly so many pairs, of as many different sources. A held-out source's other pairs are
    left out and counted. The test part does not depend on `validation_size`; each part keeps the order of `pairs`.

    Raises:
        DataError: there are too few different source sentences.
    """
    held_out = test_size + validation_size
    if not held_out:
        return Corpus(list(pairs), [], [])
    sentences = [source_tokenizer.detokenize(source_tokenizer.tokenize(source)) for source, _ in pairs]
    distinct = len(set(sentences))
    if distinct <= held_out:
        raise DataError(
            f"the training text has {distinct} different source sentences, too few to take {validation_size} pairs "
            f"for validation and {test_size} for test out of it; lower validation_size and test_size, or give "
            f"validation and test files"
        )
    # One pair for each held-out sentence: the first in the shuffled order.
    chosen: dict[str, int] = {}
    for row in generator(seed, "held-out pairs").permutation(len(pairs)).tolist():
        if len(chosen) == held_out:
            break
        chosen.setdefault(sentences[row], row)
    rows = list(chosen.values())
    train = [pair for pair, sentence in zip(pairs, sentences, strict=True) if sentence not in chosen]
    left_out = len(pairs) - len(train) - held_out
    return Corpus(
        train=train,
        validation=[pairs[row] for row in sorted(rows[test_size:])],
        test=[pairs[row] for row in sorted(rows[:test_size])],
        dropped={"source sentence is in validation or test": left_out} if left_out else {},
    )


def read_pairs(paths: Sequence[str | Path]) -> list[Pair]:
    """Sentence pairs from one TSV (its first two columns) or from two aligned files, plain or gzipped.

    Blank lines at the end of a file are ignored.

    Raises:
        DataError: a file cannot be read, holds no sentence, the two have different lengths, or a side is empty.
    """
    if len(paths) not in (1, 2):
        raise DataError(f"sentence pairs come from one TSV or from two aligned files, got {len(paths)} files: {paths}")
    files = [read_lines(path) for path in paths]
    counts = [_count_lines(path, lines) for path, lines in zip(paths, files, strict=True)]
    if len(files) == 1:
        pairs = _split_columns(paths[0], files[0][: counts[0]])
    elif min(map(len, files)) < max(counts):
        raise DataError(
            f"{paths[0]} has {counts[0]} lines but {paths[1]} has {counts[1]} (blank lines at the end not counted); "
            f"line n of the one must be the translation of line n of the other"
        )
    else:
        pairs = list(zip(files[0][: max(counts)], files[1][: max(counts)], strict=True))
    for number, pair in enumerate(pairs, 1):
        for side, text in enumerate(pair):
            if not text.strip():
                where = f"line {number}" if len(paths) == 2 else f"line {number}, column {side + 1}"
                name = ("source", "target")[side]
                raise DataError(
                    f"{paths[side % len(paths)]}, {where}: the {name} is empty; write its text or remove the pair"
                )
    return pairs


def _count_lines(path: str | Path, lines: list[str]) -> int:
    """How many lines there are without the blank ones at the end."""
    count = len(lines)
    while count and not lines[count - 1].strip():
        count -= 1
    if not count:
        raise DataError(f"{path} holds only blank lines, expected one sentence per line")
    return count


def _split_columns(path: str | Path, lines: list[str]) -> list[Pair]:
    pairs = []
    for number, line in enumerate(lines, 1):
        columns = line.split("\t", 2)
        if len(columns) < 2:
            raise DataError(
                f"{path}, line {number}: no tab, expected source and target with a tab between them; if these are the "
                f"sources of two aligned files, give both files"
            )
        pairs.append((columns[0], columns[1]))
    return pairs


def read_lines(path: str | Path) -> list[str]:
    r"""The lines of a UTF-8 text, plain or gzipped (told by its first bytes, not its name).

    Only "\n" ends a line, and a "\r" before it goes with it; every other separator (a lone carriage return, vertical
    tab, form feed, U+0085, U+2028, U+2029) stays inside its line. A byte order mark at the start is dropped.

    Raises:
        DataError: the file is missing, a folder, empty, a damaged gzip, not UTF-8, or holds a NUL.
    """
    data = _read_bytes(Path(path))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        problem = f"0x{data[error.start]:02x} is not UTF-8 ({error.reason})"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            problem += ", it looks like UTF-16"
        raise DataError(f"{path}, line {line}, byte {byte}: {problem}; save the file as UTF-8") from error
    if not text:
        raise DataError(f"{path} is empty, expected one sentence per line")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: a NUL character; expected text in UTF-8, is it binary or UTF-16?")
    lines = text.split("\n")
    last = lines.pop()  # what follows the last "\n": nothing, unless that line was not ended
    lines = [line.removesuffix("\r") for line in lines]
    return [*lines, last] if last else lines


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"no file at {path}: give the path of a text file, plain or gzipped") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder: give the path of a text file in it") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): give the path of a readable text file") from error
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is a damaged or cut gzip file ({error}): fetch or compress it again") from error
