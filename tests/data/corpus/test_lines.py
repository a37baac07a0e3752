"""Lines read block by block are those of the whole text, and so is what is wrong with it."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.corpus import compression
from diptych.data.corpus.lines import lines_of, read_lines
from diptych.errors import DataError

# Texts in which blocks end within characters, line ends and marks, and now and then a byte that is wrong.
BYTES = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\r", "한".encode(), "\u2028".encode(), b"\xef\xbb\xbf"]))
WRONG = st.sampled_from([b"", b"", b"\xff", b"\0", "한".encode()[:2]])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines") / "text"


def outcome(path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> list[str] | str:
    monkeypatch.setattr(compression, "BLOCK", block)
    monkeypatch.setattr(compression, "ZSTD_BLOCK", block)
    try:
        return read_lines(path)
    except DataError as error:
        return str(error)


@given(before=BYTES, wrong=WRONG, after=BYTES, block=st.integers(1, 9), zipped=st.booleans())
def test_the_size_of_a_block_changes_nothing(
    path: Path, before: list[bytes], wrong: bytes, after: list[bytes], block: int, zipped: bool
) -> None:
    content = b"".join([*before, wrong, *after])
    path.write_bytes(gzip.compress(content, 1) if zipped else content)
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = outcome(path, block, monkeypatch)
        assert found == outcome(path, 1 << 20, monkeypatch)
    if isinstance(found, list):
        text = content.decode().removeprefix("\ufeff")
        assert found == [line.removesuffix("\r") for line in text.split("\n")[:-1]] + [
            rest for rest in text.split("\n")[-1:] if rest
        ]


def test_no_more_is_read_than_is_asked_for(path: Path) -> None:
    path.write_bytes(b"first\n" * 1_000_000 + b"\xff\n")
    found = lines_of(path)
    assert next(found) == "first"
    found.close()
    with pytest.raises(DataError, match="line 1000001, byte 1"):
        read_lines(path)
