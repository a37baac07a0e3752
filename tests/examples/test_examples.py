"""The example programs: each runs, and the two of a pair print the same from beginning to end."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.panel import BACKENDS

EXAMPLES = Path(__file__).parents[2] / "examples"
PAIRS = ("word_translation", "character_spacing")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
LAST_DIGIT = 1.5e-4  # losses are printed with four decimals

# What one program of a pair defines and its twin does not, and why.
ONLY_IN = {("word_translation_tensorflow.py", "Adam"): "PyTorch's own Adam is the one wanted"}


def run(name: str, backend: str, *arguments: object, seconds: int = 300) -> subprocess.CompletedProcess[str]:
    """Run one program in a process of its own, with one thread."""
    command = [sys.executable, str(EXAMPLES / f"{name}_{backend}.py"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=os.environ | ONE_THREAD, timeout=seconds, check=False
    )


def output(name: str, backend: str, *arguments: object, seconds: int = 300) -> str:
    """What a program prints; it has to end well."""
    finished = run(name, backend, *arguments, seconds=seconds)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def losses(printed: str) -> dict[int, float]:
    """The loss at each report, by step."""
    return {int(step): float(loss) for step, loss in re.findall(r"^step (\d+)  loss (\S+)$", printed, re.MULTILINE)}


def said(printed: str) -> list[str]:
    """Each line of the form "source -> what the model made of it", in order."""
    return [line for line in printed.splitlines() if " -> " in line]


def right(printed: str) -> list[int]:
    """How many held-out lines came out right, each time the program says so."""
    return [int(count) for count in re.findall(r"(\d+) of \d+ (?:sentences|lines) never seen", printed)]


def probabilities(printed: str) -> list[float]:
    """The words' probabilities: every number with three decimals."""
    return [float(number) for number in re.findall(r"\b[01]\.\d{3}\b", printed)]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] if name.startswith("character") else []) for name in PAIRS],
)
def pair(both_frameworks, request, tmp_path_factory):
    """A pair's name, what each of its two programs printed in 12 steps, and the folder of the folders they wrote."""
    folder = tmp_path_factory.mktemp(request.param)
    arguments = {backend: ("--steps", 12, "--output", folder / backend) for backend in BACKENDS}
    return request.param, {backend: output(request.param, backend, *arguments[backend]) for backend in BACKENDS}, folder


def test_twins_print_the_same_loss_at_each_report_and_it_falls(pair):
    _, printed, _ = pair
    first, second = (losses(printed[backend]) for backend in BACKENDS)
    assert list(first) == list(second) == list(range(1, 13))
    assert list(first.values()) == pytest.approx(list(second.values()), abs=LAST_DIGIT)
    assert first[12] < first[1] - 0.5


def test_twins_say_the_same_with_the_same_probabilities(pair):
    name, printed, _ = pair
    first, second = (printed[backend] for backend in BACKENDS)
    assert said(first) == said(second) and len(said(first)) == (5 if name == "word_translation" else 16)
    assert right(first) == right(second) and len(right(first)) == (1 if name == "word_translation" else 4)
    assert probabilities(first) == pytest.approx(probabilities(second), abs=1.5e-3)
    assert (len(probabilities(first)) >= 5) == (name == "word_translation")


@pytest.mark.parametrize("backend", [pytest.param("tensorflow", marks=pytest.mark.slow), "pytorch"])
def test_one_restores_what_the_other_wrote(pair, backend):
    name, printed, folder = pair
    [other] = set(BACKENDS) - {backend}
    restored = output(name, backend, "--steps", 0, "--output", folder / other)
    assert losses(restored) == {} and said(restored) == said(printed[other])


def test_the_translator_draws_where_it_looked(pair):
    name, _, folder = pair
    expected = [f"attention-{number}.png" for number in range(5)] if name == "word_translation" else []
    for backend in BACKENDS:
        pictures = sorted((folder / backend).glob("*.png"))
        assert [picture.name for picture in pictures] == expected
        assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_without_a_checkpoint_there_is_nothing_to_restore(with_pytorch, tmp_path):
    finished = run("word_translation", "pytorch", "--steps", 0, "--output", tmp_path)
    assert finished.returncode == 1
    assert f"CheckpointError: no checkpoint at {tmp_path / 'checkpoint'}" in finished.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_without_the_environment_each_says_what_to_type(path):
    """Python finds no installed package when it is started so."""
    finished = subprocess.run([sys.executable, "-I", "-S", path], capture_output=True, encoding="utf-8", check=False)
    assert finished.returncode == 1
    assert re.fullmatch(
        rf"No module named '\w+': .*`make setup`, then .venv/bin/python {re.escape(str(path))}\n", finished.stderr
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_twins_learn_what_they_promise_and_the_same(both_frameworks, name, tmp_path):
    first, second = (output(name, backend, "--output", tmp_path / backend, seconds=900) for backend in BACKENDS)
    assert len(losses(first)) == 10
    assert list(losses(first).values()) == pytest.approx(list(losses(second).values()), abs=1e-3)
    assert said(first) == said(second) and right(first) == right(second)
    if name == "word_translation":
        assert said(first)[0] == "I feel hungry -> 배가 고파요"
        assert right(first)[0] >= 80  # of 100
    else:
        assert said(first)[0] == "  ifeelhungry -> I feel hungry"
        assert right(first)[0] >= 170  # of 200, hardly anything left to chance
        assert right(first) == sorted(right(first), reverse=True) and right(first)[-1] < 50  # the hotter, the wilder


@pytest.mark.parametrize("name", PAIRS)
def test_twins_stand_side_by_side(name):
    """The same constants, classes, functions, arguments and words about them, and the same main."""
    first, second = (outline(EXAMPLES / f"{name}_{backend}.py") for backend in BACKENDS)
    assert first == second


def outline(path: Path) -> list[str]:
    """Every constant and definition of a program, in order, without what only its framework can say."""
    return [
        re.sub("tensorflow|TensorFlow|pytorch|PyTorch", "BACKEND", part)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for part in parts(node)
        if (path.name, getattr(node, "name", "")) not in ONLY_IN
    ]


def parts(node: ast.stmt) -> list[str]:
    """A constant as it stands; a class or function as its name, arguments and docstring, then what it defines."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Tuple):
        return [ast.unparse(node)]
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return []
    if node.name == "main":
        return [ast.unparse(node)]
    arguments = ast.unparse(node.args) if isinstance(node, ast.FunctionDef) else ""
    inside = [part for each in node.body if isinstance(each, ast.FunctionDef) for part in parts(each)]
    name = {"call": "forward"}.get(node.name, node.name)
    return [f"{name}({arguments}): {ast.get_docstring(node)}", *inside]
