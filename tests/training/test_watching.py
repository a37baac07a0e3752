"""MLflow and Weights & Biases are told what metrics.jsonl says; stand-ins take their place where they are missing."""

import importlib.machinery
import sys
from types import ModuleType, SimpleNamespace

import pytest

from diptych.errors import UsageError
from diptych.training.tensorboard import SCALARS


class Told:
    """What a watcher's package was told, as (run, tag, value, step); and its pictures and configs by run."""

    def __init__(self):
        self.numbers, self.pictures, self.configs, self.ended = [], [], {}, []


@pytest.fixture
def told(monkeypatch):
    """Stand-ins with the parts of both packages that are called."""
    told = Told()

    class MlflowClient:
        def __init__(self, tracking_uri):
            assert tracking_uri.startswith("file:") and tracking_uri.endswith("/mlflow")

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name):
            return "1"

        def create_run(self, experiment, run_name):
            told.configs[f"mlflow {len(told.configs)}"] = {}
            return SimpleNamespace(info=SimpleNamespace(run_id=list(told.configs)[-1]))

        def log_param(self, run, key, value):
            told.configs[run][key] = value

        def log_metric(self, run, tag, value, step):
            told.numbers.append((run, tag, value, step))

        def log_artifact(self, run, path, tag):
            with open(path, "rb") as file:
                told.pictures.append((run, tag, file.read(4)))

        def set_terminated(self, run):
            told.ended.append(run)

    class Run:
        def __init__(self, given):
            self.id = given["id"]
            told.configs[self.id] = given["config"]
            assert (given["mode"], given["resume"]) == ("offline", "allow")

        def log(self, values, step):
            for tag, value in values.items():
                if isinstance(value, float):
                    told.numbers.append((self.id, tag, value, step))
                else:
                    told.pictures.append((self.id, tag, value))

        def finish(self):
            told.ended.append(self.id)

    def picture(path):
        with open(path, "rb") as file:
            return file.read(4)

    for name, parts in {
        "mlflow": {"MlflowClient": MlflowClient},
        "wandb": {"init": lambda **given: Run(given), "Image": picture},
    }.items():
        module = ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.__dict__.update(parts)
        monkeypatch.setitem(sys.modules, name, module)
    for variable in ("MLFLOW_TRACKING_URI", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    return told


@pytest.fixture
def no_pictures(monkeypatch):
    """The made-up panel has no stepper."""
    from diptych.training.learner import Learner

    monkeypatch.setattr(Learner, "pictures", lambda self, pairs: {"attention/1": b"\x89PNG and so on"})


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_watcher_is_told_what_training_says_and_goes_on_with_it(panel, make_run, quietly, told, no_pictures, name):
    run = make_run(validate_every=4)
    quietly(run, watch=[name], stop_at=3)
    quietly(run, watch=[name], resume=True)
    lines = run.read_metrics("pytorch")
    expected = [(tag, line[tag], line["step"]) for line in lines for tag in SCALARS if tag in line]
    assert len({each for each, *_ in told.numbers}) == 1, "one training of theirs"
    assert sorted((tag, value, step) for _, tag, value, step in told.numbers) == sorted(expected)
    assert {picture[1:] for picture in told.pictures} == {("attention/1", b"\x89PNG")}
    assert len(told.ended) == 2
    [config] = told.configs.values()
    assert config.get("training.epochs") == "2" if name == "mlflow" else config["training"]["epochs"] == 2
    quietly(run, watch=[name], overwrite=True, stop_at=1)
    assert len({each for each, *_ in told.numbers}) == 2, "what is begun anew is another one"


def test_what_cannot_watch_is_refused_before_anything_is_done(panel, make_run, quietly, monkeypatch):
    run = make_run()
    with pytest.raises(UsageError, match="unknown watcher 'comet'; choose among: tensorboard, mlflow, wandb"):
        quietly(run, watch=["comet"])
    from diptych.training import watching

    monkeypatch.setattr(watching.importlib.util, "find_spec", lambda name: None)
    for name in ("mlflow", "wandb"):
        with pytest.raises(UsageError, match=rf"--watch {name} needs a package .*: pip install 'diptych\[{name}\]'"):
            quietly(run, watch=[name])
    assert not (run.folder / "pytorch" / "metrics.jsonl").exists()
