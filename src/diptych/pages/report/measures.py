"""Speed, memory, start-up and compile time, each with its spread and the machine's ceiling where they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diptych.pages.report.charts import Axis

BAR = 240  # CSS pixels


@dataclass(frozen=True)
class Measure:
    """One number of one backend.

    Attributes:
        backend: whose.
        value, low, high: as they are written; the two ends are "" where it was measured once.
        bar: how long its bar is, in CSS pixels.
        spread: where the spread begins and ends on it; None where it was measured once.
        ceiling: where the machine's ceiling is on it; None where it is not known.
        note: what the ceiling says.
    """

    backend: str
    value: str
    low: str
    high: str
    bar: float
    spread: tuple[float, float] | None
    ceiling: float | None
    note: str


@dataclass(frozen=True)
class Quantity:
    """What was measured, in both backends and in what else translates."""

    name: str
    unit: str
    better: str
    measures: list[Measure]


def quantities(report: Mapping[str, Any]) -> list[Quantity]:
    """What a report says about speed and cost.

    Ceilings are in `ceilings`, by the names below and by backend: `value`, in the unit of the quantity, and `what`, in
    words.
    """
    shown = []
    for key, (name, unit, better, show, read) in QUANTITIES.items():
        ceilings = report.get("ceilings", {}).get(key, {})
        others = {name: each for name, each in report.get("decoders", {}).items() if key in DECODING}
        numbers = {name: read(values) for name, values in (report["backends"] | others).items()}
        if key == "memory" and not all(value for value, _ in numbers.values()):
            continue  # the system does not tell
        every = [number for value, speeds in numbers.values() for number in (value, *speeds)]
        every += [each["value"] for each in ceilings.values()]
        scale = Axis(0.0, high=max(every) * 1.02 or 1.0, start=0.0, end=BAR)
        measures = [
            _measure(backend, value, speeds, ceiling=ceilings.get(backend), scale=scale, show=show)
            for backend, (value, speeds) in numbers.items()
        ]
        shown.append(Quantity(name, unit, better=better, measures=measures))
    return shown


def _measure(
    backend: str, value: float, speeds: list[float], ceiling: Mapping[str, Any] | None, scale: Axis,
    show: Callable[[float], str],
) -> Measure:  # fmt: skip
    several = len(speeds) > 1
    note = ""
    if ceiling:
        note = f"{value / ceiling['value']:.0%} of {show(ceiling['value'])}"
        note += f": {ceiling['what']}" if ceiling.get("what") else ""
    return Measure(
        backend=backend,
        value=show(value),
        low=show(min(speeds)) if several else "",
        high=show(max(speeds)) if several else "",
        bar=scale.place(value),
        spread=(scale.place(min(speeds)), scale.place(max(speeds))) if several else None,
        ceiling=scale.place(ceiling["value"]) if ceiling else None,
        note=note,
    )


DECODING = ("decoding", "memory", "startup")
"""What is told of what only translates, too."""
Read = Callable[[Mapping[str, Any]], tuple[float, list[float]]]
QUANTITIES: dict[str, tuple[str, str, str, Callable[[float], str], Read]] = {
    "training": (
        "Training", "target tokens/s", "higher is better", "{:,.0f}".format,
        lambda values: (values["training"]["target_tokens_per_second"], values["training"].get("speeds", [])),
    ),
    "decoding": (
        "Decoding", "sentences/s", "higher is better", "{:,.0f}".format,
        lambda values: (values["decoding"]["sentences_per_second"], values["decoding"].get("speeds", [])),
    ),
    "memory": (
        "Peak memory", "MB", "lower is better", "{:,.0f}".format,
        lambda values: ((values["memory"]["peak_rss_bytes"] or 0) / 1e6, []),
    ),
    "startup": (
        "Start-up: import and model", "s", "lower is better", "{:.2f}".format,
        lambda values: (values["startup_seconds"], []),
    ),
    "compile": (
        "Compiling: first step", "s", "lower is better", "{:.2f}".format,
        lambda values: (values["compile_seconds"], []),
    ),
}  # fmt: skip
"""By key: name, unit, direction, how a number is written, and how it is read from a backend's part of the report."""
