"""Lines from a stream of bytes, as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

from diptych.errors import DataError

CHUNK = 1 << 16
LONGEST = 10_000
"""How many characters a line may have: a translation's time grows with their square."""
MOST_BYTES = 4 * LONGEST + 4
"""How many bytes these have at most, with a byte order mark before and a carriage return after them."""


def decoded_lines(stream: BinaryIO, prompt: str = "") -> Iterator[list[str]]:
    r"""The lines of a stream, as many at a time as there are to be read, so that each is answered when it comes.

    Only "\n" ends a line, and a "\r" before it goes with it; a last line need not be ended. A byte order mark at the
    start is dropped.

    Args:
        stream: what to read, to its end.
        prompt: what to show on standard error before each reading.

    Raises:
        DataError: a line is not UTF-8 or too long, named by its number; the lines before it have been given.
    """
    rest, number = bytearray(), 0
    while True:
        if prompt:
            print(prompt, end="", file=sys.stderr, flush=True)
        chunk = stream.read1(CHUNK)  # type: ignore[attr-defined]
        rest += chunk
        if chunk and b"\n" not in chunk and len(rest) <= MOST_BYTES:
            continue
        *ended, rest = rest.split(b"\n")
        if (not chunk and rest) or len(rest) > MOST_BYTES:
            ended.append(rest)
        lines = []
        for line in ended:
            number += 1
            try:
                lines.append(_decode(line, number))
            except DataError:
                if lines:
                    yield lines
                raise
        if lines:
            yield lines
        if not chunk:
            break
    if prompt:
        print(file=sys.stderr)


def _decode(line: bytearray, number: int) -> str:
    """One line as text.

    Raises:
        DataError: it is not UTF-8, or too long.
    """
    if len(line) > MOST_BYTES:  # it may go on: nothing more is read of it
        raise _too_long(number, f"more than {MOST_BYTES:,} bytes")
    try:
        text = line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"standard input, line {number}, byte {error.start + 1}: 0x{line[error.start]:02x} is not UTF-8 "
            f"({error.reason}); give text in UTF-8"
        ) from error
    text = text.removeprefix("\ufeff") if number == 1 else text
    if len(text) > LONGEST:
        raise _too_long(number, f"{len(text):,} characters")
    return text


def _too_long(number: int, size: str) -> DataError:
    return DataError(
        f"standard input, line {number} has {size}, expected at most {LONGEST:,} characters: give a sentence a line"
    )
