"""Losses, norms and weights that are no numbers, and memory that runs out; on a made-up panel."""

import numpy as np
import pytest

from diptych.errors import CheckpointError, RunError

STEPS = 10  # 2 epochs of 5 batches


@pytest.mark.parametrize(("loss", "norm"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_a_loss_or_norm_that_is_not_finite_stops_with_step_and_rows(panel, make_run, loss, norm, quietly):
    run = make_run(validate_every=2)
    panel.result = lambda step, *real: (loss, norm) if step == 6 else real
    with pytest.raises(RunError, match=r"stopped at step 6: the loss is .* training pairs (\d+, ){3}\d+ .*step 4 is"):
        quietly(run)
    assert run.record("pytorch").steps() == 4
    assert max(line["step"] for line in run.read_metrics("pytorch")) == 5


def test_a_validation_loss_that_is_not_finite_is_never_the_best(panel, make_run, quietly):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 1.0, 4: np.nan}
    with pytest.raises(RunError, match="stopped at step 4: the validation loss is nan"):
        quietly(run)
    assert run.read_checkpoint("pytorch", "best").state["step"] == run.record("pytorch").steps() == 2


def test_weights_that_are_not_finite_are_never_written(panel, make_run, quietly):
    run = make_run(validate_every=2)
    export = panel.export_parameters
    panel.export_parameters = lambda model: {
        name: value * (np.inf if len(panel.rates) == 4 else 1.0) for name, value in export(model).items()
    }
    with pytest.raises(CheckpointError, match="not finite"):
        quietly(run)
    assert run.record("pytorch").steps() == 2


def bad_steps(panel, *steps):
    """Make the losses of these steps, counted with those that are skipped, no numbers."""
    seen = iter(range(1, 1000))

    def result(step, loss, norm):
        return (np.nan, np.inf) if next(seen) in steps else (loss, norm)

    panel.result = result


def test_a_step_that_is_not_finite_is_skipped_named_and_counted(skipping, make_run, quietly, listener):
    bad_steps(skipping, 3, 7, 8)
    run = make_run(non_finite="skip", validate_every=2)
    report = quietly(run, reporter=listener)
    assert report.finished and report.steps == STEPS and report.skipped == 3 and len(report.losses) == 7
    lines = [line for line in run.read_metrics("pytorch") if line.get("skipped")]
    assert [line["step"] for line in lines] == [3, 7, 8] and all(len(line["rows"]) == 4 for line in lines)
    assert len(listener.notes) == 3
    rows = ", ".join(map(str, lines[0]["rows"]))
    assert listener.notes[0].startswith("step 3 is skipped: the loss is nan, the gradient's norm inf;")
    assert f"training pairs {rows} (counted from 0)" in listener.notes[0]
    state = run.read_checkpoint("pytorch", "latest").state
    assert (state["step"], state["skipped"], state["skipped_in_a_row"]) == (STEPS, 3, 0)


def test_a_run_with_skipped_steps_goes_on_as_if_it_had_not_been_stopped(skipping, make_run, quietly, everything):
    whole = make_run("whole", non_finite="skip", validate_every=3)
    bad_steps(skipping, 3, 7)
    quietly(whole)
    for stop in range(1, STEPS):
        run = make_run(f"stopped at {stop}", non_finite="skip", validate_every=3)
        bad_steps(skipping, 3, 7)
        quietly(run, stop_at=stop)
        assert quietly(run, resume=True).skipped == 2
        assert everything(run) == everything(whole)


def test_after_too_many_skipped_steps_in_a_row_training_stops(skipping, make_run, quietly):
    run = make_run(non_finite="skip", epochs=9, validate_every=4)
    bad_steps(skipping, 2, *range(6, 99))
    with pytest.raises(RunError, match=r"stopped at step 26: the loss is nan .* like the 20 before it, .* step 24 is"):
        quietly(run)
    assert run.read_checkpoint("pytorch").state["skipped_in_a_row"] <= 20
    sound = make_run("sound", non_finite="skip", epochs=9, validate_every=4)
    bad_steps(skipping, *range(6, 26))
    assert quietly(sound).skipped == 20


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch names it."""


@pytest.mark.parametrize(
    "error", [MemoryError(), OutOfMemoryError("CUDA"), RuntimeError("x: can't allocate memory: 9")]
)
def test_where_memory_runs_out_in_a_step_the_message_says_what_it_needs(panel, make_run, error, quietly):
    def fail(step):
        if step == 3:
            raise error

    panel.before_step = fail
    with pytest.raises(RunError, match=r"memory ran out in a step: a batch of 4 pairs .* needs about .* GB.*; lower "):
        quietly(make_run())
    panel.before_step = lambda step: 1 / 0
    with pytest.raises(ZeroDivisionError):
        quietly(make_run("other"))
