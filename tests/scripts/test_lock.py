"""requirements.lock and sbom.json name what constraints.txt pins, each with its hash, and no place it came from."""

import importlib.util
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_specification = importlib.util.spec_from_file_location("lock", ROOT / "scripts" / "lock.py")
lock = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(lock)


def pinned(text):
    """Each name and version, as the lock writes them."""
    found = re.findall(r"^(?:# )?([A-Za-z0-9_.-]+)==([^\s;+]+)", text, re.MULTILINE)
    return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in found}


def test_the_lock_and_the_bill_name_what_was_tested_with_hashes():
    wanted = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = pinned(text)
    assert found.items() <= wanted.items(), "run scripts/lock.py anew"
    lines = text.removeprefix(lock.HEAD).splitlines()
    assert all(re.search(r"==\S+ --hash=sha256:[0-9a-f]{64}$", line) for line in lines)
    bill = json.loads((ROOT / "sbom.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert {each["name"]: each["version"].partition("+")[0] for each in bill["components"]} == found
    for each in (text, json.dumps(bill)):
        assert not re.search(r"https?://|file:", each)


def test_builds_of_one_index_are_comments():
    package = {
        "metadata": {"name": "Torch_x", "version": "1+cpu", "license_expression": "MIT"},
        "download_info": {"archive_info": {"hashes": {"sha256": "0" * 64}}},
    }
    assert lock.lock([package]).endswith(f"# torch-x==1+cpu --hash=sha256:{'0' * 64}\n")
    assert lock.bill([package])["components"][0]["licenses"] == [{"expression": "MIT"}]
