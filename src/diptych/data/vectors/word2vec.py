"""word2vec's binary file: the number of words and of numbers as text, then each word, a space, and float32 numbers."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError

LONGEST_WORD = 4096
"""How many bytes a word may have."""
LARGEST = 1 << 16


def word2vec_vectors(path: Path, wanted: set[str]) -> tuple[int, dict[str, npt.NDArray[np.float32]]]:
    """How many numbers a vector has, and the vectors of those words that are in the file.

    Raises:
        DataError: it is cut short, or its numbers cannot be so.
    """
    found: dict[str, npt.NDArray[np.float32]] = {}
    with path.open("rb", buffering=1 << 20) as file:
        count, size = map(int, file.readline(64).split())
        if not 1 <= size <= LARGEST:
            raise DataError(f"{path} says that a vector has {size} numbers, expected 1 to {LARGEST}")
        for row in range(count):
            word, data = _word(file), file.read(4 * size)
            if word is None or len(data) < 4 * size:
                raise DataError(f"{path} says it has {count:,} words and ends in number {row + 1:,}: fetch it again")
            text = word.decode("utf-8", errors="replace")
            if text in wanted and text not in found:
                found[text] = np.frombuffer(data, "<f4").astype(np.float32)
    return size, found


def _word(file: BinaryIO) -> bytes | None:
    """What stands before the next space; None where there is no space near."""
    word = bytearray()
    while len(word) < LONGEST_WORD:
        byte = file.read(1)
        if byte == b" ":
            return bytes(word)
        if not byte:
            return None
        if byte != b"\n" or word:  # some programs end each vector with a line's end
            word += byte
    return None
