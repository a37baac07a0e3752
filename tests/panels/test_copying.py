"""A model that says tokens or copies them: its probabilities, its loss and its gradients, alike in every panel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

PANELS = ("reference", "pytorch", "tensorflow")
FRAMEWORKS = PANELS[1:]
SIZE = 9  # of the one vocabulary
SHAPES = [
    {"attention": "additive", "cell": "lstm"},
    {"attention": "general", "input_feeding": True},
    {"attention": "dot", "attentional_layer": False},
]


@pytest.fixture(params=SHAPES, ids=lambda shape: shape["attention"])
def config(request, bench):
    return bench.config(tie_source_target=True, copies=True, dropout=0.0, **request.param)


@pytest.fixture
def batch(bench):
    """Sentences with words that have no entry, at places 1 and 3 of the first; the targets say them, and known ones."""
    batch = bench.batch([4, 2, 3], [4, 5, 2])
    source, output, given = (getattr(batch, name).copy() for name in ("source", "target_output", "target_input"))
    source[0, [1, 3]] = [SIZE + 1, SIZE + 3]
    source[2, 0] = SIZE
    output[0, :3], given[0, 1:4] = ([SIZE + 3, source[0, 0], SIZE + 1],) * 2
    output[2, 0] = given[2, 1] = SIZE
    return replace(batch, source=source, target_output=output, target_input=given)


def tables(bench, name, config, parameters, batch):
    """The log-probabilities (B, T, V + S) after the target's own tokens."""
    stepper = bench.panels[name].Stepper(bench.model(name, config, parameters), compiled=False)
    state, found = stepper.start(batch.source, batch.source_lengths), []
    for step in range(batch.target_input.shape[1]):
        table, _, state = stepper.step(state, np.ascontiguousarray(batch.target_input[:, step]))
        found.append(table)
    return np.stack(found, axis=1)


def test_each_panel_says_and_copies_with_the_same_probabilities_that_sum_to_one(bench, close, config, batch):
    parameters = bench.parameters(config)
    found = {name: tables(bench, name, config, parameters, batch) for name in PANELS}
    for table in found.values():
        close(np.exp(table).sum(axis=-1), np.ones(table.shape[:2]))
        close(table, found["reference"])
    assert (np.exp(found["reference"][0, :, [SIZE + 1, SIZE + 3]]) > 1e-4).all()
    assert (np.exp(found["reference"][0, :, [SIZE, SIZE + 2]]) < 1e-29).all()  # nobody has these


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_what_the_stepper_says_of_the_reference_and_its_gradients_agree(
    bench, close, config, batch, smoothing
):
    parameters = bench.parameters(config)
    table, real = tables(bench, "reference", config, parameters, batch), bench.real(batch)
    expected = -table[real][np.arange(real.sum()), batch.target_output[real]].sum()
    gradients = {}
    for name in FRAMEWORKS:
        trainer = bench.trainer(name, config, parameters, label_smoothing=smoothing)
        assert trainer.evaluate(batch) == pytest.approx(expected, rel=1e-10)
        loss, gradients[name] = trainer.gradients(batch, {})
        if not smoothing:
            assert loss == pytest.approx(expected / real.sum(), rel=1e-10)
    assert np.abs(gradients["pytorch"]["copy_gate.weight"]).max() > 0.0
    for name, gradient in gradients["pytorch"].items():
        close(gradients["tensorflow"][name], gradient, what=name)


def test_the_gradient_is_that_of_the_loss(bench, config, batch):
    parameters, nudge = bench.parameters(config), 1e-6
    trainer = bench.trainer("pytorch", config, parameters, label_smoothing=0.1)
    _, gradients = trainer.gradients(batch, {})
    load = bench.panels["pytorch"].load_parameters
    for name in ("copy_gate.weight", "copy_gate.bias", "encoder.forward_layers.0.weight_hh", "source_embedding.weight"):
        place = np.unravel_index(np.abs(gradients[name]).argmax(), gradients[name].shape)
        losses = []
        for sign in (1.0, -1.0):
            changed = {key: value.copy() for key, value in parameters.items()}
            changed[name][place] += sign * nudge
            load(trainer.model, changed)
            losses.append(trainer.gradients(batch, {})[0])
        assert gradients[name][place] == pytest.approx((losses[0] - losses[1]) / (2 * nudge), rel=1e-5)


def test_steps_of_exact_training_are_equal_to_the_bit(bench, config, batch):
    parameters = {name: np.round(values * 2**20) / 2**20 for name, values in bench.parameters(config).items()}
    found = {}
    for name in FRAMEWORKS:
        trainer = bench.trainer(name, config, parameters, precision="exact", label_smoothing=0.1, clip_norm=0.5)
        for _ in range(3):
            trainer.step(batch, {}, 0.01)
        found[name] = bench.panels[name].export_parameters(trainer.model)
    for name, values in found["pytorch"].items():
        assert np.array_equal(found["tensorflow"][name], values), name


def test_rows_may_change_places(bench, close, batch):
    config = bench.config(tie_source_target=True, copies=True, attention="general", dropout=0.0)
    parameters, rows = bench.parameters(config), np.array([2, 0])
    for name in PANELS:
        stepper = bench.panels[name].Stepper(bench.model(name, config, parameters), compiled=name == "tensorflow")
        first = np.ascontiguousarray(batch.target_input[:, 0])
        _, _, state = stepper.step(stepper.start(batch.source, batch.source_lengths), first)
        table, _, _ = stepper.step(state, np.ascontiguousarray(batch.target_input[:, 1]))
        other, _, _ = stepper.step(stepper.reorder(state, rows), np.ascontiguousarray(batch.target_input[rows, 1]))
        close(other, table[rows])
