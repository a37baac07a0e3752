"""The summary tells what is there: every weight of the real layers, once, and the shapes that come out of them."""

import functools
import json
import math

import pytest

from diptych.config import ModelConfig, RunConfig
from diptych.errors import BackendError
from diptych.panel import BACKENDS, load
from diptych.parameters.specification import specification
from diptych.summary import inspection, summary
from diptych.summary.table import print_summary

SIZES = {"embedding_size": 6, "encoder_size": 4, "decoder_size": 8}
VOCABULARIES = (9, 11)
MODELS = {
    "gru": ModelConfig(**SIZES),
    "lstm": ModelConfig(**SIZES, cell="lstm", encoder_layers=2, decoder_layers=2, attention="none"),
    "rnn": ModelConfig(**SIZES, cell="rnn", bidirectional=False, bridge="zero", attention="concat", input_feeding=True),
    "tied": ModelConfig(**SIZES, attention="general", tie_target_output=True, tie_source_target=True),
}


@pytest.fixture
def here(both_frameworks, monkeypatch):
    """Asks the frameworks in this process."""

    def call(backend, function, arguments, threads=None, device="auto"):
        told = inspection.inspect(load(backend, device="cpu"), **arguments)
        return json.loads(json.dumps(told))  # as it comes from another process

    monkeypatch.setattr(summary, "call", call)


def summarized(model, vocabularies=VOCABULARIES):
    return summary.summarize(RunConfig().model_copy(update={"model": model}), vocabularies, "cpu")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_weight_of_the_real_layers_is_told_once(here, model):
    vocabularies = (11, 11) if model.tie_source_target else VOCABULARIES
    found = summarized(model, vocabularies)
    expected = specification(model, *vocabularies)
    assert [weight.name for weight in found.weights] == list(expected)
    assert found.parameters == sum(math.prod(each.shape) for each in expected.values())
    for backend in BACKENDS:
        made = load(backend, device="cpu").Model(model, *vocabularies, "float32")
        if backend == "tensorflow":
            real = sorted(tuple(each.shape) for each in made.trainable_variables)
        else:
            real = sorted(tuple(each.shape) for each in made.parameters())
        variables = {}
        for weight in found.weights:
            variable = weight.variables[backend]
            path = variable.name.partition("[")[0].split(".")
            there = functools.reduce(
                lambda at, part: at[int(part)] if part.isdigit() else getattr(at, part), path, made
            )
            assert tuple(there.shape) == variable.shape
            variables[".".join(path)] = variable.shape
        assert sorted(variables.values()) == real
        assert sum(map(math.prod, real)) == found.parameters


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_tensors_have_the_same_shape_in_both_and_the_size_of_their_letters(here, model):
    vocabularies = (11, 11) if model.tie_source_target else VOCABULARIES
    found = summarized(model, vocabularies)
    for tensor in found.tensors:
        assert tensor.shapes["tensorflow"] == tensor.shapes["pytorch"], tensor.name
        sizes = found.sizes | ({"H": model.encoder_size} if tensor.name.startswith("encoder.") else {})
        assert tensor.shapes["pytorch"] == tuple(sizes[letter] for letter in tensor.axes.split()), tensor.name
    names = [tensor.name for tensor in found.tensors]
    assert ("attention's weights" in names) == (model.attention != "none")
    states = [name for name in names if name.startswith("decoder's first state")]
    assert len(states) == model.decoder_layers * (2 if model.cell == "lstm" else 1)
    assert names[-1] == "one step: logits" and len(set(names)) == len(names)
    shapes = {tensor.name: tensor.shapes["pytorch"] for tensor in found.tensors}
    assert shapes["logits of the real tokens"][0] == sum((inspection.T, inspection.T - 2))
    assert shapes["loss (cross-entropy)"] == ()
    assert ("one step: keys (once a source)" in names) == (model.attention != "none")
    assert ("one step: features fed to the next" in names) == model.input_feeding
    following = [name for name in names if name.startswith("one step: next state")]
    assert len(following) == len(states)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_fits_a_hundred_columns(here, model, capsys):
    print_summary(summarized(model, (11, 11) if model.tie_source_target else VOCABULARIES))
    out = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 100 and "…" not in out


def test_shares_add_up_and_a_gate_s_two_biases_are_one_variable_of_keras(here):
    told = json.loads(json.dumps(summarized(MODELS["gru"]).to_json()))
    assert sum(weight["share"] for weight in told["weights"]) == pytest.approx(1.0)
    [bias] = [each for each in told["weights"] if each["name"] == "decoder.layers.0.bias_hh"]
    assert (bias["tensorflow"]["name"], bias["tensorflow"]["shape"]) == (
        "decoder.layers.0.bias[1]",
        [2, 24],
    )
    assert (bias["pytorch"]["name"], bias["pytorch"]["shape"]) == ("decoder.layers.0.bias_hh", [24])
    assert bias["tensorflow"]["layer"] == "RecurrentLayer" and bias["parameters"] == 24


def test_one_framework_is_shown_where_the_other_is_missing(here, monkeypatch, capsys):
    monkeypatch.setattr(summary, "is_installed", lambda backend: backend == "pytorch")
    found = summarized(MODELS["gru"])
    print_summary(found)
    out = capsys.readouterr().out
    assert found.missing == ["tensorflow"] and "kernel" not in out
    assert "TensorFlow is not installed here: pip install 'diptych[tensorflow]'" in out
    assert "logits" in out and f"{found.parameters:,} parameters" in out
    monkeypatch.setattr(summary, "is_installed", lambda backend: False)
    with pytest.raises(BackendError, match="neither TensorFlow nor PyTorch is installed"):
        summarized(MODELS["gru"])


def test_the_command_asks_each_framework_in_its_own_process(both_frameworks, tmp_path, capfd):
    from diptych.cli import main

    (tmp_path / "tiny.toml").write_text("[data]\nmaximum_pairs = 30\n[model]\nembedding_size = 6\n", encoding="utf-8")
    changes = ["--set", "model.encoder_size=4", "--set", "model.decoder_size=8"]
    assert main(["summary", str(tmp_path / "tiny.toml"), *changes, "--device", "cpu", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["tensors"][-1]["tensorflow"] == told["tensors"][-1]["pytorch"] == [2, told["sizes"]["V"]]
    assert set(told["versions"]) == set(BACKENDS) and told["missing"] == []
