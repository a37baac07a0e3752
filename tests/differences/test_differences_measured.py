"""The catalogue, run for real on the installed frameworks."""

import json
import os
import subprocess
import sys

import pytest

from diptych.differences import catalogue
from diptych.differences.processes import ENVIRONMENT, not_installed
from diptych.panel import BACKENDS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("both_frameworks")]

# These show the bridged gap as a number.
BRIDGED = (
    "gate_order reset_after two_biases embedding_gradients_in_adam embedding_gradients_in_clipping epsilon_placement "
    "rounded_constants clipping_formula clipping_per_variable weight_decay padded_outputs go_backwards "
    "bidirectional_states label_smoothing"
).split()


@pytest.fixture(scope="module")
def findings():
    return {finding.entry.name: finding for finding in catalogue.run()}


def test_every_difference_is_there(findings):
    assert {name: finding.note for name, finding in findings.items() if finding.verdict != "differs"} == {}


def test_every_bridge_that_is_shown_holds(findings):
    assert [name for name, finding in findings.items() if finding.bridge_holds is False] == []
    assert all(findings[name].bridge_holds for name in BRIDGED)


def test_float64_training_is_equal_once_all_causes_are_bridged(findings):
    for name in ("two_biases", "embedding_gradients_in_adam", "epsilon_placement", "rounded_constants"):
        assert findings[name].bridged_effect < 1e-12 < findings[name].effect
        assert len(findings[name].outputs["pytorch"]["result"]) == 200


def test_the_causes_of_a_training_gap_are_as_large_as_they_are_said_to_be(findings):
    gaps = {name: finding.effect for name, finding in findings.items()}
    assert gaps["embedding_gradients_in_adam"] > 1e-2
    assert gaps["two_biases"] > 1e-2
    assert 1e-5 < gaps["epsilon_placement"] < 1e-2
    assert 1e-7 < gaps["rounded_constants"] < 1e-4


def test_the_sum_of_two_biases_moves_twice_as_far(findings):
    outputs = findings["two_biases"].outputs
    (keras,), (torch,) = (outputs[framework]["details"].values() for framework in BACKENDS)
    assert torch == pytest.approx(2 * keras, rel=1e-9)


@pytest.mark.parametrize("name", ["gate_order", "seeds", "rounded_constants"])
@pytest.mark.parametrize("framework", BACKENDS)
def test_programs_run_by_themselves_and_show_the_same(findings, name, framework):
    finding = findings[name]
    done = subprocess.run(
        [sys.executable, str(finding.entry.program(framework))],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=os.environ | ENVIRONMENT,
    )
    assert json.loads(done.stdout) == finding.outputs[framework]


def test_all_frameworks_are_there():
    assert [not_installed(framework) for framework in BACKENDS] == [None, None]
