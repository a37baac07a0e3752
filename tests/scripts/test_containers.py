"""The Dockerfile and compose.yaml, where no builder is at hand: what they copy, install and call is there."""

import fnmatch
import json
import re
import tomllib
from pathlib import Path

import pytest

from diptych.cli import main

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_copied_is_there_and_sent_to_the_builder():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists(), name
            assert not any(fnmatch.fnmatch(name, pattern.strip("/")) for pattern in ignored), name


def test_what_is_installed_is_what_was_tested():
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", DOCKERFILE)
    assert set(extras.split(",")) <= set(known["optional-dependencies"])
    assert re.search(r"torch==[\d.]+", DOCKERFILE)[0] in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for source in (known["readme"], *known["license-files"], "docs/equations.md", "src"):
        assert source.startswith("src") or source in DOCKERFILE, f"the package is not built without {source}"


def test_the_services_call_commands_with_options_that_exist(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    commands = [service["command"] for service in compose["services"].values() if "command" in service]
    commands.append(json.loads(re.search(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[1]))
    assert len(commands) == 3
    for name, *arguments in commands:
        assert main([name, "--help"]) == 0
        told = capsys.readouterr().out
        for option in (each for each in arguments if each.startswith("--")):
            assert option in told, f"diptych {name} has no {option}"
    proxy = compose["configs"][compose["services"]["proxy"]["configs"][0]["source"]]["content"]
    host = re.search(r"proxy_set_header Host (\S+);", proxy)[1]
    assert host in compose["services"]["serve"]["command"], "the server answers to names it was told alone"
