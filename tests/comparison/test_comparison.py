"""A comparison whose worker processes are made up: what it asks of them, and what it writes about their answers."""

import io
import json
import shutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from diptych.comparison import comparison, report
from diptych.comparison.examples import choose_examples
from diptych.comparison.pictures import draw_attention
from diptych.comparison.quality import agreement
from diptych.comparison.report import read_report
from diptych.comparison.signature import QUICK
from diptych.comparison.table import print_table
from diptych.config import DataConfig, RunConfig, TrainingConfig
from diptych.errors import BackendError, RunError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run

CONFIG = RunConfig(data=DataConfig(maximum_pairs=40, validation_size=5, test_size=8), training=TrainingConfig(seed=3))


def test_both_backends_are_asked_for_the_same(workers, tmp_path):
    comparison.compare(CONFIG, tmp_path / "run", threads=3, device="cpu", quiet=True)
    (first, *_), (second, *_) = workers.calls
    assert (first, second) == ("tensorflow", "pytorch")
    for _, _, arguments, threads, device in workers.calls:
        assert (threads, device) == (arguments["threads"], arguments["device"]) == (3, "cpu")
        assert arguments["examples"] == ["I feel hungry"]
        assert len(arguments["sentences"]) == 8
    one, other = (call[2] | {"backend": "", "started": 0.0} for call in workers.calls)
    assert one == other


def test_the_report_holds_what_was_measured(workers, tmp_path):
    workers.wrong = {"tensorflow": [2], "pytorch": [2, 5]}
    found = comparison.compare(CONFIG, tmp_path / "run", threads=2)
    written = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert written == found.report
    assert written["schema"] == report.SCHEMA
    assert written["backends"]["tensorflow"]["version"] == "2.x"
    assert written["backends"]["pytorch"]["version"] == "2.y"
    assert written["backends"]["tensorflow"]["quality"]["exact_match"] == 87.5
    assert written["backends"]["pytorch"]["quality"]["exact_match"] == 75.0
    assert written["backends"]["pytorch"]["training"]["losses"] == workers.losses["pytorch"]
    assert written["backends"]["pytorch"]["memory"]["peak_rss_bytes"] == 500_000_000
    assert written["agreement"] == {
        "largest_loss_gap": 0.25,
        "largest_loss_gap_step": 2,
        "identical_translations": 6,
        "sentences": 8,
    }
    assert written["parity"] == {"steps": comparison.PARITY_STEPS, "levels": [workers.level.to_json()]}
    assert sum(each["sentences"] for each in written["quality_by_length"]) == 8
    assert written["data"]["test"] == 8
    assert len(written["translations"]) == 8
    assert written["translations"][5]["outputs"]["pytorch"] == "pytorch is wrong"
    assert written["translations"][5]["outputs"]["tensorflow"] == written["translations"][5]["reference"]
    assert written["examples"][0]["source"] == "I feel hungry"
    assert [each["outputs"]["pytorch"] == each["reference"] for each in written["examples"]] == [True] * 3
    for name in found.files:
        assert (tmp_path / "run" / name).stat().st_size > 1000, name
    pictures = {"loss_curves.png", "attention_maps.png", "quality_by_length.png", "speeds.png"}
    assert set(found.files) == {"report.html", "report.json"} | pictures


