"""fastText's binary model: vectors of words, and of the character n-grams that make vectors of words never seen.

A word's vector is the mean of its own row and those of its n-grams, an unseen word's that of its n-grams alone
(Bojanowski et al., 2017). Of the matrix, which may have gigabytes, only the rows that are needed are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError

MAGIC = struct.pack("<i", 793712314)
SUPERVISED = 3
LONGEST_WORD = 1 << 16
VERSIONS = (11, 12)
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Shape:
    """What of a model's arguments its vectors follow from."""

    size: int
    buckets: int
    shortest: int
    longest: int


def fasttext_vectors(path: Path, wanted: set[str]) -> tuple[int, dict[str, Vector], dict[str, Vector]]:
    """How many numbers a vector has, the vectors of words that are in the model, and those made of n-grams.

    Raises:
        DataError: it is cut short, quantised, or of another version.
    """
    try:
        with path.open("rb", buffering=1 << 20) as file:
            shape = _shape(file, path)
            rows, words = _dictionary(file, path, wanted)
            matrix = _matrix(file, path, shape, rows=words + shape.buckets)
    except (struct.error, ValueError) as error:
        raise DataError(f"{path} is a cut or damaged fastText model ({error}): fetch it again") from error
    found, made = {}, {}
    for word in sorted(wanted):
        ngrams = [words + number for number in _ngrams(word, shape)]
        if word in rows:
            found[word] = matrix[[rows[word], *ngrams]].mean(axis=0, dtype=np.float32)
        elif ngrams:
            made[word] = matrix[ngrams].mean(axis=0, dtype=np.float32)
    return shape.size, found, made


def _shape(file: BinaryIO, path: Path) -> _Shape:
    _, version = _read(file, "<ii")
    if version not in VERSIONS:
        raise DataError(f"{path} is a fastText model of version {version}, expected {' or '.join(map(str, VERSIONS))}")
    size, _, _, _, _, _, _, model, buckets, shortest, longest, _, _ = _read(file, "<12id")
    if version == VERSIONS[0] and model == SUPERVISED:
        longest = 0
    if size <= 0 or buckets < 0:
        raise ValueError(f"vectors of {size} numbers in {buckets} buckets")
    return _Shape(size, buckets if longest > 0 else 0, shortest=shortest, longest=longest)


def _dictionary(file: BinaryIO, path: Path, wanted: set[str]) -> tuple[dict[str, int], int]:
    """The rows of those words that are wanted, and how many words there are."""
    entries, words, _, _, pruned = _read(file, "<iiiqq")
    if pruned > 0:
        raise DataError(f"{path} is a pruned fastText model, whose n-grams are renumbered: give the whole .bin")
    rows = {}
    for row in range(entries):
        name = bytearray()
        while (byte := file.read(1)) not in (b"\0", b"") and len(name) < LONGEST_WORD:
            name += byte
        _read(file, "<qb")
        text = name.decode("utf-8", errors="replace")
        if row < words and text in wanted:
            rows[text] = row
    return rows, words


def _matrix(file: BinaryIO, path: Path, shape: _Shape, rows: int) -> npt.NDArray[np.float32]:
    (quantised,) = _read(file, "<?")
    if quantised:
        raise DataError(f"{path} is quantised (.ftz), its vectors are rounded: give the .bin it was made of")
    held, size = _read(file, "<qq")
    if size != shape.size or held < rows:
        raise ValueError(f"{held} rows of {size} numbers, expected {rows} of {shape.size}")
    return np.memmap(path, "<f4", "r", file.tell(), (held, size))


def _ngrams(word: str, shape: _Shape) -> Iterator[int]:
    """The buckets of a word's n-grams, signs for its beginning and end counted."""
    if shape.buckets == 0 or word == "</s>":
        return
    letters = f"<{word}>"
    for start in range(len(letters)):
        for length in range(shape.shortest, shape.longest + 1):
            end = start + length
            if end <= len(letters) and not (length == 1 and (start == 0 or end == len(letters))):
                yield _hash(letters[start:end].encode()) % shape.buckets


def _hash(data: bytes) -> int:
    """FNV-1a of 32 bits, where a byte above 127 is a negative number, as in fastText."""
    number = 2166136261
    for byte in data:
        number ^= byte if byte < 128 else byte | 0xFFFFFF00
        number = number * 16777619 & 0xFFFFFFFF
    return number


def _read(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
