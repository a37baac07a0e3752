"""Batches: every pair once, padding only on the right, an order that follows from (seed, epoch)."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokens.batches import (
    Batch,
    EncodedPairs,
    Sequences,
    batch_ends,
    collate,
    encode_pairs,
    source_batch,
    target_length_counts,
    training_batches,
    validation_batches,
)
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.data.tokens.vocabulary import BOS, EOS, PAD, UNK, Vocabulary
from diptych.errors import DataError
from diptych.randomness import generator

WORD = make_tokenizer("word")
IDS = st.lists(st.integers(UNK, 60_000), min_size=1, max_size=9)
ID_PAIRS = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=40)
SIZES = st.integers(1, 12)


def encoded(id_pairs: list[tuple[list[int], list[int]]]) -> EncodedPairs:
    sources, targets = zip(*id_pairs, strict=True)
    return EncodedPairs(Sequences.of(sources), Sequences.of(targets), np.arange(len(id_pairs), dtype=np.int32))


def many(count: int) -> EncodedPairs:
    """Pairs with lengths of 1 to 20 which go together, more or less, as in a translation."""
    random = np.random.default_rng(0)
    lengths = random.integers(1, 18, count)
    return encoded(
        [([4] * n, [5] * (n + extra)) for n, extra in zip(lengths, random.integers(0, 4, count), strict=True)]
    )


def assert_well_formed(batch: Batch, id_pairs: list[tuple[list[int], list[int]]]) -> None:
    """Every law of the batch's docstring, against plain lists."""
    arrays = (batch.source, batch.source_lengths, batch.target_input, batch.target_output, batch.target_lengths)
    assert all(array.dtype == np.int32 for array in (*arrays, batch.rows))
    assert batch.target_input.shape == batch.target_output.shape
    for place, row in enumerate(batch.rows):
        source, target = id_pairs[row]
        for padded, length, tokens in (
            (batch.source, batch.source_lengths, source),
            (batch.target_input, batch.target_lengths, [BOS, *target]),
            (batch.target_output, batch.target_lengths, [*target, EOS]),
        ):
            assert length[place] == len(tokens)
            assert padded[place].tolist() == tokens + [PAD] * (padded.shape[1] - len(tokens))
    assert batch.target_tokens == sum(len(id_pairs[row][1]) + 1 for row in batch.rows)


@given(ID_PAIRS, SIZES, st.integers(0, 5), st.integers(0, 5))
def test_an_epoch_holds_every_pair_once(
    id_pairs: list[tuple[list[int], list[int]]], batch_size: int, seed: int, epoch: int
) -> None:
    pairs = encoded(id_pairs)
    for batches in (training_batches(pairs, batch_size, seed, epoch), validation_batches(pairs, batch_size)):
        assert sorted(row for rows in batches for row in rows) == list(range(len(pairs)))
        assert len(batches) == -(-len(pairs) // batch_size)
        assert sorted(map(len, batches))[1:] == [batch_size] * (len(batches) - 1)
        for rows in batches:
            assert_well_formed(collate(pairs, rows), id_pairs)


@given(ID_PAIRS, SIZES, st.integers(0, 2**40), st.integers(0, 1000))
def test_order_is_a_pure_function(
    id_pairs: list[tuple[list[int], list[int]]], batch_size: int, seed: int, epoch: int
) -> None:
    first = training_batches(encoded(id_pairs), batch_size, seed, epoch)
    training_batches(encoded(id_pairs), batch_size, seed, epoch + 1)
    again = training_batches(encoded(id_pairs), batch_size, seed, epoch)
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in again]