def test_the_signature_reproduces_the_run(workers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = comparison.compare(CONFIG, "run", threads=2, tokenize="char")
    signature = found.report["signature"]
    assert f"|config:{CONFIG.hash()}|seed:3|threads:2|" in signature
    command = "diptych compare run/config.toml --run run --overwrite --threads 2 --tokenize char"
    assert signature.endswith(f"|command:{command}")
    assert "\n" not in signature


def test_a_quick_comparison_climbs_only_the_last_rung(workers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "climb", None)
    found = comparison.compare(QUICK, tmp_path / "run", threads=2, quick=True)
    assert [level["name"] for level in found.report["parity"]["levels"]] == ["the whole run"]
    assert [arguments["quick"] for _, _, arguments, _, _ in workers.calls] == [True, True]
    assert "diptych compare --quick --run run " in found.report["signature"]


def test_what_is_trained_already_is_compared_anew_only_if_asked(workers, tmp_path):
    run = Run.create(CONFIG, tmp_path / "run")
    run.record("pytorch").write_checkpoint(Checkpoint(run.initial_parameters(), {}, {"step": 1}))
    with pytest.raises(RunError, match="trained already with pytorch.*--overwrite"):
        comparison.compare(CONFIG, tmp_path / "run")
    assert workers.calls == []
    comparison.compare(CONFIG, tmp_path / "run", overwrite=True)
    assert Run.open(tmp_path / "run").trained_backends() == []


@pytest.mark.parametrize(
    ("installed", "advice"),
    [(["pytorch"], r"tensorflow is not .*'diptych\[tensorflow\]'"), ([], r"tensorflow and pytorch .*'diptych\[all\]'")],
)
def test_a_framework_that_is_missing_is_named_before_any_work(monkeypatch, tmp_path, installed, advice):
    monkeypatch.setattr(comparison, "is_installed", lambda name: name in installed)
    with pytest.raises(BackendError, match=advice):
        comparison.compare(CONFIG, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def found(compared):
    """A comparison in which PyTorch gets one sentence wrong."""
    return compared(CONFIG, pytorch=[0])


def test_the_table_shows_both_and_their_agreement(found):
    console = Console(width=100, record=True, file=io.StringIO())
    print_table(found.report, console)
    text = console.export_text()
    for part in ("TensorFlow 2.x", "PyTorch 2.y", "87.5 %", "100.0 %", "1,234", "500 MB", "2.5e-01 (step 2)", "7 of 8"):
        assert part in text, part
    assert found.report["signature"] in text.replace("\n", "")


def test_a_comparison_shows_itself_in_a_notebook(found):
    page = found._repr_html_()
    for part in ("TensorFlow 2.x", "PyTorch 2.y", "87.5 %", "1,234", "7 of 8", 'src="data:image/png;base64,'):
        assert part in page, part
    hostile = deepcopy(found)
    hostile.report["examples"][0]["source"] = "<img src=x onerror=alert(1)>"
    assert "<img src=x" not in hostile._repr_html_() and "&lt;img src=x" in hostile._repr_html_()


def test_the_report_tells_the_machines_ceiling(found):
    assert found.report["ceilings"]["training"]["pytorch"]["value"] == 2468.0
    assert "50% of 2,468" in (found.folder / "report.html").read_text(encoding="utf-8")


def entries(count, size):
    maps = {"tensorflow": np.full((size, size), 0.33333), "pytorch": np.full((size, size), 0.25)}
    return [
        report.translation_entry(
            (f"s{number}", "r"),
            {
                backend: {
                    "text": "same" if number % 10 else backend,
                    "source_tokens": ["s"] * size,
                    "tokens": ["t"] * size,
                    "log_probability": -1.0,
                    "attention": attention,
                }
                for backend, attention in maps.items()
            },
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "size", "limit"), [(20, 3, 20_000), (100, 30, 250_000), (1000, 3, 50_000)])
def test_a_report_never_grows_too_large(monkeypatch, tmp_path, count, size, limit):
    monkeypatch.setattr(report, "LARGEST", limit)
    written = report.write_report({"schema": 1, "translations": entries(count, size)}, tmp_path)
    text = (tmp_path / "report.json").read_bytes()
    assert json.loads(text) == written
    assert len(text) <= limit
    kept = written["translations"]
    assert len(kept) + written["translations_left_out"] == count
    without = [each for each in kept if each["attention"] is None]
    assert len(without) == written["attention_left_out"]
    # Sentences that the two translate differently keep their maps longest.
    if len(without) < len(kept):
        assert all(each["attention"] for each in kept if len(set(each["outputs"].values())) == 2) or len(
            without
        ) >= len([each for each in kept if len(set(each["outputs"].values())) == 1])
    if limit == 20_000:
        assert written["attention_left_out"] == written["translations_left_out"] == 0
        assert kept[0]["attention"]["tensorflow"] == [[0.3333] * 3] * 3


def test_a_report_shows_itself_again_without_training(found, tmp_path):
    copied = shutil.copytree(found.folder, tmp_path / "run")
    for name in found.files:
        if name != "report.json":
            (copied / name).unlink()
    again = comparison.show(read_report(copied / "report.json"), copied)
    assert again == replace(found, folder=copied)
    assert all((copied / name).is_file() for name in found.files)


def test_agreement_of_curves_that_are_the_same_is_no_gap():
    found = agreement({"a": [1.0, 0.5], "b": [1.0, 0.5]}, {"a": ["x", "y"], "b": ["x", "z"]})
    assert found["largest_loss_gap"] == 0.0
    assert found["identical_translations"] == 1


def test_agreement_looks_at_the_steps_both_have():
    assert agreement({"a": [1.0, 0.5, 9.0], "b": [1.0, 0.25]}, {"a": ["x"], "b": ["x"]})["largest_loss_gap"] == 0.25


def test_examples_are_right_in_both_and_not_the_shortest():
    lengths = [2, 3, 4, 4, 6, 12]
    found = [
        {"source_tokens": ["w"] * size, "reference": "r", "outputs": {"a": "r", "b": "r" if size != 6 else "x"}}
        for size in lengths
    ]
    chosen = choose_examples(found, 3)
    assert [len(each["source_tokens"]) for each in chosen] == [4, 4, 3]


def test_a_model_without_attention_has_no_maps(tmp_path):
    example = {"source": "s", "source_tokens": ["s"], "tokens": {"a": ["t"]}, "attention": {"a": [[0.0]]}}
    assert draw_attention([example], tmp_path) is None
    assert list(tmp_path.iterdir()) == []
