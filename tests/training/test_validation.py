"""Validation by score: it says what `diptych evaluate` would, and decides what is best and when to stop."""

import json
from types import SimpleNamespace

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.evaluation import score
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
from diptych.translation.translator import load


@pytest.fixture
def make_run(tmp_path):
    def make(name="run", search=None, **training):
        config = RunConfig(
            name="tiny",
            data=DataConfig(maximum_pairs=80, validation_size=12, test_size=4, minimum_frequency=2),
            model=ModelConfig(embedding_size=8, encoder_size=8, decoder_size=12, dropout=0.0),
            training=TrainingConfig(
                **{"epochs": 6, "batch_size": 16, "learning_rate": 0.05, "keep_checkpoints": 9, **training}
            ),
            search=search or SearchConfig(maximum_length=12, batch_size=5),
        )
        return Run.create(config, tmp_path / name)

    return make


@pytest.fixture
def go(need_frameworks):
    """Trains a run, saying nothing."""

    def call(run, backend, **options):
        need_frameworks(backend)
        return train(run, backend, reporter=QuietReporter(), **options)

    return call


def validations(run, backend):
    return [line for line in run.read_metrics(backend) if "validation_loss" in line]


# That TensorFlow's scores are PyTorch's, test_options_in_both.py tells.
@pytest.mark.parametrize("backend", [pytest.param("tensorflow", marks=pytest.mark.slow), "pytorch"])
@pytest.mark.parametrize(
    ("wanted", "count"),
    [pytest.param(0, 12, marks=pytest.mark.slow), (7, 7), pytest.param(99, 12, marks=pytest.mark.slow)],
)
def test_scores_are_those_of_the_checkpoint_s_translations(make_run, backend, wanted, count, go):
    run = make_run(validation_sentences=wanted, epochs=2)
    report = go(run, backend)
    pairs = run.corpus().validation[:count]
    lines = validations(run, backend)
    assert len(lines) == 2
    for line in lines:
        translator = load(run, backend, f"step-{line['step']:08d}")
        said = [each.text for each in translator.translate([source for source, _ in pairs])]
        expected = score(said, [target for _, target in pairs])
        assert (line["bleu"], line["chrf"], line["exact_match"]) == (expected.bleu, expected.chrf, expected.exact_match)
    names = ("bleu", "chrf", "exact_match")
    assert report.validation_scores == [(line["step"], {name: line[name] for name in names}) for line in lines]
    assert report.stop_metric == "loss" and report.best_score is None


def test_a_word_that_is_unknown_in_the_reference_is_no_match(make_run, go):
    """References are the text: `<unk>` said for a word that the vocabulary lacks is not right."""
    run = make_run(validation_sentences=0, epochs=1)
    unknown = sum(
        word not in run.target_vocabulary.tokens for _, target in run.corpus().validation for word in target.split()
    )
    assert unknown > 0
    go(run, "pytorch")
    from diptych.training.validation import Validation

    validation = Validation(run, run.encoded().validation)
    assert validation._texts == run.corpus().validation


def test_by_default_nothing_is_translated(make_run, monkeypatch, go):
    run = make_run(epochs=1)
    monkeypatch.setattr("diptych.translation.translator.Translator.translate", None)
    report = go(run, "pytorch")
    assert report.validation_scores == [] and "bleu" not in validations(run, "pytorch")[0]


@pytest.mark.parametrize("metric", ["bleu", "chrf", "exact_match"])
def test_the_best_is_that_of_the_highest_score_and_patience_counts_from_it(make_run, metric, go):
    run = make_run(stop_metric=metric, patience=2, epochs=40, validate_every=2, learning_rate=0.02)
    report = go(run, "pytorch")
    scores = {line["step"]: line[metric] for line in validations(run, "pytorch")}
    best = max(scores, key=lambda step: (scores[step], -step))
    assert report.best_step == best and report.best_score == scores[best]
    assert run.read_checkpoint("pytorch", "best").state["step"] == best
    assert report.stopped_early == (report.steps < 200)
    if report.stopped_early:
        assert report.steps == best + 2 * 2


def test_the_search_of_a_config_does_not_enter(make_run, go):
    """A beam, a temperature and their settings are for translating; validation is greedy."""
    plain = make_run("plain", validation_sentences=0, epochs=1)
    beam = make_run("beam", SearchConfig(beam_size=3, n_best=2, maximum_length=12), validation_sentences=0, epochs=1)
    assert go(plain, "pytorch").validation_scores == go(beam, "pytorch").validation_scores


def test_stopped_and_resumed_it_is_the_same(make_run, go):
    options = {"stop_metric": "chrf", "schedule": "plateau", "plateau_patience": 1, "validate_every": 3}
    whole, run = make_run("whole", **options), make_run("stopped", **options)
    report = go(whole, "pytorch")
    go(run, "pytorch", stop_at=13)
    second = go(run, "pytorch", resume=True)
    assert (second.losses, second.validation_scores, second.best_score) == (
        report.losses, report.validation_scores, report.best_score,
    )  # fmt: skip


def test_tensorboard_shows_the_scores(make_run, go):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = make_run(validation_sentences=5, epochs=2)
    go(run, "pytorch", tensorboard=True)
    events = reader.EventAccumulator(str(run.folder / "tensorboard" / "pytorch"))
    events.Reload()
    for name in ("bleu", "chrf", "exact_match"):
        told = [line[name] for line in validations(run, "pytorch")]
        assert [each.value for each in events.Scalars(name)] == pytest.approx(told, rel=1e-6)


def test_the_command_says_what_was_best(make_run, capfd):
    from diptych.cli import main

    run = make_run(stop_metric="chrf", epochs=1)
    assert main(["train", str(run.folder), "--quiet", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["stop_metric"] == "chrf" and told["best_score"] == told["validation_scores"][0][1]["chrf"]
    assert main(["train", str(run.folder), "--resume"]) == 0
    assert f"with chrf {told['best_score']:.2f} at step" in capfd.readouterr().out


@pytest.mark.parametrize(("same", "warned"), [(12, True), (7, True), (6, False), (0, False)])
def test_most_sources_with_one_translation_are_told_of(make_run, same, warned):
    from diptych.training.validation import Validation

    run = make_run(validation_sentences=0)
    sources = [source for source, _ in run.corpus().validation]

    class Translator:
        def translate(self, lines, search):
            places = [sources.index(line) for line in lines]
            return [SimpleNamespace(text="there is a bag" if place < same else str(place)) for place in places]

    training = SimpleNamespace(evaluate=lambda batch: 1.0)
    result = Validation(run, run.encoded().validation)(training, Translator, lambda: False)
    expected = f"{same} of 12 validation sources get the same translation, 'there is a bag'" if warned else ""
    assert result.warning == expected


def test_the_warning_is_a_note_beside_the_validation(tmp_path, make_run):
    from diptych.training.journal import Journal
    from diptych.training.state import TrainingState
    from diptych.training.validation import ValidationResult

    notes = []
    reporter = QuietReporter()
    reporter.note = notes.append
    journal = Journal(make_run(), "pytorch", reporter, begun_at=0)
    journal.validation(TrainingState(), ValidationResult(1.0, {}, "9 of 12"), pictures=dict, digest="x")
    journal.validation(TrainingState(), ValidationResult(1.0), pictures=dict, digest="x")
    assert notes == ["step 0: 9 of 12; if that stays so, the model does not learn its task"]
