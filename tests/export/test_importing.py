"""A run made of an export: the same weights, and training goes on from them."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import diptych
from diptych.cli import main
from diptych.errors import CheckpointError, ConfigError, UsageError
from diptych.export.exporting import export
from diptych.export.importing import import_export
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained
from diptych.runs.run import Run
from diptych.training.state import TrainingState

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def out(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "tiny"
    export(Trained.open(run), OnnxTarget(threads=1), "onnx", folder, scores=False)
    return folder


def test_a_run_of_an_export_has_its_weights_and_says_the_same(run, out, tmp_path):
    made = import_export(out, tmp_path / "again")
    for backend in ("pytorch", "tensorflow"):
        found = made.read_checkpoint(backend)
        for name, value in run.read_checkpoint("pytorch").parameters.items():
            np.testing.assert_array_equal(found.parameters[name], value)
        assert not any(value.any() for value in found.optimizer.values())
        state = TrainingState.from_json(found.state)
        assert (state.place.step, state.validated, state.lineage) == (0, True, ((backend, 0),))
    (said,) = diptych.load(made, "reference").translate(["I feel hungry"])
    assert said.tokens == diptych.load(out, threads=1).translate(["I feel hungry"])[0].tokens
    Trained.open(made)  # and it can be exported again


@pytest.mark.parametrize("backend", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("more", [[], ["precision=exact"], ["ema_decay=0.9"], ["optimizer=sgd", "momentum=0.9"]])
def test_it_trains_on(backend, more, both_frameworks, run, out, tmp_path):
    changes = ["learning_rate=0.001", "epochs=1", "batch_size=16", *more]
    made = import_export(out, tmp_path / "on", [f"training.{each}" for each in changes])
    before = run.read_checkpoint("pytorch").parameters
    report = diptych.train(made, backend, resume=True, stop_at=1)
    assert (report.resumed_from, report.steps) == (0, 1)
    after = made.read_checkpoint(backend, "latest")
    steps = {name: after.optimizer.get(f"swapped.{name}", after.parameters[name]) - before[name] for name in before}
    # One step of Adam from these weights, and not from initial ones; averaged or not.
    assert 0.0 < max(np.abs(step).max() for step in steps.values()) < 1.01e-3


def test_the_command_of_the_page_trains_on_with_other_texts(with_pytorch, out, tmp_path, monkeypatch, capsys):
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    importing, training = (
        shlex.split(line) for line in re.findall(r"^diptych ((?:import|train) .*)$", text, re.MULTILINE)
    )
    pairs = [f"I feel hungry {number}\t나는 배고파요 {number}\n" for number in range(60)]
    (tmp_path / "more.tsv").write_text("".join(pairs), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for arguments in (importing, [*training, "--set", "training.epochs=1"]):
        assert main([str(out) if each == "demo-onnx" else each for each in arguments]) == 0, capsys.readouterr().err
    assert Run.open(tmp_path / "runs" / "again").config.data.train == (str(tmp_path / "more.tsv"),)


def test_what_cannot_be_imported_is_refused(run, out, tmp_path):
    with pytest.raises(UsageError, match="is no export"):
        import_export(run.folder, tmp_path / "x")
    with pytest.raises(UsageError, match="is there already"):
        import_export(out, run.folder)
    (tmp_path / "file").write_text("a file, and no folder", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        import_export(out, tmp_path / "file" / "x")
    for key in ("model.cell=lstm", "data.source_tokenizer=character"):
        with pytest.raises(ConfigError, match="were made with another value"):
            import_export(out, tmp_path / "new" / "x", [key])
    weights = out / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="altered"):
        import_export(out, tmp_path / "x")
    weights.write_bytes(data)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
