"""The tables of docs/convert.md, from what the other `convert` programs have noted in docs/convert/."""

from __future__ import annotations

import json
import re
from typing import Any

from exactness_table import ROOT, put

NOTES = ROOT / "docs" / "convert"
TARGETS = {"pytorch": "PyTorch", "keras": "Keras", "onnx": "ONNX"}


def noted(name: str) -> dict[str, Any] | None:
    """What docs/convert/NAME.json says, if it is there."""
    path = NOTES / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def put_real_files(names: list[str]) -> None:
    """The table of files that other people made: a row for each group."""
    lines = ["| files | certified | largest gap in float64 | stored numbers | refused |", "|---|---|---|---|---|"]
    for name in names:
        if note := noted(name):
            lines.append(f"| {note['title']} | {' | '.join(_row(note['files']))} |")
    put("convert", "real files", lines)


def _row(files: list[dict[str, Any]]) -> list[str]:
    certified: dict[str, list[float]] = {}
    reasons: dict[str, int] = {}
    for each in files:
        for to, came in each["to"].items():
            if "refused" in came:
                reason = _reason(each, came["refused"])
                reasons[reason] = reasons.get(reason, 0) + 1
            else:
                certified.setdefault(to, []).append(came["largest_gap"])
    counts = [f"{len(gaps)} to {TARGETS[to]}" for to, gaps in certified.items()]
    gaps = [f"{max(gaps):.1e} {TARGETS[to]}" for to, gaps in certified.items()]
    stored = [each["stored"] for each in files if "stored" in each]
    numbers = sum(one["numbers"] for one in stored)
    matched = f"{numbers:,} within {max(one['gap'] for one in stored):.1e}" if stored else "none"
    said = [f'{count} times: "{reason}"' if count > 1 else f'"{reason}"' for reason, count in reasons.items()]
    return [", ".join(counts), ", ".join(gaps), matched, "; ".join(said)]


def _reason(file: dict[str, Any], said: str) -> str:
    """A refusal without the file's name, cut where it begins to list choices."""
    said = said.replace(file["file"], file["file"].rpartition("/")[2])
    said = re.sub(r"^\S+frozen_model\.pb: ", "", said)
    said = re.sub(r"\d+_\d+|(?<=[a-z])_\d+", "", said)
    short = re.split(r": (?:rebuild|give|name the|answer with)|; ", said)[0]
    return short[:160].replace("|", "/").replace('"', "'")


def put_bounds() -> None:
    """What a large model and hostile files cost."""
    note = noted("bounds") or {}
    lines = [
        "| what | seconds | of processors | memory beyond that for a small model | times the file |",
        "|---|---|---|---|---|",
    ]
    for each in note.get("models", []):
        times = each["beyond"] / each["file"]
        lines.append(
            f"| {each['what']} | {each['seconds']:.1f} | {each['worked']:.1f} | {_megabytes(each['beyond'])} "
            f"| {times:.1f} |"
        )
    if hostile := note.get("hostile", []):
        lines += [
            "",
            "| hostile file | inspect, of processors | convert | most memory beyond the file | what is said |",
            "|---|---|---|---|---|",
        ]
        for first, second in zip(hostile[::2], hostile[1::2]):
            name = first["what"].removeprefix("inspect ")
            beyond = max(each["beyond"] - each["file"] for each in (first, second))
            told = first if first["exit"] else second
            said = re.sub(r"^error: (/\S+ ?)?", "", told["said"]).replace("|", "/").replace('"', "'")[:90].strip()
            seconds = " | ".join(f"{each['worked']:.1f} s" for each in (first, second))
            lines.append(f'| {name} | {seconds} | {_megabytes(max(beyond, 0))} | "{said}" |')
    if environment := note.get("environment"):
        how = "models with nothing beside them, hostile files beside others' work"
        lines += ["", f"Measured on {environment['processor']}: {how}."]
    put("convert", "bounds", lines)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def put_tools(models: dict[str, str]) -> None:
    """The comparison of tools: a row for each model, a column for each tool."""
    note = noted("tools") or {}
    names = list(note)
    columns = " | ".join(f"{name} {note[name]['version']}" for name in names)
    lines = [f"| | {columns} |", f"|---|{'---|' * len(names)}"]
    failures: dict[str, int] = {}
    for key, title in models.items():
        cells = [_cell(note[name]["models"].get(key), failures) for name in names]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. `{said}`" for said, number in failures.items())]
    put("convert", "tools", lines)


def _cell(came: dict[str, Any] | None, failures: dict[str, int]) -> str:
    """A gap, in bold where the numbers are others; the number of a failure; empty where it is no tool for that."""
    if came is None:
        return ""
    if "fails" in came or isinstance(came["gap"], str):
        said = str(came.get("fails", came.get("gap"))).replace("|", "/").replace("`", "'")[:220]
        return f"fails ({failures.setdefault(said, len(failures) + 1)})"
    return f"{came['gap']:.0e}" if came["gap"] < 1e-4 else f"**{came['gap']:.1g}**"
