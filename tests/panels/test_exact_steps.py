"""Exact training: what rounding erases, what it does not, and how a near tie is decided, in both frameworks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from diptych.config import TrainingConfig
from diptych.parameters.grid import on_grid

FRAMEWORKS = ("tensorflow", "pytorch")
EXPONENT = 20
SCALE = 2.0**EXPONENT
MODEL = {"cell": "gru", "attention": "general"}
CLIPPED = "adam, clipped, with an average"
CHOICES = {
    "adam": {"optimizer": "adam"},
    CLIPPED: {"optimizer": "adam", "clip_norm": 0.05, "ema_decay": 0.9},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.5},
    "sgd, with momentum": {"optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.03, "learning_rate": 0.1},
}


@pytest.fixture
def train(bench):
    """Trains a small model some steps; returns what it ends with, as bytes, and each step's rounding."""

    def run(
        framework, choice="adam", steps=3, rate=0.01, accumulate=1, prepare=None, decided=None, graph=False, **more
    ):
        config = bench.config(**MODEL)
        options = {"precision": "exact", "grid_exponent": EXPONENT, **CHOICES[choice], **more}
        training = TrainingConfig(**options)
        trainer = bench.trainer(framework, config, on_grid(bench.parameters(config), EXPONENT), training, graph)
        if prepare:
            prepare(trainer)
        told = []
        for step in range(steps):
            parts = []
            for part in range(accumulate):
                batch = bench.batch((2, 1 + step % 3, 3), (1 + step % 2, 3, 2), seed=10 * step + part)
                parts.append((batch, bench.masks(config, batch, seed=10 * step + part)))
            trainer.decided = decided[step] if decided else None
            result = trainer.step(*parts[0], rate) if accumulate == 1 else trainer.step_over(parts, rate)
            told.append(result.rounding)
        weights = bench.panels[framework].export_parameters(trainer.model)
        averages = {k: v for k, v in trainer.export_state().items() if k.startswith("swapped.")}
        return {name: np.ascontiguousarray(value).tobytes() for name, value in (weights | averages).items()}, told

    return run


def differing(ours, others):
    assert ours.keys() == others.keys()
    return [name for name in ours if ours[name] != others[name]]


@pytest.mark.parametrize(("choice", "graph"), [*((choice, False) for choice in CHOICES), (CLIPPED, True)])
def test_both_frameworks_end_with_the_same_bits(train, choice, graph):
    """TensorFlow with and without its graph and XLA, which take seconds to compile."""
    (ours, told), (others, also) = (train(framework, choice, steps=4, graph=graph) for framework in FRAMEWORKS)
    assert not differing(ours, others)
    assert [each.checksum for each in told] == [each.checksum for each in also]


