"""A PyTorch model trained with oneDNN's kernel, its weights laid out for it, is the model that the default trains."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from diptych import pytorch as panel  # noqa: E402
from diptych.config import ModelConfig, TrainingConfig  # noqa: E402
from diptych.data.tokens.batches import Batch  # noqa: E402
from diptych.parameters.initialization import initial_parameters  # noqa: E402
from diptych.parameters.specification import specification  # noqa: E402
from diptych.pytorch.kernels import DEFAULT, ONEDNN, Race  # noqa: E402
from diptych.pytorch.linear import PRODUCTS  # noqa: E402
from diptych.pytorch.private import has_onednn  # noqa: E402

SIZES = 23, 19  # of the vocabularies
needs_onednn = pytest.mark.skipif(not has_onednn(), reason="this PyTorch has no oneDNN")


def trained(kernel, attention, optimizer, tied, steps=4, by_columns=None, parts=1):
    config = ModelConfig(
        embedding_size=6,
        encoder_size=5,
        decoder_size=7,
        attention=attention,
        tie_target_output=tied,
        attentional_size=6,
        dropout=0.0,
    )
    model = panel.Model(config, *SIZES, choices={PRODUCTS: kernel} if kernel else None)
    matrices = [weight for name, weight in model.named_parameters() if weight.dim() == 2 and "embedding" not in name]
    laid_out = [weight.t().is_contiguous() for weight in matrices if min(weight.shape) > 1]
    assert laid_out == [kernel == ONEDNN if by_columns is None else by_columns] * len(laid_out) and laid_out
    panel.load_parameters(model, initial_parameters(config, *SIZES, seed=2))
    step = panel.TrainingStep(
        model, TrainingConfig(optimizer=optimizer, learning_rate=0.01, weight_decay=0.0, clip_norm=0.2)
    )
    generator = np.random.default_rng(5)
    losses = []
    for _ in range(steps):
        work = [(batch(generator), {}) for _ in range(parts)]
        told = step.step(*work[0], 0.01) if parts == 1 else step.step_over(work, 0.01)
        losses.append((told.loss, told.gradient_norm))
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


@needs_onednn
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("attention", "tied"), [("additive", False), ("general", True)])
def test_training_does_not_depend_on_the_kernel(attention, tied, optimizer):
    losses, arrays = trained(DEFAULT, attention, optimizer, tied)
    other_losses, other_arrays = trained(ONEDNN, attention, optimizer, tied)
    np.testing.assert_allclose(other_losses, losses, rtol=2e-5)
    assert other_arrays.keys() == arrays.keys()
    for name, value in arrays.items():
        assert other_arrays[name].flags["C_CONTIGUOUS"], name
        np.testing.assert_allclose(other_arrays[name], value, rtol=2e-3, atol=2e-5, err_msg=name)


@needs_onednn
def test_a_pytorch_without_onednn_s_operator_trains_as_by_default(monkeypatch):
    losses, arrays = trained(None, "additive", "adam", tied=False)
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert not has_onednn()
    other_losses, other_arrays = trained(ONEDNN, "additive", "adam", tied=False, by_columns=False)
    assert other_losses == losses
    assert all(np.array_equal(other_arrays[name], value) for name, value in arrays.items())


@pytest.mark.parametrize("removed", ["_foreach_add_", "_foreach_mul_"])
def test_a_pytorch_without_functions_of_many_tensors_trains_all_the_same(monkeypatch, removed):
    losses, arrays = trained(None, "general", "sgd", tied=False, parts=2)
    monkeypatch.delattr(torch, removed)
    other_losses, other_arrays = trained(None, "general", "sgd", tied=False, parts=2)
    np.testing.assert_allclose(other_losses, losses, rtol=1e-6)
    for name, value in arrays.items():
        np.testing.assert_allclose(other_arrays[name], value, rtol=1e-5, atol=1e-7, err_msg=name)


def test_the_private_functions_of_pytorch_stand_in_one_file():
    private = re.compile(r"\btorch(\.\w+)*\._[a-z]")
    panel_files = Path(panel.__file__).parent.glob("*.py")
    assert {path.name for path in panel_files if private.search(path.read_text(encoding="utf-8"))} == {"private.py"}


@needs_onednn
@pytest.mark.parametrize("attention", ["additive", "concat", "general"])
def test_every_layer_of_a_model_multiplies_by_its_kernel(monkeypatch, attention):
    for where, name in (torch.nn.functional, "linear"), (torch, "addmm"):
        monkeypatch.setattr(where, name, lambda *_: pytest.fail("PyTorch's default was taken"))
    trained(ONEDNN, attention, "adam", tied=False, steps=1)
    with pytest.raises(pytest.fail.Exception, match="default was taken"):
        trained(DEFAULT, attention, "adam", tied=False, steps=1)


@needs_onednn
def test_a_model_is_made_with_what_was_settled():
    before = panel.choices()
    try:
        panel.settle({PRODUCTS: ONEDNN})
        assert panel.choose(specification(ModelConfig(), *SIZES), "float32") == panel.choices() == {PRODUCTS: ONEDNN}
        panel.settle({})
        assert panel.choices() == {PRODUCTS: ONEDNN}, "nothing to keep to changes nothing"
    finally:
        panel.settle(before)


@needs_onednn
@pytest.mark.parametrize(
    ("tied", "table"),
    [
        ({}, None),
        ({"tie_target_output": True}, (6000, 8)),
        ({"tie_target_output": True, "tie_source_target": True}, (6000, 8)),
    ],
)
def test_what_multiplies_is_measured_a_tied_table_too(monkeypatch, tied, table):
    config = ModelConfig(embedding_size=8, encoder_size=5, decoder_size=7, attentional_size=8, **tied)
    sizes = (6000, 6000) if "tie_source_target" in tied else (7000, 6000)
    asked = {}
    monkeypatch.setattr(Race, "run", lambda race, rows: asked.update(rows))
    panel.choose(specification(config, *sizes), "float32")
    weights = specification(config, *sizes).values()
    products = {each.shape for each in weights if len(each.shape) == 2 and each.kind != "embedding"}
    assert asked.keys() == products | ({table} if table else set())
