"""A comparison as a table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from diptych.ladder.whole_runs import describe
from diptych.panel import NAMES

Values = Mapping[str, Any]
ROWS: tuple[tuple[str, Callable[[Values], str]], ...] = (
    ("loss at the end", lambda values: f"{values['training']['final_loss']:.6f}"),
    ("BLEU", lambda values: f"{values['quality']['bleu']:.2f}"),
    ("chrF", lambda values: f"{values['quality']['chrf']:.2f}"),
    ("exact match", lambda values: f"{values['quality']['exact_match']:.1f} %"),
    ("training, target tokens/s", lambda values: f"{values['training']['target_tokens_per_second']:,.0f}"),
    ("decoding, sentences/s", lambda values: f"{values['decoding']['sentences_per_second']:,.0f}"),
    ("peak memory", lambda values: _megabytes(values["memory"]["peak_rss_bytes"])),
    ("start-up (import and model)", lambda values: f"{values['startup_seconds']:.1f} s"),
    ("compiling (first step)", lambda values: f"{values['compile_seconds']:.1f} s"),
)


def _megabytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:,.0f} MB"


def print_table(report: Values, console: Console | None = None) -> None:
    """Print a report's headline: a column for each backend, then what says how far they agree."""
    console = console or Console()
    precision, threads = report["config"]["training"]["precision"], report["environment"]["threads"]
    title = f"{report['config']['name']}: the same model in both frameworks, {precision}, threads: {threads}"
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("")
    for backend, values in report["backends"].items():
        table.add_column(f"{NAMES[backend]} {values['version']}", justify="right")
    for name, show in ROWS:
        table.add_row(name, *map(show, report["backends"].values()))
    console.print(table)
    for line in agreement_lines(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def agreement_lines(report: Values) -> list[str]:
    """What says how far the backends agree, what was left out, and the report's signature."""
    agreement = report["agreement"]
    gap, step = agreement["largest_loss_gap"], agreement["largest_loss_gap_step"]
    where = f" (step {step:,})" if gap else ""
    same, sentences = agreement["identical_translations"], agreement["sentences"]
    levels = report["parity"]["levels"]
    rungs = {(level["name"], level["precision"]) for level in levels}
    broken = {(level["name"], level["precision"]) for level in levels if not level["holds"]}
    steps = report["parity"]["steps"]
    return [
        *exactness_lines(report),
        f"parity, from the same weights: {len(rungs) - len(broken)} of {len(rungs)} rungs hold (at most {steps} steps; "
        f"`diptych parity` shows them)",
        f"largest gap between the two loss curves: {gap:.1e}{where}",
        f"identical translations: {same:,} of {sentences:,} ({100.0 * same / sentences:.1f} %)",
        *(f"left out: {count:,} pairs, {reason}" for reason, count in report["data"]["dropped"].items()),
        f"signature: {report['signature']}",
    ]


def exactness_lines(report: Values) -> list[str]:
    """Whether the backends' weights are equal to the last bit, or since when not, and how near they came to that."""
    exactness = report.get("exactness")
    return describe(exactness) if exactness else []
