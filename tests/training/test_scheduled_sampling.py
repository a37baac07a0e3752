"""Scheduled sampling: which tokens the decoder reads, and how many of them are its own."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import TrainingConfig
from diptych.data.tokens.batches import BOS, EOS, Batch
from diptych.training.scheduled_sampling import mix, teacher_forcing_ratio

DECAYS = ("none", "linear", "inverse_sigmoid")


def a_batch(lengths):
    width = max(lengths)
    output = np.zeros((len(lengths), width), np.int32)
    for row, length in enumerate(lengths):
        output[row, :length] = [*range(10, 9 + length), EOS]
    reads = np.zeros_like(output)
    for row, length in enumerate(lengths):
        reads[row, :length] = [BOS, *output[row, : length - 1]]
    counts, rows = np.array(lengths, np.int32), np.arange(len(lengths), dtype=np.int32)
    return Batch(output, counts, reads, output, counts, rows)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.floats(0.0, 1.0), st.integers(0, 99))
def test_every_position_reads_the_reference_or_what_was_said_one_before(lengths, ratio, step):
    batch = a_batch(lengths)
    said = np.arange(100, 100 + batch.target_output.size, dtype=np.int32).reshape(batch.target_output.shape)
    mixed = mix(batch, said, ratio, 1, step)
    own = mixed.target_input != batch.target_input
    assert not own[:, 0].any()
    assert np.array_equal(mixed.target_input[:, 1:][own[:, 1:]], said[:, :-1][own[:, 1:]])
    for row, length in enumerate(lengths):
        assert not mixed.target_input[row, length:].any()
    assert np.array_equal(mixed.target_output, batch.target_output)
    if ratio == 1.0:
        assert not own.any()
    if ratio == 0.0:
        assert own.sum() == sum(lengths) - len(lengths)
    assert np.array_equal(mix(batch, said, ratio, 1, step).target_input, mixed.target_input)


def test_the_share_of_own_tokens_is_what_was_asked_for_and_no_two_steps_or_parts_are_alike():
    batch = a_batch([101] * 100)
    said = np.full(batch.target_output.shape, 500, np.int32)
    draws = [mix(batch, said, 0.7, 1, step, part).target_input for step, part in ((0, 0), (1, 0), (0, 1))]
    for draw in draws:
        assert (draw == 500).mean() == pytest.approx(0.3 * 100 / 101, abs=0.015)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not np.array_equal(draws[one], draws[other])


@pytest.mark.parametrize("decay", DECAYS)
def test_the_ratio_falls_from_one_to_the_configs_share(decay):
    config = TrainingConfig(teacher_forcing=0.25, teacher_forcing_decay=decay)
    ratios = [teacher_forcing_ratio(config, step, 101) for step in range(101)]
    assert ratios[-1] == pytest.approx(0.25)
    if decay == "none":
        assert set(ratios) == {0.25}
        return
    assert ratios[0] == pytest.approx(1.0)
    assert ratios[50] == pytest.approx(0.625)
    assert all(one > other for one, other in pairwise(ratios))


def test_an_inverse_sigmoid_is_flat_at_both_ends():
    config = TrainingConfig(teacher_forcing=0.0, teacher_forcing_decay="inverse_sigmoid")
    falls = -np.diff([teacher_forcing_ratio(config, step, 101) for step in range(101)])
    assert falls[0] < 0.2 * falls[50] > falls[-1]


def test_without_a_config_the_reference_is_always_read():
    assert {teacher_forcing_ratio(TrainingConfig(), step, 10) for step in range(10)} == {1.0}
