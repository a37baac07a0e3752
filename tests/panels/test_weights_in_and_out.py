"""What goes into a panel comes out again, bit for bit; nothing is shared; PyTorch reads the file as it is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from diptych.parameters.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from diptych.parameters.specification import specification

FRAMEWORKS = ("tensorflow", "pytorch")
PANELS = (*FRAMEWORKS, "reference")
MODELS = {
    "gru": {"cell": "gru", "attention": "additive", "encoder_layers": 2, "input_feeding": True},
    "lstm": {"cell": "lstm", "attention": "general", "decoder_layers": 2},
    "rnn": {"cell": "rnn", "attention": "concat", "bidirectional": False, "attentional_layer": False},
    "tied": {"tie_target_output": True, "tie_source_target": True, "bridge": "copy", "attention": "dot"},
}


@pytest.fixture(params=MODELS)
def config(bench, request):
    return bench.config(**MODELS[request.param])


def identical(actual, expected):
    return list(actual) == list(expected) and all(
        value.dtype == expected[name].dtype and value.tobytes() == expected[name].tobytes()
        for name, value in actual.items()
    )


@pytest.mark.parametrize(
    ("panel", "precision"),
    [("reference", "float64"), *product(FRAMEWORKS, ("float64", "float32", "bfloat16"))],
)
def test_loading_writing_reading_and_exporting_is_the_identity(bench, tmp_path, config, panel, precision):
    kept = np.float64 if precision == "float64" else np.float32
    parameters = {name: value.astype(kept) for name, value in bench.parameters(config).items()}
    exported = bench.panels[panel].export_parameters(bench.model(panel, config, parameters, precision))
    assert identical(exported, parameters)
    write_checkpoint(tmp_path / "checkpoint", Checkpoint(exported))
    read = read_checkpoint(tmp_path / "checkpoint", specification(config, *bench.vocabularies(config))).parameters
    assert identical(bench.panels[panel].export_parameters(bench.model(panel, config, read, precision)), parameters)


@pytest.mark.parametrize("panel", PANELS)
def test_nothing_is_shared_with_what_was_loaded_or_exported(bench, config, panel):
    parameters = bench.parameters(config)
    model = bench.model(panel, config, {name: value.copy() for name, value in parameters.items()})
    given = bench.parameters(config)
    bench.panels[panel].load_parameters(model, given)
    assert identical(given, parameters)
    exported = bench.panels[panel].export_parameters(model)
    for value in (*given.values(), *exported.values()):
        value[...] = 9.0
    assert identical(bench.panels[panel].export_parameters(model), parameters)


@pytest.mark.parametrize("panel", PANELS)
def test_arrays_in_any_memory_order_can_be_loaded(bench, config, panel):
    parameters = bench.parameters(config)
    turned = {name: np.asfortranarray(value) for name, value in parameters.items()}
    for value in turned.values():
        value.flags.writeable = False
    assert identical(bench.panels[panel].export_parameters(bench.model(panel, config, turned)), parameters)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_panel_trains_every_weight_of_the_specification_and_no_other(bench, config, framework):
    parameters = bench.parameters(config)
    model = bench.model(framework, config, parameters)
    trained = list(model.parameters() if framework == "pytorch" else model.trainable_weights)
    assert sum(int(np.prod(weight.shape)) for weight in trained) == sum(value.size for value in parameters.values())
    assert framework == "pytorch" or not model.non_trainable_weights


def test_pytorch_loads_the_file_strictly_by_its_names(bench, tmp_path, config):
    from safetensors.torch import load_file

    parameters = bench.parameters(config)
    write_checkpoint(tmp_path / "checkpoint", Checkpoint(parameters))
    model = bench.panels["pytorch"].Model(config, *bench.vocabularies(config), "float64")
    model.load_state_dict(load_file(tmp_path / "checkpoint" / "model.safetensors"), strict=True)
    assert identical(bench.panels["pytorch"].export_parameters(model), parameters)
