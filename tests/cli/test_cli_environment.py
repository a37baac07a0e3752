"""`diptych environment`: what the issue templates ask for."""

import json

import diptych


def test_it_names_versions_and_the_machine_in_both_forms(diptych_command):
    code, out, error = diptych_command("environment")
    assert (code, error) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    found = json.loads(diptych_command("environment", "--json")[1])
    assert lines["diptych"] == found["packages"]["diptych"] == diptych.__version__
    assert lines["python"] == found["python"] and lines["numpy"] == found["packages"]["numpy"]
    assert {"platform", "processor", "usable_processors"} <= set(lines)
