"""The epoch loop, on a small made-up panel: what it counts, validates, keeps and tells."""

import json
import threading

import numpy as np
import pytest

from diptych.errors import CheckpointError, RunError
from diptych.runs import run as runs
from diptych.training.learning_rate import learning_rate

STEPS = 10  # 2 epochs of 5 batches


def test_an_epoch_of_accumulated_gradients_has_fewer_steps_and_every_pair_once(panel, make_run, quietly):
    report = quietly(make_run(accumulate=2))
    assert (report.steps, report.epochs) == (6, 2)  # of 5 batches: 2, 2 and 1, which needs no adding up
    parts = panel.parts[:2]
    assert [len(batches) for batches in parts] == [2, 2]
    rows = [row for batches in parts for batch in batches for row in batch]
    assert len(set(rows)) == len(rows) == 16
    assert report.target_tokens > 0


def test_a_checkpoint_holds_the_averaged_weights_and_training_goes_on_from_its_own(panel, make_run, quietly):
    plain, averaged = make_run("plain"), make_run("averaged", ema_decay=0.5)
    for run in (plain, averaged):
        quietly(run)
    own, shipped = plain.read_checkpoint("pytorch", "latest"), averaged.read_checkpoint("pytorch", "latest")
    for name, values in own.parameters.items():
        assert np.array_equal(shipped.optimizer[f"swapped.{name}"], values)
    assert any(not np.array_equal(shipped.parameters[name], values) for name, values in own.parameters.items())


def test_the_best_checkpoints_are_kept_and_averages_are_their_mean(panel, make_run, quietly):
    panel.validation_losses = {2: 5.0, 4: 1.0, 6: 3.0, 8: 2.0, 10: 4.0}
    run = make_run(validate_every=2, keep_checkpoints=2, keep_best=3)
    quietly(run)
    record = run.record("pytorch")
    held = sorted(path.name for path in record.checkpoints.glob("step-*"))
    assert held == [f"step-{step:08}" for step in (4, 6, 8, 10)]
    for which, steps in (("average-best", (4, 6, 8)), ("average-latest", (8, 10))):
        mean = record.read_checkpoint(which)
        parts = [record.read_checkpoint(f"step-{step:08}").parameters for step in steps]
        for name, values in mean.parameters.items():
            assert np.allclose(values, np.mean([part[name] for part in parts], axis=0), rtol=1e-14, atol=0)
        assert not mean.optimizer and sorted(mean.state["averaged"]) == [f"step-{step:08}" for step in steps]
    assert record.read_checkpoint("best").state["step"] == 4
    with pytest.raises(CheckpointError, match="unknown checkpoint 'average'; choose 'best', 'latest', 'average-best'"):
        record.read_checkpoint("average")


def test_what_was_not_validated_is_not_among_the_best(panel, make_run, quietly):
    run = make_run(validate_every=4)
    quietly(run, stop_at=3)
    with pytest.raises(CheckpointError, match="to average: train the run until a validation"):
        run.read_checkpoint("pytorch", "average-best")
    quietly(run, resume=True)
    assert run.read_checkpoint("pytorch", "average-best").state["averaged"] == [
        f"step-{run.read_checkpoint('pytorch', 'best').state['step']:08}"
    ]


def test_training_works_outside_the_main_thread(panel, make_run, quietly):
    reports = []
    thread = threading.Thread(target=lambda: reports.append(quietly(make_run())))
    thread.start()
    thread.join()
    assert reports[0].finished


def test_training_twice_is_refused_unless_told_how(panel, make_run, quietly, everything):
    run = make_run()
    quietly(run, stop_at=4)
    with pytest.raises(RunError, match="already has 4 steps trained with pytorch: --resume .* --overwrite"):
        quietly(run)
    assert run.record("pytorch").steps() == 4
    whole = make_run("whole")
    quietly(whole)
    assert quietly(run, overwrite=True).resumed_from == 0
    assert everything(run) == everything(whole)


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(panel, make_run, quietly):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 3.0, 4: 1.0, 6: 1.0, 8: 2.0, 10: 1.5}
    report = quietly(run)
    assert (report.best_validation_loss, report.best_step) == (1.0, 4)
    assert run.read_checkpoint("pytorch", "best").state["step"] == 4
    assert run.read_checkpoint("pytorch", "latest").state["step"] == STEPS
    assert report.validation_losses == list(panel.validation_losses.items())
    best = [line["step"] for line in run.read_metrics("pytorch") if line.get("best")]
    assert best == [2, 4]