def test_gradients_of_several_batches_end_with_the_same_bits(train):
    (ours, _), (others, _) = (train(framework, accumulate=3, ema_decay=0.99) for framework in FRAMEWORKS)
    assert not differing(ours, others)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_batch_ends_with_the_same_bits_in_parts(bench, framework):
    """Its gradients are summed in another order, over other shapes: equation 20 says that they are the same."""
    config = bench.config(**MODEL)
    ends = []
    for cuts in ([range(6)], [[0, 1], [2, 3], [4, 5]], [[0], [1, 2, 3, 4], [5]]):
        given = {"precision": "exact", "grid_exponent": EXPONENT, "ema_decay": 0.9}
        trainer = bench.trainer(framework, config, on_grid(bench.parameters(config), EXPONENT), **given)
        for step in range(4):
            batch = bench.batch((2, 1, 3, 4, 2, 2), (1, 3, 2, 2, 4, 1), seed=step)
            masks = bench.masks(config, batch, seed=step)
            parts = [(bench.rows(batch, list(rows)), {k: m[list(rows)] for k, m in masks.items()}) for rows in cuts]
            trainer.step_over(parts, 0.02)
        ends.append(bench.panels[framework].export_parameters(trainer.model))
    assert all(np.array_equal(ends[0][name], end[name]) for end in ends[1:] for name in end)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_weight_is_a_multiple_and_what_is_told_is_so(bench, framework):
    config = bench.config(**MODEL)
    trainer = bench.trainer(framework, config, bench.parameters(config), precision="exact", grid_exponent=EXPONENT)
    before = bench.panels[framework].export_parameters(trainer.model)
    told = trainer.grid.settle(trainer.grid.round(), None)
    after = bench.panels[framework].export_parameters(trainer.model)
    expected = on_grid(before, EXPONENT)
    assert all(np.array_equal(after[name], expected[name]) for name in after)
    assert told.checksum == sum(int((value * SCALE).sum()) for value in expected.values())
    halves = [np.abs(np.abs(before[name] - after[name]) - 0.5 / SCALE).min() for name in after]
    assert told.margin == pytest.approx(min(halves), abs=1e-17)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_near_tie_is_told_where_it_is(bench, framework):
    """In each weight one number just above halfway: told by its name and place in the specification."""
    config = bench.config(**MODEL, bidirectional=True)
    parameters = on_grid(bench.parameters(config), EXPONENT)
    planted = {}
    for number, (name, value) in enumerate(parameters.items()):
        at = (7 * number + 3) % value.size
        value.flat[at] = (np.floor(value.flat[at] * SCALE) + 0.5) / SCALE + 1e-14 * (-1) ** number
        planted[name] = at
    trainer = bench.trainer(framework, config, parameters, precision="exact", grid_exponent=EXPONENT)
    told = trainer.grid.settle(trainer.grid.round(), None)
    assert {tie.name: tie.at for tie in told.ties} == planted
    assert [tie.up for tie in sorted(told.ties, key=lambda tie: list(parameters).index(tie.name))] == [
        number % 2 == 0 for number in range(len(parameters))
    ]
    assert all(tie.margin == pytest.approx(1e-14, rel=0.02) for tie in told.ties)


def disturb(framework, size, at=2):
    """Changes one number of one gradient at one step by `size`, or by one unit in its last place if that is None."""

    def prepare(trainer):
        apply = trainer.optimizer.apply

        def disturbed(gradients, learning_rate, steps):
            first = gradients[0]
            if framework == "pytorch":
                if steps == at:
                    first = first.clone()
                    flat = first.view(-1)
                    number = int(flat.abs().argmax())
                    flat[number] += float(np.spacing(flat[number].item())) if size is None else size
            else:
                import tensorflow as tf

                flat = tf.reshape(first, [-1])
                number = tf.argmax(tf.abs(flat))
                change = flat[number] * 2.0**-52 if size is None else tf.constant(size, first.dtype)
                change = tf.where(tf.equal(steps, at), change, tf.zeros_like(change))
                first = tf.reshape(tf.tensor_scatter_nd_add(flat, [[number]], [change]), first.shape)
            apply([first, *gradients[1:]], learning_rate, steps)

        trainer.optimizer.apply = disturbed

    return prepare


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_one_unit_in_the_last_place_of_a_gradient_changes_no_bit(train, framework):
    for precision, changed in {"exact": False, "float64": True}.items():  # but for the rounding it would
        given = {"rate": 4.0, "precision": precision, "clip_norm": 0.0}
        plain, _ = train(framework, "sgd", **given)
        disturbed, _ = train(framework, "sgd", **given, prepare=disturb(framework, None))
        assert bool(differing(plain, disturbed)) == changed


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_larger_difference_is_seen_at_its_step(train, framework):
    plain, told = train(framework, "sgd")
    disturbed, also = train(framework, "sgd", prepare=disturb(framework, 1e-3))
    assert differing(plain, disturbed)
    same = [one.checksum == other.checksum for one, other in zip(told, also, strict=True)]
    assert same[:2] == [True, False]


