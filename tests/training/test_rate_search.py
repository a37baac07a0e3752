"""The learning rate range test: the rates it tries, what it sees of the model, and that it leaves nothing behind."""

import json
from itertools import pairwise

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import UsageError
from diptych.panel import BACKENDS
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import rate_search as module
from diptych.training.loop import train
from diptych.training.rate_search import range_test

TINY = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=60, validation_size=4, test_size=4),
    model=ModelConfig(embedding_size=8, encoder_size=8, decoder_size=12, dropout=0.2),
    training=TrainingConfig(epochs=1, batch_size=16, precision="float64", batch_by="sentences"),
)


@pytest.fixture
def run(tmp_path, both_frameworks):
    return Run.create(TINY, tmp_path / "run")


def test_the_rate_grows_evenly_until_the_loss_diverges(run):
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    found = range_test(run, "pytorch")
    assert found.rates[0] == 1e-6 and found.ended == "the loss diverged"
    ratios = [later / earlier for earlier, later in pairwise(found.rates)]
    assert ratios == pytest.approx([10 ** (6 / 99)] * len(ratios))
    assert found.smoothed[0] == pytest.approx(found.losses[0])
    for step, smooth in enumerate(found.smoothed, 1):
        weights = 0.9 ** np.arange(step)[::-1]
        assert smooth == pytest.approx(np.average(found.losses[:step], weights=weights))
        assert (smooth > 1.1 * found.smoothed[0]) == (step == len(found.rates))
    assert found.suggestion == pytest.approx(found.rates[-1] / 10)
    assert found.lowest_at == found.rates[int(np.argmin(found.smoothed))] < found.rates[-1]
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before
    assert not run.trained_backends()


def test_both_frameworks_find_the_same(run):
    first, second = (range_test(run, backend, steps=40) for backend in BACKENDS)
    assert first.rates == second.rates and first.ended == second.ended
    np.testing.assert_allclose(first.losses, second.losses, rtol=1e-9)


def test_its_first_steps_are_those_of_training(run):
    found = range_test(run, "pytorch", lowest=TINY.training.learning_rate, highest=1.0, steps=5)
    report = train(run, "pytorch", reporter=QuietReporter())
    assert found.losses[:2] == report.losses[:2]  # the first rate is the config's, and shows in the second loss


def test_where_nothing_diverges_all_steps_are_done(run):
    found = range_test(run, "pytorch", highest=1e-4, steps=7)
    assert len(found.rates) == 7 and found.ended == "all steps were done"
    assert found.suggestion == pytest.approx(1e-5)


def test_a_loss_that_is_not_finite_ends_it(run, monkeypatch):
    panel = module.load("pytorch")
    step, count = panel.TrainingStep.step, iter(range(99))

    def broken(self, *given):
        result = step(self, *given)
        return result._replace(loss=np.nan) if next(count) == 3 else result

    monkeypatch.setattr(panel.TrainingStep, "step", broken)
    found = range_test(run, "pytorch")
    assert (len(found.rates), found.ended) == (3, "the loss is not finite")


@pytest.mark.parametrize("given", [{"lowest": 0.0}, {"lowest": 1.0}, {"steps": 1}, {"highest": np.inf}])
def test_rates_that_do_not_grow_are_refused(run, given):
    with pytest.raises(UsageError, match="needs 0 < lowest < highest and 2 or more steps"):
        range_test(run, "pytorch", **given)


def test_the_command_suggests_and_draws(run, tmp_path, capfd):
    from diptych.cli import main

    picture = tmp_path / "rates.png"
    assert main(["find-rate", str(run.folder), "--plot", str(picture), "--steps", "30", "--quiet"]) == 0
    out, error = capfd.readouterr()
    assert "suggested: learning_rate = " in out and "the config has 0.004" in out and error == ""
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["find-rate", str(run.folder), "--steps", "30", "--quiet", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["suggestion"] == pytest.approx(told["rates"][-1] / 10) and told["run"] == str(run.folder)
    assert main(["find-rate", str(run.folder), "--plot", str(tmp_path / "rates.gif")]) == 2
    assert "ends in .png or .svg" in capfd.readouterr().err
