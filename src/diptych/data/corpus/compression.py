"""The bytes of a file, plain or compressed, block by block: never more than a block is in memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from diptych.errors import DataError

BLOCK = 1 << 20
"""How many bytes are read at a time."""
ZSTD_BLOCK = 1 << 12
"""How many compressed bytes of zstd are read at a time: they may become up to 32,000 times as many."""
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError)


class Readable(Protocol):
    """What gives so many bytes, or fewer at its end."""

    def read(self, size: int, /) -> bytes: ...


def blocks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, expanded if its first bytes are those of gzip, bzip2, xz or zstd, whatever its name.

    A file may hold several compressed ones, one after the other.

    Raises:
        DataError: the file is missing, a folder, an archive, a damaged compressed file, or cannot be read.
    """
    name = ""
    try:
        with path.open("rb") as file:
            head = file.peek(6)[:6]
            if head.startswith(b"PK\x03\x04"):
                raise DataError(f"{path} is a zip archive: unpack it, and give the path of a text file in it")
            name, expand = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), ("", _plain))
            yield from expand(file)
    except FileNotFoundError as error:
        raise DataError(f"no file at {path}: give the path of a text file, plain or compressed") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder: give the path of a text file in it") from error
    except DAMAGED as error:
        raise _damaged(path, name, error) from error
    except (OSError, ValueError) as error:
        if name == "bzip2" and not getattr(error, "errno", None):
            raise _damaged(path, name, error) from error
        raise DataError(f"cannot read {path} ({error}): give the path of a readable text file") from error


def _damaged(path: Path, name: str, error: Exception) -> DataError:
    return DataError(f"{path} is a damaged or cut {name} file ({error}): fetch or compress it again")


def _plain(file: Readable) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as content:
        yield from _plain(content)


def _bzip2(file: BinaryIO) -> Iterator[bytes]:
    with bz2.BZ2File(file) as content:
        yield from _plain(content)


def _xz(file: BinaryIO) -> Iterator[bytes]:
    with lzma.LZMAFile(file) as content:
        yield from _plain(content)


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    """Frame after frame; the package's own reader would take a cut frame for a whole one."""
    frame = None
    compressed = file.read(ZSTD_BLOCK)
    while compressed:
        frame = frame or zstandard.ZstdDecompressor().decompressobj()
        yield frame.decompress(compressed)
        compressed = b""
        if frame.eof:
            compressed, frame = frame.unused_data, None
        compressed = compressed or file.read(ZSTD_BLOCK)
    if frame is not None:
        raise EOFError("it ended before its last frame did")


KINDS: dict[bytes, tuple[str, Callable[[BufferedReader], Iterator[bytes]]]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bzip2", _bzip2),
    b"\xfd7zXZ\x00": ("xz", _xz),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}
"""What compressed files begin with."""
