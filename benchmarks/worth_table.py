"""The tables of what starting from a model, features, copying and embeddings are worth, from docs/worth/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

NOTES = ROOT / "docs" / "worth"
PAGES = {"start": "recipes", "copying": "recipes", "embeddings": "recipes", "features": "corpora"}
MODELS = {
    "start drawn": "all weights drawn",
    "start started": '`start_from`, `start_vocabulary = "extended"`',
    "features none": "told nothing of the language",
    "features tag": '`source_tags = ["language"]`',
    "features factor": "the same and `model.factors = 1`",
    "copying plain": "`model.copies = false`",
    "copying copies": "`model.copies = true`",
    "embeddings drawn": "all weights drawn",
    "embeddings given": "`source_embeddings` and `target_embeddings`",
    "embeddings frozen": "the same, frozen",
}
MEASURES = {
    "per": "phones wrong (PER)",
    "exact_match": "exactly right",
    "bleu": "BLEU",
}
UNMEASURED = "(Not measured yet: `make worth`.)"
BACKENDS = {"pytorch": "PyTorch", "tensorflow": "TensorFlow"}


def write_tables() -> None:
    """Write what has been noted into its pages, in both languages."""
    for page in dict.fromkeys(PAGES.values()):
        lines = [
            "| what is learnt | model | weights | framework | score of the test part, by seed |",
            "|---|---|---|---|---|",
        ]
        for name in (each for each, where in PAGES.items() if where == page):
            lines += _rows(name)
        put(page, "worth", lines if len(lines) > 2 else [UNMEASURED])


def _rows(name: str) -> list[str]:
    path = NOTES / f"{name}.json"
    noted: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {"found": []}
    lines = []
    for backend, framework in BACKENDS.items():
        for key, model in MODELS.items():
            found = [each for each in noted["found"] if (f"{name} {each['model']}", each["backend"]) == (key, backend)]
            if not found:
                continue
            scores = [each["score"] for each in sorted(found, key=lambda each: each["seed"])]
            unit = "" if noted["measure"] == "bleu" else " %"
            told = f"{MEASURES[noted['measure']]}: {', '.join(f'{score:.2f}' for score in scores)}{unit}"
            if len(scores) > 1:
                told += f"; mean {sum(scores) / len(scores):.2f}"
            lines.append(f"| {noted['task']} | {model} | {found[0]['weights']:,} | {framework} | {told} |")
    return lines
