"""What starting from a model, features, copying and embeddings are worth: each with and without it, on a small task.

Each training goes on where it stopped, and what has been noted in docs/worth is not done again: the program may be
ended at any time. The runs are in runs/worth. The tables of docs/recipes.md and docs/corpora.md follow from the notes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from exactness import machine
from worth_recipes import base, recipes
from worth_table import NOTES, write_tables

from diptych.evaluation.evaluate import evaluate
from diptych.runs.run import Run
from diptych.storage.place import make_folder, replace_file
from diptych.training.loop import train

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Train and evaluate what is not done, note it, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="start, features, copying, embeddings; left out: all")
    parser.add_argument("--backend", choices=("tensorflow", "pytorch"), default="pytorch")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "worth")
    parser.add_argument(
        "--stop-after", type=float, default=float("inf"), help="begin no training after so many seconds"
    )
    given = parser.parse_args()
    began, how = time.monotonic(), {"backend": given.backend, "threads": given.threads, "device": "cpu"}
    make_folder(given.folder)
    make_folder(NOTES)
    for name, recipe in recipes(given.data, given.folder).items():
        if given.names and name not in given.names:
            continue
        path = NOTES / f"{name}.json"
        noted = json.loads(path.read_text("utf-8")) if path.is_file() else {"found": []}
        noted |= {"task": recipe.task, "measure": recipe.measure}
        if name == "start" and not (given.folder / "base" / "done").exists():
            train(Run.create(base(given.data, given.folder), given.folder / "base"), resume=True, **how)
            (given.folder / "base" / "done").touch()
        for seed in range(1, given.seeds + 1):
            for model, values in recipe.models.items():
                key = {"model": model, "seed": seed, "backend": given.backend}
                if any(key.items() <= each.items() for each in noted["found"]):
                    continue
                if time.monotonic() - began > given.stop_after:
                    return
                # A run of its own for each framework: one would go on where the other ended.
                run = Run.create(values(seed), given.folder / f"{name}-{model}-{seed}-{given.backend}")
                train(run, resume=True, **how)
                told = evaluate(run, measures=[recipe.measure], tokenize=recipe.tokenize, **how)
                size = sum(value.size for value in run.read_checkpoint(given.backend).parameters.values())
                score = round(told.scores[recipe.measure], 2)
                noted["found"].append(
                    {**key, "score": score, "sentences": told.sentences, "weights": size, **machine()}
                )
                replace_file(path, json.dumps(noted, indent=1, ensure_ascii=False) + "\n")
                print(f"{name}, {model}, seed {seed}, {given.backend}: {recipe.measure} {score}", flush=True)
                write_tables()


if __name__ == "__main__":
    main()
