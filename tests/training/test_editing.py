"""A training that goes on under an edited config: obeyed where it can be, refused key by key, and told of."""

import json

import pytest

from diptych.cli.opening import Changes, open_or_create
from diptych.config import parse_config
from diptych.errors import RunError, UsageError
from diptych.panel import BACKENDS
from diptych.runs.editing import EDITS, edit
from diptych.runs.run import Run
from diptych.training.learning_rate import learning_rate
from diptych.training.loop import train


def changed(run, **values):
    whole = run.config.model_dump(mode="json")
    for key, value in values.items():
        section, _, name = key.partition("__")
        whole[section][name] = value
    return parse_config(whole)


def test_what_can_be_obeyed_is_from_the_next_step_on(panel, make_run, quietly, listener):
    run = make_run()
    quietly(run, stop_at=3)
    wanted = changed(run, training__epochs=3, training__learning_rate=0.5, training__patience=9, model__dropout=0.0)
    run = edit(run, wanted, listener)
    assert run.config == wanted and Run.open(run.folder).config == wanted
    [note] = listener.notes
    for said in ("3 of pytorch", "training.epochs = 2 is 3 now", "training.learning_rate = 0.004 is 0.5 now"):
        assert said in note
    report = quietly(run, resume=True)
    assert (report.resumed_from, report.steps, report.finished) == (3, 15, True)
    rates = [line["learning_rate"] for line in run.read_metrics("pytorch") if "loss" in line]
    assert rates[3:] == [learning_rate(wanted.training, step, total=15, plateau=1.0) for step in range(3, 15)]
    [line] = map(json.loads, (run.folder / EDITS).read_text(encoding="utf-8").splitlines())
    assert line["steps"] == {"pytorch": 3} and line["changed"]["training.epochs"] == [2, 3]


def test_an_edit_that_changes_nothing_of_a_step_changes_no_bit(panel, make_run, quietly, everything, listener):
    whole, run = make_run("whole"), make_run("edited")
    quietly(whole)
    quietly(run, stop_at=4)
    run = edit(run, changed(run, training__patience=50, training__keep_best=3, search__beam_size=7), listener)
    quietly(run, resume=True)
    assert everything(run) == everything(whole)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("training__batch_size", 8, "batches"),
        ("training__seed", 5, "batches"),
        ("training__optimizer", "sgd", "optimizer's state"),
        ("training__ema_decay", 0.9, "optimizer's state"),
        ("training__precision", "float32", "kept in it"),
        ("model__encoder_size", 8, "other shape"),
        ("data__lowercase_source", True, "vocabularies"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_by_its_name_and_nothing_changes(
    panel, make_run, quietly, listener, key, value, reason
):
    run = make_run()
    quietly(run, stop_at=3)
    before = (run.folder / "config.toml").read_bytes()
    with pytest.raises(RunError, match=f"{key.replace('__', '.')} = .*{reason}.*Could be obeyed: training.patience"):
        edit(run, changed(run, training__patience=7, **{key: value}), listener)
    assert (run.folder / "config.toml").read_bytes() == before and not (run.folder / EDITS).exists()


def test_resume_takes_an_edited_file_or_set(panel, make_run, quietly, tmp_path, listener):
    run = make_run()
    quietly(run, stop_at=3)
    config = tmp_path / "edited.toml"
    config.write_text(changed(run, training__patience=3).to_toml(), encoding="utf-8")
    with pytest.raises(RunError, match="--resume to go on with what can be obeyed"):
        open_or_create(config, run.folder, "pytorch", False, Changes(), listener)
    edited = open_or_create(config, run.folder, "pytorch", False, Changes(), listener, resume=True)
    assert edited.config.training.patience == 3 and edited.folder == run.folder
    more = Changes(["training.epochs=5"])
    again = open_or_create(run.folder, None, "pytorch", False, more, listener, resume=True)
    assert (again.config.training.epochs, again.config.training.patience) == (5, 3)
    with pytest.raises(UsageError, match="leave out --set"):
        open_or_create(run.folder, None, "pytorch", False, more, listener)
    assert len(listener.notes) == 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_each_framework_goes_on_as_edited(make_run, backend, both_frameworks, listener):
    run = make_run(epochs=1)
    train(run, backend, reporter=listener)
    run = edit(run, changed(run, training__epochs=2, training__optimizer="adam", training__beta1=0.5), listener)
    report = train(run, backend, resume=True, reporter=listener)
    assert (report.resumed_from, report.steps) == (5, 10)
