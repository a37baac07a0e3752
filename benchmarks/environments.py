"""The peers' virtual environments: .venv-bench/NAME, made where they are missing from peers/requirements/NAME.txt.

PyTorch comes first and pinned, as in the Makefile. Everything else is listed with its version and installed as listed
(`--no-deps`): OpenNMT-py and JoeyNMT ask for an older PyTorch and for much that they do not import here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = Path(__file__).resolve().parent / "peers" / "requirements"
TORCH = "torch==2.13.0"


def interpreter(name: str) -> Path:
    """The Python of an environment.

    Raises:
        RuntimeError: it could not be made.
    """
    folder, requirements = ROOT / ".venv-bench" / name, REQUIREMENTS / f"{name}.txt"
    python, stamp = folder / "bin" / "python", folder / "ready"
    wanted = requirements.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {folder.relative_to(ROOT)}", file=sys.stderr)
    install = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([sys.executable, "-m", "venv", "--clear", str(folder)])
    run([*install, TORCH])
    run([*install, "--no-deps", "--requirement", str(requirements)])
    stamp.write_text(wanted, encoding="utf-8")  # last: a set-up that was interrupted is begun anew
    return python


def run(command: list[str]) -> None:
    """Run a command, its output to standard error.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed with exit status {done.returncode}; see above")
