"""configs/four-pairs.toml: the four sentences that a reader tries first are known by heart, in both frameworks."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.config import read_config
from diptych.data.opening import load_corpus
from diptych.panel import BACKENDS
from diptych.processes.call import call
from diptych.runs.run import Run

CONFIG = Path(__file__).parents[1] / "configs" / "four-pairs.toml"


def test_training_validation_and_test_are_the_same_four_pairs():
    corpus = load_corpus(read_config(CONFIG).data)
    assert len(corpus.train) == 4 and corpus.train == corpus.validation == corpus.test
    assert corpus.train[0] == ("I feel hungry", "나는 배가 고프다")


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_they_are_learnt_by_heart(both_frameworks, backend, tmp_path):
    run = Run.create(read_config(CONFIG), tmp_path / "run")
    pairs = run.corpus().test
    arguments = {
        "folder": str(run.folder), "backend": backend, "sentences": [source for source, _ in pairs], "examples": [],
        "threads": 1, "device": "cpu", "quiet": True, "tensorboard": False, "quick": True, "started": 0.0,
    }  # fmt: skip
    found = call(backend, "diptych.comparison.participant:train_and_translate", arguments, 1, "cpu")
    assert [each["text"] for each in found["translations"]] == [target for _, target in pairs]
