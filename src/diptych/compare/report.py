"""report.json: what was compared, under which circumstances, and all that came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import __version__
from diptych.config import RunConfig
from diptych.data.corpus import Pair
from diptych.records import replace_file

SCHEMA = 1
REPORT = "report.json"
LARGEST = 3_000_000
"""How many bytes the file may have; attention maps, then translations, that would make it larger are left out."""

PACKAGES = ("numpy", "tensorflow", "tensorflow-cpu", "keras", "torch")


def signature(config: RunConfig, environment: Mapping[str, Any], threads: int, device: str, command: str) -> str:
    """One line with all that it takes to compute the same again."""
    parts = {
        "diptych": __version__,
        "task": config.name,
        "config": config.hash(),
        "seed": config.training.seed,
        "threads": threads,
        "device": device,
        "precision": config.training.precision,
        "python": environment["python"],
    }
    parts |= {name: environment["packages"][name] for name in PACKAGES if name in environment["packages"]}
    return "|".join(f"{key}:{value}" for key, value in parts.items()) + f"|command:{command}"


def translation_entry(pair: Pair, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One sentence: its reference, and what each backend made of it."""
    source, reference = pair
    return {
        "source": source,
        "source_tokens": next(iter(found.values()))["source_tokens"],
        "reference": reference,
        "outputs": {backend: each["text"] for backend, each in found.items()},
        "tokens": {backend: each["tokens"] for backend, each in found.items()},
        "log_probability": {backend: each["log_probability"] for backend, each in found.items()},
        "attention": {backend: rounded(each["attention"]) for backend, each in found.items()},
    }


def rounded(attention: npt.NDArray[Any]) -> list[list[float]]:
    """(T, S) weights with four decimals."""
    weights: list[list[float]] = np.round(attention.astype(np.float64), 4).tolist()
    return weights


def write_report(report: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write report.json, no larger than it may be; return what was written.

    Maps of sentences that the backends translate differently stay longest, then those of the first sentences.
    """
    whole = dict(report) | {"translations": [], "translations_left_out": 0, "attention_left_out": 0}
    room = LARGEST - len(_encode(whole)) - 100
    entries: Sequence[Mapping[str, Any]] = report["translations"]
    kept = [dict(entry) | {"attention": None} for entry in entries]
    sizes = [len(_encode(entry)) + 2 for entry in kept]
    while kept and sum(sizes) > room:
        kept.pop()
        sizes.pop()
    room -= sum(sizes)
    for row in sorted(range(len(kept)), key=lambda row: len(set(entries[row]["outputs"].values())) == 1):
        size = len(_encode(entries[row]["attention"]))
        if size <= room:
            room -= size
            kept[row]["attention"] = entries[row]["attention"]
    whole["translations"] = kept
    whole["translations_left_out"] = len(entries) - len(kept)
    whole["attention_left_out"] = sum(entry["attention"] is None for entry in kept)
    replace_file(folder / REPORT, _encode(whole).decode("utf-8"))
    return whole


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
