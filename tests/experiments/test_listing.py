"""What `diptych runs` says of each run."""

from __future__ import annotations

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import RunError
from diptych.experiments.listing import list_runs
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.training.schedule import Place
from diptych.training.state import TrainingState

CONFIG = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
    model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
    training=TrainingConfig(batch_size=10, epochs=2, precision="float64"),
)


def trained(run, backend, place, validated=True):
    record = run.record(backend)
    for step in range(1, place.step + 1):
        record.append_metrics({"step": step, "loss": 1.0, "target_tokens": 30, "seconds": 0.5})
    record.append_metrics({"step": place.step, "validation_loss": 2.5, "bleu": 7.0, "best": True})
    state = TrainingState(place, validated=validated).to_json()
    record.write_checkpoint(Checkpoint(run.initial_parameters(), {}, state))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    Run.create(CONFIG, folder / "new")
    both = Run.create(CONFIG, folder / "deep" / "both")
    trained(both, "tensorflow", Place(6, 2, 0))
    trained(both, "pytorch", Place(4, 1, 1))
    broken = Run.create(CONFIG, folder / "broken")
    (broken.folder / "tokenizer" / "source.json").write_text("{", encoding="utf-8")
    (folder / "no-run").mkdir()
    return folder


def test_each_run_and_backend_has_a_line(folder):
    broken, finished, stopped, new = list_runs(folder)
    assert broken.state == "damaged" and "source.json" in broken.fault and not finished.fault
    assert (finished.backend, finished.state, finished.steps) == ("tensorflow", "finished", (6, 6))
    assert (stopped.backend, stopped.state, stopped.steps) == ("pytorch", "not finished", (4, 6))
    assert stopped.validation_loss == 2.5 and stopped.scores == {"bleu": 7.0} and stopped.tokens_per_second == 60.0
    assert (new.backend, new.state, new.folder.name) == ("", "new", "new")


def test_a_run_lists_itself_and_no_folder_is_an_error(folder):
    assert [each.folder.name for each in list_runs(folder / "new")] == ["new"]
    with pytest.raises(RunError, match="is no folder"):
        list_runs(folder / "missing")
