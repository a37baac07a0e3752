"""A benchmark as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from diptych.panel import NAMES

Values = Mapping[str, Any]


def print_benchmark(report: Values, console: Console | None = None) -> None:
    """Print speeds, then what comes before them, then the circumstances."""
    console = console or Console()
    benchmarks: Sequence[Values] = report["benchmarks"]
    console.print(_heading(report), markup=False, highlight=False, soft_wrap=True)
    console.print(_speeds(benchmarks))
    if any(each["task"] == "training" for each in benchmarks):
        console.print(_beginnings(benchmarks))
    for line in _notes(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _heading(report: Values) -> str:
    """What was measured."""
    workload, benchmarks = report["workload"], report["benchmarks"]
    model = workload["model"]
    encoder = f"{model['encoder_layers']} x {'2 x ' if model['bidirectional'] else ''}{model['encoder_size']}"
    batches = " and ".join(str(size) for size in dict.fromkeys(each["batch_size"] for each in benchmarks))
    source, target = workload["vocabularies"]
    return (
        f"{workload['name']}: {model['cell']}, embedding {model['embedding_size']}, encoder {encoder}, decoder "
        f"{model['decoder_layers']} x {model['decoder_size']}, vocabularies {source:,} and {target:,}, "
        f"batch {batches}, threads: {report['environment']['threads']}"
    )


def _speeds(benchmarks: Sequence[Values]) -> Table:
    """A row for each task and variant; for each backend its speed, half the quartiles' distance, and the share."""
    backends = list(dict.fromkeys(each["backend"] for each in benchmarks))
    keys = _keys(benchmarks)
    table = _table("Per second, target tokens trained or sentences translated", ("task", *keys))
    bounded = {each["backend"] for each in benchmarks if each["ceiling"]}
    for backend in backends:
        for column in (NAMES[backend], "±", *(["ceiling"] if backend in bounded else [])):
            table.add_column(column, justify="right", no_wrap=True)
    rows: dict[tuple[str, ...], dict[str, Values]] = {}
    for each in benchmarks:
        rows.setdefault((each["task"], *(str(each[key]) for key in keys)), {})[each["backend"]] = each
    tasks = list(dict.fromkeys(each["task"] for each in benchmarks))
    for row in sorted(rows, key=lambda row: tasks.index(row[0])):
        cells = []
        for backend in backends:
            cells += _cells(rows[row].get(backend), backend in bounded)
        table.add_row(*row, *cells)
    return table


def _cells(values: Values | None, bounded: bool) -> list[str]:
    """A backend's speed, spread and share of the ceiling, where it has one; empty where it has not done the task."""
    if values is None:
        return [""] * (3 if bounded else 2)
    speed = values["speed"]
    half = 50.0 * (speed["upper_quartile"] - speed["lower_quartile"]) / speed["median"]
    shown = [f"{speed['median']:,.0f}", f"{half:.0f} %"]
    return [*shown, f"{values['percent_of_machine']:.0f} %"] if bounded else shown


def _beginnings(benchmarks: Sequence[Values]) -> Table:
    """A row for each variant and backend: what there is before the steady state, memory, and the ceiling."""
    keys = _keys(benchmarks)
    table = _table("Training: before the steady state, peak memory, and the ceiling", ("backend", *keys))
    for column in ("start-up", "compiling", "memory", "GFLOP/s", "tokens/s"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in (each for each in benchmarks if each["task"] == "training"):
        table.add_row(
            NAMES[each["backend"]],
            *(str(each[key]) for key in keys),
            f"{each['startup_seconds']:.1f} s",
            f"{each['compile_seconds']:.1f} s ({each['compilations']} x)",
            f"{each['peak_rss_bytes'] / 1e6:,.0f} MB" if each["peak_rss_bytes"] else "unknown",
            f"{each['ceiling']['gflops_per_second']:,.0f}",
            f"{each['ceiling']['speed']:,.0f}",
        )
    return table


def _keys(benchmarks: Sequence[Values]) -> list[str]:
    """In what the variants differ; in attention and precision always."""
    batch_sizes = {each["batch_size"] for each in benchmarks}
    return ["attention", "precision", *(["batch_size"] if len(batch_sizes) > 1 else [])]


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, padding=0)
    for column in columns:
        table.add_column(column.replace("_", " "), no_wrap=True)
    return table


def _notes(report: Values) -> list[str]:
    """What a reader of the tables has to know."""
    benchmarks, workload = report["benchmarks"], report["workload"]
    blocks = [each["speed"]["blocks"] for each in benchmarks]
    choices = [
        f"{NAMES[each['backend']]}, {each['attention']}, {each['precision']}: "
        + ", ".join(f"{name} {choice}" for name, choice in each["choices"].items())
        for each in benchmarks
        if each["task"] == "training" and each["choices"]
    ]
    system = [
        f"{NAMES[each['backend']]} ({each['attention']}, {each['precision']}) {each['percent_in_system']:.1f} %"
        for each in benchmarks
        if each["task"] == "training"
    ]
    environment = report["environment"]
    peaks = [f"peak {speed:,.0f} GFLOP/s ({name})" for name, speed in environment["peak_gflops_per_second"].items()]
    return [
        f"medians of {min(blocks)} to {max(blocks)} blocks after a warm-up, rounds: {workload['rounds']}; ± is half "
        f"the distance of the quartiles",
        "ceiling: the same matrix products by themselves, timed in the same process between the blocks; each by the "
        "fastest kernel that was measured here, in whichever framework",
        *[_training_note(each) for each in benchmarks if each["task"] == "training"][:1],
        "translations: initial weights, as long as the references; a beam's counts by its sentences",
        *(f"chosen by measuring: {choice}" for choice in choices),
        *([f"in the system's code, of all processor time in training: {', '.join(system)}"] if system else []),
        ", ".join([environment["processor"], environment["processor_family"], *peaks, environment["time"]]),
        f"signature: {report['signature']}",
    ]


def _training_note(training: Values) -> str:
    padding = 100.0 * (1.0 - training["block"]["target_tokens"] / training["block"]["target_positions"])
    return (
        f"training: {padding:.1f} % of target positions are padding; an epoch's batches have "
        f"{training['distinct_shapes']:,} different shapes"
    )
