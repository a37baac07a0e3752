"""The vectors that a file of embeddings has for some words, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from diptych.data.corpus.lines import tolerant_lines_of
from diptych.data.faults import Fault
from diptych.data.vectors.fasttext import MAGIC, fasttext_vectors
from diptych.data.vectors.word2vec import word2vec_vectors
from diptych.errors import DataError

Vector = npt.NDArray[np.float32]
LARGEST_SIZE = 65_536
"""How many numbers a vector may have."""


@dataclass(frozen=True)
class Vectors:
    """What a file has for the words that were asked for.

    Attributes:
        size: how many numbers a vector has.
        found: the vector of each word that is in the file.
        made: of each that is not, but whose parts are: what fastText makes of these.
    """

    size: int
    found: dict[str, Vector]
    made: dict[str, Vector] = field(default_factory=dict)


def read_vectors(path: str | Path, words: Iterable[str]) -> Vectors:
    """The vectors of these words in a file; which format it has its first bytes tell, not its name.

    A text has a word and its numbers on each line, with spaces between, after a line with the number of words and that
    of the numbers (word2vec, fastText's .vec) or without one (GloVe); gzip and the like are read as they are. A binary
    file is word2vec's or fastText's .bin.

    Raises:
        DataError: the file is missing, cut short, of another kind, quantised, or holds what is no number.
    """
    path, wanted = Path(path), set(words)
    head = _head(path)
    if head.startswith(MAGIC):
        size, found, made = fasttext_vectors(path, wanted)
        return _checked(path, Vectors(size, found, made))
    first, newline, rest = head.partition(b"\n")
    if newline and _counts(first) and _is_binary(rest):
        return _checked(path, Vectors(*word2vec_vectors(path, wanted)))
    return _checked(path, _of_text(path, wanted))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}): give a file of word2vec, fastText or GloVe") from error


def _counts(line: bytes) -> bool:
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() for part in parts)


def _is_binary(data: bytes) -> bool:
    """Whether what follows the first line is no text: numbers in binary have bytes that no text has."""
    return any(byte < 9 or 13 < byte < 32 for byte in data)


def _of_text(path: Path, wanted: set[str]) -> Vectors:
    found: dict[str, Vector] = {}
    size = unreadable = 0
    for number, line in enumerate(tolerant_lines_of(path), 1):
        if isinstance(line, Fault):
            unreadable += 1  # a word that is not UTF-8 is none of ours
            if unreadable > max(10, number // 2):
                raise DataError(f"{path} is no text: unpack a compressed binary file, and give that")
            continue
        if not line:
            continue
        if number == 1 and _counts(line.encode()):
            size = int(line.split()[1])
            continue
        if not size:
            size = len(line.rstrip().split(" ")) - 1
        if not 1 <= size <= LARGEST_SIZE:
            raise _no_vector(path, number, "a word and its numbers, spaces between")
        word, *numbers = line.rstrip().rsplit(" ", size)
        if len(numbers) < size:
            raise _no_vector(path, number, f"a word and {size} numbers as in the lines before")
        if word in wanted and word not in found:
            try:
                found[word] = np.array(numbers, np.float32)
            except ValueError:
                raise _no_vector(path, number, f"a word and {size} numbers") from None
    return Vectors(size, found)


def _no_vector(path: Path, number: int, expected: str) -> DataError:
    return DataError(
        f"{path}, line {number}: no vector, expected {expected}; give a file of word2vec, fastText or GloVe"
    )


def _checked(path: Path, vectors: Vectors) -> Vectors:
    for word, vector in (vectors.found | vectors.made).items():
        if not np.isfinite(vector).all():
            raise DataError(f"{path}: the vector of {word!r} has numbers that are not finite; take another file")
    return vectors


def describe(name: str, path: str, vectors: Vectors, tokens: int) -> str:
    """What is said of them, once they are in a table of so many tokens."""
    made = f", {len(vectors.made):,} are made of subwords" if vectors.made else ""
    rest = tokens - len(vectors.found) - len(vectors.made)
    return f"{name}: {len(vectors.found):,} of {tokens:,} tokens are in {Path(path).name}{made}, {rest:,} are drawn"
