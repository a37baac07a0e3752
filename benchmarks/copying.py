"""What copying is worth: configs/names.toml with and without it, in both frameworks, each trained and evaluated once.

Each training goes on where it stopped, and what has been evaluated is not done again: `make copying` may be ended at
any time. The scores are in runs/copying/result.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from diptych.panel import BACKENDS
from diptych.storage.place import make_folder, replace_file

CONFIG = Path(__file__).parents[1] / "configs" / "names.toml"
MODELS = {"copying": "true", "plain": "false"}


def diptych(*arguments: str) -> str:
    """What `diptych` prints."""
    return subprocess.run(
        [sys.executable, "-m", "diptych", *arguments], check=True, stdout=subprocess.PIPE
    ).stdout.decode()


def main() -> None:
    """Train and evaluate what is not done, and print the exact matches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/copying"))
    parser.add_argument("--threads", default="2")
    parser.add_argument("--backend", choices=BACKENDS, action="append", help="one framework only")
    given = parser.parse_args()
    make_folder(given.folder)
    path = given.folder / "result.json"
    results = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for name, copies in MODELS.items():
        for backend in given.backend or BACKENDS:
            if f"{name} {backend}" in results:
                continue
            run = str(given.folder / name)
            options = ["--backend", backend, "--threads", given.threads]
            diptych("train", str(CONFIG), "--run", run, "--set", f"model.copies={copies}", "--resume", *options)
            told = json.loads(diptych("evaluate", run, "--json", *options))
            results[f"{name} {backend}"] = {key: told[key] for key in ("exact_match", "bleu", "chrf", "sentences")}
            replace_file(path, json.dumps(results, indent=2) + "\n")
    for name, scores in results.items():
        print(f"{name}: {scores['exact_match']:.2f} % of {scores['sentences']} sentences are right")


if __name__ == "__main__":
    main()
