"""Encoded pairs: what is in files is what was in memory, the same ids have the same name."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.reasons import Reason
from diptych.data.tokens import encoded, stored
from diptych.data.tokens.batches import collate, training_batches
from diptych.data.tokens.encoded import EncodedPairs, Encoder, Sequences, encode_pairs, fingerprint
from diptych.data.tokens.language import Language
from diptych.data.tokens.stored import TYPES, open_pairs, write_pairs
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.data.tokens.vocabulary import Vocabulary
from diptych.errors import DataError

WORD, CHARACTER = make_tokenizer("word"), make_tokenizer("character")
LANGUAGES = Language(WORD, Vocabulary(("a", "b", "한국"))), Language(CHARACTER, Vocabulary(("x", "y", " ")))
SIDES = st.text("ab 한국xy", min_size=1).filter(str.strip)
PAIRS = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=30)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BLOCK", 4)
    monkeypatch.setattr(encoded, "FINGERPRINT_BLOCK", 3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new place each time."""
    folder = tmp_path_factory.mktemp("stored")
    return (folder / str(number) for number in range(10**9))


def assert_same(found: EncodedPairs, expected: EncodedPairs) -> None:
    for ours, theirs in ((found.sources, expected.sources), (found.targets, expected.targets)):
        np.testing.assert_array_equal(ours.tokens, theirs.tokens)
        np.testing.assert_array_equal(ours.offsets, theirs.offsets)
        assert (ours.tokens.dtype, ours.offsets.dtype) == (np.int32, np.int64)
    np.testing.assert_array_equal(found.corpus_rows, expected.corpus_rows)
    assert (found.left_out, len(found)) == (expected.left_out, len(expected))


@pytest.mark.usefixtures("small_blocks")
@given(pairs=PAIRS, limit=st.integers(0, 4))
def test_what_is_stored_is_what_was_encoded(folders: Iterator[Path], pairs: list[tuple[str, str]], limit: int) -> None:
    folder = next(folders)
    encoder = Encoder(*LANGUAGES, limit)
    try:
        expected = encode_pairs(pairs, *LANGUAGES, limit)
    except DataError as error:
        with pytest.raises(DataError, match=str(error)):
            write_pairs(folder, pairs, encoder)
        return
    found = open_pairs(folder, write_pairs(folder, pairs, encoder))
    assert_same(found, expected)
    assert fingerprint(found) == fingerprint(expected)
    for rows in training_batches(expected, 3, 1, 0):
        ours, theirs = collate(found, rows), collate(expected, rows)
        for name, value in vars(theirs).items():
            np.testing.assert_array_equal(getattr(ours, name), value)
            assert getattr(ours, name).flags.writeable


@given(
    pairs=PAIRS,
    limits=st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0])),
    first=st.integers(0, 5),
)
def test_each_pair_is_judged_by_its_tokens(
    pairs: list[tuple[str, str]], limits: tuple[int, int, float], first: int
) -> None:
    longest, shortest, ratio = limits
    expected = []
    for pair in pairs:
        short, long = sorted((len(WORD.tokenize(pair[0])), len(CHARACTER.tokenize(pair[1]))))
        if longest and long > longest:
            expected.append(Reason.LONG)
        elif short < shortest:
            expected.append(Reason.SHORT)
        else:
            expected.append(Reason.RATIO if ratio and long > ratio * short else 0)
    encoder, verdicts = Encoder(*LANGUAGES, *limits), bytearray()
    if 0 not in expected:
        with pytest.raises(DataError, match=f"each of the {len(pairs)} pairs"):
            list(encoder.encode(pairs, verdicts))
        return
    rows = [row for row, _, _ in encoder.encode(pairs, verdicts)]
    assert list(verdicts) == expected
    assert rows == [row for row, verdict in enumerate(expected) if not verdict]
    verdicts = bytearray(verdicts[:first])  # what an earlier call had done
    if len(verdicts) == first and first < len(pairs):
        assert [row for row, _, _ in encoder.encode(pairs, verdicts, first)] == [row for row in rows if row >= first]
        assert list(verdicts) == expected


def stored_example(folder: Path) -> EncodedPairs:
    write_pairs(folder, [("a b", "xy"), ("b", "y x")], Encoder(*LANGUAGES))
    return open_pairs(folder)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("left", [None, 0, -4])
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, name: str, left: int | None) -> None:
    stored_example(tmp_path / "pairs")
    path = tmp_path / "pairs" / f"{name}.{TYPES[name]}"
    content = path.read_bytes()
    path.unlink() if left is None else path.write_bytes(content[:left])
    with pytest.raises(DataError, match=r"(is damaged|cannot read).*it is made again"):
        open_pairs(tmp_path / "pairs")


def test_what_is_mapped_cannot_be_written(tmp_path: Path) -> None:
    pairs = stored_example(tmp_path / "pairs")
    with pytest.raises(ValueError, match="read-only"):
        pairs.sources.tokens[0] = 1
    pairs.release()
    assert pairs.sources[0].tolist() == [4, 5]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_pages_that_were_read_do_not_stay_in_memory(tmp_path: Path) -> None:
    def mapped_kilobytes() -> int:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("RssFile")).split()[1])

    write_pairs(tmp_path / "pairs", [("a b " * 20, "xy " * 20)] * 40_000, Encoder(*LANGUAGES))
    pairs = open_pairs(tmp_path / "pairs")
    before, highest = mapped_kilobytes(), 0
    for rows in training_batches(pairs, 16, 1, 0)[:500]:
        collate(pairs, rows)
        highest = max(highest, mapped_kilobytes())
    assert highest - before < 500
    assert pairs.targets.tokens.sum() > 0
    assert mapped_kilobytes() - before > 5000  # it can be seen at all


def test_the_fingerprint_tells_other_tokens_and_other_cuts() -> None:
    def pairs(source: list[list[int]], target: list[list[int]]) -> EncodedPairs:
        return EncodedPairs(Sequences.of(source), Sequences.of(target), np.arange(len(source), dtype=np.int32))

    found = {
        fingerprint(pairs([[4, 5], [6]], [[4], [5]])),
        fingerprint(pairs([[4], [5, 6]], [[4], [5]])),
        fingerprint(pairs([[4, 5], [7]], [[4], [5]])),
        fingerprint(pairs([[4, 5], [6]], [[4], [6]])),
    }
    assert len(found) == 4


def test_the_fingerprint_is_that_of_earlier_checkpoints() -> None:
    sides = Sequences.of([[4, 5], [6]]), Sequences.of([[7], [8, 9]])
    digest = hashlib.sha256()
    for side in sides:
        digest.update(side.offsets.tobytes())
        digest.update(side.tokens.tobytes())
    assert fingerprint(EncodedPairs(*sides, np.arange(2, dtype=np.int32))) == digest.hexdigest()[:12]
