"""What the trials do: which batches, how many rows, and what is told of them."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from diptych import panel as panels
from diptych import reference
from diptych.benchmark.arithmetic import decoding_products, training_products
from diptych.benchmark.decoding_trial import DecodingTrial
from diptych.benchmark.exported_speed import exported_speeds
from diptych.benchmark.speed import endless_parameters, search_name, speeds
from diptych.benchmark.training_trial import TrainingTrial
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.exported import runtime
from diptych.runs.run import Run

CONFIG = RunConfig(
    data=DataConfig(maximum_pairs=90, validation_size=3, test_size=21),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, attention="general"),
    training=TrainingConfig(batch_size=8, precision="float64"),
    search=SearchConfig(batch_size=5),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run.create(CONFIG, tmp_path_factory.mktemp("speed") / "run")


@pytest.fixture(scope="module")
def pytorch(with_pytorch):
    return panels.load("pytorch", device="cpu")


class CountedRows(reference.Stepper):
    """A stepper that counts the rows it extends, step by step."""

    rows: list[int]

    def start(self, source, source_lengths):
        self.rows.append(-len(source))  # a new batch
        return super().start(source, source_lengths)

    def step(self, state, tokens):
        self.rows.append(len(tokens))
        return super().step(state, tokens)


def decoding_trial(run, beam_size, batches=0):
    model = reference.Model(run.config.model, len(run.source_vocabulary), len(run.target_vocabulary), "float64")
    reference.load_parameters(model, endless_parameters(run))
    return DecodingTrial(reference, run, model, run.corpus().test, beam_size, batches, ends=False)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_decoding_extends_as_many_rows_as_its_ceiling_counts(run, monkeypatch, beam_size):
    monkeypatch.setattr(reference, "Stepper", CountedRows)
    CountedRows.rows = []
    trial = decoding_trial(run, beam_size)
    trial.prepare()
    CountedRows.rows.clear()
    trial.block()
    expected = []
    for source, lengths, longest in trial.batches:
        expected += [-len(lengths), *trial._rows(longest)]
        assert source.shape[0] == len(lengths) == len(longest)
    assert CountedRows.rows == expected
    output = [each for each in trial.products() if each.name == "output layer"]
    assert sum(each.m * each.count for each in output) == sum(rows for rows in expected if rows > 0)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_initial_weights_give_translations_as_long_as_the_references(run, beam_size):
    trial = decoding_trial(run, beam_size)
    expected = [1 + len(run.target_tokenizer.tokenize(target)) for _, target in run.corpus().test]
    assert trial.counts == {"batches": 5, "sentences": 21, "target_tokens": sum(expected)}
    trial.prepare()
    assert trial.block() > 0.0
    assert trial.counts["target_tokens"] == sum(expected)
    assert trial.details() == {"lengths": "the references'"}


@pytest.mark.skipif(not runtime.is_installed(), reason="onnxruntime is not installed here")
def test_onnx_runtime_does_the_same_trials(run):
    given = {"config": run.config.model_dump(mode="json"), "beam_sizes": [1, 3], "batches": 2, "blocks": 2}
    told = exported_speeds(
        reference, str(run.folder), **given, seconds=0.0, started=time.time(), threads=1, device="cpu"
    )
    for name, beam_size in (("greedy", 1), ("beam 3", 3)):
        blocks, expected = told["trials"][name]["blocks"], decoding_trial(run, beam_size, batches=2).counts
        assert len(blocks) == 2 and all(block.items() >= expected.items() for block in blocks)
        assert told["trials"][name]["ceiling"] is None


def test_decoded_batches_go_from_long_to_short(run):
    lengths = np.concatenate([lengths for _, lengths, _ in decoding_trial(run, 1).batches])
    assert (np.diff(lengths) <= 0).all()
    few = decoding_trial(run, 1, batches=2)
    assert few.counts["batches"] == 2
    assert few.batches[0][1].min() >= few.batches[1][1].max()


def test_the_typical_products_have_the_names_of_all(run):
    trial = decoding_trial(run, 3)
    assert {each.name for each in trial.typical()} == {each.name for each in trial.products()}
    assert len({each.name for each in trial.typical()}) == len(trial.typical())


def test_a_search_says_its_name():
    assert [search_name(size) for size in (1, 2, 5)] == ["greedy", "beam 2", "beam 5"]


def test_training_takes_batches_from_short_to_long_and_the_same_in_each_block(run, pytorch, monkeypatch):
    seen = []
    step = pytorch.TrainingStep.step

    def recorded(training, batch, masks, learning_rate):
        seen.append((batch.rows.tolist(), {place: mask.sum() for place, mask in masks.items()}))
        return step(training, batch, masks, learning_rate)

    monkeypatch.setattr(pytorch.TrainingStep, "step", recorded)
    trial = TrainingTrial(pytorch, run, model_of(pytorch, run), 4)
    lengths = [batch.target_tokens for batch in trial.batches]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]
    assert {len(batch.rows) for batch in trial.batches} == {8}
    assert trial.counts["steps"] == 4 and trial.counts["sentences"] == 32
    assert trial.counts["target_tokens"] == sum(lengths) <= trial.counts["target_positions"]
    trial.prepare()
    seen.clear()
    trial.block()
    trial.block()
    rows, masks = zip(*seen, strict=True)
    assert list(rows[:4]) == list(rows[4:]) == [batch.rows.tolist() for batch in trial.batches]
    assert masks[:4] != masks[4:]  # of other steps, as in training
    assert all(masks)


def test_the_ceiling_of_training_is_that_of_its_batches(run, pytorch):
    trial = TrainingTrial(pytorch, run, model_of(pytorch, run), 3)
    expected = []
    for batch in trial.batches:
        sizes = (*batch.source.shape, batch.target_output.shape[1], batch.target_tokens)
        expected += training_products(CONFIG.model, len(run.target_vocabulary), *sizes)
    assert trial.products() == expected
    assert {(each.name, each.part) for each in trial.typical()} == {(each.name, each.part) for each in expected}


def test_an_epoch_shorter_than_a_batch_is_one_batch(tmp_path, pytorch):
    config = CONFIG.model_copy(update={"training": TrainingConfig(batch_size=500)})
    run = Run.create(config, tmp_path / "run")
    trial = TrainingTrial(pytorch, run, model_of(pytorch, run), 3)
    assert trial.counts["steps"] == 1
    assert trial.counts["sentences"] == len(run.corpus().train)


def test_speeds_of_another_config_on_the_same_corpus(run, pytorch):
    config = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"attention": "additive"})})
    found = speeds(
        pytorch, str(run.folder), config.model_dump(mode="json"), [1, 2], steps=2, batches=1, blocks=2, seconds=0.0,
        started=0.0,
    )  # fmt: skip
    assert list(found["trials"]) == ["greedy", "beam 2", "training"]
    for name, trial in found["trials"].items():
        assert len(trial["blocks"]) == 2
        assert trial["ceiling"]["seconds"] > 0.0
        names = {each["name"] for each in trial["ceiling"]["products"]}
        assert "attention query" in names  # additive has one, general has none
        assert ("compilations" in trial) == (name == "training")
    rows = {name: trial["ceiling"]["operations"] for name, trial in found["trials"].items()}
    assert rows["greedy"] < rows["beam 2"] < 2 * rows["greedy"]
    assert json.loads(json.dumps(found)) == found


def test_more_steps_are_more_arithmetic(run):
    one, two = (
        sum(each.operations for each in decoding_products(CONFIG.model, 50, 5, 7, [5] * steps)) for steps in (1, 2)
    )
    assert one < two < 2 * one


def model_of(panel, run):
    model = panel.Model(run.config.model, len(run.source_vocabulary), len(run.target_vocabulary), "float64")
    panel.load_parameters(model, run.initial_parameters())
    return model
