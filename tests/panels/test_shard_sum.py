"""Shards added up in their order: the same bits by whomever, and the sum that was meant."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

FRAMEWORKS = ("tensorflow", "pytorch")
ROWS = ([0, 1], [2], [3, 4], [5])


class Meeting:
    """Workers in threads, who trade what they have."""

    def __init__(self, bench, name, size):
        self.bench, self.name, self.size = bench, name, size
        self.barrier, self.brought = threading.Barrier(size, timeout=60), [None] * size

    def member(self, rank):
        def trade(values):
            self.brought[rank] = self.bench.array(values)
            self.barrier.wait()
            taken = np.stack([rows[rank] for rows in self.brought])
            self.barrier.wait()
            return self.bench.tensor(self.name, taken)

        def collect(values):
            return trade(self.bench.tensor(self.name, np.tile(self.bench.array(values), (self.size, 1))))

        return SimpleNamespace(size=self.size, trade=trade, collect=collect)

    def all(self, action):
        """What each worker gets by `action(rank, others)`."""
        with ThreadPoolExecutor(self.size) as pool:
            return list(pool.map(lambda rank: action(rank, self.member(rank)), range(self.size)))


@pytest.fixture
def work(bench):
    """A model, its weights, a batch, and the batch's shards with their masks."""
    config = bench.config(attention="general", input_feeding=True)
    batch = bench.batch([4, 2, 5, 1, 3, 3], [3, 6, 1, 4, 2, 5])
    masks = bench.masks(config, batch)
    shards = [(bench.rows(batch, rows), {place: mask[rows] for place, mask in masks.items()}) for rows in ROWS]
    return config, bench.parameters(config), (batch, masks), shards


def weights_after(bench, name, trainer):
    return {key: value.tobytes() for key, value in bench.panels[name].export_parameters(trainer.model).items()}


@pytest.mark.parametrize(
    ("framework", "precision"), [("tensorflow", "float32"), ("pytorch", "float32"), ("pytorch", "float64")]
)
def test_who_computes_the_shards_changes_no_bit(bench, work, framework, precision):
    config, parameters, _, _ = work
    total = bench.trainer(framework, config, parameters, precision=precision, shards=5).sum
    random, kind = np.random.default_rng(4), np.float64 if precision == "float64" else np.float32

    def some(shape):
        return bench.tensor(framework, (random.standard_normal(shape) * 10.0 ** random.integers(-20, 6)).astype(kind))

    shapes = [bench.array(each.variable).shape for each in total.bindings]
    parts = [(some(()), [some(shape) for shape in shapes], count) for count in (7, 1, 12, 3, 9)]

    def bits(told):
        numbers = [bench.array(each).tobytes() for each in (told.loss, *told.gradients)]
        return numbers, told.faults, told.stops

    alone = bits(total.of(parts, 32, True, None))
    for size in (2, 3, 6):  # the sixth has no shard
        meeting = Meeting(bench, framework, size)
        told = meeting.all(lambda rank, others: total.of(parts[rank :: others.size], 32, rank == 1, others))
        assert [bits(each) for each in told] == [alone] * size


def test_a_step_takes_in_what_the_others_have(bench, work):
    config, parameters, (batch, _), shards = work
    alone, *each = (bench.trainer("pytorch", config, parameters, shards=4) for _ in range(3))

    def step(rank, others):
        each[rank].others = others
        return each[rank].step_shards(shards[rank::2], batch.target_tokens, 0.1)

    told = Meeting(bench, "pytorch", 2).all(step)
    assert told == [alone.step_shards(shards, batch.target_tokens, 0.1)] * 2
    assert [trainer.steps for trainer in (alone, *each)] == [1] * 3
    after = [weights_after(bench, "pytorch", trainer) for trainer in (alone, *each)]
    assert after[0] == after[1] == after[2]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_sum_of_shards_is_the_gradient_of_their_batch(bench, close, work, framework):
    config, parameters, (batch, masks), shards = work
    trainer = bench.trainer(framework, config, parameters, shards=4)
    loss, gradients = trainer.gradients(batch, masks)
    packed = []
    for part, own in shards:
        of_one, named = trainer.gradients(part, own)
        tensors = [bench.tensor(framework, binding.pack(named)) for binding in trainer.bindings]
        packed.append((bench.tensor(framework, np.array(of_one)), tensors, part.target_tokens))
    found = trainer.sum.of(packed, batch.target_tokens, False, None)
    close(np.array(float(found.loss)), np.array(loss))
    each = zip(trainer.bindings, found.gradients, strict=True)
    close({k: v for binding, value in each for k, v in binding.unpack(bench.array(value)).items()}, gradients)


def test_both_frameworks_add_up_what_the_formula_says(bench, work):
    config, parameters, _, _ = work
    random, found = np.random.default_rng(3), []
    arrays = [
        {
            key: random.standard_normal(value.shape) * 10.0 ** random.integers(-20, 6)
            for key, value in parameters.items()
        }
        for _ in range(2)
    ]
    for name in FRAMEWORKS:
        total = bench.trainer(name, config, parameters, shards=4).sum
        first, second = ([bench.tensor(name, each.pack(own)) for each in total.bindings] for own in arrays)
        one, two, none = (bench.tensor(name, np.array(number)) for number in (2.5, 0.5, np.inf))
        read = total.of([(one, first, 3), (two, second, 7)], 10, True, None)
        assert (float(read.loss), read.faults, read.stops) == (2.5 * 0.3 + 0.5 * 0.7, 0, 1)
        assert total.of([(none, first, 3)], 10, False, None).faults == 1
        unpacked = [each.unpack(bench.array(got)) for each, got in zip(total.bindings, read.gradients, strict=True)]
        found.append({key: value for each in unpacked for key, value in each.items()})
    for key in parameters:
        expected = arrays[0][key] * 0.3 + arrays[1][key] * 0.7
        assert np.array_equal(found[0][key], expected) and np.array_equal(found[1][key], expected)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_number_that_is_none_changes_nothing(bench, work, framework):
    config, parameters, (batch, _), shards = work
    name = next(name for name in parameters if name.endswith("bias"))
    trainer = bench.trainer(framework, config, {**parameters, name: parameters[name] * np.nan}, shards=4)
    before = weights_after(bench, framework, trainer)
    told = trainer.step_shards(shards[1:2], batch.target_tokens, 0.1, True)
    assert not told.is_finite and told.stop and trainer.steps == 0
    assert weights_after(bench, framework, trainer) == before
