"""Shards: every row in one, whoever computes it, with the masks and the own tokens that it has in the whole batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.batches import EncodedPairs, Sequences
from diptych.errors import UsageError
from diptych.training.schedule import Place, schedule
from diptych.training.scheduled_sampling import own_tokens_mixed_in, own_tokens_mixed_in_shards
from diptych.training.shards import check_workers


def some_pairs(count):
    random = np.random.default_rng(count)
    sides = [[random.integers(4, 9, random.integers(1, 8)).tolist() for _ in range(count)] for _ in range(2)]
    return EncodedPairs(Sequences.of(sides[0]), Sequences.of(sides[1]), np.arange(count, dtype=np.int32))


def a_config(shards, batch_size=6, variational=False, accumulate=1, forced=1.0):
    model = ModelConfig(
        embedding_size=3, encoder_size=2, decoder_size=4, dropout=0.4, encoder_layers=2, variational_dropout=variational
    )
    training = TrainingConfig(
        epochs=2, batch_size=batch_size, shards=shards, accumulate=accumulate, teacher_forcing=forced
    )
    return RunConfig(model=model, training=training)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(2, 12), st.integers(1, 3), st.booleans(), st.data())
def test_workers_share_every_row_once_and_each_has_its_masks(count, size, shards, accumulate, variational, data):
    pairs, workers = some_pairs(count), data.draw(st.integers(1, shards))
    divided = a_config(shards, size, variational, accumulate)
    whole = list(schedule(pairs, a_config(1, size, variational, accumulate), Place(), 99))
    parts = [list(schedule(pairs, divided, Place(), 99, None, rank, workers)) for rank in range(workers)]
    for work, *shared in zip(whole, *parts, strict=True):
        seen = [[] for _ in work.parts]
        for own in shared:
            assert own.rows == work.rows and own.target_tokens == work.target_tokens
            for shard in own.shards:
                batch, masks = work.parts[shard.part]
                rows = slice(shard.first, shard.first + len(shard.batch.rows))
                seen[shard.part] += range(len(batch.rows))[rows]
                width = int(batch.target_lengths[rows].max())
                assert np.array_equal(shard.batch.target_output, batch.target_output[rows, :width])
                assert np.array_equal(shard.batch.rows, batch.rows[rows])
                assert shard.masks.keys() == masks.keys()
                for place, mask in masks.items():
                    assert np.array_equal(shard.masks[place], mask[rows, : shard.masks[place].shape[1]])
        assert [sorted(rows) for rows in seen] == [list(range(len(batch.rows))) for batch, _ in work.parts]


def test_a_row_reads_the_model_s_own_tokens_where_it_does_in_the_whole_batch():
    pairs, whole, divided = some_pairs(20), a_config(1, forced=0.5), a_config(3, forced=0.5)

    def predict(batch, masks):
        return batch.rows[:, None] * 100 + np.arange(batch.target_output.shape[1], dtype=np.int32)

    for step, (work, own) in enumerate(
        zip(schedule(pairs, whole, Place(), 4), schedule(pairs, divided, Place(), 4), strict=True)
    ):
        told = {"step": step, "last_step": 4}
        [(expected, _)] = own_tokens_mixed_in(work.parts, predict, whole.training, **told)
        found = own_tokens_mixed_in_shards(own.shards, predict, divided.training, **told)
        assert (expected.target_input >= 100).any()
        for shard, (batch, _) in zip(own.shards, found, strict=True):
            rows = slice(shard.first, shard.first + len(batch.rows))
            assert np.array_equal(batch.target_input, expected.target_input[rows, : batch.target_input.shape[1]])


def test_more_workers_than_shards_are_refused():
    check_workers(TrainingConfig(shards=4), 4)
    with pytest.raises(UsageError, match=r"5 workers cannot share .*shards = 4.*--set training.shards=5"):
        check_workers(TrainingConfig(shards=4), 5)
