"""A PyTorch model trained with oneDNN's kernel, its weights laid out for it, is the model that the default trains."""

import numpy as np
import pytest
import torch

from diptych import pytorch as panel
from diptych.config import ModelConfig, TrainingConfig
from diptych.data.tokens.batches import Batch
from diptych.parameters.initialization import initial_parameters
from diptych.pytorch import linear

SIZES = 23, 19  # of the vocabularies


@pytest.fixture(autouse=True)
def kernel_as_before():
    before = linear._kernel
    yield
    linear._kernel = before


def trained(kernel, attention, optimizer, tied, steps=4):
    linear.use(kernel)
    config = ModelConfig(
        embedding_size=6,
        encoder_size=5,
        decoder_size=7,
        attention=attention,
        tie_target_output=tied,
        attentional_size=6,
        dropout=0.0,
    )
    model = panel.Model(config, *SIZES)
    assert model.decoder.layers[0].weight_hh.is_contiguous() == (kernel == linear.DEFAULT)
    panel.load_parameters(model, initial_parameters(config, *SIZES, seed=2))
    step = panel.TrainingStep(model, TrainingConfig(optimizer=optimizer, learning_rate=0.01, weight_decay=0.0))
    generator = np.random.default_rng(5)
    losses = []
    for _ in range(steps):
        losses.append(step.step(batch(generator), {}, 0.01))
        again = panel.TrainingStep(model, step.config)  # what is exported goes in again
        again.load_state(step.export_state(), step.steps)
        step = again
    return losses, panel.export_parameters(model) | step.export_state()


def batch(generator, rows=5, source=4, target=3):
    draw = generator.integers
    return Batch(
        rows=np.arange(rows),
        source=draw(4, SIZES[0], (rows, source)).astype(np.int32),
        source_lengths=draw(1, source + 1, rows).astype(np.int32),
        target_input=draw(4, SIZES[1], (rows, target)).astype(np.int32),
        target_output=draw(4, SIZES[1], (rows, target)).astype(np.int32),
        target_lengths=draw(1, target + 1, rows).astype(np.int32),
    )


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("attention", "tied"), [("additive", False), ("general", True)])
def test_training_does_not_depend_on_the_kernel(attention, tied, optimizer):
    losses, arrays = trained(linear.DEFAULT, attention, optimizer, tied)
    other_losses, other_arrays = trained(linear.ONEDNN, attention, optimizer, tied)
    np.testing.assert_allclose(other_losses, losses, rtol=2e-5)
    assert other_arrays.keys() == arrays.keys()
    for name, value in arrays.items():
        assert other_arrays[name].flags["C_CONTIGUOUS"], name
        np.testing.assert_allclose(other_arrays[name], value, rtol=2e-3, atol=2e-5, err_msg=name)
