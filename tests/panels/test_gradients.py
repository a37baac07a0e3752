"""Gradients in float64 are the slopes of the loss, in both frameworks, for every kind of weight."""

from __future__ import annotations

import numpy as np
import pytest

FRAMEWORKS = ("tensorflow", "pytorch")
LENGTHS = {"source_lengths": (2, 3), "target_lengths": (3, 1)}
STEP = 1e-5
MODELS = {
    f"{cell} {attention}": {"cell": cell, "attention": attention, "encoder_layers": 2, "decoder_layers": 2}
    for cell in ("gru", "lstm", "rnn")
    for attention in ("none", "additive", "dot", "general", "concat")
} | {
    "fed": {"attention": "general", "input_feeding": True, "attentional_layer": False},
    "fed before": {"attention": "additive", "input_feeding": True, "bridge": "copy", "cell": "lstm"},
    "tied": {"tie_target_output": True, "tie_source_target": True},
}


def slopes(bench, config, parameters, batch, masks, label_smoothing):
    """Central differences of the reference's loss at a few entries of each weight: {name: [(entry, slope)]}."""
    model = bench.model("reference", config, parameters)
    random = np.random.default_rng(5)

    def loss(name, entry, change):
        moved = {**parameters, name: parameters[name].copy()}
        moved[name][entry] += change
        bench.panels["reference"].load_parameters(model, moved)
        return bench.reference_loss(model, batch, masks, label_smoothing)

    found = {}
    for name, value in parameters.items():
        entries = [
            np.unravel_index(place, value.shape) for place in random.choice(value.size, min(4, value.size), False)
        ]
        if name.endswith("embedding.weight"):  # tokens that occur, one of them more than once
            entries = [(token, 1) for token in (1, *np.unique(batch.source))]
        found[name] = [(e, (loss(name, e, STEP) - loss(name, e, -STEP)) / (2.0 * STEP)) for e in entries]
    return found


@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_the_slopes_of_the_loss(bench, model):
    config = bench.config(**MODELS[model])
    parameters, batch = bench.parameters(config), bench.batch(**LENGTHS)
    masks = bench.masks(config, batch)
    expected = slopes(bench, config, parameters, batch, masks, label_smoothing=0.1)
    for framework in FRAMEWORKS:
        _, gradients = bench.trainer(framework, config, parameters, label_smoothing=0.1).gradients(batch, masks)
        assert list(gradients) == list(parameters)
        for name, entries in expected.items():
            assert gradients[name].shape == parameters[name].shape
            for entry, slope in entries:
                np.testing.assert_allclose(
                    gradients[name][entry], slope, rtol=1e-5, atol=1e-9, err_msg=f"{framework} {name}{entry}"
                )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_tied_weight_s_gradient_is_the_sum_over_its_uses(bench, close, framework):
    tied = bench.config(tie_target_output=True, tie_source_target=True)
    batch = bench.batch(**LENGTHS)
    shared = bench.parameters(tied)
    source_size, target_size = bench.vocabularies(tied)
    apart = tied.model_copy(update={"tie_target_output": False, "tie_source_target": False, "attentional_size": 3})
    copies = dict.fromkeys(("target_embedding.weight", "output_layer.weight"), shared["source_embedding.weight"])
    panel = bench.panels[framework]
    loss, gradients = bench.trainer(framework, tied, shared).gradients(batch, {})
    trainer = bench.trainer(framework, tied, shared)
    model = panel.Model(apart, source_size, target_size, "float64")
    trainer = panel.TrainingStep(model, trainer.config, compiled=False)
    panel.load_parameters(model, {**shared, **copies})
    apart_loss, uses = trainer.gradients(batch, {})
    close(loss, apart_loss)
    total = uses.pop("source_embedding.weight") + sum(uses.pop(name) for name in copies)
    close(gradients, {**uses, "source_embedding.weight": total})


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_token_that_occurs_twice_gets_both_gradients(bench, close, framework):
    """The gradient of a token at two places is the sum of those of two tokens with the same vector."""
    config = bench.config(cell="rnn", attention="none")
    parameters, batch = bench.parameters(config), bench.batch((3,), (2,))
    parameters["source_embedding.weight"][5] = parameters["source_embedding.weight"][4]
    trainer = bench.trainer(framework, config, parameters)
    batch.source[:] = [[4, 6, 5]]
    apart = trainer.gradients(batch, {})[1]["source_embedding.weight"]
    batch.source[:] = [[4, 6, 4]]
    together = trainer.gradients(batch, {})[1]["source_embedding.weight"]
    close(together[4], apart[4] + apart[5])
    assert (together[5] == 0.0).all()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_nothing_depends_on_has_a_gradient_of_zeros(bench, framework):
    config = bench.config(cell="lstm", attention="none", bridge="zero")  # nothing of the source reaches the decoder
    parameters, batch = bench.parameters(config), bench.batch(**LENGTHS)
    trainer = bench.trainer(framework, config, parameters)
    _, gradients = trainer.gradients(batch, {})
    unused = [name for name in gradients if name.startswith(("source_embedding", "encoder"))]
    assert unused
    for name, gradient in gradients.items():
        assert gradient.any() == (name not in unused), name
    trainer.step(batch, {}, 0.1)
    after = bench.panels[framework].export_parameters(trainer.model)
    for name, value in after.items():
        assert np.array_equal(value, parameters[name]) == (name in unused), name
