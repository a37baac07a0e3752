"""The epoch loop, on a small made-up panel: what is resumed equals what was never stopped, whatever stopped it."""

import json
import shutil
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import CheckpointError, RunError
from diptych.panel import StepResult
from diptych.runs import run as runs
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import learner
from diptych.training.learning_rate import learning_rate
from diptych.training.loop import train

STEPS = 10  # 2 epochs of 5 batches
WHO = ("lineage", "choices")  # what of a state tells who did the steps


class MadeUpPanel:
    """A panel whose steps depend on all that a step may depend on: weights, moments, batch, masks, rate, step."""

    def __init__(self):
        self.before_step = lambda step: None
        self.before_evaluation = lambda step: None
        self.validation_losses = None
        self.result = lambda step, loss, norm: (loss, norm)
        self.rates, self.parts = [], []
        self.fastest = self.kept = "first kernel"

    def Model(self, config, source_size, target_size, precision="float32", choices=None):
        return SimpleNamespace(weights={}, dtype=np.float64 if precision == "float64" else np.float32)

    def load_parameters(self, model, parameters):
        model.weights = {name: value.astype(model.dtype) for name, value in parameters.items()}

    def export_parameters(self, model):
        return {name: value.copy() for name, value in model.weights.items()}

    def versions(self):
        return {"made-up": "1.0"}

    def settle(self, choices):
        self.kept = choices.get("kernel", self.fastest)

    def choices(self):
        return {"kernel": self.kept}

    def choose(self, config, precision):
        return self.choices()

    def TrainingStep(self, model, config):
        return MadeUpStep(self, model, config.ema_decay)


class MadeUpStep:
    def __init__(self, panel, model, ema_decay):
        self.panel, self.model, self.steps, self.ema_decay = panel, model, 0, ema_decay
        self.velocity = {name: np.zeros_like(value) for name, value in model.weights.items()}
        self.swapped = {name: value.copy() for name, value in model.weights.items()} if ema_decay else {}

    def step(self, batch, masks, learning_rate):
        self.panel.before_step(self.steps + 1)
        self.panel.rates.append(learning_rate)
        push = np.cos(batch.target_input.sum() + 3.0 * batch.source[0, 0] + sum(m.sum() for m in masks.values()))
        return self._move(push, learning_rate)

    def step_over(self, parts, learning_rate):
        self.panel.rates.append(learning_rate)
        self.panel.parts.append([batch.rows.tolist() for batch, _ in parts])
        pushes = [batch.target_input.sum() + sum(m.sum() for m in masks.values()) for batch, masks in parts]
        return self._move(np.cos(sum(pushes)), learning_rate)

    def _move(self, push, learning_rate):
        self.steps += 1
        for name, weight in self.model.weights.items():
            self.velocity[name] = (0.9 * self.velocity[name] + np.sin(weight + push)).astype(weight.dtype)
            weight -= (learning_rate * self.velocity[name] / self.steps).astype(weight.dtype)
        for name, average in self.swapped.items():
            average += ((1.0 - self.ema_decay) * (self.model.weights[name] - average)).astype(average.dtype)
        loss, norm = self.panel.result(self.steps, push, 2.0)
        return StepResult(loss, norm)

    def evaluate(self, batch):
        self.panel.before_evaluation(self.steps)
        if self.panel.validation_losses is not None:
            return batch.target_tokens * self.panel.validation_losses[self.steps]
        return batch.target_tokens * abs(sum(float(weight.mean()) for weight in self.model.weights.values()))

    def predict(self, batch, masks):
        return np.full(batch.target_output.shape, 4 + self.steps % 3, np.int32)

    def swap_average(self):
        for name, average in self.swapped.items():
            own = self.model.weights[name].copy()
            self.model.weights[name][:], average[:] = average, own

    def export_state(self):
        kinds = {"velocity": self.velocity, "swapped": self.swapped}
        return {f"{kind}.{name}": value.copy() for kind, values in kinds.items() for name, value in values.items()}

    def load_state(self, arrays, steps):
        self.steps = steps
        for name, value in arrays.items():
            kind, _, weight = name.partition(".")
            getattr(self, kind)[weight] = value.copy()


class Listener(QuietReporter):
    def __init__(self):
        self.notes, self.ended = [], 0

    def note(self, text):
        self.notes.append(text)

    def end(self):
        self.ended += 1


