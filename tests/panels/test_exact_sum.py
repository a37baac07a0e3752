"""Shards added up in whole numbers: the same bits in whatever order and by whomever, and the sum that was meant."""

from __future__ import annotations

import numpy as np
import pytest

FRAMEWORKS = ("tensorflow", "pytorch")
ROWS = ([0, 1], [2], [3, 4], [5])


class Captured(Exception):
    """Ends a step where the others would be asked."""


class Others:
    """What the other workers have: their whole numbers, added up in this order; without any, those of this worker."""

    def __init__(self, bench, name, *totals):
        self.bench, self.name, self.totals = bench, name, totals

    def add(self, values):
        if not self.totals:
            raise Captured(self.bench.array(values))
        return self.bench.tensor(self.name, np.sum([self.bench.array(values), *self.totals], axis=0))


@pytest.fixture
def work(bench):
    """A model, its weights, a batch, and the batch's shards with their masks."""
    config = bench.config(attention="general", input_feeding=True)
    batch = bench.batch([4, 2, 5, 1, 3, 3], [3, 6, 1, 4, 2, 5])
    masks = bench.masks(config, batch)
    shards = [(bench.rows(batch, rows), {place: mask[rows] for place, mask in masks.items()}) for rows in ROWS]
    return config, bench.parameters(config), (batch, masks), shards


def whole_numbers(bench, name, trainer, shards, tokens):
    """What a worker with these shards tells the others."""
    trainer.others = Others(bench, name)
    with pytest.raises(Captured) as captured:
        trainer.step_shards(shards, tokens, 0.1)
    return captured.value.args[0]


def weights_after(bench, name, trainer):
    return {key: value.tobytes() for key, value in bench.panels[name].export_parameters(trainer.model).items()}


@pytest.mark.parametrize(
    ("framework", "precision"), [("tensorflow", "float32"), ("pytorch", "float32"), ("pytorch", "float64")]
)
def test_neither_the_order_of_shards_nor_who_computes_them_changes_a_bit(bench, work, framework, precision):
    config, parameters, (batch, _), shards = work
    trainer = bench.trainer(framework, config, parameters, precision=precision, shards=4)
    together = whole_numbers(bench, framework, trainer, shards[::-1], batch.target_tokens)
    one_by_one = [whole_numbers(bench, framework, trainer, [shard], batch.target_tokens) for shard in shards]
    assert np.array_equal(sum(one_by_one), together)
    assert not whole_numbers(bench, framework, trainer, [], batch.target_tokens).any()


def test_a_step_takes_in_what_the_others_have(bench, work):
    config, parameters, (batch, _), shards = work
    alone, first = (bench.trainer("pytorch", config, parameters, shards=4) for _ in range(2))
    others = whole_numbers(bench, "pytorch", first, shards[2:], batch.target_tokens)
    first.others = Others(bench, "pytorch", others)
    told = [
        alone.step_shards(shards, batch.target_tokens, 0.1),
        first.step_shards(shards[:2], batch.target_tokens, 0.1),
    ]
    assert told[0] == told[1] and alone.steps == first.steps == 1
    assert weights_after(bench, "pytorch", alone) == weights_after(bench, "pytorch", first)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_sum_of_shards_is_the_gradient_of_their_batch(bench, close, work, framework):
    config, parameters, (batch, masks), shards = work
    trainer = bench.trainer(framework, config, parameters, shards=4)
    loss, gradients = trainer.gradients(batch, masks)
    total = bench.tensor(framework, whole_numbers(bench, framework, trainer, shards, batch.target_tokens))
    found = trainer.sum.read(total)
    close(np.array(float(found.loss)), np.array(loss))
    each = zip(trainer.bindings, found.gradients, strict=True)
    close({k: v for binding, value in each for k, v in binding.unpack(bench.array(value)).items()}, gradients)


def test_both_frameworks_write_the_whole_numbers_of_the_formula(bench, work):
    config, parameters, _, _ = work
    random, found = np.random.default_rng(3), []
    numbers = [random.standard_normal(weight.shape) * 10.0 ** random.integers(-20, 6) for weight in parameters.values()]
    arrays = dict(zip(parameters, numbers, strict=True))
    for name in FRAMEWORKS:
        total = bench.trainer(name, config, parameters, shards=4).sum
        gradients = [bench.tensor(name, binding.pack(arrays)) for binding in total.bindings]
        loss, large = (bench.tensor(name, np.array(number)) for number in (2.5, 2.0**30 / 0.3))
        read = total.read(total.add(total.start(True), loss, gradients, 0.3))
        assert (float(read.loss), read.faults, read.stops) == (0.75, 0, 1)
        assert total.read(total.add(total.start(False), large, gradients, 0.3)).faults == 1
        unpacked = [each.unpack(bench.array(got)) for each, got in zip(total.bindings, read.gradients, strict=True)]
        found.append({key: value for each in unpacked for key, value in each.items()})
    for key, array in arrays.items():
        expected = np.rint(array * 0.3 * 2.0**30) / 2.0**30
        expected += np.rint((array * 0.3 - expected) * 2.0**80) / 2.0**80
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