def test_patience_counts_validations_since_the_best_through_a_resume_too(panel, make_run, quietly, everything):
    panel.validation_losses = {2: 2.0, 4: 1.0, 6: 1.0, 8: 3.0, 10: 0.0}
    whole, run = (make_run(name, validate_every=2, patience=2) for name in ("whole", "stopped"))
    report = quietly(whole)
    assert report.stopped_early and report.finished and report.steps == 8 and report.best_step == 4
    quietly(run, stop_at=7)
    assert quietly(run, resume=True).stopped_early
    assert everything(run) == everything(whole)
    assert quietly(run, resume=True).steps == 8


def test_maximum_steps_ends_training_with_a_validation(panel, make_run, quietly):
    report = quietly(make_run(maximum_steps=7))
    assert report.finished and report.steps == 7 and report.epochs == 1
    assert [step for step, _ in report.validation_losses] == [5, 7]


def test_the_validation_loss_is_per_real_token_of_the_whole_set(panel, make_run, quietly):
    panel.validation_losses = dict.fromkeys(range(1, STEPS + 1), 0.75)
    report = quietly(make_run())
    assert report.validation_losses == [(5, 0.75), (10, 0.75)]


def test_the_learning_rate_goes_with_each_step(panel, make_run, quietly):
    run = make_run(learning_rate=0.125, schedule="linear", warmup_steps=2)
    quietly(run)
    assert panel.rates == [learning_rate(run.config.training, step, STEPS) for step in range(STEPS)]
    assert panel.rates[1] == 0.125 > panel.rates[-1]


def test_pairs_that_are_too_long_are_left_out_and_counted(panel, make_run, quietly):
    run = make_run(maximum_length=3)
    report = quietly(run)
    longer = sum(max(len(s.split()), len(t.split())) > 3 for s, t in run.corpus().train)
    assert longer > 0 and report.dropped == {"longer than maximum_length = 3 tokens": longer}


def test_metrics_have_what_a_reader_needs(panel, make_run, quietly):
    run = make_run()
    report = quietly(run)
    steps = [line for line in run.read_metrics("pytorch") if "loss" in line]
    assert {"step", "epoch", "loss", "gradient_norm", "target_tokens", "seconds"} <= steps[0].keys()
    assert [line["epoch"] for line in steps] == [1] * 5 + [2] * 5
    assert sum(line["target_tokens"] for line in steps[1:]) == report.target_tokens
    assert sum(line["seconds"] for line in steps[1:]) == pytest.approx(report.seconds, abs=1e-4)
    assert steps[0]["seconds"] == pytest.approx(report.compile_seconds, abs=1e-5)
    circumstances = json.loads((run.folder / "pytorch/environment.json").read_text(encoding="utf-8"))
    assert circumstances["versions"] == {"made-up": "1.0"} and "threads" in circumstances


def test_the_corpus_is_encoded_once_for_both_frameworks(panel, make_run, monkeypatch, quietly):
    run = make_run()
    monkeypatch.setattr(runs, "prepare", None)
    quietly(run, "tensorflow", stop_at=2)
    quietly(run, "pytorch")
    assert quietly(run, "tensorflow", resume=True).finished


def test_batches_by_tokens_train_and_resume(panel, make_run, quietly, everything):
    options = {"batch_by": "tokens", "batch_size": 12, "validate_every": 2}
    whole, run = make_run("whole", **options), make_run("stopped", **options)
    report = quietly(whole)
    assert report.finished and report.epochs == 2
    lines = [line for line in whole.read_metrics("pytorch") if "loss" in line]
    assert max(line["target_tokens"] for line in lines) <= 12
    assert sum(line["target_tokens"] for line in lines if line["epoch"] == 1) == sum(
        line["target_tokens"] for line in lines if line["epoch"] == 2
    )
    quietly(run, stop_at=5)
    quietly(run, resume=True)
    assert everything(run) == everything(whole)
