"""The parity ladder: from the same weights, the same numbers, rung by rung, each held against its limit."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from diptych.config import RunConfig
from diptych.ladder import location
from diptych.ladder.javascript import JAVASCRIPT, javascript_rungs, missing
from diptych.ladder.limits import Level, Results, judge
from diptych.ladder.location import Location
from diptych.ladder.rungs import EXACT, measure, starting_parameters
from diptych.ladder.whole_runs import compare_runs
from diptych.panel import BACKENDS, load
from diptych.processes.call import call
from diptych.runs.creation import ConfigLike
from diptych.runs.run import Run


@dataclass(frozen=True)
class Parity:
    """The ladder of one run: what was compared, and whether everything holds.

    Attributes:
        levels: each rung in each precision, between each two panels, from the initial weights to whole searches.
        steps: how many optimizer steps the training rung had.
        weights: whose best checkpoint they started from; "" for the run's initial values.
        location: the first tensor that differs, where a rung is broken and it was asked for; None, too, where no
            component differs by itself.
        not_compared: what could not be, and why.
    """

    levels: list[Level]
    steps: int
    weights: str
    location: Location | None = None
    not_compared: tuple[str, ...] = ()

    @property
    def broken(self) -> list[Level]:
        """The rungs that do not hold."""
        return [level for level in self.levels if not level.holds]

    @property
    def holds(self) -> bool:
        """Whether every rung holds."""
        return not self.broken


def parity(
    what: ConfigLike | Run | None = None, *, steps: int = 200, threads: int | None = None, weights: str | None = None,
    locate: bool = False,
) -> Parity:  # fmt: skip
    """Prove that both frameworks compute the same, each in a process of its own.

    Args:
        what: a run or its folder; or a config, as `Run.create` takes it; by default the phrasebook's.
        steps: how many optimizer steps the training rung has.
        threads: processor threads for each of the two processes; None leaves that to the frameworks.
        weights: whose best checkpoint in the run to start from, "" for the initial values; None for one that there is.
        locate: where a rung is broken, look for the first tensor that differs.

    Raises:
        RunError: the folder holds no run.
        ConfigError: the config cannot be read, or a value does not fit.
        BackendError: a framework is not installed, or its process failed.
    """
    if isinstance(what, Run) or (isinstance(what, (str, Path)) and Path(what).is_dir()):
        run = Run.of(what)
        trained = next(iter(run.trained_backends()), "") if weights is None else weights
        return _parity(run, trained, steps=steps, threads=threads, locate=locate)
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        run = Run.create(RunConfig() if what is None else what, Path(folder) / "run")
        return _parity(run, "", steps=steps, threads=threads, locate=locate)


def _parity(run: Run, weights: str, steps: int, threads: int | None, locate: bool) -> Parity:
    absent = missing(run)
    proof = Parity(
        climb(run, weights, steps=steps, threads=threads), steps, weights, not_compared=(absent,) if absent else ()
    )
    if not locate or proof.holds:  # the ladder judges: what it lets pass is not searched
        return proof
    return replace(proof, location=location.locate(run, weights, threads))


def climb(run: Run, weights: str = "", steps: int = 200, threads: int | None = None) -> list[Level]:
    """Measure every panel, each framework in its own process and both at once, and judge every rung.

    Args:
        run: whose config, data and weights.
        weights: whose best checkpoint in that run to start from; "": the run's initial values.
        steps: how many optimizer steps the training rung has.
        threads: processor threads for each of the two processes.
    """
    arguments = {"folder": str(run.folder), "weights": weights, "steps": steps}
    with ThreadPoolExecutor(len(BACKENDS)) as pool:
        jobs = {name: pool.submit(call, name, f"{measure.__module__}:measure", arguments, threads) for name in BACKENDS}
        results: Results = {name: job.result() for name, job in jobs.items()}
    # The reference and JavaScript cannot train: they search with what training gave.
    trained = None
    if not weights:
        after = results["pytorch"][EXACT][f"after {steps} exact steps"]
        trained = {name: after[name] for name in run.specification}
    results["reference"] = measure(
        load("reference"), str(run.folder), weights=weights, precisions=["float64"], steps=steps, trained=trained
    )
    if not missing(run):
        parameters = starting_parameters(run, weights)
        results[JAVASCRIPT] = {"float64": javascript_rungs(run, parameters, trained or parameters)}
    return [*judge(results, run), *whole_run(run)]


def whole_run(run: Run) -> list[Level]:
    """The last rung, where a run was trained exactly in both frameworks: the weights of all its steps."""
    records = [run.record(name) for name in BACKENDS]
    if run.config.training.precision != EXACT or not all(record.metrics.is_file() for record in records):
        return []
    whole = compare_runs(records[0], records[1], run.config.training)
    if whole.parted is None and not whole.digests:
        return []
    differing = float(whole.differing or not whole.are_equal)
    tensor = whole.place or f"all {whole.weights:,} weights"
    return [
        Level(
            "the whole run",
            precision=EXACT,
            between=BACKENDS,
            tensor=tensor,
            max_abs_difference=differing,
            limit=0.0,
            relative_difference=0.0,
            ulps=0.0,
            holds=whole.are_equal,
            note=whole.lines()[0],
        )
    ]
