"""Options of training, each from a config to its end in both frameworks: the same losses, rates and validations."""

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import Checkpoint
from diptych.parameters.freezing import frozen_weights
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

OPTIONS = {
    "tokens, exponential, started": {
        "batch_by": "tokens",
        "batch_size": 120,
        "schedule": "exponential",
        "decay_rate": 0.9,
    }
    | {"warmup_steps": 2},
    "one cycle, frozen, averaged": {"schedule": "one_cycle", "rise_share": 0.3, "minimum_learning_rate": 0.001}
    | {"freeze": ("encoder.*", "*_embedding.weight"), "ema_decay": 0.9},
    "plateau, skip, scores": {"schedule": "plateau", "plateau_patience": 1, "plateau_factor": 0.1, "learning_rate": 0.4}
    | {"non_finite": "skip", "stop_metric": "chrf", "validation_sentences": 5},
}
"""Several at once, which have nothing to do with each other: TensorFlow traces its graphs anew for each training."""


def config_of(**training):
    usual = {"epochs": 2, "batch_size": 12, "validate_every": 2, "precision": "float64", "learning_rate": 0.01}
    return RunConfig(
        name="tiny",
        data=DataConfig(maximum_pairs=50, validation_size=8, test_size=4),
        model=ModelConfig(embedding_size=6, encoder_size=5, decoder_size=7, dropout=0.2),
        training=TrainingConfig(**usual | training),
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_both_frameworks_train_alike(tmp_path, name, both_frameworks):
    config, drawn = config_of(**OPTIONS[name]), None
    if name.endswith("started"):  # from a model that is there
        base = Run.create(config_of(seed=5), tmp_path / "base")
        drawn = base.initial_parameters()
        base.record("pytorch").write_checkpoint(Checkpoint(drawn, {}, {"step": 1}))
        config = config_of(**OPTIONS[name], start_from=str(base.folder))
    run = Run.create(config, tmp_path / "run")
    assert drawn is None or all(np.array_equal(run.initial_parameters()[each], drawn[each]) for each in drawn)
    lines = []
    for backend in BACKENDS:
        report = train(run, backend, reporter=QuietReporter())
        assert report.finished and report.epochs == 2
        told = run.read_metrics(backend)
        if config.training.freeze:
            trained, first = run.read_checkpoint(backend, "latest").parameters, run.initial_parameters()
            same = {name for name, values in trained.items() if np.array_equal(values, first[name])}
            assert same == frozen_weights(config.training.freeze, first)
        lines.append([{key: line[key] for key in line if key not in ("seconds", "backend", "digest")} for line in told])
    first, second = lines
    assert len(first) == len(second) > 6
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, rel=1e-7)
