"""How much memory training needs: as counted by hand, and refused where there is too little for certain."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.batches import EncodedPairs, Sequences, collate, training_batches
from diptych.errors import RunError
from diptych.parameters.specification import specification
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import memory
from diptych.training.loop import train
from diptych.training.memory import LargestBatch, largest_batch, needed_memory, total_memory

LENGTHS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=30)


def pairs_of(lengths):
    sides = [[[4] * pair[side] for pair in lengths] for side in (0, 1)]
    return EncodedPairs(Sequences.of(sides[0]), Sequences.of(sides[1]), np.arange(len(lengths), dtype=np.int32))


@given(LENGTHS, st.integers(1, 40), st.sampled_from(["sentences", "tokens"]))
def test_the_largest_batch_is_that_of_an_epoch(lengths, batch_size, batch_by):
    pairs = pairs_of(lengths)
    config = RunConfig(training=TrainingConfig(batch_size=batch_size, batch_by=batch_by))
    batches = [collate(pairs, rows) for rows in training_batches(pairs, batch_size, 1, 0, batch_by)]
    expected = max((b.target_tokens, len(b.rows), b.target_output.shape[1]) for b in batches)
    found = largest_batch(pairs, config)
    assert (found.target_tokens, found.rows, found.target) == expected
    assert found.source == max(source for source, _ in lengths)


@pytest.mark.parametrize(
    ("training", "moments", "others", "number"),
    [
        ({"optimizer": "adam"}, 2, (0, 0), 4),
        ({"optimizer": "adamw", "precision": "float64"}, 2, (0, 0), 8),
        ({"optimizer": "adam", "precision": "bfloat16"}, 2, (0, 0), 4),
        ({"optimizer": "sgd", "momentum": 0.9}, 1, (0, 0), 4),
        ({"optimizer": "sgd"}, 0, (0, 0), 4),
        ({"optimizer": "adam", "ema_decay": 0.9}, 2, (1, 0), 4),
        ({"optimizer": "adam", "precision": "exact"}, 2, (0, 1), 8),
        ({"optimizer": "sgd", "precision": "exact", "ema_decay": 0.9}, 0, (1, 1), 8),
    ],
)
def test_every_number_is_counted(training, moments, others, number):
    config = RunConfig(training=TrainingConfig(**training))
    weights = sum(np.zeros(each.shape).size for each in specification(config.model, 50, 70).values())
    found = needed_memory(config, (50, 70), LargestBatch(8, 5, 6, 40))
    assert found.parameters == found.gradients == weights * number
    assert found.moments == moments * weights * number
    assert (found.average, found.rounding) == tuple(count * weights * number for count in others)
    assert found.logits == 40 * 70 * number
    arrays = 2 + moments + sum(others)
    assert found.certain == arrays * weights * number + found.logits < found.total


def test_what_lies_between_grows_with_every_size():
    small = LargestBatch(8, 5, 6, 40)
    for batch in (LargestBatch(16, 5, 6, 40), LargestBatch(8, 10, 6, 40), LargestBatch(8, 5, 12, 40)):
        assert (
            needed_memory(RunConfig(), (50, 70), batch).activations
            > needed_memory(RunConfig(), (50, 70), small).activations
        )
    additive, dot = (RunConfig(model=ModelConfig(attention=kind)) for kind in ("additive", "dot"))
    assert needed_memory(additive, (50, 70), small).activations > needed_memory(dot, (50, 70), small).activations


def test_this_machine_has_some_memory():
    assert total_memory() is None or total_memory() > 10**8


@pytest.fixture
def run(tmp_path):
    config = RunConfig(
        data=DataConfig(maximum_pairs=30, validation_size=4, test_size=2),
        model=ModelConfig(embedding_size=4, encoder_size=4, decoder_size=4),
    )
    return Run.create(config, tmp_path / "run")


def test_what_cannot_fit_is_refused_before_a_framework_is_loaded(run, monkeypatch):
    batch = largest_batch(run.encoded().train, run.config)
    need = needed_memory(run.config, (len(run.source_vocabulary), len(run.target_vocabulary)), batch)
    monkeypatch.setattr(memory, "total_memory", lambda: need.certain - 1)
    monkeypatch.setattr("diptych.training.learner.load", None)
    with pytest.raises(RunError) as raised:
        train(run, "pytorch", device="cpu", reporter=QuietReporter())
    assert re.search(
        r"where there are 0.0 GB of memory: a batch of \d+ pairs .* lower .* maximum_length", str(raised.value)
    )
    monkeypatch.setattr(memory, "total_memory", lambda: need.certain)
    memory.check_memory(run, run.encoded().train, "cpu")
    monkeypatch.setattr(memory, "total_memory", lambda: None)
    memory.check_memory(run, run.encoded().train, "cpu")
