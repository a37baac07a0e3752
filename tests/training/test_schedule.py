"""The schedule: every step's inputs follow from its place, and the thread that makes them ends with it."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.batches import EncodedPairs, Sequences
from diptych.parameters.specification import dropout_shapes
from diptych.randomness import dropout_masks
from diptych.training.schedule import (
    Place,
    prefetched,
    schedule,
    steps_per_epoch,
    total_steps,
)


def some_pairs(count):
    random = np.random.default_rng(count)
    sides = [[random.integers(4, 9, random.integers(1, 6)).tolist() for _ in range(count)] for _ in range(2)]
    return EncodedPairs(Sequences.of(sides[0]), Sequences.of(sides[1]), np.arange(count, dtype=np.int32))


def a_config(epochs=2, batch_size=3, dropout=0.4, maximum_steps=0, batch_by="sentences"):
    model = ModelConfig(embedding_size=2, encoder_size=2, decoder_size=4, dropout=dropout)
    training = TrainingConfig(epochs=epochs, batch_size=batch_size, maximum_steps=maximum_steps, batch_by=batch_by)
    return RunConfig(model=model, training=training)


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def assert_same(found, expected):
    assert found.epoch == expected.epoch
    assert np.array_equal(found.batch.rows, expected.batch.rows)
    assert np.array_equal(found.batch.target_output, expected.batch.target_output)
    assert found.masks.keys() == expected.masks.keys()
    assert all(np.array_equal(mask, expected.masks[place]) for place, mask in found.masks.items())


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.sampled_from(["sentences", "tokens"]), st.data())
def test_from_any_place_the_rest_is_what_it_would_have_been(count, batch_size, epochs, batch_by, data):
    pairs, config = (
        some_pairs(count),
        a_config(epochs, batch_size * (5 if batch_by == "tokens" else 1), batch_by=batch_by),
    )
    total = total_steps(pairs, config, Place())
    everything = list(schedule(pairs, config, Place(), total))
    assert len(everything) == total == epochs * steps_per_epoch(pairs, config)
    place = Place()
    for _ in range(data.draw(st.integers(0, total))):
        place = place.next(steps_per_epoch(pairs, config))
    assert total_steps(pairs, config, place) == total
    rest = list(schedule(pairs, config, place, total - place.step))
    assert len(rest) == total - place.step
    for found, expected in zip(rest, everything[place.step :], strict=True):
        assert_same(found, expected)


@given(st.integers(1, 9), st.integers(1, 4))
def test_each_epoch_has_every_pair_once(count, batch_size):
    pairs, config = some_pairs(count), a_config(3, batch_size)
    work = list(schedule(pairs, config, Place(), 99))
    for epoch in range(3):
        rows = np.concatenate([item.batch.rows for item in work if item.epoch == epoch])
        assert sorted(rows.tolist()) == list(range(count))


def test_what_is_resampled_follows_from_the_epoch_and_has_the_masks_of_its_shape():
    pairs, config = some_pairs(7), a_config()

    def resample(pairs, rows, epoch):
        """Each token as often as the epoch's number, from 1, and once more."""
        sides = [[np.repeat(side[row], epoch + 2).tolist() for row in rows] for side in (pairs.sources, pairs.targets)]
        return EncodedPairs(*map(Sequences.of, sides), pairs.corpus_rows[rows])

    plain, everything = schedule(pairs, config, Place(), 6), list(schedule(pairs, config, Place(), 6, resample))
    for before, after in zip(plain, everything, strict=True):
        assert np.array_equal(before.batch.rows, after.batch.rows)
        assert np.array_equal(before.batch.source_lengths * (after.epoch + 2), after.batch.source_lengths)
        shapes = dropout_shapes(config.model, *after.batch.source.shape, after.batch.target_output.shape[1])
        assert {place: mask.shape for place, mask in after.masks.items()} == shapes
    for found, expected in zip(schedule(pairs, config, Place(4, 1, 1), 2, resample), everything[4:], strict=True):
        assert_same(found, expected)


def test_the_masks_are_those_of_the_step():
    pairs, config = some_pairs(7), a_config()
    for step, item in enumerate(schedule(pairs, config, Place(), 6)):
        shapes = dropout_shapes(config.model, *item.batch.source.shape, item.batch.target_output.shape[1])
        expected = dropout_masks(config.training.seed, step, shapes, 0.4)
        assert all(np.array_equal(item.masks[place], expected[place]) for place in shapes)


def test_without_dropout_there_are_no_masks():
    assert not any(item.masks for item in schedule(some_pairs(7), a_config(dropout=0.0), Place(), 6))


def test_maximum_steps_limits_the_total():
    assert total_steps(some_pairs(9), a_config(maximum_steps=4), Place()) == 4
    assert total_steps(some_pairs(9), a_config(maximum_steps=400), Place()) == 6


def test_results_come_in_order_and_the_thread_ends():
    assert list(prefetched([lambda n=n: n * n for n in range(20)], ahead=3)) == [n * n for n in range(20)]
    assert list(prefetched([])) == []
    assert not prefetch_threads()


def test_no_more_than_so_many_jobs_are_ahead():
    begun = []
    results = prefetched((lambda n=n: begun.append(n) for n in range(20)), ahead=3)
    next(results)
    results.close()
    assert len(begun) <= 4
    assert not prefetch_threads()


def test_a_job_s_exception_comes_where_its_result_would_have_and_the_thread_ends():
    def fail():
        raise MemoryError("masks")

    results = prefetched([lambda: 1, fail, lambda: 3])
    assert next(results) == 1
    with pytest.raises(MemoryError, match="masks"):
        next(results)
    assert not prefetch_threads()
