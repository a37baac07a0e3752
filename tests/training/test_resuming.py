"""What is resumed equals what was never stopped, whatever stopped it, in whichever framework; on a made-up panel."""

import shutil
import signal
import threading

import pytest

from diptych.errors import CheckpointError
from diptych.training import learner

STEPS = 10  # 2 epochs of 5 batches


def test_a_run_keeps_to_what_it_chose_by_measuring_when_it_began(panel, make_run, quietly):
    run = make_run()
    quietly(run, stop_at=3)
    panel.fastest = "second kernel"
    quietly(run, resume=True, stop_at=6)
    assert panel.kept == "first kernel"
    assert run.read_checkpoint("pytorch").state["choices"] == {"pytorch": {"kernel": "first kernel"}}
    quietly(run, "tensorflow", resume=True)  # another framework has kernels of its own
    assert panel.kept == "second kernel"


@pytest.mark.parametrize("validate_every", [0, 3])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_run_stopped_anywhere_and_resumed_is_the_run_that_was_not(
    panel, make_run, validate_every, precision, quietly, everything
):
    options = {"validate_every": validate_every, "precision": precision, "keep_checkpoints": 9}
    whole = make_run("whole", **options)
    report = quietly(whole)
    assert report.finished and report.steps == STEPS and report.epochs == 2
    assert [line["step"] for line in whole.read_metrics("pytorch") if "loss" in line] == list(range(1, STEPS + 1))
    for stop in range(1, STEPS + 1):
        run = make_run(f"stopped at {stop}", **options)
        first = quietly(run, stop_at=stop)
        assert (first.steps, first.finished) == (stop, stop == STEPS)
        second = quietly(run, resume=True)
        assert (second.resumed_from, second.steps) == (stop, STEPS)
        assert everything(run) == everything(whole)
        assert second.losses == report.losses and second.validation_losses == report.validation_losses
        assert (second.best_validation_loss, second.best_step) == (report.best_validation_loss, report.best_step)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "choices",
    [{"ema_decay": 0.5}, {"teacher_forcing": 0.2, "teacher_forcing_decay": "linear"}, {"accumulate": 2}],
    ids=lambda choices: next(iter(choices)),
)
def test_a_run_with_any_choice_stopped_and_resumed_is_the_run_that_was_not(
    panel, make_run, choices, precision, quietly, everything
):
    whole = make_run("whole", precision=precision, **choices)
    steps = quietly(whole).steps
    for stop in range(1, steps):
        run = make_run(f"stopped at {stop}", precision=precision, **choices)
        quietly(run, stop_at=stop)
        quietly(run, resume=True)
        assert everything(run) == everything(whole)


@pytest.mark.parametrize("killed_at", [2, 3, 4, 5, 9])
def test_a_run_killed_in_a_step_and_resumed_is_the_run_that_was_not(panel, make_run, killed_at, quietly, everything):
    whole, run = (make_run(name, validate_every=3) for name in ("whole", "killed"))
    quietly(whole)

    def die(step):
        if step == killed_at:
            raise SystemExit

    panel.before_step = die
    with pytest.raises(SystemExit):
        quietly(run)
    panel.before_step = lambda step: None
    assert quietly(run, resume=True).resumed_from == (killed_at - 1) // 3 * 3
    assert everything(run) == everything(whole)


