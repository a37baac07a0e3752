"""What a benchmark found, all rounds together: medians, spread, and the share of what the machine can do."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diptych.config import RunConfig


def summaries(backend: str, variant: RunConfig, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was measured of a variant in a backend, task by task, all rounds together.

    Args:
        backend: which.
        variant: its config.
        answers: what `diptych.benchmark.speed.speeds` gave in each round.
    """
    measured = answers[0]["trials"]
    tasks = sorted(measured, key=lambda task: task != "training")  # it comes first, where there is any
    circumstances = {
        "attention": variant.model.attention,
        "precision": variant.training.precision,
        "batch_size": variant.training.batch_size,
        "startup_seconds": statistics.median(answer["startup_seconds"] for answer in answers),
        "versions": answers[0]["versions"],
        "choices": answers[0]["choices"],
    }
    return [
        {
            "backend": backend,
            "task": task,
            **circumstances,
            **_summary(task, [each["trials"][task] for each in answers]),
        }
        for task in tasks
    ]


def _summary(task: str, trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A task's trials, one of each round."""
    what = "target_tokens" if task == "training" else "sentences"
    speeds = [[block[what] / block["seconds"] for block in trial["blocks"]] for trial in trials]
    bounded = [trial for trial in trials if trial["ceiling"]]
    shares = [trial["ceiling"]["seconds"] / block["seconds"] for trial in bounded for block in trial["blocks"]]
    first = trials[0]
    return {
        "unit": f"{what.replace('_', ' ')} per second",
        "speed": spread(list(itertools.chain(*speeds))),
        "speed_by_round": [statistics.median(each) for each in speeds],
        "percent_of_ceiling": 100.0 * statistics.median(shares) if bounded else None,
        "ceiling": {
            "speed": _median(bounded, lambda trial: trial["blocks"][0][what] / trial["ceiling"]["seconds"]),
            "gflops_per_second": _median(bounded, lambda trial: _gflops(trial["ceiling"])),
            **{key: first["ceiling"][key] for key in ("operations", "products")},
        }
        if bounded
        else None,
        "first_seconds": _median(trials, lambda trial: trial["first_seconds"]),
        "warm_up_seconds": _median(trials, lambda trial: trial["warm_up_seconds"]),
        "compile_seconds": _median(trials, compile_seconds),
        "peak_rss_bytes": max((trial["peak_rss_bytes"] for trial in trials if trial["peak_rss_bytes"]), default=None),
        "percent_in_system": _percent_in_system([block for trial in trials for block in trial["blocks"]]),
        "block": {key: value for key, value in first["blocks"][0].items() if not key.endswith("seconds")},
        **{key: first[key] for key in ("compilations", "distinct_shapes", "lengths") if key in first},
    }


def compile_seconds(trial: Mapping[str, Any]) -> float:
    """How much longer the warm-up took than the same work takes afterwards: a block, and its first batch before that.

    What is compiled is in it, and what a panel measures to choose by.
    """
    block = trial["blocks"][0]
    batches = block["steps"] if "steps" in block else block["batches"]
    typical = statistics.median(each["seconds"] for each in trial["blocks"])
    return max(0.0, float(trial["warm_up_seconds"] - typical * (1.0 + 1.0 / batches)))


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median of some values, and how they lie about it."""
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {
        "median": statistics.median(values),
        "lower_quartile": quartiles[0],
        "upper_quartile": quartiles[2],
        "minimum": min(values),
        "maximum": max(values),
        "blocks": len(values),
    }


def _median(trials: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], float]) -> float:
    return statistics.median(map(value, trials))


def _percent_in_system(blocks: Sequence[Mapping[str, Any]]) -> float:
    """How much of the processors' time was spent in the system's code: for memory, files, threads."""
    user, system = (sum(block[f"{mode}_seconds"] for block in blocks) for mode in ("user", "system"))
    return float(100.0 * system / ((user + system) or 1.0))


def _gflops(ceiling: Mapping[str, Any]) -> float:
    return float(ceiling["operations"] / ceiling["seconds"] / 1e9)
