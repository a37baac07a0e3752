"""From a config to translations with the real frameworks, through the command line, each in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.panel import BACKENDS
from diptych.runs.run import Run

TINY = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=60, validation_size=10, test_size=12),
    model=ModelConfig(embedding_size=8, encoder_size=8, decoder_size=12, dropout=0.2),
    training=TrainingConfig(epochs=4, batch_size=16, learning_rate=0.02, label_smoothing=0.1, precision="float64"),
)
# The same in small: what --quick has otherwise, but exact as that is, so that its last rung is a training's end.
CHANGES = {
    "data.maximum_pairs": 60, "data.validation_size": 10, "data.test_size": 12,
    "model.embedding_size": 8, "model.encoder_size": 8, "model.decoder_size": 12, "model.dropout": 0.2,
    "training.epochs": 4, "training.batch_size": 16, "training.label_smoothing": 0.1,
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("both_frameworks")


# As a user has it, not as the other tests need it; with a single thread, for there may be several test processes.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("TF_")} | {"OMP_NUM_THREADS": "1"}


def diptych(*arguments, **others):
    command = [sys.executable, "-m", "diptych", *map(str, arguments)]
    options = {"capture_output": True, "timeout": 300, "check": False, "text": True, "env": ENVIRONMENT}
    return subprocess.run(command, **options, **others)


def start_diptych(*arguments, **others):
    command = [sys.executable, "-m", "diptych", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    return subprocess.Popen(command, **options, **others)


def wait_for_steps(process, metrics):
    end = time.monotonic() + 120
    while not (metrics.exists() and metrics.stat().st_size):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module", params=["--quick", pytest.param("tiny.toml", marks=pytest.mark.slow)])
def compared(request, tmp_path_factory):
    """The run of `diptych compare`, and what it printed."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "tiny.toml").write_text(TINY.to_toml(), encoding="utf-8")
    changes = [part for each in CHANGES.items() for part in ("--set", "{}={}".format(*each))]
    arguments = [*changes, "--run", "runs/tiny"] if request.param == "--quick" else []
    finished = diptych("compare", request.param, *arguments, "--threads", 1, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return folder / "runs" / "tiny", finished


def read_report(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_both_compute_the_same(compared):
    folder, _ = compared
    report = read_report(folder)
    assert list(report["backends"]) == ["tensorflow", "pytorch"]
    curves = [values["training"]["losses"] for values in report["backends"].values()]
    assert [len(curve) for curve in curves] == [16, 16]
    assert curves[0][-1] < curves[0][0]
    np.testing.assert_allclose(*curves, rtol=1e-10)
    assert 0.0 < report["agreement"]["largest_loss_gap"] < 1e-10  # two frameworks, not one taken twice
    assert report["agreement"]["identical_translations"] == report["agreement"]["sentences"] == 12
    for entry in report["translations"]:
        one, other = (np.array(entry["attention"][backend]) for backend in BACKENDS)
        np.testing.assert_allclose(one, other, atol=1.1e-4)  # rounded to four decimals
        np.testing.assert_allclose(one.sum(axis=1), 1.0, atol=1e-3)


def test_every_rung_of_the_ladder_holds(compared):
    levels = read_report(compared[0])["parity"]["levels"]
    if Run.open(compared[0]).config.training.precision == "exact":  # a quick one
        assert [level["name"] for level in levels] == ["the whole run"]
    else:
        assert {level["precision"] for level in levels} == {"float64", "float32", "exact"}
        assert {"logits", "gradients", "one step", "beam tokens"} <= {level["name"] for level in levels}
    assert all(level["holds"] for level in levels)
    assert all(level["max_abs_difference"] <= level["limit"] for level in levels)


def test_the_measurements_are_plausible(compared):
    folder, _ = compared
    report = read_report(folder)
    assert report["environment"]["threads"] == 1
    for backend, values in report["backends"].items():
        assert values["version"] == values["versions"]["torch" if backend == "pytorch" else "tensorflow"]
        assert values["training"]["steps"] == 16
        assert values["training"]["target_tokens_per_second"] > 0.0
        assert values["decoding"]["sentences_per_second"] > 0.0
        assert 1e8 < values["memory"]["peak_rss_bytes"] < 1e10
        assert 0.1 < values["startup_seconds"] < 200.0
        assert values["compile_seconds"] >= 0.0
        metrics = Run.open(folder).read_metrics(backend)
        assert values["training"]["losses"] == [line["loss"] for line in metrics if "loss" in line]


def test_the_table_and_where_things_are(compared):
    folder, finished = compared
    for part in ("TensorFlow", "PyTorch", "exact match", "peak memory", "identical translations: 12 of 12"):
        assert part in finished.stdout, finished.stdout
    assert "echo 'I feel hungry' | diptych translate runs/tiny" in finished.stdout
    for name in ("report.json", "loss_curves.png", "attention_maps.png"):
        assert f"runs/tiny/{name}" in finished.stdout
        assert (folder / name).stat().st_size > 1000
    assert "tensorflow: 16 steps to do" in finished.stderr
    assert "pytorch: 16 steps to do" in finished.stderr


def test_a_second_comparison_asks_before_it_removes_the_first(compared):
    folder, _ = compared
    before = (folder / "report.json").read_bytes()
    finished = diptych("compare", folder / "config.toml", "--run", folder)
    assert finished.returncode == 1
    assert "--overwrite" in finished.stderr
    assert (folder / "report.json").read_bytes() == before


def test_every_backend_translates_alike(compared):
    folder, _ = compared
    entries = read_report(folder)["translations"]
    text = "".join(f"{entry['source']}\n" for entry in entries) + "\nunheard-of \u2028words\n"
    printed = {}
    for backend in (*BACKENDS, "reference"):
        finished = diptych("translate", folder, "--backend", backend, "--threads", 1, "--quiet", input=text)
        assert (finished.returncode, finished.stderr) == (0, "")
        printed[backend] = finished.stdout
    assert printed["tensorflow"] == printed["pytorch"] == printed["reference"]
    lines = printed["pytorch"].split("\n")
    assert lines[:12] == [entry["outputs"]["pytorch"] for entry in entries]
    assert len(lines) == 15


def test_evaluating_gives_what_the_report_says(compared):
    folder, _ = compared
    finished = diptych("evaluate", folder, "--backend", "reference", "--json")
    found, reported = json.loads(finished.stdout), read_report(folder)["backends"]["tensorflow"]["quality"]
    shared = reported.keys() & found.keys()
    assert shared >= {"bleu", "chrf", "exact_match", "signatures"}
    assert {key: found[key] for key in shared} == {key: reported[key] for key in shared}


def test_interrupted_in_one_framework_and_finished_in_the_other(tmp_path):
    config = tmp_path / "long.toml"
    training = TINY.training.model_copy(update={"epochs": 60})
    config.write_text(TINY.model_copy(update={"training": training}).to_toml(), encoding="utf-8")
    folder = tmp_path / "run"
    arguments = ["train", config, "--run", folder, "--threads", 1]
    with start_diptych(*arguments, "--backend", "pytorch") as process:
        wait_for_steps(process, folder / "pytorch" / "metrics.jsonl")
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert f"go on with: diptych train {folder} --backend pytorch --resume" in out
    done = Run.open(folder).record("pytorch").steps()
    assert 0 < done < 240

    refused = diptych(*arguments, "--backend", "pytorch")
    assert refused.returncode == 1
    assert "--resume" in refused.stderr and "--overwrite" in refused.stderr
    finished = diptych("train", folder, "--resume", "--backend", "tensorflow", "--threads", 1, "--json", "--quiet")
    assert (finished.returncode, finished.stderr) == (0, "")
    report = json.loads(finished.stdout)
    assert (report["resumed_from"], report["steps"], report["finished"]) == (done, 240, True)
    assert len(report["losses"]) == 240
    again = diptych("train", folder, "--resume", "--backend", "tensorflow", "--threads", 1)
    assert again.returncode == 0
    assert "nothing left to do after 240 steps" in again.stdout


@pytest.mark.slow  # tests/processes/test_call.py has it in small
def test_a_comparison_that_is_interrupted_leaves_no_process(tmp_path):
    config = tmp_path / "long.toml"
    training = TINY.training.model_copy(update={"epochs": 5000})
    config.write_text(TINY.model_copy(update={"training": training}).to_toml(), encoding="utf-8")
    # A session of its own, as a terminal's: Ctrl-C reaches every process of the group.
    with start_diptych("compare", config, "--run", tmp_path / "run", start_new_session=True) as process:
        wait_for_steps(process, tmp_path / "run" / "tensorflow" / "metrics.jsonl")
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    with pytest.raises(ProcessLookupError):  # nobody is left in the group
        os.killpg(process.pid, 0)
