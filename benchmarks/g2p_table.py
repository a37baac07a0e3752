"""The tables of letters to phones in docs/recipes.md, from docs/g2p/."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts" / "site"))
from tables import ROOT, put

NOTES = ROOT / "docs" / "g2p"


def noted() -> list[dict[str, Any]]:
    """All trainings that have been noted."""
    path = NOTES / "ablations.json"
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return found


def write_tables() -> None:
    """Write the table of what each choice does, over the languages that both it and the recipe were trained on."""
    found = noted()
    recipe = [each for each in found if each["variant"] == "the recipe"]
    lines = [
        "| variant | languages | trainings | WER, % | against the recipe | PER, % | minutes | memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant in dict.fromkeys(each["variant"] for each in found):
        own = [each for each in found if each["variant"] == variant]
        beside = [each for each in recipe if any(_same(each, other) for other in own)]
        differences = [_one(own, each)["wer"] - each["wer"] for each in beside]
        cells = [variant, str(len({each["language"] for each in own})), str(len(own)), f"{_mean(own, 'wer'):.2f}"]
        cells.append("" if own == recipe or not differences else f"{statistics.mean(differences):+.2f}")
        cells += [f"{_mean(own, 'per'):.2f}", f"{_mean(own, 'minutes'):.1f}"]
        cells.append(f"{max(each['peak_bytes'] for each in own) / 1e9:.1f} GB")
        lines.append(f"| {' | '.join(cells)} |")
    if found:
        put("recipes", "ablations", lines)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("language", "seed", "backend"))


def _one(found: list[dict[str, Any]], like: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in found if _same(each, like))


def _mean(found: list[dict[str, Any]], key: str) -> float:
    """Over languages, each weighing the same."""
    languages = dict.fromkeys(each["language"] for each in found)
    return statistics.mean(
        statistics.mean(each[key] for each in found if each["language"] == language) for language in languages
    )
