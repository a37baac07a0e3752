"""What `scale.py` found, as tables and as pictures."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from diptych.plots.sheet import COLOURS
from diptych.plots.text import INK

NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}
AXES = {
    "pairs": "training pairs",
    "vocabulary": "words in each vocabulary",
    "length": "characters on each side",
    "layers": "layers of encoder and decoder",
}
MEGABYTE = 1e6


@dataclass(frozen=True)
class Point:
    """What the trials of one case found with one backend: medians over the rounds.

    Attributes:
        tokens_per_second: target tokens, after the warm-up.
        step_seconds: of a step after the warm-up, on average; of the longest one.
        begun_seconds: from the start of the process to the end of the first step, and what the step had of it.
        rss, anonymous: the highest memory in bytes, in all and without what is only a view of a file.
        spread: the lowest and the highest tokens per second of all rounds.
    """

    tokens_per_second: float
    step_seconds: float
    longest_seconds: float
    begun_seconds: float
    first_step_seconds: float
    rss: float
    anonymous: float
    spread: tuple[float, float]


def points(lines: list[dict]) -> dict[tuple[str, str, bool], dict[str, dict[int, Point]]]:
    """For each series, attention and kind the points of each backend, by what grows."""
    trials: dict[tuple, list[dict]] = defaultdict(list)
    for line in lines:
        if "backend" in line:
            case = line["case"]
            key = case["series"], case["attention"], case["at_epoch_s_end"], line["backend"], case["value"]
            trials[key].append(line)
    found: dict = defaultdict(lambda: defaultdict(dict))
    for (series, attention, at_end, backend, value), several in sorted(trials.items()):
        found[series, attention, at_end][backend][value] = _point(several)
    return found


def _point(trials: list[dict]) -> Point:
    speeds, seconds, longest = [], [], []
    for trial in trials:
        timed = trial["step_seconds"][trial["case"]["warm_up"] :]
        tokens = trial["target_tokens"][trial["case"]["warm_up"] :]
        speeds.append(sum(tokens) / sum(timed))
        seconds.append(statistics.fmean(timed))
        longest.append(max(timed))

    def median(name: str) -> float:
        return statistics.median(trial[name] for trial in trials)

    return Point(
        tokens_per_second=statistics.median(speeds),
        step_seconds=statistics.median(seconds),
        longest_seconds=statistics.median(longest),
        begun_seconds=median("first_step_done_seconds"),
        first_step_seconds=median("first_step_seconds"),
        rss=median("peak_rss_bytes"),
        anonymous=median("peak_anonymous_bytes"),
        spread=(min(speeds), max(speeds)),
    )


def tables(lines: list[dict]) -> str:
    """Everything as Markdown."""
    text = []
    for (series, attention, at_end), backends in points(lines).items():
        kind = f"{attention} attention" + (", over the end of an epoch" if at_end else "")
        text.append(f"\n{AXES[series]} ({kind})\n")
        text.append(
            f"| {series} | panel | target tokens/s (range) | s a step (longest) | s to the end of step 1 "
            f"(step 1) | peak MB (anonymous) |\n|---:|---|---:|---:|---:|---:|"
        )
        for value in sorted({value for each in backends.values() for value in each}):
            for backend, each in backends.items():
                if value in each:
                    text.append(_row(value, NAMES[backend], each[value]))
    text.append("\n| prepared pairs | s | pairs/s | peak MB (anonymous) |\n|---:|---:|---:|---:|")
    for line in lines:
        if line["key"][0] == "prepare":
            text.append(
                f"| {line['pairs']:,} | {line['seconds']:.1f} | {line['pairs'] / line['seconds']:,.0f} | "
                f"{line['peak_rss_bytes'] / MEGABYTE:,.0f} ({line['peak_anonymous_bytes'] / MEGABYTE:,.0f}) |"
            )
    return "\n".join(text)


def _row(value: int, name: str, point: Point) -> str:
    low, high = point.spread
    cells = [
        f"{value:,}",
        name,
        f"{point.tokens_per_second:,.0f} ({low:,.0f} to {high:,.0f})",
        f"{point.step_seconds:.3f} ({point.longest_seconds:.3f})",
        f"{point.begun_seconds:.1f} ({point.first_step_seconds:.1f})",
        f"{point.rss / MEGABYTE:,.0f} ({point.anonymous / MEGABYTE:,.0f})",
    ]
    return f"| {' | '.join(cells)} |"


def draw(lines: list[dict], folder: Path) -> None:
    """One picture for each series: speed or time on the left, memory on the right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    found = points(lines)
    for series, axis in AXES.items():
        kinds = {
            attention: backends for (name, attention, end), backends in found.items() if name == series and not end
        }
        if not kinds:
            continue
        figure = Figure(figsize=(10.0, 3.6), dpi=150, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        time_axes, memory_axes = figure.subplots(1, 2)
        for attention, backends in kinds.items():
            label = f", {attention}" if len(kinds) > 1 else ""
            line = "--" if len(kinds) > 1 and attention == "additive" else "-"
            for backend, each in backends.items():
                style = {"color": COLOURS[backend], "marker": "o", "markersize": 4, "linestyle": line}
                values = sorted(each)
                speed = [each[v].tokens_per_second if series == "pairs" else each[v].step_seconds for v in values]
                memory = [each[v].rss / MEGABYTE for v in values]
                time_axes.plot(values, speed, label=NAMES[backend] + label, **style)
                memory_axes.plot(values, memory, **style)
        time_axes.legend(frameon=False, fontsize=9, labelcolor=INK)
        names = "target tokens per second" if series == "pairs" else "seconds a step", "peak memory, MB"
        for axes, name in zip((time_axes, memory_axes), names, strict=True):
            axes.set_xlabel(axis, fontsize=10, color=INK)
            axes.set_ylabel(name, fontsize=10, color=INK)
            axes.set_ylim(bottom=0.0)
            if series == "pairs":
                axes.set_xscale("log")
            if series == "layers":
                axes.set_xticks(
                    sorted({value for backends in kinds.values() for each in backends.values() for value in each})
                )
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axes.grid(color="#e0e0e0", linewidth=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[:].set_color("#808080")
            axes.tick_params(labelsize=9, labelcolor=INK, color="#808080")
        figure.savefig(folder / f"{series}.png", metadata={"Software": None})
