"""The painting in JavaScript on the ladder: its rungs hold, a fault breaks them, and without node that is said."""

import json
import shutil

import numpy as np
import pytest

from diptych.cli import main
from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.javascript import node
from diptych.ladder import javascript, ladder
from diptych.ladder.javascript import JAVASCRIPT, javascript_rungs
from diptych.ladder.limits import Level, judge
from diptych.ladder.rungs import measure
from diptych.panel import BACKENDS, load
from diptych.runs.run import Run

TINY = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=60, validation_size=4, test_size=5),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, input_feeding=True),
    training=TrainingConfig(precision="float64"),
)
RUNGS = [f"JavaScript: {rung}" for rung in ("decoding steps", "greedy tokens", "sampled tokens", "beam tokens")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A run, weights none of which is zero, and what the reference makes of them."""
    if not node.is_installed():
        pytest.skip("there is no node here; Debian and Ubuntu: apt-get install nodejs")
    run = Run.create(TINY, tmp_path_factory.mktemp("runs") / "tiny")
    random = np.random.default_rng(1)
    weights = {name: random.uniform(-0.7, 0.7, value.shape) for name, value in run.initial_parameters().items()}
    folder = str(run.folder)
    initial = ladder.starting_parameters(run, "")
    return run, initial, weights, measure(load("reference"), folder, "", ["float64"], rows=4, trained=weights)


def judged(asked, given, searched):
    run, *_, reference = asked
    rungs = javascript_rungs(run, given, searched)
    levels = judge({"reference": reference, JAVASCRIPT: {"float64": rungs}}, run)
    assert [level.name for level in levels] == RUNGS
    return levels


def test_javascript_holds_every_rung_that_it_has(asked):
    _, initial, weights, _ = asked
    levels = judged(asked, initial, weights)
    assert all(level.holds for level in levels)
    assert {level.between for level in levels} == {("reference", JAVASCRIPT)}
    assert 0.0 < levels[0].max_abs_difference <= levels[0].limit <= 1e-10


def test_a_fault_breaks_its_rung(asked):
    _, initial, weights, _ = asked
    name = "decoder.layers.0.bias_hh"
    fault = {name: np.roll(initial[name], 1)}
    assert [level.holds for level in judged(asked, {**initial, **fault}, weights)] == [False, True, True, True]
    other = {"output_layer.bias": -weights["output_layer.bias"]}
    assert [level.holds for level in judged(asked, initial, {**weights, **other})] == [True, False, False, False]


def test_a_model_that_would_take_long_is_left_out_and_told(asked, monkeypatch):
    monkeypatch.setattr(javascript, "LARGEST", 1000)
    assert "5,451 weights would take it long" in javascript.missing(asked[0])
    monkeypatch.undo()
    assert javascript.missing(asked[0]) == ""


def test_without_node_it_is_said(monkeypatch, capsys, tmp_path):
    level = Level("loss", "float64", BACKENDS, "loss", 0.0, 1e-12, 0.0, 0.0, True)
    monkeypatch.setattr(ladder, "climb", lambda *arguments, **named: [level])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "tiny.toml").write_text(TINY.to_toml(), encoding="utf-8")
    assert main(["parity", str(tmp_path / "tiny.toml")]) == 0
    assert "not compared: JavaScript: it is run by node, not installed here" in capsys.readouterr().out
    assert main(["parity", str(tmp_path / "tiny.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["not_compared"] != []
