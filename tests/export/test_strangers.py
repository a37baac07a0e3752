"""The programs of docs/export.md know nothing of Diptych, and say what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import diptych
from diptych.export.exporting import export
from diptych.export.frameworks import FrameworkTarget
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained

PAGE = Path(__file__).parents[2] / "docs" / "export.md"
LINE = "I feel hungry"
TARGETS = {
    "greedy": ("greedy_model.onnx", OnnxTarget(whole="greedy", threads=1), 0),
    "onnx": ("encoder, decoder = (onnxruntime.", OnnxTarget(threads=1), 50),
    "savedmodel": ("tf.saved_model.load", FrameworkTarget("savedmodel"), 50),
    "litert": ("tf.lite.Interpreter", FrameworkTarget("litert"), 50),
    "torchscript": ("torch.jit.load", FrameworkTarget("torchscript"), 50),
}
"""A line of its program, the target, and how long its translations may be."""
QUICK = ("greedy", "onnx")


@pytest.mark.parametrize("to", [pytest.param(to, marks=() if to in QUICK else pytest.mark.slow) for to in TARGETS])
def test_the_program_of_the_page_says_what_diptych_says(to, run, tmp_path, need_frameworks):
    sign, target, longest = TARGETS[to]
    if to in QUICK:
        pytest.importorskip("onnxruntime")
    else:
        need_frameworks("tensorflow", "pytorch")
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (program,) = (each for each in programs if sign in each)
    assert "diptych" not in program
    out = tmp_path / "out"
    export(Trained.open(run), target, "onnx" if to in QUICK else to, out, scores=False)
    finished = subprocess.run(
        [sys.executable, "-I", "-c", program, str(out), LINE], capture_output=True, encoding="utf-8", timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    (expected,) = diptych.load(run, "reference").translate([LINE], maximum_length=longest)
    assert finished.stdout.strip() == " ".join(token for token in expected.tokens if token != "<eos>")
