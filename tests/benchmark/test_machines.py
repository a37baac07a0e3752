"""The pages' table of machines, and what is kept of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pages(monkeypatch):
    """The module of benchmarks/."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return pytest.importorskip("machines")


def test_the_pages_have_the_table_of_what_is_kept(pages):
    for page in pages.PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert len(pages.MARKS.findall(text)) == 1, page
        written = pages.table(pages.machines(), "ko" if "ko" in page else "en")
        assert pages.with_table(text, written) == text, f"{page}: run python benchmarks/machines.py"


def test_a_machine_s_results_are_kept_and_shown(pages):
    def measured(backend, task, share):
        return {
            "backend": backend, "task": task, "attention": "general", "precision": "float32", "speed": {"median": 9.6},
            "unit": "target tokens per second", "percent_of_machine": share, "percent_in_system": 1.24,
            "choices": {"matrix products": "oneDNN"},
        }  # fmt: skip

    where = {
        "processor": "AMD EPYC", "processor_family": "family 25 model 1", "threads": 2, "time": "2026-11-30T15:00:00",
        "peak_gflops_per_second": {"float32": 132.4}, "packages": {"torch": "2.13.0"},
    }  # fmt: skip
    found = [measured("tensorflow", "training", 61.4), measured("pytorch", "training", 70.6)]
    kept = pages.summary(
        "Zen 3", [{"environment": where, "benchmarks": [*found, measured("onnxruntime", "greedy", None)]}], None, ""
    )
    assert kept["results"]["pytorch"]["general"]["training"] == {
        "speed": 10, "unit": "target tokens per second", "percent_of_limit": 71, "percent_in_system": 1.2,
        "kernels": ["oneDNN"],
    }  # fmt: skip
    rows = pages.table([json.loads(json.dumps(kept))]).splitlines()
    assert rows[2] == "| Zen 3 (family 25 model 1), 132 GFLOP/s, 2026-11-30 | TensorFlow | 61 / – % | – | – | – |"
    assert rows[3].startswith("|  | PyTorch | 71 / – % |")


def test_everybody_has_the_limit_of_the_fastest_kernels(pages):
    def turn(speed, *speeds):
        found = {"training": {"target_tokens_per_second": [speed]}}
        products = [
            {"name": name, "part": "forward", "gflops_per_second": each, "block_operations": 3e9}
            for name, each in zip("ab", speeds, strict=False)
        ]
        return found | ({"ceiling": {"products": products, "target_tokens": 800}} if products else {})

    rounds = {"train": [{
        "opennmt-general-float32": turn(200.0),
        "tensorflow-general-float32": turn(300.0, 3.0, 1.0),
        "pytorch-general-float32": turn(240.0, 1.0, 3.0),
    }]}  # fmt: skip
    found = pages.against({"rounds": rounds})  # 800 tokens in 2 s
    assert found["opennmt"]["general"] == {"tokens_per_second": 200, "percent_of_limit": 50, "times_opennmt": 1.0}
    assert found["tensorflow"]["general"] == {"tokens_per_second": 300, "percent_of_limit": 75, "times_opennmt": 1.5}
    assert found["pytorch"]["general"]["percent_of_limit"] == 60