@pytest.fixture
def panel(monkeypatch):
    panel = MadeUpPanel()
    monkeypatch.setattr(learner, "load", lambda name, threads, device: panel)
    return panel


@pytest.fixture
def make_run(tmp_path):
    text = tmp_path / "pairs.tsv"
    lines = [f"{'a ' * (n % 4)}w{n}\t{'b ' * (n % 3)}v{n % 9}" for n in range(26)]
    text.write_text("\n".join(lines), encoding="utf-8")

    def make(name="run", maximum_length=100, **training):
        training = {"epochs": 2, "batch_size": 4, "precision": "float64"} | training
        config = RunConfig(
            data=DataConfig(
                corpus="files",
                train=(str(text),),
                validation_size=4,
                test_size=2,
                maximum_length=maximum_length,
            ),
            model=ModelConfig(embedding_size=2, encoder_size=2, decoder_size=2, dropout=0.3),
            training=TrainingConfig(**training),
        )
        return Run.create(config, tmp_path / name)

    return make


def quietly(run, backend="pytorch", **options):
    return train(run, backend, reporter=options.pop("reporter", QuietReporter()), **options)


def everything(run, backend="pytorch"):
    """All that training leaves, but for how long it took and who did it."""
    lines = [
        {key: value for key, value in line.items() if key not in ("seconds", "backend")}
        for line in run.read_metrics(backend)
    ]
    found = {"metrics": lines}
    for which in ("latest", "best"):
        checkpoint = run.read_checkpoint(backend, which)
        arrays = {**checkpoint.parameters, **checkpoint.optimizer}
        found[which] = {name: (value.dtype.str, value.tobytes()) for name, value in arrays.items()}
        found[f"{which} state"] = {key: value for key, value in checkpoint.state.items() if key not in WHO}
    return found


def test_a_run_keeps_to_what_it_chose_by_measuring_when_it_began(panel, make_run):
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
def test_a_run_stopped_anywhere_and_resumed_is_the_run_that_was_not(panel, make_run, validate_every, precision):
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
def test_a_run_with_any_choice_stopped_and_resumed_is_the_run_that_was_not(panel, make_run, choices, precision):
    whole = make_run("whole", precision=precision, **choices)
    steps = quietly(whole).steps
    for stop in range(1, steps):
        run = make_run(f"stopped at {stop}", precision=precision, **choices)
        quietly(run, stop_at=stop)
        quietly(run, resume=True)
        assert everything(run) == everything(whole)


def test_an_epoch_of_accumulated_gradients_has_fewer_steps_and_every_pair_once(panel, make_run):
    report = quietly(make_run(accumulate=2))
    assert (report.steps, report.epochs) == (6, 2)  # of 5 batches: 2, 2 and 1, which needs no adding up
    parts = panel.parts[:2]
    assert [len(batches) for batches in parts] == [2, 2]
    rows = [row for batches in parts for batch in batches for row in batch]
    assert len(set(rows)) == len(rows) == 16
    assert report.target_tokens > 0


def test_a_checkpoint_holds_the_averaged_weights_and_training_goes_on_from_its_own(panel, make_run):
    plain, averaged = make_run("plain"), make_run("averaged", ema_decay=0.5)
    for run in (plain, averaged):
        quietly(run)
    own, shipped = plain.read_checkpoint("pytorch", "latest"), averaged.read_checkpoint("pytorch", "latest")
    for name, values in own.parameters.items():
        assert np.array_equal(shipped.optimizer[f"swapped.{name}"], values)
    assert any(not np.array_equal(shipped.parameters[name], values) for name, values in own.parameters.items())


def test_the_best_checkpoints_are_kept_and_averages_are_their_mean(panel, make_run):
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


def test_what_was_not_validated_is_not_among_the_best(panel, make_run):
    run = make_run(validate_every=4)
    quietly(run, stop_at=3)
    with pytest.raises(CheckpointError, match="to average: train the run until a validation"):
        run.read_checkpoint("pytorch", "average-best")
    quietly(run, resume=True)
    assert run.read_checkpoint("pytorch", "average-best").state["averaged"] == [
        f"step-{run.read_checkpoint('pytorch', 'best').state['step']:08}"
    ]


