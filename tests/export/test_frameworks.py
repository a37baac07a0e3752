"""SavedModel, LiteRT and TorchScript: every kind of model, opened again, computes what the reference does."""

from dataclasses import replace

import numpy as np
import pytest

from diptych import panel as panels
from diptych.errors import BackendError, CertificateError
from diptych.export import frameworks
from diptych.export.certificate import demand
from diptych.export.exporting import export
from diptych.export.frameworks import FrameworkTarget
from diptych.export.trained import Trained

from .conftest import KINDS, random_parameters

# LiteRT and the SavedModel share their step.
QUICK = {
    "savedmodel": ["gru, additive"],
    "litert": ["gru, additive"],
    "torchscript": ["gru, additive", "lstm, concat, fed"],
}
TARGETS = [
    pytest.param(to, kind, marks=() if kind in QUICK[to] else pytest.mark.slow) for to in QUICK for kind in KINDS
]


@pytest.fixture
def in_this_process(monkeypatch):
    """The framework's process, without a process."""

    def call(backend, function, arguments, threads, device):
        import importlib

        module, _, name = function.partition(":")
        return getattr(importlib.import_module(module), name)(panels.load(backend, device="cpu"), **arguments)

    monkeypatch.setattr(frameworks, "call", call)


@pytest.mark.parametrize(("to", "kind"), TARGETS)
def test_every_kind_of_model_is_what_the_reference_computes(
    to, kind, both_frameworks, trained, tmp_path, in_this_process
):
    made = export(trained(kind), FrameworkTarget(to), to, tmp_path / "out")
    demand(made.checks)
    assert len(made.checks) == (4 if to == "litert" else 5)
    assert 0.0 < max(check.gap for check in made.checks) < 1e-5
    assert made.certificate["scores"] is None


@pytest.mark.slow
def test_litert_in_int8_is_near_and_smaller(both_frameworks, trained, tmp_path, in_this_process):
    sizes = {}
    model = trained()
    config = model.run.config.model.model_copy(update={"embedding_size": 64, "encoder_size": 64, "decoder_size": 96})
    run = replace(model.run, config=model.run.config.model_copy(update={"model": config}))
    model = Trained(run, "pytorch", "best", random_parameters(config, model.sizes, scale=0.2), {"step": 3})
    for int8, limit in ((False, 1e-5), (True, 0.1)):
        made = export(model, FrameworkTarget("litert", int8), "litert", tmp_path / str(int8))
        assert max(check.gap for check in made.checks) < limit
        sizes[int8] = (made.folder / "model.tflite").stat().st_size
    assert sizes[True] < 0.4 * sizes[False]  # weights a quarter, and the graph


def test_a_fault_is_not_certified_and_leaves_nothing(with_pytorch, trained, tmp_path, in_this_process, monkeypatch):
    from diptych.export.torch import module

    right, name = module.scripted, "decoder.layers.0.weight_hh"

    def with_gates_swapped(config, sizes, parameters):
        return right(config, sizes, {**parameters, name: np.roll(parameters[name], 5, axis=0)})

    monkeypatch.setattr(module, "scripted", with_gates_swapped)
    with pytest.raises(CertificateError, match="a batch of four lengths, TorchScript in float32"):
        export(trained(), FrameworkTarget("torchscript"), "torchscript", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_framework_that_is_not_there_is_named(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(frameworks, "is_installed", lambda name: False)
    with pytest.raises(BackendError, match=r"--to litert needs tensorflow, not installed here: pip install 'diptych"):
        export(trained(), FrameworkTarget("litert"), "litert", tmp_path / "out")
    assert not list(tmp_path.iterdir())
