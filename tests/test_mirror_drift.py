"""The mirror rule's own check: what may differ passes, and a planted drift is caught."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_specification = importlib.util.spec_from_file_location("mirror", Path(__file__).with_name("test_mirror.py"))
mirror = importlib.util.module_from_spec(_specification)
sys.modules["mirror"] = mirror  # where its dataclasses look for their names
_specification.loader.exec_module(mirror)

TWIN = '''
"""A layer in PyTorch."""

class State(NamedTuple):
    """A state."""
    hidden: Tensor
    cell: Tensor | None = None

class Layer(nn.Module):
    """A layer."""

    def __init__(self, size: int, bias: bool = False) -> None:
        """Make it."""

    @property
    def steps(self):
        """Steps done."""

    def forward(self, inputs: Tensor, *, scale=1.0) -> Tensor:
        """Run it."""

def reverse(inputs, lengths):
    """Reverse it."""
'''
MOVED = TWIN.partition("\ndef reverse")[0].replace(
    "class State", 'def reverse(inputs, lengths):\n    """Reverse it."""\n\nclass State'
)


@pytest.fixture
def twins(tmp_path):
    """Two panels of one file each: the twin as it is, and the twin after a change."""

    def make(before, after):
        changed = TWIN.replace(before, after)
        assert before == after or changed != TWIN
        for panel, text in (("pytorch", TWIN), ("tensorflow", changed)):
            (tmp_path / panel).mkdir()
            (tmp_path / panel / "layer.py").write_text(text, encoding="utf-8")
        return mirror.differences(tmp_path, "tensorflow", "pytorch")

    return make


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("forward", "call"),
        ("forward", "__call__"),
        ("in PyTorch", "in TensorFlow"),
        ("Tensor", "tf.Tensor"),
        ("nn.Module", "keras.layers.Layer"),
        ("    def forward", "    @tf.function\n    def forward"),
    ],
)
def test_what_is_the_framework_s_own_may_differ(twins, before, after):
    assert twins(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def reverse", "def backwards", [("reverse", "missing in tensorflow"), ("backwards", "missing in pytorch")]),
        ("    def forward", "    def build(self): ...\n\n    def forward", [("Layer.build", "missing in pytorch")]),
        ("class Layer", "class Cell", None),
        ("(inputs, lengths)", "(inputs, steps)", [("reverse", "arguments")]),
        ("(inputs, lengths)", "(lengths, inputs)", [("reverse", "arguments")]),
        ("bias: bool = False", "bias: bool = True", [("Layer.__init__", "arguments")]),
        ("bias: bool = False", "bias: bool", [("Layer.__init__", "arguments")]),
        ("*, scale", "scale", [("Layer.forward", "arguments")]),
        ("cell: Tensor | None = None", "cell: Tensor", [("State.cell", "arguments")]),
        (
            "hidden: Tensor",
            "output: Tensor",
            [("State.hidden", "missing in tensorflow"), ("State.output", "missing in pytorch")],
        ),
        ("    @property\n", "", [("Layer.steps", "kind")]),
        ("Run it.", "Run it all.", [("Layer.forward", "docstring")]),
        ("A layer in", "The layer in", [("", "docstring")]),
        (TWIN, MOVED, [("reverse", "order")]),
    ],
)
def test_a_planted_drift_is_caught(twins, before, after, expected):
    found = [(difference.name, difference.aspect) for difference in twins(before, after)]
    if expected is None:
        assert found
    else:
        assert sorted(found) == sorted(expected)


def test_a_file_that_only_one_panel_has_is_caught(twins, tmp_path):
    assert twins("", "") == []
    (tmp_path / "pytorch" / "extra.py").write_text("", encoding="utf-8")
    missing = mirror.Difference("tensorflow | pytorch", "extra.py", "", "missing in tensorflow")
    assert mirror.differences(tmp_path, "tensorflow", "pytorch") == [missing]
