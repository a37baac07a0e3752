"""Tiny models of every kind, with random weights: none is zero, so none can be lost unnoticed."""

from dataclasses import replace

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.export.trained import Trained
from diptych.parameters.checkpoint import Checkpoint
from diptych.parameters.specification import specification
from diptych.runs.run import Run

KINDS = {
    "gru, additive": {},
    "gru, one-way, dot, copy": {"bidirectional": False, "encoder_size": 5, "attention": "dot", "bridge": "copy"},
    "gru, two layers, general, fed": {"encoder_layers": 2, "decoder_layers": 3, "attention": "general"}
    | {"input_feeding": True},
    "lstm, concat, fed": {"cell": "lstm", "attention": "concat", "input_feeding": True, "encoder_layers": 2},
    "lstm, two layers, additive, fed, zero": {"cell": "lstm", "decoder_layers": 2, "input_feeding": True}
    | {"bridge": "zero"},
    "lstm, no attention": {"cell": "lstm", "attention": "none", "bidirectional": False},
    "rnn, additive, no attentional layer": {"cell": "rnn", "attentional_layer": False},
    "rnn, no attention, no attentional layer": {"cell": "rnn", "attention": "none", "attentional_layer": False},
    "gru, all tied": {"tie_target_output": True, "tie_source_target": True, "attention": "general"},
}


def model_config(choices):
    sizes = {"embedding_size": 4, "encoder_size": 3, "decoder_size": 5, "attention_size": 6}
    sizes |= {"attentional_size": 4 if choices.get("tie_target_output") else 7}
    return ModelConfig(**{**sizes, "dropout": 0.0, **choices})


def random_parameters(config, sizes, scale=0.7):
    random = np.random.default_rng(7)
    shapes = {name: weight.shape for name, weight in specification(config, *sizes).items()}
    return {name: random.uniform(-scale, scale, shape) for name, shape in shapes.items()}


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run with one vocabulary for both sides, so that everything can be tied, and a checkpoint of random weights."""
    config = RunConfig(
        name="tiny",
        data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4, shared_vocabulary=True),
        model=model_config({}),
        training=TrainingConfig(precision="float64"),
        search=SearchConfig(maximum_length=9),
    )
    run = Run.create(config, tmp_path_factory.mktemp("runs") / "tiny")
    parameters = random_parameters(config.model, (len(run.source_vocabulary), len(run.target_vocabulary)))
    run.record("pytorch").write_checkpoint(Checkpoint(parameters, {}, {"step": 3}))
    return run


@pytest.fixture(scope="session")
def trained(run):
    """Makes a trained model of a kind of `KINDS`."""

    def make(kind="gru, additive"):
        config = model_config(KINDS[kind])
        other = replace(run, config=run.config.model_copy(update={"model": config}))
        sizes = len(run.source_vocabulary), len(run.target_vocabulary)
        return Trained(other, "pytorch", "best", random_parameters(config, sizes), {"step": 3})

    return make
