"""The ladder between healthy panels, what it takes for a tie, and the commands that climb it and look for faults."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from diptych.cli import main
from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.vocabulary import EOS
from diptych.javascript import node
from diptych.ladder import ladder as parity
from diptych.ladder import location
from diptych.ladder.javascript import JAVASCRIPT
from diptych.ladder.limits import Level, judge
from diptych.ladder.location import first_difference
from diptych.ladder.rungs import SEARCHED, SUMS, measure
from diptych.ladder.table import print_parity
from diptych.panel import BACKENDS, load
from diptych.runs.run import Run

PRECISIONS = ("float64", "float32")
# Every cell, attention, bridge and optimizer at least once.
HEALTHY = {
    "gru-none-sgd": (
        {"attention": "none", "embedding_size": 3, "encoder_size": 2, "decoder_size": 4, "bridge": "copy"},
        {"optimizer": "sgd", "learning_rate": 0.1},
    ),
    "gru-dot-adamw": (
        {"attention": "dot", "embedding_size": 4, "encoder_size": 2, "decoder_size": 4, "tie_target_output": True},
        {"optimizer": "adamw"},
    ),
    "lstm-additive-adam": (
        {"cell": "lstm", "embedding_size": 3, "encoder_size": 3, "decoder_size": 4, "decoder_layers": 2},
        {},
    ),
    "lstm-general-momentum": (
        {"cell": "lstm", "attention": "general", "embedding_size": 3, "encoder_size": 3, "decoder_size": 4}
        | {"bidirectional": False, "encoder_layers": 2, "attentional_layer": False},
        {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.1},
    ),
    "rnn-concat-adamw": (
        {"cell": "rnn", "attention": "concat", "embedding_size": 3, "encoder_size": 3, "decoder_size": 4}
        | {"input_feeding": True, "bridge": "zero"},
        {"optimizer": "adamw"},
    ),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "gru-dot-adamw" else pytest.mark.slow) for name in HEALTHY],
)
def test_every_rung_holds_in_every_precision(bench, name):
    bench.configs[name] = HEALTHY[name]
    run = bench.run(name, False)
    results = {
        backend: bench.measure(name, backend, steps=3, searches=False, precisions=("exact", *PRECISIONS))
        for backend in BACKENDS
    }
    results["reference"] = measure(load("reference"), str(run.folder), "", ["float64"], rows=4, searches=False)
    levels = judge(results, run)
    assert [level for level in levels if not level.holds] == []
    rungs = ["initial parameters", "encoder", "attention", "logits", "loss"]
    trained = ["gradients", "one step", "losses of 3 steps", "after 3 steps"]
    between = {}
    for level in levels:
        between.setdefault(level.name, []).append((level.precision, level.between))
    frameworks = [(precision, BACKENDS) for precision in PRECISIONS]
    against = [("float64", (backend, "reference")) for backend in BACKENDS]
    exact = ["losses of 3 exact steps", "after 3 exact steps"]
    assert list(between) == rungs + trained + exact
    assert all(between[rung] == [("exact", BACKENDS)] for rung in exact)
    assert [level.limit for level in levels if level.name == exact[1]] == [0.0]
    assert all(sorted(between[rung]) == sorted(frameworks + against) for rung in rungs)
    assert all(between[rung] == frameworks for rung in trained)


@pytest.fixture(scope="module")
def searching(bench):
    """A run, and weights of its model with which the first two words are the same in all but name."""
    run = bench.run("gru", False)
    parameters = {name: value.copy() for name, value in run.initial_parameters().items()}
    for name in ("target_embedding.weight", "output_layer.weight", "output_layer.bias"):
        parameters[name][5] = parameters[name][4]
    return run, parameters


def judged(searching, rung, ours, others, error=1e-12):
    """The level of a search rung where two panels found these tokens and their logits differ by `error`."""
    run, parameters = searching
    results = {
        backend: {
            "float64": {
                "logits": {"logits": np.array([error * number])},
                rung: {"0": np.array(tokens), "1": np.array([7, EOS])},
                SEARCHED: parameters,
            }
        }
        for number, (backend, tokens) in enumerate(zip(BACKENDS, (ours, others), strict=True))
    }
    return next(level for level in judge(results, run) if level.name == rung)


@pytest.mark.parametrize("rung", ["greedy tokens", "beam tokens"])
def test_two_words_that_are_one_to_the_model_tie(searching, rung):
    level = judged(searching, rung, [4, EOS], [5, EOS])
    assert level.holds
    assert level.note == "1 of 2 sentences tied within 1.0e-12"
    assert level.max_abs_difference == 0.0


@pytest.mark.parametrize("rung", ["greedy tokens", "sampled tokens", "beam tokens"])
@pytest.mark.parametrize(("ours", "others"), [([4, EOS], [6, EOS]), ([4, 4, EOS], [4, EOS]), ([4, 4], [4])])
def test_other_words_and_other_lengths_do_not(searching, rung, ours, others):
    level = judged(searching, rung, ours, others)
    assert not level.holds
    assert (level.tensor, level.max_abs_difference, level.limit) == ("sentence 1", 1.0, 0.0)


def test_a_sample_ties_only_with_its_noise(searching):
    assert not judged(searching, "sampled tokens", [4, EOS], [5, EOS]).holds
    assert judged(searching, "sampled tokens", [4, EOS], [5, EOS], error=100.0).holds


@pytest.mark.parametrize("precisions", [("float64",), PRECISIONS])
@pytest.mark.parametrize("values", [(1.0, np.nan), (np.nan, np.nan), (np.inf, 1.0), (1.0, np.inf), (np.inf, np.inf)])
def test_what_is_no_finite_number_breaks_its_rung(searching, values, precisions):
    run, _ = searching
    results = {
        name: {precision: {"loss": {"loss": np.array([value, 1.0])}} for precision in precisions}
        for name, value in zip("ab", values, strict=True)
    }
    assert not any(level.holds for level in judge(results, run))
    assert first_difference(*(result["float64"]["loss"] for result in results.values()), run).place == "number 0"


def test_a_tensor_of_another_shape_is_a_difference(searching):
    run, _ = searching
    found = first_difference({"memory": np.zeros((2, 3))}, {"memory": np.zeros((2, 4))}, run)
    assert str(found).startswith("memory: shapes (2, 3) and (2, 4)")


def test_the_table_fits_a_terminal_and_names_what_is_broken():
    level = Level("losses of 1000 steps", "float64", BACKENDS, "losses", 1.5e-16, 2e-15, 1e-9, 1234567.8, True)
    with_reference = replace(level, between=("pytorch", "reference"), holds=False, note="a note")
    text = io.StringIO()
    print_parity([level, with_reference], Console(file=text, width=80))
    assert "…" not in text.getvalue()
    assert "1.5e-16  2.0e-15  1e+06    1.5e-16  NO" in text.getvalue()
    assert "losses of 1000 steps, float64, pytorch to reference: losses: gap 1.50e-16" in text.getvalue()
    assert "1 comparisons do not hold" in text.getvalue()


@pytest.mark.parametrize(("holds", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_says_whether_it_holds(monkeypatch, capsys, tmp_path, holds, code):
    level = Level("loss", "float64", BACKENDS, "loss", 0.0, 1e-12, 0.0, 0.0, holds)
    monkeypatch.setattr(parity, "climb", lambda *arguments, **named: [level])
    (tmp_path / "tiny.toml").write_text(TINY.to_toml(), encoding="utf-8")
    assert main(["parity", str(tmp_path / "tiny.toml"), "--json"]) == code
    assert json.loads(capsys.readouterr().out)["levels"] == [level.to_json()]


TINY = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=60, validation_size=4, test_size=6),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, dropout=0.2),
    training=TrainingConfig(epochs=1, batch_size=16, label_smoothing=0.1, maximum_steps=3),
)
FIELDS = {"name", "precision", "between", "tensor", "max_abs_difference", "limit", "relative_difference"} | {
    "ulps", "holds", "note"
}  # fmt: skip
RUNGS = [
    "initial parameters", "encoder", "attention", "logits", "loss", "gradients", "one step", "losses of 5 steps",
    "after 5 steps", "decoding steps", "greedy tokens", "sampled tokens", "beam tokens", "losses of 5 exact steps",
    "after 5 exact steps",
]  # fmt: skip


def diptych(*arguments):
    command = [sys.executable, "-m", "diptych", *map(str, arguments), "--threads", "1"]
    environment = os.environ | {"COLUMNS": "80"}
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=300, env=environment)


@pytest.fixture(scope="module")
def config(both_frameworks, tmp_path_factory):
    path = tmp_path_factory.mktemp("configs") / "tiny.toml"
    path.write_text(TINY.to_toml(), encoding="utf-8")
    return path


def check_levels(finished):
    assert finished.returncode == 0, finished.stderr + finished.stdout
    levels = json.loads(finished.stdout)["levels"]
    assert list(dict.fromkeys(level["name"] for level in levels if not level["name"].startswith("JavaScript"))) == RUNGS
    for level in levels:
        assert level.keys() == FIELDS
        assert level["holds"] is True
        assert level["max_abs_difference"] <= level["limit"]
    return levels


@pytest.mark.slow
def test_the_command_climbs_a_config(config):
    levels = check_levels(diptych("parity", config, "--json", "--steps", 5))
    compared = {(level["precision"], *level["between"]) for level in levels}
    painted = {("float64", other, JAVASCRIPT) for other in (*BACKENDS, "reference")} if node.is_installed() else set()
    assert compared == painted | {(precision, *BACKENDS) for precision in ("exact", *PRECISIONS)} | {
        ("float64", backend, "reference") for backend in BACKENDS
    }


@pytest.mark.slow
def test_the_command_climbs_a_run_from_the_weights_it_was_trained_to(config, tmp_path):
    trained = diptych("train", config, "--run", tmp_path / "run", "--backend", "pytorch", "--quiet")
    assert trained.returncode == 0, trained.stderr
    check_levels(diptych("parity", tmp_path / "run", "--json", "--steps", 5))
    weights = Run.open(tmp_path / "run").read_checkpoint("pytorch").parameters
    measured = measure(load("reference"), str(tmp_path / "run"), "pytorch", ["float64"], searches=False)
    found = measured["float64"]["initial parameters"]
    assert all(np.array_equal(found[name], value) for name, value in weights.items())


@pytest.mark.slow
def test_the_command_finds_nothing_to_locate(config):
    finished = diptych("parity", config, "--locate", "--steps", 5)
    assert (finished.returncode, finished.stdout) == (0, "every rung holds: no tensor differs\n"), finished.stderr


def test_a_broken_rung_is_not_called_whole_where_no_tensor_differs(monkeypatch, capsys, tmp_path):
    """`parity` and `parity --locate` never contradict each other."""
    level = Level("after 200 exact steps", "exact", BACKENDS, SUMS, 3.0, 0.0, 0.0, 0.0, False, "first at step 17")
    monkeypatch.setattr(parity, "climb", lambda *arguments, **named: [level])
    monkeypatch.setattr(location, "locate", lambda *arguments, **named: None)
    (tmp_path / "tiny.toml").write_text(TINY.to_toml(), encoding="utf-8")
    assert main(["parity", str(tmp_path / "tiny.toml"), "--locate"]) == 1
    said = capsys.readouterr().out
    assert "after 200 exact steps, exact, does not hold" in said and "first at step 17" in said
    assert "no component differs by itself" in said


def test_a_sum_that_differs_names_its_step(bench):
    name = "gru-none-sgd"
    bench.configs[name] = HEALTHY[name]
    results = {
        backend: bench.measure(name, backend, steps=4, searches=False, precisions=("exact",)) for backend in BACKENDS
    }
    arrays = results["pytorch"]["exact"]["after 4 exact steps"]
    arrays[SUMS] = arrays[SUMS] + np.array([0, 0, 1, 5])
    broken = [level for level in judge(results, bench.run(name, False)) if not level.holds]
    assert [(level.tensor, level.note) for level in broken] == [(SUMS, "first at step 3")]
