"""What came of a batch: a line for each kind of model, averaged over seeds, and one for each kind over all tasks."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.evaluation.measures import MEASURES
from diptych.experiments.plan import SEED, VARIABLE

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        settings: what its models have in common, by key; "mean of 8" stands for a variable's values.
        models: of how many models it is the mean; 1 for what several say together.
        scores: by measure, the mean, the lowest and the highest of the models' scores.
        minutes: of training, the mean of the models; None where nothing was trained for it.
        peak_bytes: the most memory that one of them took; None where nobody tells.
    """

    settings: dict[str, str]
    models: int
    scores: dict[str, tuple[float, float, float]]
    minutes: float | None = None
    peak_bytes: int | None = None


def rows(results: Sequence[Result], measures: Sequence[str]) -> list[Row]:
    """Single models first, then those of all tasks together, then the means over tasks.

    A mean over tasks weighs each task the same. Its lowest and highest are those of the tasks' own means.
    """
    kinds: dict[tuple[tuple[str, str], ...], list[Result]] = {}
    for each in results:
        kinds.setdefault(_kind(each), []).append(each)
    lines = [_row(dict(kind), each, measures) for kind, each in kinds.items()]
    over: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for line in lines:
        rest = tuple((key, value) for key, value in line.settings.items() if not key.startswith(VARIABLE))
        over.setdefault(rest, []).append(line)
    means = [_mean(dict(rest), each, measures) for rest, each in over.items() if len(each) > 1]
    return lines + means


def markdown(table: Sequence[Row], measures: Sequence[str]) -> str:
    """The table in Markdown; scores in percent, in brackets the lowest and the highest where there are several."""
    keys = list(dict.fromkeys(key for row in table for key in row.settings))
    heads = [*(key.rpartition(".")[2] for key in keys), "models", *(MEASURES[name].title for name in measures)]
    heads += ["minutes", "memory"]
    lines = [heads, ["---"] * len(heads)]
    for row in table:
        cells = [row.settings.get(key, "") for key in keys] + [str(row.models)]
        cells += [_score(*row.scores[name]) for name in measures]
        cells.append("" if row.minutes is None else f"{row.minutes:.1f}")
        cells.append("" if row.peak_bytes is None else f"{row.peak_bytes / 1e9:.1f} GB")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _kind(result: Result) -> tuple[tuple[str, str], ...]:
    settings = [(key, value) for key, value in result["settings"].items() if key != SEED]
    together = result.get("together")
    return (*settings, *([("models together", f"{together} of {len(result['members'])}")] if together else []))


def _row(settings: dict[str, str], results: Sequence[Result], measures: Sequence[str]) -> Row:
    scores = {name: _spread([each["scores"][name]["score"] for each in results]) for name in measures}
    trained = [each["training"] for each in results if "training" in each]
    peaks = [each["peak_bytes"] for each in trained if each["peak_bytes"] is not None]
    minutes = statistics.mean(each["seconds"] / 60.0 for each in trained) if trained else None
    return Row(settings, models=len(results), scores=scores, minutes=minutes, peak_bytes=max(peaks) if peaks else None)


def _mean(rest: dict[str, str], lines: Sequence[Row], measures: Sequence[str]) -> Row:
    scores = {name: _spread([line.scores[name][0] for line in lines]) for name in measures}
    varied = {key: f"mean of {len(lines)}" for line in lines for key in line.settings if key.startswith(VARIABLE)}
    known = [line.minutes for line in lines if line.minutes is not None]
    peaks = [line.peak_bytes for line in lines if line.peak_bytes is not None]
    minutes = statistics.mean(known) if known else None
    return Row(
        varied | rest,
        models=sum(line.models for line in lines),
        scores=scores,
        minutes=minutes,
        peak_bytes=max(peaks) if peaks else None,
    )


def _spread(scores: Sequence[float]) -> tuple[float, float, float]:
    return statistics.mean(scores), min(scores), max(scores)


def _score(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if low == high else f"{mean:.2f} ({low:.2f} to {high:.2f})"
