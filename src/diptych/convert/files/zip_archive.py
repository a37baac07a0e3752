"""Members of a zip archive, none of which is unpacked to disk or believed about its size."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from diptych.convert.files import limits
from diptych.convert.files.printable import shown
from diptych.convert.files.stored_bytes import StoredBytes
from diptych.errors import RefusalError

END, LONGEST_COMMENT, LOCAL_HEADER = b"PK\x05\x06", 1 << 16, 30
DIRECTORY = 8 << 20  # bytes of the list of members


class ZipArchive:
    """The members of an archive by name.

    Attributes:
        path: the archive.
        names: of its members, in its order.

    Raises:
        RefusalError: it is damaged, has a member twice, or members that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._whole = StoredBytes.of_file(path)
        _check_directory(self._whole)
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, OSError) as error:
            raise RefusalError(f"{path} is not a whole zip archive: {shown(error)}; copy it again") from error
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise RefusalError(f"{path} has two members of one name; expected each once")
        self.names = tuple(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def member(self, name: str) -> StoredBytes:
        """Where a member's bytes are: in the file if it is stored as it is, else unpacked in memory.

        Raises:
            RefusalError: it is not there, encrypted, damaged, or expands beyond measure.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise RefusalError(f"{self.path} has no {shown(name)}: it is not whole")
        if entry.flag_bits & 1:
            raise RefusalError(f"{self.path}: {shown(name)} is encrypted; save the model without a password")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RefusalError(f"{self.path}: {shown(name)} is compressed in a way that is not read; pack it anew")
        header = self._whole.read(entry.header_offset, LOCAL_HEADER, name)
        if header[:4] != b"PK\x03\x04":
            raise RefusalError(f"{self.path}: {shown(name)} is not where the archive says; it was altered")
        # The lengths of name and extra field differ from those in the directory: writers align the bytes with them.
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        start = entry.header_offset + LOCAL_HEADER + lengths
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise RefusalError(f"{self.path}: {shown(name)} has two sizes, though it is not compressed")
        if start + entry.compress_size > self._whole.size:
            raise RefusalError(f"{self.path}: {shown(name)} reaches beyond the file's end: it was cut short")
        if entry.compress_type == zipfile.ZIP_STORED:
            return StoredBytes(self.path, self._whole.start + start, entry.file_size)
        return StoredBytes(self.path, 0, size=entry.file_size, memory=self._unpacked(entry, start))

    def _unpacked(self, entry: zipfile.ZipInfo, start: int) -> bytes:
        size = entry.file_size
        if size > limits.EXPANDED and size > limits.EXPANSION * entry.compress_size:
            raise RefusalError(
                f"{self.path}: {shown(entry.filename)} would become {size:,} bytes of {entry.compress_size:,}: a zip "
                f"bomb, or a model of constants"
            )
        unpacker = zlib.decompressobj(-15)
        try:
            data = unpacker.decompress(self._whole.read(start, entry.compress_size, entry.filename), size + 1)
        except zlib.error as error:
            raise RefusalError(f"{self.path}: {shown(entry.filename)} is damaged: {error}") from error
        if len(data) != size or zlib.crc32(data) != entry.CRC:
            raise RefusalError(f"{self.path}: {shown(entry.filename)} is not of the size and sum the archive says")
        return data


def _check_directory(whole: StoredBytes) -> None:
    """Refuse a list of members that is too long, before anything parses it."""
    tail_size = min(whole.size, LONGEST_COMMENT + 22)
    tail = whole.read(whole.size - tail_size, tail_size)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < 22:
        raise RefusalError(f"{whole.path} begins as a zip archive but does not end as one: it was cut short")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size == 0xFFFFFFFF:  # the true one stands in a zip64 record, 56 bytes and a locator of 20 before this one
        record = tail[at - 76 : at - 20] if at >= 76 else b""
        size = int.from_bytes(record[40:48], "little") if record[:4] == b"PK\x06\x06" else whole.size
    if size > DIRECTORY:
        raise RefusalError(f"{whole.path}: its list of members has {size:,} bytes; the most that are read is 8 MiB")
