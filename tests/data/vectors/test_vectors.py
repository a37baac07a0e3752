"""Embeddings of word2vec, fastText and GloVe: each format gives the same vectors; what is damaged is answered."""

import gzip
import re
import struct

import numpy as np
import pytest

from diptych.data.vectors.fasttext import _hash
from diptych.data.vectors.vectors import read_vectors
from diptych.errors import DataError

WORDS = ("가다", "house", "the", ". . .")
TABLE = np.random.default_rng(3).normal(size=(4, 5)).astype(np.float32)


def text(header):
    lines = [" ".join([word, *map(repr, map(float, row))]) for word, row in zip(WORDS, TABLE, strict=True)]
    return "\n".join([*([f"{len(WORDS)} 5"] if header else []), *lines, ""]).encode()


def word2vec(line_end=b"\n"):
    rows = [word.encode() + b" " + row.tobytes() + line_end for word, row in zip(WORDS[:3], TABLE, strict=False)]
    return b"3 5\n" + b"".join(rows)


def fasttext(
    words=WORDS[:3], buckets=0, table=TABLE[:3], shortest=2, longest=3, version=12, pruned=-1, quantised=False
):
    size = table.shape[1]
    arguments = struct.pack("<12id", size, 5, 5, 1, 5, 1, 1, 2, buckets, shortest, longest, 100, 1e-4)
    dictionary = struct.pack("<iiiqq", len(words), len(words), 0, 99, pruned)
    dictionary += b"".join(word.encode() + b"\0" + struct.pack("<qb", 7, 0) for word in words)
    matrix = struct.pack("<?qq", quantised, len(table), size) + table.astype("<f4").tobytes()
    return struct.pack("<ii", 793712314, version) + arguments + dictionary + matrix


FORMS = {
    "glove.txt": text(False),
    "vectors.vec": text(True),
    "vectors.vec.gz": gzip.compress(text(True)),
    "google.bin": word2vec(),
    "other.bin": word2vec(b""),
    "cc.bin": fasttext(longest=0),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_vectors_that_were_written(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FORMS[name])
    vectors = read_vectors(path, [*WORDS[:3], "unseen"])
    assert vectors.size == 5 and not vectors.made and vectors.found.keys() == set(WORDS[:3])
    for word, row in zip(WORDS[:3], TABLE, strict=False):
        assert np.array_equal(vectors.found[word], row), word


def test_a_word_with_spaces_is_read_from_a_text(tmp_path):
    (tmp_path / "glove.840B.txt").write_bytes(text(False))
    assert np.array_equal(read_vectors(tmp_path / "glove.840B.txt", [". . ."]).found[". . ."], TABLE[3])


def test_the_hash_is_fnv_1a():
    assert (_hash(b"a"), _hash(b"foobar")) == (0xE40C292C, 0xBF9CF968)  # the algorithm's published values


def test_an_unseen_word_is_the_mean_of_its_ngrams_and_a_seen_one_of_its_own_row_too(tmp_path):
    buckets = 50
    table = np.random.default_rng(1).normal(size=(1 + buckets, 4)).astype(np.float32)
    path = tmp_path / "cc.bin"
    path.write_bytes(fasttext(("cat",), buckets, table))
    vectors = read_vectors(path, ["cat", "가"])
    parts = ["<c", "<ca", "ca", "cat", "at", "at>", "t>"]
    rows = [0, *(1 + _hash(part.encode()) % buckets for part in parts)]
    assert np.allclose(vectors.found["cat"], table[rows].mean(axis=0))
    rows = [1 + _hash(part.encode()) % buckets for part in ("<가", "<가>", "가>")]
    assert np.allclose(vectors.made["가"], table[rows].mean(axis=0))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"the 0.1 0.2\nhouse 0.1\n", "line 2: no vector, expected a word and 2 numbers as in the lines before"),
        (b"the 0.1 0.2\nhouse x 0.2\n", "line 2: no vector, expected a word and 2 numbers"),
        (b"the 0.1 nan\n", "the vector of 'the' has numbers that are not finite"),
        (b"a text\n", "line 1: no vector, expected a word and 1 numbers"),
        (b"1 99999999999\nthe 0.1\n", "line 2: no vector"),
        (word2vec()[:-9], "says it has 3 words and ends in number 3: fetch it again"),
        (b"3 0\n\0\0", "says that a vector has 0 numbers"),
        (fasttext()[:-1], "is a cut or damaged fastText model"),
        (fasttext()[:70], "is a cut or damaged fastText model"),
        (fasttext(version=99), "is a fastText model of version 99, expected 11 or 12"),
        (fasttext(pruned=4), "is a pruned fastText model"),
        (fasttext(quantised=True), "is quantised"),
        (gzip.compress(np.random.default_rng(0).bytes(4000).replace(b"\n", b"")[:200].join([b"\n"] * 99)), "unpack"),
    ],
)
def test_bad_files_are_answered(tmp_path, content, message):
    path = tmp_path / "bad.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_vectors(path, ["the", "house", "a"])
    assert str(caught.value).startswith(str(path)) and re.search(r"\n", str(caught.value)) is None


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*nothing.vec \(No such file"):
        read_vectors(tmp_path / "nothing.vec", [])
