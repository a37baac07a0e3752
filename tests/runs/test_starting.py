"""Training that starts from a model that is there: rows by token, the rest by name."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from diptych.config import ModelConfig, RunConfig, TrainingConfig
from diptych.errors import CheckpointError, RunError, UsageError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run

MODEL = ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5)
OLD = [("a b c", "x y"), ("b a", "y"), ("c", "x x")]
NEW = [("b d", "y z"), ("d b a", "z x"), ("e", "w")]
HELD = {"validation": OLD[:1], "test": OLD[:1]}


class Notes(QuietReporter):
    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A run, and the weights of its checkpoint, all near 10."""
    run = Run.create(RunConfig(name="base", model=MODEL), tmp_path_factory.mktemp("base") / "base", pairs=OLD, **HELD)
    values = {name: value + 10.0 for name, value in run.initial_parameters().items()}
    run.record("pytorch").write_checkpoint(Checkpoint(values, {}, {"step": 7}))
    return run, values


def start(folder, base, pairs=NEW, model=MODEL, reporter=None, **training):
    given = {"start_from": str(base.folder if isinstance(base, Run) else base), "seed": 3} | training
    config = RunConfig(name="new", model=model, training=TrainingConfig(**given))
    return Run.create(config, folder / "new", pairs=pairs, reporter=reporter, **HELD)


def test_vocabularies_that_are_kept_take_over_every_weight(base, tmp_path):
    run, values = base
    notes = Notes()
    started = start(tmp_path, run, reporter=notes)
    assert (started.source, started.target) == (run.source, run.target)
    found = started.initial_parameters()
    assert list(found) == list(values) and all(np.array_equal(found[name], values[name]) for name in values)
    unknown = [note.split(";")[0] for note in notes.said if "unknown" in note]
    assert unknown == [
        f"{side}: 2 of the corpus's {number} tokens are unknown to the vocabulary that is kept"
        for side, number in (("source", 4), ("target", 4))
    ]


@pytest.mark.parametrize("rule", ["extended", "new"])
def test_rows_are_taken_over_by_token_and_new_ones_drawn(base, tmp_path, rule):
    run, values = base
    notes = Notes()
    started = start(tmp_path, run, start_vocabulary=rule, reporter=notes)
    found, (old, new) = started.initial_parameters(), (run.source_vocabulary, started.source_vocabulary)
    if rule == "extended":
        assert new.entries[: len(old.entries)] == old.entries and set(new.entries[len(old.entries) :]) == {"d", "e"}
    else:
        assert set(new.entries) == {"a", "b", "d", "e"}
    table, before = found["source_embedding.weight"], values["source_embedding.weight"]
    for row, token in enumerate(new.tokens):
        if token in old.tokens:
            assert np.array_equal(table[row], before[old.tokens.index(token)])
        else:
            assert np.abs(table[row]).max() < 5.0
    assert np.array_equal(found["encoder.forward_layers.0.weight_hh"], values["encoder.forward_layers.0.weight_hh"])
    assert any("source_embedding.weight: 2 of" in note for note in notes.said)


def test_the_run_needs_its_base_no_more(base, tmp_path):
    run, values = base
    shutil.copytree(run.folder, tmp_path / "copy")
    started = start(tmp_path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy")
    again = Run.open(started.folder)
    assert np.array_equal(again.initial_parameters()["output_layer.bias"], values["output_layer.bias"])
    (started.folder / "start" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="start"):
        again.initial_parameters()


def test_a_file_of_weights_will_do_where_every_shape_is_the_same(base, tmp_path):
    _, values = base
    save_file(values, tmp_path / "weights.safetensors")
    started = start(tmp_path, tmp_path / "weights.safetensors", pairs=OLD)
    assert np.array_equal(started.initial_parameters()["output_layer.bias"], values["output_layer.bias"])
    with pytest.raises(RunError, match=r"source_embedding.weight is \(7, 4\), expected \(8, 4\)"):
        start(tmp_path / "other", tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MODEL.model_copy(update={"decoder_size": 6}), "of another model: .* expected"),
        (MODEL.model_copy(update={"encoder_layers": 2}), "encoder.forward_layers.1.weight_ih is missing"),
        (MODEL.model_copy(update={"bidirectional": False}), "encoder.backward_layers.0.weight_ih is not in this model"),
    ],
)
def test_another_model_is_refused(base, tmp_path, model, message):
    with pytest.raises(RunError, match=message):
        start(tmp_path, base[0], model=model)
    assert not (tmp_path / "new").exists()


def test_what_is_no_model_is_refused(base, tmp_path):
    with pytest.raises(UsageError, match="give the folder of a run"):
        start(tmp_path, tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="cannot read"):
        start(tmp_path, tmp_path / "nothing.safetensors")
    untrained = Run.create(RunConfig(name="u", model=MODEL), tmp_path / "untrained", pairs=OLD, **HELD)
    with pytest.raises(RunError, match="nothing has been trained there"):
        start(tmp_path, untrained)
    with pytest.raises(RunError, match="nothing has been trained there"):
        start(tmp_path, f"{base[0].folder}:tensorflow")
