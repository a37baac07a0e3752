"""Lines from a stream of bytes, as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

from diptych.errors import DataError

CHUNK = 1 << 16


def decoded_lines(stream: BinaryIO, prompt: str = "") -> Iterator[list[str]]:
    r"""The lines of a stream, as many at a time as there are to be read, so that each is answered when it comes.

    Only "\n" ends a line, and a "\r" before it goes with it; a last line need not be ended. A byte order mark at the
    start is dropped.

    Args:
        stream: what to read, to its end.
        prompt: what to show on standard error before each reading.

    Raises:
        DataError: a line is not UTF-8, named by its number; the lines before it have been given.
    """
    rest, number = bytearray(), 0
    while True:
        if prompt:
            print(prompt, end="", file=sys.stderr, flush=True)
        chunk = stream.read1(CHUNK)  # type: ignore[attr-defined]
        rest += chunk
        if chunk and b"\n" not in chunk:
            continue
        *ended, rest = rest.split(b"\n")
        if not chunk and rest:
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
        DataError: it is not UTF-8.
    """
    try:
        text = line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"standard input, line {number}, byte {error.start + 1}: 0x{line[error.start]:02x} is not UTF-8 "
            f"({error.reason}); give text in UTF-8"
        ) from error
    return text.removeprefix("\ufeff") if number == 1 else text
