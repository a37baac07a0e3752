"""`diptych differences`: the list, and names that are not on it."""

import json


def test_differences_are_listed(diptych_command):
    code, out, _ = diptych_command("differences", "--list")
    assert code == 0
    assert len(out.splitlines()) >= 18
    code, out, _ = diptych_command("differences", "--list", "--json")
    assert {"name", "title", "topic"} == set(json.loads(out)["differences"][0])
    code, _, error = diptych_command("differences", "gate-order")
    assert code == 2
    assert "did you mean gate_order" in error
