"""requirements.lock and sbom.json from constraints.txt: each package that was tested, with the hash of its archive.

    python scripts/lock.py

pip is asked what it would install here (Python 3.11, Linux, x86-64) of exactly these versions; nothing is installed.
The hashes are those of the archives that the package index gave: other platforms have other archives, so elsewhere the
script is run anew. `pip install --require-hashes -r requirements.lock` then takes these archives and no others.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CONSTRAINTS, LOCK, SBOM = ROOT / "constraints.txt", ROOT / "requirements.lock", ROOT / "sbom.json"
HEAD = """# What constraints.txt names, with the SHA-256 of each archive: written by scripts/lock.py.
# Python 3.11, Linux x86-64: pip install --require-hashes -r requirements.lock; then torch; then pip install --no-deps .
# A line that begins with # is a build that not every package index has: take yours, pinned as constraints.txt says.
"""
ELSEWHERE = ("tensorflow",)
"""Pinned for other platforms: here it is tensorflow-cpu."""


def report() -> list[dict[str, Any]]:
    """What pip would install: for each package its metadata and where its archive is.

    Raises:
        CalledProcessError: pip cannot find one; it says which.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--quiet"]
        command += ["--ignore-installed", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--report", str(path), "-r", str(CONSTRAINTS)], check=True)
        packages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["install"]
    packages = [each for each in packages if _name(each) not in ELSEWHERE]
    return sorted(packages, key=lambda package: str(package["metadata"]["name"]).lower())


def lock(packages: list[dict[str, Any]]) -> str:
    """The lines of requirements.lock."""
    lines = [f"{_name(each)}=={_version(each)} --hash=sha256:{_digest(each)}\n" for each in packages]
    return HEAD + "".join(f"# {line}" if "+" in line.partition(" ")[0] else line for line in lines)


def bill(packages: list[dict[str, Any]]) -> dict[str, Any]:
    """The packages as CycloneDX describes them (1.5, JSON)."""
    sys.path.insert(0, str(ROOT / "src"))
    from diptych import __version__

    own = {"type": "application", "name": "diptych", "version": __version__, "bom-ref": "diptych"}
    components = []
    for each in packages:
        reference = f"pkg:pypi/{_name(each)}@{_version(each)}"
        component = {
            "type": "library",
            "bom-ref": reference,
            "name": _name(each),
            "version": _version(each),
            "purl": reference,
            "hashes": [{"alg": "SHA-256", "content": _digest(each)}],
        }
        license_of = each["metadata"].get("license_expression")
        components.append(component | ({"licenses": [{"expression": license_of}]} if license_of else {}))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": [{"ref": "diptych", "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _name(package: dict[str, Any]) -> str:
    return str(package["metadata"]["name"]).lower().replace("_", "-").replace(".", "-")


def _version(package: dict[str, Any]) -> str:
    return str(package["metadata"]["version"])


def _digest(package: dict[str, Any]) -> str:
    return str(package["download_info"]["archive_info"]["hashes"]["sha256"])


if __name__ == "__main__":
    found = report()
    LOCK.write_text(lock(found), encoding="utf-8")
    SBOM.write_text(json.dumps(bill(found), indent=1) + "\n", encoding="utf-8")
    print(f"{len(found)} packages: {LOCK.name}, {SBOM.name}")