def test_epochs_and_seeds_differ_in_order_and_in_company() -> None:
    pairs = many(500)
    orders = [training_batches(pairs, 16, seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    companies = [{frozenset(rows.tolist()) for rows in order} for order in orders]
    assert not companies[0] & companies[1] and not companies[0] & companies[2] and not companies[1] & companies[2]


def test_lengths_within_a_batch_are_similar_and_batches_do_not_grow() -> None:
    pairs = many(2000)
    batches = [collate(pairs, rows) for rows in training_batches(pairs, 32, 1, 0)]
    real = sum(batch.target_tokens for batch in batches)
    assert real > 0.95 * sum(batch.target_output.size for batch in batches)
    assert pairs.sources.lengths.sum() > 0.85 * sum(batch.source.size for batch in batches)
    widths = np.array([batch.target_output.shape[1] for batch in batches])
    assert abs(np.corrcoef(widths, np.arange(len(widths)))[0, 1]) < 0.4


def test_validation_goes_from_short_to_long() -> None:
    widths = [collate(many(300), rows).target_output.shape[1] for rows in validation_batches(many(300), 16)]
    assert widths == sorted(widths)


@given(ID_PAIRS, SIZES, st.integers(0, 5), st.integers(0, 5), st.integers(1, 7))
def test_the_order_is_that_of_sorting_everything_at_once(
    id_pairs: list[tuple[list[int], list[int]]], batch_size: int, seed: int, epoch: int, block: int
) -> None:
    pairs = encoded(id_pairs)
    random = generator(seed, "batch order", epoch)
    sources, targets = pairs.sources.lengths, pairs.targets.lengths
    blurred = np.lexsort((sources + 2 * random.random(len(pairs)), targets))
    cut = [blurred[start : start + batch_size].tolist() for start in range(0, len(pairs), batch_size)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("diptych.data.tokens.batches.BLOCK", block)
        found = [rows.tolist() for rows in training_batches(pairs, batch_size, seed, epoch)]
        assert found == [cut[place] for place in random.permutation(len(cut))]
        validation = [row for rows in validation_batches(pairs, batch_size) for row in rows.tolist()]
        assert validation == np.lexsort((sources, targets)).tolist()


@given(ID_PAIRS, st.integers(1, 60), st.integers(0, 3), st.integers(0, 3), st.integers(1, 7))
def test_by_tokens_every_pair_comes_once_and_no_batch_is_too_large(
    id_pairs: list[tuple[list[int], list[int]]], batch_size: int, seed: int, epoch: int, block: int
) -> None:
    pairs = encoded(id_pairs)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("diptych.data.tokens.batches.BLOCK", block)
        in_training = training_batches(pairs, batch_size, seed, epoch, "tokens")
        in_validation = validation_batches(pairs, batch_size, "tokens")
    for batches in (in_training, in_validation):
        assert sorted(row for rows in batches for row in rows) == list(range(len(pairs)))
        for rows in batches:
            positions = collate(pairs, rows).target_output.size
            assert len(rows) > 0 and (positions <= batch_size or len(rows) == 1)


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 80))
def test_by_tokens_a_batch_takes_as_many_as_fit(counts: list[int], batch_size: int) -> None:
    """Brute force: pair after pair, from short to long."""
    widths = [length + 1 for length, count in enumerate(counts) for _ in range(count)]
    ends, begin = [], 0
    for place, width in enumerate(widths):
        if place > begin and (place - begin + 1) * width > batch_size:
            ends.append(place)
            begin = place
    expected = [*ends, len(widths)] if widths else []
    assert batch_ends(np.array(counts, np.int64), batch_size, "tokens") == expected


@given(ID_PAIRS, st.integers(1, 60))
def test_every_epoch_has_as_many_batches(id_pairs: list[tuple[list[int], list[int]]], batch_size: int) -> None:
    pairs = encoded(id_pairs)
    for batch_by in ("sentences", "tokens"):
        count = len(batch_ends(target_length_counts(pairs), batch_size, batch_by))
        epochs = [training_batches(pairs, batch_size, seed, epoch, batch_by) for seed in (1, 2) for epoch in range(4)]
        assert {len(batches) for batches in epochs} == {count}


def test_by_tokens_batches_are_alike_in_size_and_little_of_them_is_padding() -> None:
    pairs = many(3000)
    batches = [collate(pairs, rows) for rows in training_batches(pairs, 500, 1, 0, "tokens")]
    sizes = np.array([batch.target_output.size for batch in batches])
    assert (sizes > 400).mean() > 0.9 and sizes.max() <= 500
    assert sum(batch.target_tokens for batch in batches) > 0.95 * sizes.sum()


@pytest.mark.parametrize(("batch_by", "width"), [("sentences", 1), ("tokens", 3)])
def test_an_epoch_s_order_takes_few_bytes_a_pair(batch_by: str, width: int) -> None:
    count = 1_000_000
    sides = [Sequences(np.full(2 * count, UNK, np.int32), 2 * np.arange(count + 1)) for _ in range(2)]
    pairs = EncodedPairs(sides[0], sides[1], np.arange(count, dtype=np.int32))
    tracemalloc.start()
    order = training_batches(pairs, 64 * width, 1, 0, batch_by)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(order) == count // 64
    assert peak < 25 * count + 20e6
    assert after < 8 * count


def test_no_pairs_make_no_batches() -> None:
    nothing = encode_pairs([], Language(WORD, Vocabulary(("a",))), Language(WORD, Vocabulary(("b",))))
    for batch_by in ("sentences", "tokens"):
        assert training_batches(nothing, 4, 1, 0, batch_by) == validation_batches(nothing, 4, batch_by) == []


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5)))
def test_sequences_come_back_as_they_were(lists: list[list[int]]) -> None:
    sequences = Sequences.of(lists)
    assert [sequence.tolist() for sequence in sequences] == lists
    assert sequences.lengths.tolist() == [len(tokens) for tokens in lists]
    assert sequences.tokens.dtype == np.int32


