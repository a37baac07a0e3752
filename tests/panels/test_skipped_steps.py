"""A step whose loss or gradient is not finite: skipped, it has never been, in both frameworks alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diptych.config import TrainingConfig

FRAMEWORKS = ("tensorflow", "pytorch")
BROKEN = 6  # a source token whose vector is not finite
OPTIMIZERS = {
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw", "clip_norm": 0.0},
    "sgd": {"optimizer": "sgd", "momentum": 0.8},
}


def batches(bench):
    """Three that are sound, the second one also with a broken token in it."""
    found = [bench.batch((2, 3), (3, 2), seed=seed) for seed in range(3)]
    sound = [replace(batch, source=np.where(batch.source == BROKEN, 3, batch.source)) for batch in found]
    source = sound[1].source.copy()
    source[0, 0] = BROKEN
    return *sound, replace(sound[1], source=source)


def state(bench, framework, trainer):
    """Weights and moments, the vector that is not finite as zeros."""
    arrays = {**bench.panels[framework].export_parameters(trainer.model), **trainer.export_state()}
    return {name: np.nan_to_num(array, posinf=0.0) for name, array in arrays.items()}


def train(bench, framework, which, policy="skip", broken=np.nan, **training):
    """A trainer after these steps, and what each told."""
    config = bench.config(cell="gru", attention="general")
    parameters = bench.parameters(config)
    parameters["source_embedding.weight"][BROKEN] = broken
    values = TrainingConfig(precision="float64", non_finite=policy, **training)
    trainer = bench.trainer(framework, config, parameters, values)
    return trainer, [trainer.step(batch, {}, rate) for batch, rate in which]


@pytest.mark.parametrize("broken", [np.nan, pytest.param(np.inf, marks=pytest.mark.slow)])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_skipped_step_has_never_been(bench, framework, optimizer, broken):
    one, two, three, bad = batches(bench)
    sound = [(one, 0.1), (two, 0.05), (three, 0.2)]
    options = OPTIMIZERS[optimizer] | {"broken": broken}
    expected, told = train(bench, framework, sound, **options)
    # TensorFlow takes seconds for each: there, in the quick test, they are all in one training.
    apart = framework == "pytorch" or not np.isnan(broken)
    for places in ((0,), (1,), (3,), (1, 1, 2)) if apart else ((0, 1, 1, 3),):
        steps = list(sound)
        for place in reversed(places):
            steps.insert(place, (bad, 0.3))
        found, results = train(bench, framework, steps, **options)
        assert [result for result in results if result.is_finite] == told
        assert sum(not result.is_finite for result in results) == len(places)
        assert found.steps == expected.steps == 3
        one_state, other = (state(bench, framework, trainer) for trainer in (found, expected))
        assert all(one_state[name].tobytes() == array.tobytes() for name, array in other.items())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_frameworks_agree_on_what_comes_after_a_skipped_step(bench, close, optimizer):
    one, two, _, bad = batches(bench)
    states = []
    for framework in FRAMEWORKS:
        trainer, results = train(bench, framework, [(one, 0.1), (bad, 0.1), (two, 0.1)], **OPTIMIZERS[optimizer])
        assert [result.is_finite for result in results] == [True, False, True]
        states.append(state(bench, framework, trainer))
    close(*states)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_whether_steps_may_be_skipped_does_not_change_those_that_are_not(bench, framework):
    one, two, three, _ = batches(bench)
    steps = [(one, 0.1), (two, 0.05), (three, 0.2)]
    found = [state(bench, framework, train(bench, framework, steps, policy)[0]) for policy in ("skip", "stop")]
    assert all(found[0][name].tobytes() == array.tobytes() for name, array in found[1].items())


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_where_training_stops_the_step_is_done_and_told(bench, framework):
    bad = batches(bench)[-1]
    trainer, [result] = train(bench, framework, [(bad, 0.1)], policy="stop")
    assert not result.is_finite and trainer.steps == 1
