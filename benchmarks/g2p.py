"""Letters to phones in eight languages, as in SIGMORPHON 2020's first task: which choices help on the validation parts.

    python benchmarks/g2p.py [VARIANT ...] [--data DIR] [--languages kor,ice] [--seeds 1,2,3] [--jobs 2]

Each variant of configs/g2p.toml differs from it in one thing; it is trained on every language with every seed. What is
done is noted in docs/g2p/ablations.json when all languages of a variant and a seed are done, and not done again; a
training goes on where it stopped: the program may be ended at any time. No test part is read. The texts are not part of
the project (docs/recipes.md).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from exactness import machine
from g2p_table import NOTES, ROOT, noted, write_tables

from diptych.cli.batch import planned
from diptych.experiments.batch import Batch, Judgement
from diptych.experiments.plan import BACKEND
from diptych.storage.place import make_folder, replace_file

LANGUAGES = ("ady", "bul", "dut", "gre", "hin", "ice", "kor", "vie")
LANGUAGE, SEED = "variables.language", "training.seed"
VARIANTS: dict[str, dict[str, str]] = {
    "the recipe": {},
    "dropout 0.2": {"model.dropout": "0.2"},
    "dropout 0.5": {"model.dropout": "0.5"},
    "half the size": {"model.embedding_size": "64", "model.encoder_size": "64", "model.decoder_size": "128"},
    "twice the size": {"model.embedding_size": "256", "model.encoder_size": "256", "model.decoder_size": "512"},
    "LSTM": {"model.cell": "lstm"},
    "attention general": {"model.attention": "general"},
    "input feeding": {"model.input_feeding": "true"},
    "two layers in the encoder": {"model.encoder_layers": "2"},
    "no label smoothing": {"training.label_smoothing": "0.0"},
    "no average of the weights": {"training.ema_decay": "0.0"},
    "batches of 16": {"training.batch_size": "16"},
    "batches of 64": {"training.batch_size": "64"},
    "scheduled sampling": {"training.teacher_forcing": "0.75"},
    "written from the end": {"data.reverse_target": "true"},
}


def main() -> None:
    """Train and score what is not done, note it, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"left out: all of {', '.join(VARIANTS)}")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "g2p")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--backend", choices=("tensorflow", "pytorch"), default="pytorch")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "g2p")
    parser.add_argument("--stop-after", type=float, default=float("inf"), help="begin nothing after so many seconds")
    given = parser.parse_args()
    if unknown := set(given.variants) - set(VARIANTS):
        parser.error(f"no such variant: {', '.join(sorted(unknown))}; there are {', '.join(VARIANTS)}")
    began = time.monotonic()
    for seed in given.seeds.split(","):
        for variant in given.variants or VARIANTS:
            if time.monotonic() - began > given.stop_after:
                return
            try_variant(variant, seed, given)
            write_tables()


def try_variant(variant: str, seed: str, given: argparse.Namespace) -> None:
    """Train a variant with one seed on all languages, and note what came of it."""
    found = noted()
    settings = [
        {LANGUAGE: language, BACKEND: given.backend, SEED: seed} for language in given.languages.split(",")
    ]  # the backend is part of a run's name: one framework would go on where the other ended
    done = {(each["variant"], each["language"], each["seed"], each["backend"]) for each in found}
    settings = [each for each in settings if (variant, each[LANGUAGE], seed, given.backend) not in done]
    recipe, changes = ROOT / "configs" / "g2p.toml", [f"variables.folder={given.data.resolve()}"]
    changes += [f"{key}={value}" for key, value in VARIANTS[variant].items()]
    plan = [planned(recipe, changes, settings=each, backend=given.backend) for each in settings]
    batch = Batch(given.folder / variant.replace(" ", "-"), threads=1, device="cpu")
    judgement = Judgement("validation", ("wer", "per"))
    batch.run(plan, judgement, jobs=given.jobs, say=lambda text: print(f"{variant}: {text}", file=sys.stderr))
    for result in batch.results(plan, judgement):
        told: dict[str, Any] = {"variant": variant, "language": result["settings"][LANGUAGE], "seed": seed}
        told |= {"backend": given.backend, "minutes": round(result["training"]["seconds"] / 60.0, 2)}
        told |= {"peak_bytes": result["training"]["peak_bytes"], "weights": result["training"]["weights"]}
        told |= {name: round(each["score"], 3) for name, each in result["scores"].items()}
        found.append(told | machine())
    make_folder(NOTES)
    replace_file(NOTES / "ablations.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
