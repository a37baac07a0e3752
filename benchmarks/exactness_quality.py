"""Whether exact training costs quality: whole recipes with three seeds, in float32 and in exact training, in PyTorch.

    python benchmarks/exactness_quality.py [RECIPE ...] [--folder DIR] [--stop-after SECONDS]

What exact training gives in TensorFlow is the same to the bit. Every training goes on where it stopped, and what has
been noted in docs/exactness/quality.json is not done again: the program may be ended at any time. It takes hours.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from exactness import machine
from exactness_table import NOTES, ROOT, noted, write_quality

from diptych.config import read_config
from diptych.evaluation.evaluate import evaluate
from diptych.runs.run import Run
from diptych.storage.place import replace_file
from diptych.training.loop import train

RECIPES = {"numbers": "exact_match", "spacing-korean": "exact_match", "phrasebook-best": "bleu"}
"""By name in configs/, the score that tells."""
SEEDS, PRECISIONS = (1, 2, 3), ("float32", "exact")


def main() -> None:
    """Train and evaluate what is not done, note it, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"{', '.join(RECIPES)}; left out: all")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "exactness-quality")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop-after", type=float, default=float("inf"), help="begin no training after these seconds")
    given = parser.parse_args()
    if unknown := set(given.recipes) - set(RECIPES):
        parser.error(f"no such recipe: {', '.join(sorted(unknown))}; there are {', '.join(RECIPES)}")
    began, how = time.monotonic(), {"backend": "pytorch", "threads": given.threads, "device": "cpu"}
    told: dict[str, Any] = noted("quality") or {"found": []}
    for seed in SEEDS:
        for recipe in given.recipes or RECIPES:
            for precision in PRECISIONS:
                key = {"recipe": recipe, "precision": precision, "seed": seed}
                if any(key.items() <= each.items() for each in told["found"]):
                    continue
                if time.monotonic() - began > given.stop_after:
                    return
                config = read_config(ROOT / "configs" / f"{recipe}.toml")
                training = config.training.model_copy(update={"precision": precision, "seed": seed})
                config = config.model_copy(update={"training": training})
                run = Run.create(config, given.folder / f"{recipe}-{precision}-{seed}")
                train(run, resume=True, **how)
                measure = RECIPES[recipe]
                score = evaluate(run, measures=[measure], **how).scores[measure]
                told["found"].append(key | {"measure": measure, "score": round(score, 2)} | machine())
                print(f"{recipe}, {precision}, seed {seed}: {measure} {score:.2f}", flush=True)
                replace_file(NOTES / "quality.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
                write_quality()


if __name__ == "__main__":
    main()
