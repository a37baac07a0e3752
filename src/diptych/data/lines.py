"""The lines of a text file, plain or gzipped, one after the other: the whole text is never in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from diptych.errors import DataError

BLOCK = 1 << 20
"""How many bytes are read at a time."""


def lines_of(path: str | Path) -> Iterator[str]:
    r"""The lines of a UTF-8 text, plain or gzipped (told by its first bytes, not its name), read as they are asked for.

    Only "\n" ends a line, and a "\r" before it goes with it; every other separator (a lone carriage return, vertical
    tab, form feed, U+0085, U+2028, U+2029) stays inside its line. A byte order mark at the start is dropped.

    Raises:
        DataError: the file is missing, a folder, empty, a damaged gzip, not UTF-8, or holds a NUL.
    """
    number = 0
    empty = True
    for block in _whole_lines(_blocks(Path(path))):
        text = _decode(block, path, number)
        if not number:
            text = text.removeprefix("\ufeff")
        empty = empty and not text
        lines = text.split("\n")
        last = lines.pop()  # what follows the last "\n": nothing, unless this is the text's end and not a line's
        number += len(lines)
        yield from [line.removesuffix("\r") for line in lines] if "\r" in text else lines
        if last:
            yield last
    if empty:
        raise DataError(f"{path} is empty, expected one sentence per line")


def read_lines(path: str | Path) -> list[str]:
    """All lines of a text at once, see `lines_of`.

    Raises:
        DataError: as `lines_of`.
    """
    return list(lines_of(path))


def _decode(block: bytes, path: str | Path, number: int) -> str:
    """The text of a block that begins with a line, `number` lines having come before."""
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = number + block.count(b"\n", 0, error.start) + 1
        byte = error.start - (block.rfind(b"\n", 0, error.start) + 1) + 1
        problem = f"0x{block[error.start]:02x} is not UTF-8 ({error.reason})"
        if not number and block.startswith((b"\xff\xfe", b"\xfe\xff")):
            problem += ", it looks like UTF-16"
        raise DataError(f"{path}, line {line}, byte {byte}: {problem}; save the file as UTF-8") from error
    if "\0" in text:
        line = number + text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: a NUL character; expected text in UTF-8, is it binary or UTF-16?")
    return text


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut where a line ends; only the last piece may lack its line's end."""
    begun: list[bytes] = []
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*begun, block[:end]])
            begun = []
        begun.append(block[end:])
    if rest := b"".join(begun):
        yield rest


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unzipped if need be."""
    try:
        with path.open("rb") as file:
            zipped = file.peek(2)[:2] == b"\x1f\x8b"
            with gzip.GzipFile(fileobj=file) if zipped else file as content:
                while block := content.read(BLOCK):
                    yield block
    except FileNotFoundError as error:
        raise DataError(f"no file at {path}: give the path of a text file, plain or gzipped") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder: give the path of a text file in it") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is a damaged or cut gzip file ({error}): fetch or compress it again") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path} ({error}): give the path of a readable text file") from error
