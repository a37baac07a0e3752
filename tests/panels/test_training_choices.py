"""Accumulated gradients, averaged weights, shared dropout masks and own predictions, in both frameworks."""

from __future__ import annotations

import numpy as np
import pytest

FRAMEWORKS = ("tensorflow", "pytorch")
OPTIMIZERS = ({"optimizer": "sgd", "learning_rate": 0.5}, {"optimizer": "adam", "learning_rate": 0.01})


@pytest.fixture
def batch(bench):
    return bench.batch([4, 2, 5, 1], [3, 6, 1, 4])


def weights(bench, name, trainer):
    return bench.panels[name].export_parameters(trainer.model)


def assert_close(close, found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        close(found[name], values)


@pytest.mark.parametrize("choices", OPTIMIZERS, ids=lambda choices: choices["optimizer"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_accumulated_gradients_are_those_of_one_large_batch(bench, close, batch, framework, choices):
    config = bench.config(attention="additive")
    parameters = bench.parameters(config)
    whole, split = (bench.trainer(framework, config, parameters, **choices) for _ in range(2))
    parts = [(bench.rows(batch, rows), {}) for rows in ([1], [0, 2], [3])]
    for _ in range(2):
        expected, found = whole.step(batch, {}, 0.1), split.step_over(parts, 0.1)
        close(np.array(found[:2]), np.array(expected[:2]))
    assert split.steps == 2
    assert_close(close, weights(bench, framework, split), weights(bench, framework, whole))
    assert_close(close, split.export_state(), whole.export_state())


def test_both_frameworks_accumulate_alike_with_dropout(bench, close, batch):
    config = bench.config(attention="general")
    parts = [(bench.rows(batch, rows), seed) for seed, rows in enumerate(([1, 0], [2, 3]))]
    parts = [(part, bench.masks(config, part, seed)) for part, seed in parts]
    trained = {}
    for name in FRAMEWORKS:
        trainer = bench.trainer(name, config, bench.parameters(config), clip_norm=0.5)
        trained[name] = [np.array(trainer.step_over(parts, 0.1)[:2]), weights(bench, name, trainer)]
    close(trained["pytorch"][0], trained["tensorflow"][0])
    assert_close(close, trained["pytorch"][1], trained["tensorflow"][1])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_average_is_the_one_of_its_formula(bench, close, batch, framework):
    config = bench.config()
    trainer = bench.trainer(framework, config, bench.parameters(config), ema_decay=0.3)
    average = weights(bench, framework, trainer)
    for step in range(1, 6):
        trainer.step(batch, {}, 0.1)
        decay = min(0.3, (1 + step) / (10 + step))
        own = weights(bench, framework, trainer)
        average = {name: decay * average[name] + (1 - decay) * own[name] for name in own}
    trainer.swap_average()
    assert_close(close, weights(bench, framework, trainer), average)
    exported = trainer.export_state()
    assert_close(close, {name: exported[f"swapped.{name}"] for name in own}, own)
    trainer.swap_average()
    assert_close(close, weights(bench, framework, trainer), own)


@pytest.mark.parametrize(("first", "second"), [FRAMEWORKS, FRAMEWORKS[::-1]])
def test_an_average_goes_on_in_the_other_framework(bench, close, batch, first, second):
    config = bench.config(cell="lstm")
    uninterrupted = bench.trainer(first, config, bench.parameters(config), ema_decay=0.9)
    uninterrupted.step(batch, {}, 0.1)
    uninterrupted.swap_average()
    shipped, state = weights(bench, first, uninterrupted), uninterrupted.export_state()
    uninterrupted.swap_average()
    resumed = bench.trainer(second, config, shipped, ema_decay=0.9)
    resumed.load_state(state, 1)
    resumed.swap_average()
    for name, trainer in ((first, uninterrupted), (second, resumed)):
        trainer.step(batch, {}, 0.1)
        trainer.swap_average()
        assert len(weights(bench, name, trainer)) == len(shipped)
    assert_close(close, weights(bench, second, resumed), weights(bench, first, uninterrupted))
    assert_close(close, resumed.export_state(), uninterrupted.export_state())


@pytest.mark.parametrize("attention", ["additive", "general"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_shared_mask_is_one_that_is_repeated_at_every_position(bench, close, batch, framework, attention):
    layers = {"encoder_layers": 2, "decoder_layers": 2, "input_feeding": attention == "general"}
    config = bench.config(attention=attention, variational_dropout=True, **layers)
    masks = bench.masks(config, batch)
    assert {mask.shape[1] for mask in masks.values()} == {1}
    width = {"source_embedding": batch.source.shape[1], "encoder.1": batch.source.shape[1]}
    repeated = {
        place: np.repeat(mask, width.get(place, batch.target_output.shape[1]), axis=1) for place, mask in masks.items()
    }
    trainer = bench.trainer(framework, config, bench.parameters(config))
    (loss, gradients), (expected_loss, expected) = trainer.gradients(batch, masks), trainer.gradients(batch, repeated)
    close(np.array(loss), np.array(expected_loss))
    assert_close(close, gradients, expected)
    assert abs(loss - trainer.gradients(batch, {})[0]) > 1e-3


@pytest.mark.parametrize("choices", [{"attention": "general"}, {"attention": "dot", "input_feeding": True}])
def test_the_three_panels_agree_with_shared_masks(bench, close, batch, choices):
    config = bench.config(variational_dropout=True, encoder_layers=2, decoder_layers=2, **choices)
    parameters, masks = bench.parameters(config), bench.masks(config, batch)
    found = {name: bench.forward(name, bench.model(name, config, parameters), batch, masks) for name in bench.panels}
    for name in FRAMEWORKS:
        for values, expected in zip(found[name], found["reference"], strict=True):
            close(values, expected, what=name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_predictions_are_the_most_probable_tokens_of_the_reference(bench, batch, framework):
    config = bench.config(attention="dot")
    parameters = bench.parameters(config)
    reference = bench.model("reference", config, parameters)
    features, _ = reference.features(batch.source, batch.source_lengths, batch.target_input, {})
    expected = np.argmax(reference.project(features), axis=-1)
    expected[np.arange(expected.shape[1]) >= batch.target_lengths[:, None]] = 0
    predicted = bench.trainer(framework, config, parameters).predict(batch, {})
    assert predicted.dtype == np.int32
    assert np.array_equal(predicted, expected)
