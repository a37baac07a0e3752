"""What the catalogue makes of results: verdicts, names, missing frameworks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.differences import catalogue
from diptych.differences.catalogue import Finding, choose, entries, judge
from diptych.differences.entry import Entry
from diptych.differences.processes import Outcome
from diptych.errors import UsageError

ENTRY = Entry("a_name", "A title", "loss", "what", "why", "bridge", "largest absolute difference", "nats", Path())


def outcomes(tensorflow, pytorch):
    versions = {"tensorflow": {"keras": "3"}, "pytorch": {"torch": "2"}}
    outputs = {"tensorflow": tensorflow, "pytorch": pytorch}
    return {name: Outcome(output={"versions": versions[name]} | output) for name, output in outputs.items()}


def test_results_that_are_apart_differ():
    finding = judge(ENTRY, outcomes({"result": [1.0, 2.0]}, {"result": [1.0, 2.5], "bridged": [1.0, 2.0]}), [])
    assert (finding.verdict, finding.effect, finding.bridged_effect) == ("differs", 0.5, 0.0)
    assert finding.bridge_holds is True
    assert finding.versions == {"keras": "3", "torch": "2"}


def test_a_side_without_a_bridge_of_its_own_is_compared_as_it_is():
    finding = judge(ENTRY, outcomes({"result": 1.0, "bridged": 2.0}, {"result": 2.25}), [])
    assert finding.bridged_effect == 0.25
    assert finding.bridge_holds is False


def test_nothing_is_said_of_a_bridge_that_is_not_shown():
    finding = judge(ENTRY, outcomes({"result": 1.0}, {"result": 2.0}), [])
    assert finding.bridged_effect is None
    assert finding.bridge_holds is None


def test_results_that_agree_are_gone_and_the_versions_are_named():
    finding = judge(ENTRY, outcomes({"result": 1.0}, {"result": 1.0 + 1e-13}), [])
    assert finding.verdict == "gone"
    assert finding.note == "gone in keras 3, torch 2: the two agree there"


def test_a_program_that_failed_is_no_difference():
    found = outcomes({"result": 1.0}, {"result": 2.0}) | {"pytorch": Outcome(error="ValueError: no")}
    finding = judge(ENTRY, found, [])
    assert (finding.verdict, finding.effect, finding.note) == ("failed", None, "in_pytorch.py: ValueError: no")
    assert "tensorflow" in finding.outputs


def test_results_that_cannot_be_compared_have_failed():
    finding = judge(ENTRY, outcomes({"result": [1.0]}, {"result": 2.0}), [])
    assert finding.verdict == "failed"
    assert "do not have the same shape" in finding.note


def test_a_missing_framework_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr("diptych.differences.processes.is_installed", lambda framework: False)
    finding = catalogue.run(["gate_order"])[0]
    assert finding.verdict == "not installed"
    for framework in ("tensorflow", "pytorch"):
        assert f"{framework} is not installed: pip install 'diptych[{framework}]'" in finding.note
    assert finding.to_json()["effect"] is None


def test_what_the_other_framework_shows_is_kept_when_one_is_missing():
    found = {"pytorch": outcomes({}, {"result": 1.0})["pytorch"]}
    finding = judge(ENTRY, found, ["tensorflow is not installed"])
    assert (finding.verdict, finding.note) == ("not installed", "tensorflow is not installed")
    assert finding.outputs["pytorch"]["result"] == 1.0


def test_findings_are_json():
    finding = judge(ENTRY, outcomes({"result": 1.0}, {"result": 2.0, "details": {"a": 1}}), [])
    values = json.loads(json.dumps(finding.to_json(), allow_nan=False))
    assert values["pytorch"] == {"result": 2.0, "details": {"a": 1}}
    assert values["tensorflow"] == {"result": 1.0}
    expected = {"name", "title", "verdict", "effect", "unit", "bridged_effect", "versions", "what", "why", "bridge"}
    assert expected <= values.keys()


def test_entries_come_in_the_order_asked_for_and_once():
    assert [entry.name for entry in choose(["seeds", "gate_order", "seeds"])] == ["seeds", "gate_order"]
    assert choose() == entries() == choose([])


@pytest.mark.parametrize(("name", "close"), [("gate-ordr", "gate_order"), ("Two_Biases", "two_biases")])
def test_an_unknown_name_lists_the_close_ones_and_all(name, close):
    with pytest.raises(UsageError) as caught:
        choose([name])
    assert f"did you mean {close}" in str(caught.value)
    assert all(entry.name in str(caught.value) for entry in entries())


def test_a_name_like_no_other_lists_all():
    with pytest.raises(UsageError, match="no difference is called 'qqq': choose among: "):
        choose(["qqq"])


def test_the_catalogue_imports_neither_framework():
    code = (
        "import sys; from diptych.differences import catalogue, document, render; catalogue.entries(); "
        "print([name for name in ('tensorflow', 'keras', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def test_a_finding_is_shown_with_its_versions_only_once():
    finding = Finding(ENTRY, "differs", {"pytorch": {"versions": {"torch": "2"}, "result": 1.0}}, 1.0)
    assert "versions" not in finding.to_json()["pytorch"]
