"""Compressed files hold what was put into them, and one that is damaged or cut says so."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from diptych.data.corpus.compression import blocks_of
from diptych.data.corpus.files import FilePairs
from diptych.data.corpus.lines import read_lines
from diptych.errors import DataError


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


COMPRESS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compressed") / "text"


@pytest.mark.parametrize("kind", COMPRESS)
@given(members=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
@example(members=[b"a" * 5_000_000, b"", b"b"])
def test_any_number_of_members_come_out_as_they_went_in(path: Path, kind: str, members: list[bytes]) -> None:
    path.write_bytes(b"".join(map(COMPRESS[kind], members)))
    assert b"".join(blocks_of(path)) == b"".join(members)


@pytest.mark.parametrize("kind", COMPRESS)
def test_the_name_does_not_matter(tmp_path: Path, kind: str) -> None:
    for name in ("text", "text.txt", "text.gz", "text.tsv"):
        (tmp_path / name).write_bytes(COMPRESS[kind]("한글\tb\nc\td\n".encode()))
        assert list(FilePairs.open([tmp_path / name])) == [("한글", "b"), ("c", "d")]


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_is_cut_says_so(path: Path, kind: str) -> None:
    whole = COMPRESS[kind](b"some text\n" * 50)
    for length in range(6, len(whole)):
        path.write_bytes(COMPRESS[kind](b"before\n") + whole[:length])
        with pytest.raises(DataError, match=f"is a damaged or cut {kind} file .*fetch or compress it again"):
            read_lines(path)


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_is_damaged_is_read_or_refused_never_worse(path: Path, kind: str) -> None:
    whole = COMPRESS[kind](b"some text\n" * 50)
    refused = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(bytes(damaged))
        try:
            read_lines(path)
        except DataError:
            refused += 1
    assert refused > 5


def test_an_archive_is_to_be_unpacked(path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("deu.txt", "Go.\tGeh.\n")
    path.write_bytes(content.getvalue())
    with pytest.raises(DataError, match="is a zip archive: unpack it, and give the path of a text file in it"):
        read_lines(path)