def halfway(framework, beyond):
    """Puts one weight as far beyond halfway between two multiples, after the optimizer and before rounding."""

    def prepare(trainer):
        apply, binding = trainer.optimizer.apply, trainer.bindings[0]
        value = 12345.5 / SCALE + beyond

        def planted(gradients, learning_rate, steps):
            apply(gradients, learning_rate, steps)
            if framework == "pytorch":
                binding.variable.detach()[1, 2] = value
            else:
                import tensorflow as tf

                variable = binding.variable.value
                variable.assign(tf.tensor_scatter_nd_update(variable, [[1, 2]], tf.constant([value], variable.dtype)))

        trainer.optimizer.apply = planted

    return prepare


@pytest.mark.parametrize(("leader", "follower"), [FRAMEWORKS, FRAMEWORKS[::-1]])
def test_a_flip_is_taken_back_by_the_ties_of_the_run_that_went_first(train, leader, follower):
    first, told = train(leader, prepare=halfway(leader, 1e-15))
    alone, _ = train(follower, prepare=halfway(follower, -1e-15))
    assert differing(first, alone)
    ties = [each.ties for each in told]
    assert all(ties)
    second, also = train(follower, prepare=halfway(follower, -1e-15), decided=ties)
    assert not differing(first, second)
    assert [len(each.turned) for each in also] == [1] * len(also)
    assert [each.checksum for each in also] == [each.checksum for each in told]
    assert all(each.gap == pytest.approx(2e-15, rel=0.05) and not each.faults for each in also)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_tie_that_is_none_in_the_other_run_is_a_fault(train, framework):
    _, told = train(framework, prepare=halfway(framework, 1e-15))
    _, also = train(framework, prepare=halfway(framework, 1e-10), decided=[each.ties for each in told])
    assert all(len(each.faults) == 1 and not each.turned for each in also)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_average_is_that_of_exact_arithmetic(bench, framework):
    """Equation 24, against fractions."""
    config = bench.config(**MODEL)
    start = on_grid(bench.parameters(config), EXPONENT)
    trainer = bench.trainer(framework, config, start, precision="exact", ema_decay=0.97, grid_exponent=EXPONENT)
    expected = {name: [Fraction(x) for x in value.flat[:5].tolist()] for name, value in start.items()}
    for step in range(1, 6):
        batch = bench.batch((2, 3), (3, 2), seed=step)
        trainer.step(batch, bench.masks(config, batch, seed=step), 0.1)
        share = Fraction(round((1.0 - min(0.97, (1.0 + step) / (10.0 + step))) * 2**20), 2**20)
        for name, value in bench.panels[framework].export_parameters(trainer.model).items():
            for i, weight in enumerate(value.flat[:5].tolist()):
                average = expected[name][i]
                expected[name][i] = Fraction(round((average + share * (Fraction(weight) - average)) * 2**32), 2**32)
    found = {k.removeprefix("swapped."): v for k, v in trainer.export_state().items() if k.startswith("swapped.")}
    for name, values in expected.items():
        assert found[name].flat[:5].tolist() == [float(value) for value in values], name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_skipped_step_rounds_nothing(bench, framework):
    config = bench.config(**MODEL)
    start = on_grid(bench.parameters(config), EXPONENT)
    trainer = bench.trainer(framework, config, start, precision="exact", non_finite="skip", ema_decay=0.9)
    batch = bench.batch((2, 3), (3, 2))
    poisoned = {name: value * (np.nan if name.startswith("output") else 1.0) for name, value in start.items()}
    bench.panels[framework].load_parameters(trainer.model, poisoned)
    before = trainer.export_state()
    assert trainer.step(batch, {}, 0.1).rounding is None
    after = trainer.export_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    bench.panels[framework].load_parameters(trainer.model, start)
    assert trainer.step(batch, {}, 0.1).rounding is not None