def test_encoding_keeps_words_and_leaves_out_what_is_too_long() -> None:
    source, target = Vocabulary(("I", "feel")), Vocabulary(("배가",))
    pairs = [("I feel", "배가"), ("I I I", "배가"), ("feel", "배가 배가 배가"), ("I hungry", "배가 고파요")]
    found = encode_pairs(pairs, Language(WORD, source), Language(WORD, target), maximum_length=2)
    assert [s.tolist() for s in found.sources] == [[4, 5], [4, UNK]]
    assert [t.tolist() for t in found.targets] == [[4], [4, UNK]]
    assert found.left_out == 2 and len(found) == 2
    assert collate(found, np.array([1, 0], np.int32)).rows.tolist() == [3, 0]
    everything = encode_pairs(pairs, Language(WORD, source), Language(WORD, target))
    assert everything.left_out == 0 and len(everything) == 4


def test_a_text_that_spells_padding_is_not_padding() -> None:
    vocabulary = Vocabulary.build([["<pad>", "<bos>", "<eos>"]])
    pairs = encode_pairs([("<pad> <eos>", "<eos> <bos> <pad>")], Language(WORD, vocabulary), Language(WORD, vocabulary))
    batch = collate(pairs, np.array([0], np.int32))
    assert batch.source.min() > UNK and batch.target_output[0, :-1].min() > UNK


def test_pairs_that_cannot_be_encoded_are_named() -> None:
    vocabulary = Vocabulary(("a",))
    for pair, side in ((("a", " "), "target"), (("\u2028", "a"), "source")):
        with pytest.raises(DataError, match=f"pair 2 of 2 has an empty {side}"):
            encode_pairs([("a", "a"), pair], Language(WORD, vocabulary), Language(WORD, vocabulary))
    with pytest.raises(DataError, match="each of the 1 pairs has a side of more than maximum_length = 1 tokens"):
        encode_pairs([("a a", "a")], Language(WORD, vocabulary), Language(WORD, vocabulary), maximum_length=1)


@given(st.lists(IDS, min_size=1, max_size=12))
def test_sources_to_translate_are_padded_alike(lists: list[list[int]]) -> None:
    source, lengths = source_batch(lists)
    batch = collate(encoded([(tokens, [4]) for tokens in lists]), np.arange(len(lists), dtype=np.int32))
    assert source.dtype == lengths.dtype == np.int32
    np.testing.assert_array_equal(source, batch.source)
    np.testing.assert_array_equal(lengths, batch.source_lengths)


@pytest.mark.parametrize("lists", [[], [[4], []]])
def test_nothing_to_translate_is_refused(lists: list[list[int]]) -> None:
    with pytest.raises(DataError, match="at least one"):
        source_batch(lists)
