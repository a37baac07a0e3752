"""ONNX Runtime as a column of a comparison: a real one on a tiny run, and what table and page make of it."""

import io
import time

import pytest
from rich.console import Console

from diptych.comparison import comparison, elsewhere
from diptych.comparison.page import render
from diptych.comparison.table import headline, print_table
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.errors import BackendError
from diptych.exported import runtime
from diptych.panel import load
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.translation.translator import load as load_translator

CONFIG = RunConfig(
    data=DataConfig(maximum_pairs=40, validation_size=5, test_size=8),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8),
    training=TrainingConfig(precision="float64"),
    search=SearchConfig(maximum_length=9),
)
TOLD = {
    "version": "1.z",
    "weights_of": "pytorch",
    "startup_seconds": 0.25,
    "memory": {"peak_rss_bytes": 50_000_000},
    "decoding": {"sentences_per_second": 321.0, "speeds": [320.0, 321.0, 322.0]},
    "agreement": {"sentences": 8, "equal": 7, "ties": 1},
    "texts": ["something"] * 8,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a checkpoint of initial weights, its test sentences and their translations by the reference."""
    run = Run.create(CONFIG, tmp_path_factory.mktemp("runs") / "tiny")
    run.record("pytorch").write_checkpoint(Checkpoint(run.initial_parameters(), {}, {"step": 1}))
    sentences = [source for source, _ in run.corpus().test]
    return run, sentences, [each.tokens for each in load_translator(run, "reference").translate(sentences)]


def translated(run, sentences, said):
    given = {"threads": 1, "device": "cpu", "quick": True, "started": time.time()}
    return elsewhere.translate_exported(load("reference"), str(run.folder), sentences, said, **given)


@pytest.mark.skipif(not runtime.is_installed(), reason="onnxruntime is not installed here")
def test_what_it_says_is_counted_token_by_token(run):
    run, sentences, said = run
    told = translated(run, sentences, said)
    assert told["agreement"]["sentences"] == len(sentences) == len(told["texts"])
    assert told["agreement"]["equal"] + told["agreement"]["ties"] == len(sentences)
    assert len(told["decoding"]["speeds"]) == 1 and told["startup_seconds"] > 0.0
    wrong = translated(run, sentences, [said[1][:1], *said[1:]])
    assert wrong["agreement"] == told["agreement"] | {"equal": told["agreement"]["equal"] - 1}


def test_it_has_a_column_and_a_line_or_none(workers, tmp_path):
    workers.elsewhere = TOLD
    report = comparison.compare(RunConfig(data=CONFIG.data), tmp_path / "run", threads=2).report
    assert list(report["decoders"]) == ["onnxruntime"] and "texts" not in report["decoders"]["onnxruntime"]
    rows = dict(headline(report))
    assert rows["decoding, sentences/s"] == ["99", "99", "321"]
    assert rows["loss at the end"][2] == rows["compiling (first step)"][2] == ""
    assert rows["exact match"][2] == "0.0 %"
    line = "7 of 8 translations token for token the same, 1 at a tie, 0 not"
    assert "ONNX Runtime 1.z" in render(report) and line in render(report)
    for backend, version in (("tensorflow", "2.21.0"), ("pytorch", "2.13.0+cpu")):
        report["backends"][backend]["version"] = version
    report["decoders"]["onnxruntime"]["version"] = "1.32.0"
    text = printed(report)
    for part in ("TensorFlow", "2.21.0", "2.13.0+cpu", "ONNX Runtime", "1.32.0", "start-up (import and model)", line):
        assert part in text, text
    assert "…" not in text
    absent = report | {"decoders": {}, "without": {}}
    assert "ONNX" not in printed(absent) and "ONNX" not in render(absent).split('id="differences"')[0]
    failed = report | {"decoders": {}, "without": {"onnxruntime": "it died"}}
    assert "not compared: ONNX Runtime: it died" in printed(failed)


def printed(report):
    text = io.StringIO()
    print_table(report, Console(file=text, width=80))
    return text.getvalue()


def test_without_the_package_there_is_none_and_a_failure_is_told(run, monkeypatch):
    def fails(*arguments, **named):
        raise BackendError("the reference process died")

    monkeypatch.setattr(elsewhere, "call", fails)
    monkeypatch.setattr(runtime, "is_installed", lambda: False)
    assert elsewhere.decode_elsewhere(*run, 1, "cpu", True) is None
    monkeypatch.setattr(runtime, "is_installed", lambda: True)
    assert elsewhere.decode_elsewhere(*run, 1, "cpu", True) == {"missing": "the reference process died"}
