"""A batch does what is not done yet, notes each as it ends, and goes on where it stopped."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest

from diptych.config import RunConfig, TrainingConfig
from diptych.errors import BackendError, RunError
from diptych.experiments import batch as module
from diptych.experiments.batch import NOTES, Batch, Judgement
from diptych.experiments.plan import Planned

JUDGEMENT = Judgement("validation", ("wer",), {}, ("ensemble", "vote"))


class Recorded:
    """Stands for a process: what it was asked, and an answer; training fails where its folder is in `fails`."""

    asked: ClassVar[list] = []
    fails: ClassVar[set] = set()

    def __init__(self, who, made_of, arguments):
        self.backend = arguments["backend"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ask(self, do, **arguments):
        name = arguments["folder"].rpartition("/")[2]
        if do == "train":
            if name in self.fails:
                raise BackendError(f"{name} failed")
            self.asked.append(("train", name, self.backend))
            return {"seconds": 1.0, "peak_bytes": None}
        self.asked.append(("vote" if arguments["vote"] else "score", name, len(arguments["members"])))
        return {"wer": {"score": 1.0}}


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setattr(module, "Process", Recorded)
    monkeypatch.setattr(Recorded, "asked", [])
    monkeypatch.setattr(Recorded, "fails", set())
    return Recorded


def plan(seeds=(1, 2), task="kor", rate=0.004):
    return [
        Planned(
            f"{task}-{seed}",
            {"variables.language": task, "training.seed": str(seed)},
            RunConfig(training=TrainingConfig(seed=seed, learning_rate=rate)),
            "pytorch",
        )
        for seed in seeds
    ]


def run(folder, wanted, judgement=JUDGEMENT, jobs=1):
    batch = Batch(folder)
    batch.run(wanted, judgement, jobs, lambda text: None)
    return batch


def test_each_is_trained_and_scored_and_then_all_of_a_task_together(asked, tmp_path):
    run(tmp_path, plan() + plan((1,), "ice"))
    assert sorted(each for each in asked.asked if each[0] == "train") == [
        ("train", "ice-1", "pytorch"), ("train", "kor-1", "pytorch"), ("train", "kor-2", "pytorch"),
    ]  # fmt: skip
    # One model is no ensemble.
    assert asked.asked[-2:] == [("score", "kor-1", 1), ("vote", "kor-1", 1)]


def test_what_is_done_is_not_done_again(asked, tmp_path):
    run(tmp_path, plan())
    asked.asked.clear()
    batch = run(tmp_path, plan())
    assert asked.asked == []
    assert len(batch.results(plan(), JUDGEMENT)) == 4


@pytest.mark.parametrize(
    ("wanted", "judgement", "again"),
    [
        (plan(rate=0.1), JUDGEMENT, 2),
        (plan(), Judgement("test", ("wer",)), 2),
        (plan(), Judgement("validation", ("wer",), {"beam_size": 5}), 2),
        (plan((1, 2, 3)), Judgement("validation", ("wer",)), 1),
    ],
)
def test_other_configs_parts_and_searches_are_new(asked, tmp_path, wanted, judgement, again):
    run(tmp_path, plan())
    asked.asked.clear()
    run(tmp_path, wanted, judgement)
    assert sum(each[0] == "train" for each in asked.asked) == again


def test_a_failure_leaves_what_was_done(asked, tmp_path):
    asked.fails = {"kor-2"}
    with pytest.raises(BackendError, match="kor-2 failed"):
        run(tmp_path, plan())
    assert list(json.loads((tmp_path / NOTES).read_text(encoding="utf-8"))["results"]) == ["kor-1"]
    asked.fails = set()
    run(tmp_path, plan())
    assert [each[1] for each in asked.asked if each[0] == "train"] == ["kor-1", "kor-2"]


def test_side_by_side_gives_the_same_notes(asked, tmp_path):
    one = run(tmp_path / "one", plan((1, 2, 3, 4)), jobs=1)
    three = run(tmp_path / "three", plan((1, 2, 3, 4)), jobs=3)
    assert one.results(plan((1, 2, 3, 4)), JUDGEMENT) == three.results(plan((1, 2, 3, 4)), JUDGEMENT)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"results": 3}', "[" * 100_000])
def test_damaged_notes_are_one_error(tmp_path, text):
    (tmp_path / NOTES).write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"batch.json is damaged"):
        Batch(tmp_path)
