"""The lines of a text file, plain or compressed, one after the other: the whole text is never in memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from diptych.data.corpus.compression import blocks_of
from diptych.data.faults import Fault
from diptych.data.reasons import Reason
from diptych.errors import DataError

ENCODINGS = ("cp949", "euc-kr", "utf-16", "shift-jis", "gb18030", "cp1252", "latin-1")
"""What a text that is not UTF-8 is often in."""
LONGEST_LINE = 1 << 26
"""How many bytes a line may have at most: what has more is no text, and would fill the memory."""


def lines_of(path: str | Path) -> Iterator[str]:
    r"""The lines of a UTF-8 text, plain or compressed (told by its first bytes, not its name), read as asked for.

    Only "\n" ends a line, and a "\r" before it goes with it; every other separator (a lone carriage return, vertical
    tab, form feed, U+0085, U+2028, U+2029) stays inside its line. A byte order mark at the start is dropped.

    Raises:
        DataError: the file is missing, a folder, empty, a damaged compressed file, not UTF-8, holds a NUL or a line
            that fills the memory.
    """
    for number, line in enumerate(tolerant_lines_of(path), 1):
        if isinstance(line, Fault):
            raise line.error(path, number)
        yield line


def tolerant_lines_of(path: str | Path, encoding: str = "utf-8") -> Iterator[str | Fault]:
    """As `lines_of`, with a fault in the place of a line that is not UTF-8 or holds a NUL.

    Args:
        path: of the file.
        encoding: of its text; in another than UTF-8 what is not text ends it all.

    Raises:
        DataError: as `lines_of`, but for these two.
    """
    number = 0
    empty = True
    for block in _whole_lines(_in_utf8(blocks_of(Path(path)), encoding, path), path):
        try:
            text = block.decode("utf-8")
            faultless = "\0" not in text
        except UnicodeDecodeError:
            faultless = False
        if faultless:
            if not number:
                text = text.removeprefix("\ufeff")
            empty = empty and not text
            lines = text.split("\n")
            last = lines.pop()  # what follows the last "\n": nothing, unless this is the text's end and not a line's
            number += len(lines)
            yield from [line.removesuffix("\r") for line in lines] if "\r" in text else lines
            if last:
                yield last
        else:
            empty = False
            pieces = block.split(b"\n")
            last_piece = pieces.pop()
            for piece in [*pieces, last_piece] if last_piece else pieces:
                number += 1
                yield _decode(piece, first=number == 1)
    if empty:
        raise DataError(f"{path} is empty, expected one sentence per line")


def read_lines(path: str | Path) -> list[str]:
    """All lines of a text at once, see `lines_of`.

    Raises:
        DataError: as `lines_of`.
    """
    return list(lines_of(path))


def _in_utf8(blocks: Iterator[bytes], encoding: str, path: str | Path) -> Iterator[bytes]:
    """The text in UTF-8, whatever its encoding.

    Raises:
        DataError: it is not text in that encoding.
    """
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        yield from blocks
        return
    done, decoder = 0, codecs.getincrementaldecoder(encoding)()
    try:
        for block in chain(blocks, [b""]):
            yield decoder.decode(block, final=not block).encode("utf-8", errors="surrogatepass")
            done += len(block)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not {encoding}: byte {done + error.start + 1} or near it ({error.reason}); set data.encoding"
        ) from error


def encodings_of(line: bytes) -> list[str]:
    """In which other encodings these bytes are text; that does not say that it is the text that was meant."""

    def fits(encoding: str) -> bool:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            return False
        return "\0" not in text and (encoding != "utf-16" or line.startswith((b"\xff\xfe", b"\xfe\xff")))

    return [encoding for encoding in ENCODINGS if fits(encoding)]


def _decode(line: bytes, first: bool) -> str | Fault:
    """The text of a line without its line feed, or what is wrong with it."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"0x{line[error.start]:02x} is not UTF-8 ({error.reason})"
        if first and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            problem += ", it looks like UTF-16"
        others = ", ".join(encodings_of(line))
        advice = f", or set data.encoding: the line could be {others}" if others else ""
        detail = f", byte {error.start + 1}: {problem}; save the file as UTF-8{advice}"
        return Fault(Reason.NOT_UTF8, detail, line.decode("utf-8", errors="replace"))
    if "\0" in text:
        return Fault(Reason.NUL, ": a NUL character; expected text in UTF-8, is it binary or UTF-16?", text)
    return (text.removeprefix("\ufeff") if first else text).removesuffix("\r")


def _whole_lines(blocks: Iterator[bytes], path: str | Path) -> Iterator[bytes]:
    """The same bytes, cut where a line ends; only the last piece may lack its line's end."""
    begun: list[bytes] = []
    size = ended = 0
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            whole = b"".join([*begun, block[:end]])
            ended += whole.count(b"\n")
            yield whole
            begun, size = [], 0
        begun.append(block[end:])
        size += len(block) - end
        if size > LONGEST_LINE:
            raise DataError(
                f"{path}, line {ended + 1}: more than {LONGEST_LINE:,} bytes without an end, expected one sentence "
                f"per line; is it a text file?"
            )
    if rest := b"".join(begun):
        yield rest
