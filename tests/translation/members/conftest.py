"""Tiny runs of equal vocabularies."""

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run

CONFIG = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=40, validation_size=3, test_size=4),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8),
    training=TrainingConfig(precision="float64"),
)


@pytest.fixture(scope="session")
def make_run():
    """Makes a run with checkpoints that hold the initial weights of a seed, enlarged so that it says something."""

    def make(folder, seed=1, backends=("pytorch",), scales=(4.0,), **data):
        config = CONFIG.model_copy(
            update={
                "training": CONFIG.training.model_copy(update={"seed": seed}),
                "data": CONFIG.data.model_copy(update=data),
            }
        )
        run = Run.create(config, folder)
        for backend in backends:
            for step, scale in enumerate(scales, 1):
                parameters = {name: scale * values for name, values in run.initial_parameters().items()}
                run.record(backend).write_checkpoint(Checkpoint(parameters, {}, {"step": step}), best=step == 1)
        return run

    return make


@pytest.fixture(scope="session")
def runs(make_run, tmp_path_factory):
    """Four seeds of one config."""
    folder = tmp_path_factory.mktemp("runs")
    return [make_run(folder / f"seed-{seed}", seed) for seed in range(1, 5)]