@pytest.mark.parametrize("step", [1, 4, 5, 10])
@pytest.mark.parametrize("where", ["before_step", "before_evaluation"])
def test_ctrl_c_finishes_the_step_and_leaves_a_run_that_goes_on_as_if_nothing_was(
    panel, make_run, step, where, quietly, everything
):
    whole, run = (make_run(name, validate_every=5) for name in ("whole", "interrupted"))
    quietly(whole)
    setattr(panel, where, lambda now: now == step and signal.raise_signal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    report = quietly(run)
    assert signal.getsignal(signal.SIGINT) == before
    if where == "before_evaluation" and step != 5:  # no validation there, or all there was left to do
        assert report.finished and not report.interrupted
    else:
        assert report.interrupted and not report.finished and report.steps == step
        assert run.read_checkpoint("pytorch", "best").state["step"] in (5, step)
    setattr(panel, where, lambda now: None)
    quietly(run, resume=True)
    assert everything(run) == everything(whole)


def test_a_second_ctrl_c_interrupts_at_once(panel, make_run, quietly, listener):
    run = make_run()

    def insist(step):
        if step == 7:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    panel.before_step = insist
    listener = listener
    with pytest.raises(KeyboardInterrupt):
        quietly(run, reporter=listener)
    assert run.record("pytorch").steps() == 5
    assert listener.ended == 1
    for thread in threading.enumerate():
        if thread.name.startswith("prefetch"):
            thread.join(10)
            assert not thread.is_alive()


def test_a_run_begun_in_one_framework_goes_on_in_the_other_and_back(panel, make_run, quietly, everything, listener):
    whole, run = (make_run(name, validate_every=2) for name in ("whole", "shared"))
    quietly(whole)
    quietly(run, "tensorflow", stop_at=3)
    listener = listener
    assert quietly(run, "pytorch", resume=True, stop_at=7, reporter=listener).resumed_from == 3
    assert listener.notes == ["goes on from the checkpoint of tensorflow"]
    assert quietly(run, "tensorflow", resume=True).resumed_from == 7
    assert everything(run, "tensorflow") == everything(whole)
    doers = [line["backend"] for line in run.read_metrics("tensorflow") if "loss" in line]
    assert doers == ["tensorflow"] * 3 + ["pytorch"] * 4 + ["tensorflow"] * 3
    lineage = run.read_checkpoint("tensorflow", "latest").state["lineage"]
    assert lineage == [["tensorflow", 0], ["pytorch", 3], ["tensorflow", 7]]


def test_what_is_behind_is_never_taken_over(panel, make_run, quietly):
    run = make_run()
    quietly(run, "tensorflow", stop_at=3)
    quietly(run, "pytorch", resume=True, stop_at=3)
    quietly(run, "tensorflow", resume=True, stop_at=7)
    assert quietly(run, "tensorflow", resume=True).resumed_from == 7


def test_the_best_checkpoint_goes_along_to_the_other_framework(panel, make_run, quietly):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 1.0, 4: 2.0, 6: 2.0, 8: 2.0, 10: 2.0}
    quietly(run, "tensorflow", stop_at=5)
    quietly(run, "pytorch", resume=True)
    assert run.read_checkpoint("pytorch", "best").state["step"] == 2
    assert run.read_checkpoint("pytorch", "latest").state["step"] == STEPS


def test_two_backends_trained_from_the_beginning_do_not_take_over_each_other_s_steps(panel, make_run, quietly):
    run = make_run()
    quietly(run, "tensorflow")
    quietly(run, "pytorch", stop_at=2)
    report = quietly(run, "pytorch", resume=True)
    assert (report.resumed_from, report.steps) == (2, STEPS)
    assert {line["backend"] for line in run.read_metrics("pytorch")} == {"pytorch"}


def test_resuming_what_never_began_begins(panel, make_run, quietly):
    assert quietly(make_run(), resume=True).finished


def test_resuming_what_is_finished_does_nothing_and_reports_it(panel, make_run, monkeypatch, quietly):
    run = make_run()
    first = quietly(run)
    monkeypatch.setattr(learner, "load", None)  # no framework is needed
    second = quietly(run, resume=True)
    assert second.finished and second.seconds == 0.0 and second.target_tokens_per_second == 0.0
    assert second.losses == first.losses and second.steps == STEPS


def test_a_corpus_that_changed_is_noticed_when_training_goes_on(panel, make_run, quietly, listener):
    run = make_run()
    quietly(run, stop_at=2)
    path = run.config.data.train[0]
    with open(path, "a", encoding="utf-8") as file:
        file.write("\nnew pair\tneues paar")
    listener = listener
    assert quietly(run, resume=True, reporter=listener).finished
    assert [note for note in listener.notes if "corpus has changed" in note]


def test_a_run_without_encoded_data_is_that_of_an_earlier_version(panel, make_run, quietly, everything, listener):
    whole, run = make_run("whole"), make_run()
    quietly(whole)
    shutil.rmtree(run.folder / "data")
    quietly(run, stop_at=3)
    shutil.rmtree(run.folder / "data")
    listener = listener
    quietly(run, resume=True, reporter=listener)
    assert not listener.notes
    assert everything(run) == everything(whole)


def test_a_checkpoint_cut_short_is_named_when_training_goes_on(panel, make_run, quietly):
    run = make_run()
    quietly(run, stop_at=2)
    path = run.folder / "pytorch/checkpoints/step-00000002/optimizer.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="optimizer.safetensors .* cut short"):
        quietly(run, resume=True)


@pytest.mark.parametrize("stop", range(1, 14))
def test_a_plateau_s_rate_goes_on_through_a_resume(panel, make_run, stop, quietly, everything):
    losses = [3.0, 3.0, 3.0, 2.0, 2.0, 2.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    panel.validation_losses = dict(enumerate(losses, 1))
    options = {"epochs": 3, "maximum_steps": 14, "validate_every": 1, "schedule": "plateau", "learning_rate": 0.5}
    whole, run = make_run("whole", **options), make_run("stopped", **options)
    quietly(whole)
    rates, panel.rates = panel.rates, []
    # Lowered with the second bad validation and with the fourth, not with a better one.
    assert rates == [0.5] * 3 + [0.25] * 3 + [0.125] * 4 + [0.0625] * 2 + [0.03125] * 2
    quietly(run, stop_at=stop)
    quietly(run, resume=True)
    assert panel.rates == rates
    assert everything(run) == everything(whole)
