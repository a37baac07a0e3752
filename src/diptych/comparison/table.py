"""A comparison as a table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from diptych.ladder.whole_runs import describe
from diptych.panel import NAMES

Values = Mapping[str, Any]
ROWS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("loss at the end", "training", lambda training: f"{training['final_loss']:.6f}"),
    ("BLEU", "quality", lambda quality: f"{quality['bleu']:.2f}"),
    ("chrF", "quality", lambda quality: f"{quality['chrf']:.2f}"),
    ("exact match", "quality", lambda quality: f"{quality['exact_match']:.1f} %"),
    ("training, target tokens/s", "training", lambda training: f"{training['target_tokens_per_second']:,.0f}"),
    ("decoding, sentences/s", "decoding", lambda decoding: f"{decoding['sentences_per_second']:,.0f}"),
    ("peak memory", "memory", lambda memory: _megabytes(memory["peak_rss_bytes"])),
    ("start-up (import and model)", "startup_seconds", lambda seconds: f"{seconds:.1f} s"),
    ("compiling (first step)", "compile_seconds", lambda seconds: f"{seconds:.1f} s"),
)
"""Of each row: its name, which part of a backend's values it is about, and how that is written."""


def _megabytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:,.0f} MB"


def columns(report: Values) -> dict[str, Values]:
    """What has a column: the backends, and then what only translates."""
    return {**report["backends"], **report.get("decoders", {})}


def headline(report: Values) -> list[tuple[str, list[str]]]:
    """The rows of a report's first table: a name, and what is in each column; "" where it has no such thing."""
    shown = columns(report).values()
    return [(name, [show(values[part]) if part in values else "" for values in shown]) for name, part, show in ROWS]


def print_table(report: Values, console: Console | None = None) -> None:
    """Print a report's headline, then what says how far its columns agree."""
    console = console or Console()
    precision, threads = report["config"]["training"]["precision"], report["environment"]["threads"]
    title = f"{report['config']['name']}: the same model in both frameworks, {precision}, threads: {threads}"
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column, values in columns(report).items():
        table.add_column(f"{NAMES[column]} {values['version']}", justify="right")
    for name, cells in headline(report):
        table.add_row(name, *cells)
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
        *elsewhere_lines(report),
        *(f"left out: {count:,} pairs, {reason}" for reason, count in report["data"]["dropped"].items()),
        f"signature: {report['signature']}",
    ]


def exactness_lines(report: Values) -> list[str]:
    """Whether the backends' weights are equal to the last bit, or since when not, and how near they came to that."""
    exactness = report.get("exactness")
    return describe(exactness) if exactness else []


def elsewhere_lines(report: Values) -> list[str]:
    """How far what only translates agrees with the backend whose weights it has, or why it has no column."""
    lines = []
    for name, values in report.get("decoders", {}).items():
        told = values["agreement"]
        sentences, equal, ties = told["sentences"], told["equal"], told["ties"]
        others = sentences - equal - ties
        lines.append(
            f"{NAMES[name]} with {NAMES[values['weights_of']]}'s weights, in float32: {equal:,} of {sentences:,} "
            f"translations token for token the same, {ties:,} at a tie, {others:,} not"
        )
    return lines + [f"not compared: {NAMES[name]}: {why}" for name, why in report.get("without", {}).items()]
