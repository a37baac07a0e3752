"""What `make bench` has our backends do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych import reference
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.data.tokens.vocabulary import EOS
from diptych.panel import load
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run

CONFIG = RunConfig(
    data=DataConfig(maximum_pairs=90, validation_size=3, test_size=21),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, attention="general"),
    training=TrainingConfig(batch_size=8, precision="float64"),
    search=SearchConfig(batch_size=5),
)


@pytest.fixture
def timed(monkeypatch):
    """The module of benchmarks/."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return pytest.importorskip("ours_timed")


def test_a_trained_run_decodes_with_its_best_weights_and_ends_itself(tmp_path, timed):
    run = Run.create(CONFIG, tmp_path / "run")
    untrained = timed.decoding_speed(reference, str(run.folder), blocks=2)
    assert untrained["lengths"] == "the references'"
    ending = run.initial_parameters()
    ending["output_layer.bias"][EOS] = 100.0  # says nothing but eos
    run.record("tensorflow").write_checkpoint(Checkpoint(ending, {}, {"step": 1}), best=True)
    trained = timed.decoding_speed(reference, str(run.folder), blocks=2)
    assert trained["lengths"] == "the model's own"
    assert [block["target_tokens"] for block in trained["blocks"]] == [21, 21]
    assert untrained["blocks"][0]["target_tokens"] > 21
    assert len(untrained["blocks"]) == len(trained["blocks"]) == 2
    assert json.loads(json.dumps(trained)) == trained


@pytest.mark.usefixtures("with_pytorch")
def test_training_is_timed_block_by_block_on_the_same_batches(tmp_path, timed):
    run, pytorch = Run.create(CONFIG, tmp_path / "run"), load("pytorch", device="cpu")
    told = timed.training_speed(pytorch, str(run.folder), blocks=3, steps=2)
    assert len(told["blocks"]) == 3
    assert len({block["target_tokens"] for block in told["blocks"]}) == 1
    assert all(block["seconds"] > 0.0 for block in told["blocks"])
    assert told["versions"] == pytorch.versions()
    assert json.loads(json.dumps(told)) == told