@pytest.mark.parametrize("killed_at", [2, 3, 4, 5, 9])
def test_a_run_killed_in_a_step_and_resumed_is_the_run_that_was_not(panel, make_run, killed_at):
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
def test_ctrl_c_finishes_the_step_and_leaves_a_run_that_goes_on_as_if_nothing_was(panel, make_run, step, where):
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


def test_a_second_ctrl_c_interrupts_at_once(panel, make_run):
    run = make_run()

    def insist(step):
        if step == 7:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    panel.before_step = insist
    listener = Listener()
    with pytest.raises(KeyboardInterrupt):
        quietly(run, reporter=listener)
    assert run.record("pytorch").steps() == 5
    assert listener.ended == 1
    for thread in threading.enumerate():
        if thread.name.startswith("prefetch"):
            thread.join(10)
            assert not thread.is_alive()


def test_training_works_outside_the_main_thread(panel, make_run):
    reports = []
    thread = threading.Thread(target=lambda: reports.append(quietly(make_run())))
    thread.start()
    thread.join()
    assert reports[0].finished


def test_a_run_begun_in_one_framework_goes_on_in_the_other_and_back(panel, make_run):
    whole, run = (make_run(name, validate_every=2) for name in ("whole", "shared"))
    quietly(whole)
    quietly(run, "tensorflow", stop_at=3)
    listener = Listener()
    assert quietly(run, "pytorch", resume=True, stop_at=7, reporter=listener).resumed_from == 3
    assert listener.notes == ["goes on from the checkpoint of tensorflow"]
    assert quietly(run, "tensorflow", resume=True).resumed_from == 7
    assert everything(run, "tensorflow") == everything(whole)
    doers = [line["backend"] for line in run.read_metrics("tensorflow") if "loss" in line]
    assert doers == ["tensorflow"] * 3 + ["pytorch"] * 4 + ["tensorflow"] * 3
    lineage = run.read_checkpoint("tensorflow", "latest").state["lineage"]
    assert lineage == [["tensorflow", 0], ["pytorch", 3], ["tensorflow", 7]]


def test_what_is_behind_is_never_taken_over(panel, make_run):
    run = make_run()
    quietly(run, "tensorflow", stop_at=3)
    quietly(run, "pytorch", resume=True, stop_at=3)
    quietly(run, "tensorflow", resume=True, stop_at=7)
    assert quietly(run, "tensorflow", resume=True).resumed_from == 7


def test_the_best_checkpoint_goes_along_to_the_other_framework(panel, make_run):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 1.0, 4: 2.0, 6: 2.0, 8: 2.0, 10: 2.0}
    quietly(run, "tensorflow", stop_at=5)
    quietly(run, "pytorch", resume=True)
    assert run.read_checkpoint("pytorch", "best").state["step"] == 2
    assert run.read_checkpoint("pytorch", "latest").state["step"] == STEPS


def test_two_backends_trained_from_the_beginning_do_not_take_over_each_other_s_steps(panel, make_run):
    run = make_run()
    quietly(run, "tensorflow")
    quietly(run, "pytorch", stop_at=2)
    report = quietly(run, "pytorch", resume=True)
    assert (report.resumed_from, report.steps) == (2, STEPS)
    assert {line["backend"] for line in run.read_metrics("pytorch")} == {"pytorch"}


def test_resuming_what_never_began_begins(panel, make_run):
    assert quietly(make_run(), resume=True).finished


def test_resuming_what_is_finished_does_nothing_and_reports_it(panel, make_run, monkeypatch):
    run = make_run()
    first = quietly(run)
    monkeypatch.setattr(learner, "load", None)  # no framework is needed
    second = quietly(run, resume=True)
    assert second.finished and second.seconds == 0.0 and second.target_tokens_per_second == 0.0
    assert second.losses == first.losses and second.steps == STEPS


def test_training_twice_is_refused_unless_told_how(panel, make_run):
    run = make_run()
    quietly(run, stop_at=4)
    with pytest.raises(RunError, match="already has 4 steps trained with pytorch: --resume .* --overwrite"):
        quietly(run)
    assert run.record("pytorch").steps() == 4
    whole = make_run("whole")
    quietly(whole)
    assert quietly(run, overwrite=True).resumed_from == 0
    assert everything(run) == everything(whole)


