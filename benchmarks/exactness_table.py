"""The tables of docs/exactness.md, from what `exactness.py` has noted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- table: written by make exact -->", "<!-- end of the table -->"


def write_table(page: Path, notes: Path, names: list[str]) -> bool:
    """Write the tables into the page; tell whether every digest is that of the first of its config and seed."""
    noted = [
        json.loads((notes / f"{name}.json").read_text("utf-8")) for name in names if (notes / f"{name}.json").is_file()
    ]
    expected: dict[tuple[str, int], str] = {}
    for each in noted:
        for measured in each["measured"]:
            if each["precision"] == "exact":
                expected.setdefault((each["config"], measured["seed"]), measured["digest"])
    lines = [
        "| circumstances | config | processor | seeds | steps | weights | equal to the last bit |",
        "|---|---|---|---|---|---|---|",
    ]
    whole = True
    for each in noted:
        if each["precision"] == "exact":
            for processor, measured in _by_processor(each["measured"]).items():
                equal = [m["digest"] == expected[each["config"], m["seed"]] for m in measured]
                whole = whole and all(equal)
                seeds = ", ".join(str(m["seed"]) for m in measured)
                sizes = f"{measured[0]['steps']:,} | {measured[0]['weights']:,} | {sum(equal)} of {len(equal)}"
                lines.append(f"| {each['what']} | {each['config']} | {processor} | {seeds} | {sizes} |")
    lines += ["", "| config | seed | SHA-256 of the weights |", "|---|---|---|"]
    lines += [f"| {config} | {seed} | `{found}` |" for (config, seed), found in expected.items()]
    scores = [row for each in noted for row in _scores(each)]
    if scores:
        lines += [
            "",
            "| recipe | seed | BLEU | chrF | exact match | target tokens/s | peak memory |",
            "|---|---|---|---|---|---|---|",
            *scores,
        ]
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{rest.partition(END)[2]}", "utf-8")
    return whole


def _by_processor(measured: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(measured, key=lambda one: int(one["seed"])):
        found.setdefault(each["machine"]["processor"], []).append(each)
    return found


def _scores(each: dict[str, Any]) -> list[str]:
    """A recipe's quality and cost, a row for each seed."""
    rows = []
    for measured in each["measured"]:
        if quality := measured.get("quality"):
            shown = " | ".join(
                f"{quality[name]:.2f}" if name in quality else "" for name in ("bleu", "chrf", "exact_match")
            )
            cost = f"{measured['target_tokens_per_second']:,.0f} | {measured['peak_rss_bytes'] / 1e6:,.0f} MB"
            rows.append(f"| {each['what']} | {measured['seed']} | {shown} | {cost} |")
    return rows
