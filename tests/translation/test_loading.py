"""What is loaded to translate: whose weights, which backend, and every backend finds the same."""

import numpy as np
import pytest

from diptych import panel as panels
from diptych.errors import BackendError, CheckpointError, DataError, RunError
from diptych.translation.translator import load

WORDS = "a bird sees one small red fox".split()


def test_a_run_without_a_checkpoint_says_how_to_train_it(tmp_path, make_run):
    with pytest.raises(RunError, match="no checkpoint yet: train it with `diptych train"):
        load(make_run(tmp_path / "untrained"))


def test_the_weights_are_the_backends_own_or_any_others(tmp_path, monkeypatch, make_run, train, copy_panel):
    run = make_run(tmp_path / "both")
    loaded = []
    monkeypatch.setattr(panels, "load", lambda *arguments: loaded.append(arguments) or copy_panel)
    train(run, "pytorch", scale=2.0)
    translator = load(run.folder, "tensorflow", threads=1)
    assert (translator.backend, translator.trained_in) == ("tensorflow", "pytorch")
    assert loaded == [("tensorflow", 1, "auto")]
    assert translator.stepper.model.precision == "float32"
    train(run, "tensorflow", step=7, scale=3.0)
    for backend, scale in (("tensorflow", 3.0), ("pytorch", 2.0)):
        translator = load(run.folder, backend)
        assert translator.trained_in == backend
        for name, values in run.initial_parameters().items():
            np.testing.assert_allclose(translator.stepper.model.parameters[name], scale * values, rtol=1e-6)
    with pytest.raises(CheckpointError):
        load(run.folder, "pytorch", which="step-00000007")


def test_a_damaged_checkpoint_is_an_error_and_not_replaced_by_anothers(tmp_path, make_run, train):
    run = make_run(tmp_path / "damaged")
    train(run, "pytorch")
    train(run, "tensorflow")
    weights = run.folder / "tensorflow" / "checkpoints" / "step-00000001" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="tensorflow"):
        load(run.folder, "tensorflow")


def test_an_unknown_backend_lists_the_choices(run):
    with pytest.raises(BackendError, match="unknown backend 'jax'; choose among: tensorflow, pytorch, reference"):
        load(run, "jax")


def test_no_folder_no_run(tmp_path):
    with pytest.raises((RunError, DataError), match="nowhere"):
        load(tmp_path / "nowhere")


def test_the_reference_translates_in_float64(reference):
    assert reference.stepper.model.precision == "float64"
    (found,) = reference.translate(["one small fox"])
    assert found.attention.shape == (len(found.tokens), 3)
    np.testing.assert_allclose(found.attention.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("backend", ["tensorflow", "pytorch"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beam_size": 4, "n_best": 4},
        {"temperature": 1.3, "seed": 5},
        {"prefix": "a red", "minimum_length": 4, "no_repeat_ngram": 1, "forbid_unknown": True},
        {"beam_size": 4, "n_best": 4, "coverage_penalty": 0.7, "no_repeat_ngram": 2, "minimum_length": 3},
        {"temperature": 1.3, "seed": 5, "top_k": 6, "top_p": 0.8, "no_repeat_ngram": 2, "prefix": "one"},
    ],
    ids=["greedy", "beam", "sampling", "constrained", "coverage", "truncated"],
)
def test_every_backend_finds_the_same(run, reference, backend, options, need_frameworks):
    need_frameworks(backend)
    lines = ["one small fox", "", "a bird sees one purple fox", "fox", "red red bird"]
    expected = reference.translate(lines, **options)
    found = load(run, backend, precision="float64").translate(lines, batch_size=2, **options)
    for one, other in zip(expected, found, strict=True):
        assert one.tokens == other.tokens and one.text == other.text
        np.testing.assert_allclose(one.token_log_probabilities, other.token_log_probabilities, rtol=1e-11)
        np.testing.assert_allclose(one.attention, other.attention, rtol=1e-6, atol=1e-9)
        assert [each.tokens for each in one.alternatives] == [each.tokens for each in other.alternatives]
        np.testing.assert_allclose(
            [each.score for each in one.alternatives], [each.score for each in other.alternatives], rtol=1e-11
        )
        for each, same in zip(one.alternatives, other.alternatives, strict=True):
            np.testing.assert_allclose(each.token_log_probabilities, same.token_log_probabilities, rtol=1e-11)
            np.testing.assert_allclose(each.attention, same.attention, rtol=1e-6, atol=1e-9)