@pytest.mark.parametrize(("loss", "norm"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_a_loss_or_norm_that_is_not_finite_stops_with_step_and_rows(panel, make_run, loss, norm):
    run = make_run(validate_every=2)
    panel.result = lambda step, *real: (loss, norm) if step == 6 else real
    with pytest.raises(RunError, match=r"stopped at step 6: the loss is .* training pairs (\d+, ){3}\d+ .*step 4 is"):
        quietly(run)
    assert run.record("pytorch").steps() == 4
    assert max(line["step"] for line in run.read_metrics("pytorch")) == 5


def test_a_validation_loss_that_is_not_finite_is_never_the_best(panel, make_run):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 1.0, 4: np.nan}
    with pytest.raises(RunError, match="stopped at step 4: the validation loss is nan"):
        quietly(run)
    assert run.read_checkpoint("pytorch", "best").state["step"] == run.record("pytorch").steps() == 2


def test_weights_that_are_not_finite_are_never_written(panel, make_run):
    run = make_run(validate_every=2)
    export = panel.export_parameters
    panel.export_parameters = lambda model: {
        name: value * (np.inf if len(panel.rates) == 4 else 1.0) for name, value in export(model).items()
    }
    with pytest.raises(CheckpointError, match="not finite"):
        quietly(run)
    assert run.record("pytorch").steps() == 2


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(panel, make_run):
    run = make_run(validate_every=2)
    panel.validation_losses = {2: 3.0, 4: 1.0, 6: 1.0, 8: 2.0, 10: 1.5}
    report = quietly(run)
    assert (report.best_validation_loss, report.best_step) == (1.0, 4)
    assert run.read_checkpoint("pytorch", "best").state["step"] == 4
    assert run.read_checkpoint("pytorch", "latest").state["step"] == STEPS
    assert report.validation_losses == list(panel.validation_losses.items())
    best = [line["step"] for line in run.read_metrics("pytorch") if line.get("best")]
    assert best == [2, 4]


def test_patience_counts_validations_since_the_best_through_a_resume_too(panel, make_run):
    panel.validation_losses = {2: 2.0, 4: 1.0, 6: 1.0, 8: 3.0, 10: 0.0}
    whole, run = (make_run(name, validate_every=2, patience=2) for name in ("whole", "stopped"))
    report = quietly(whole)
    assert report.stopped_early and report.finished and report.steps == 8 and report.best_step == 4
    quietly(run, stop_at=7)
    assert quietly(run, resume=True).stopped_early
    assert everything(run) == everything(whole)
    assert quietly(run, resume=True).steps == 8


def test_maximum_steps_ends_training_with_a_validation(panel, make_run):
    report = quietly(make_run(maximum_steps=7))
    assert report.finished and report.steps == 7 and report.epochs == 1
    assert [step for step, _ in report.validation_losses] == [5, 7]


def test_the_validation_loss_is_per_real_token_of_the_whole_set(panel, make_run):
    panel.validation_losses = dict.fromkeys(range(1, STEPS + 1), 0.75)
    report = quietly(make_run())
    assert report.validation_losses == [(5, 0.75), (10, 0.75)]


def test_the_learning_rate_goes_with_each_step(panel, make_run):
    run = make_run(learning_rate=0.125, schedule="linear", warmup_steps=2)
    quietly(run)
    assert panel.rates == [learning_rate(run.config.training, step, STEPS) for step in range(STEPS)]
    assert panel.rates[1] == 0.125 > panel.rates[-1]


def test_pairs_that_are_too_long_are_left_out_and_counted(panel, make_run):
    run = make_run(maximum_length=3)
    report = quietly(run)
    longer = sum(max(len(s.split()), len(t.split())) > 3 for s, t in run.corpus().train)
    assert longer > 0 and report.dropped == {"longer than maximum_length = 3 tokens": longer}


def test_metrics_have_what_a_reader_needs(panel, make_run):
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


def test_a_corpus_that_changed_is_noticed_when_training_goes_on(panel, make_run):
    run = make_run()
    quietly(run, stop_at=2)
    path = run.config.data.train[0]
    with open(path, "a", encoding="utf-8") as file:
        file.write("\nnew pair\tneues paar")
    listener = Listener()
    assert quietly(run, resume=True, reporter=listener).finished
    assert [note for note in listener.notes if "corpus has changed" in note]


def test_the_corpus_is_encoded_once_for_both_frameworks(panel, make_run, monkeypatch):
    run = make_run()
    monkeypatch.setattr(runs, "prepare", None)
    quietly(run, "tensorflow", stop_at=2)
    quietly(run, "pytorch")
    assert quietly(run, "tensorflow", resume=True).finished


def test_a_run_without_encoded_data_is_that_of_an_earlier_version(panel, make_run):
    whole, run = make_run("whole"), make_run()
    quietly(whole)
    shutil.rmtree(run.folder / "data")
    quietly(run, stop_at=3)
    shutil.rmtree(run.folder / "data")
    listener = Listener()
    quietly(run, resume=True, reporter=listener)
    assert not listener.notes
    assert everything(run) == everything(whole)


def test_a_checkpoint_cut_short_is_named_when_training_goes_on(panel, make_run):
    run = make_run()
    quietly(run, stop_at=2)
    path = run.folder / "pytorch/checkpoints/step-00000002/optimizer.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="optimizer.safetensors .* cut short"):
        quietly(run, resume=True)


def bad_steps(panel, *steps):
    """Make the losses of these steps, counted with those that are skipped, no numbers."""
    seen = iter(range(1, 1000))

    def result(step, loss, norm):
        return (np.nan, np.inf) if next(seen) in steps else (loss, norm)

    panel.result = result


class Skipping(MadeUpPanel):
    """A panel that undoes a step whose loss is no number, as the real ones leave it undone."""

    def TrainingStep(self, model, config):
        panel = self

        class Step(MadeUpStep):
            def step(self, *given):
                before = {name: value.copy() for name, value in self.model.weights.items()}, dict(self.velocity)
                result = super().step(*given)
                if not np.isfinite(result.loss):
                    self.model.weights.update(before[0])
                    self.velocity, self.steps = before[1], self.steps - 1
                return result

        return Step(panel, model, config.ema_decay)


@pytest.fixture
def skipping(monkeypatch):
    panel = Skipping()
    monkeypatch.setattr(learner, "load", lambda name, threads, device: panel)
    return panel


def test_a_step_that_is_not_finite_is_skipped_named_and_counted(skipping, make_run):
    bad_steps(skipping, 3, 7, 8)
    listener, run = Listener(), make_run(non_finite="skip", validate_every=2)
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


def test_a_run_with_skipped_steps_goes_on_as_if_it_had_not_been_stopped(skipping, make_run):
    whole = make_run("whole", non_finite="skip", validate_every=3)
    bad_steps(skipping, 3, 7)
    quietly(whole)
    for stop in range(1, STEPS):
        run = make_run(f"stopped at {stop}", non_finite="skip", validate_every=3)
        bad_steps(skipping, 3, 7)
        quietly(run, stop_at=stop)
        assert quietly(run, resume=True).skipped == 2
        assert everything(run) == everything(whole)


def test_after_too_many_skipped_steps_in_a_row_training_stops(skipping, make_run):
    run = make_run(non_finite="skip", epochs=9, validate_every=4)
    bad_steps(skipping, 2, *range(6, 99))
    with pytest.raises(RunError, match=r"stopped at step 26: the loss is nan .* like the 20 before it, .* step 24 is"):
        quietly(run)
    assert run.read_checkpoint("pytorch").state["skipped_in_a_row"] <= 20
    sound = make_run("sound", non_finite="skip", epochs=9, validate_every=4)
    bad_steps(skipping, *range(6, 26))
    assert quietly(sound).skipped == 20


@pytest.mark.parametrize("stop", range(1, 14))
def test_a_plateau_s_rate_goes_on_through_a_resume(panel, make_run, stop):
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


def test_batches_by_tokens_train_and_resume(panel, make_run):
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


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch names it."""


@pytest.mark.parametrize(
    "error", [MemoryError(), OutOfMemoryError("CUDA"), RuntimeError("x: can't allocate memory: 9")]
)
def test_where_memory_runs_out_in_a_step_the_message_says_what_it_needs(panel, make_run, error):
    def fail(step):
        if step == 3:
            raise error

    panel.before_step = fail
    with pytest.raises(RunError, match=r"memory ran out in a step: a batch of 4 pairs .* needs about .* GB.*; lower "):
        quietly(make_run())
    panel.before_step = lambda step: 1 / 0
    with pytest.raises(ZeroDivisionError):
        quietly(make_run("other"))
