"""One training of a batch, and its evaluation, in a process of its own: what `diptych.experiments.batch` asks there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from diptych.config import parse_config
from diptych.evaluation.evaluate import evaluate
from diptych.evaluation.part import Part
from diptych.processes.machine import peak_memory
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train


class Trial:
    """A framework with a number of threads; it trains and evaluates runs one after another."""

    def __init__(self, backend: str, threads: int | None, device: str) -> None:
        """Nothing is loaded before it is asked for."""
        self.backend = backend
        self.how: dict[str, Any] = {"threads": threads, "device": device}

    def train(self, config: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """Train the run of a config to its end, from where it stopped.

        Returns:
            What `TrainingReport` says, but for the long lists; seconds are those of all sessions, and so are
            peak_bytes of this process alone.

        Raises:
            RunError: the folder holds another run.
            KeyboardInterrupt: on Ctrl-C; a checkpoint has been written then.
        """
        quiet = QuietReporter()
        run = Run.create(parse_config(dict(config), origin=folder), folder, reporter=quiet)
        report = train(run, self.backend, resume=True, reporter=quiet, **self.how)
        if report.interrupted:
            raise KeyboardInterrupt
        steps = [line for line in run.read_metrics(self.backend) if "loss" in line]
        return {
            "steps": report.steps,
            "best_step": report.best_step,
            "best_validation_loss": report.best_validation_loss,
            "seconds": sum(float(line["seconds"]) for line in steps),
            "peak_bytes": peak_memory(),
            "weights": sum(int(value.size) for value in run.initial_parameters().values()),
        }

    def evaluate(
        self,
        folder: str,
        part: Part,
        measures: Sequence[str],
        search: Mapping[str, Any],
        members: Sequence[str],
        vote: bool,
    ) -> dict[str, Any]:
        """Score a run, or an ensemble that it belongs to, see `diptych.evaluate`: by measure, `Measured` as JSON."""
        evaluation = evaluate(
            folder, self.backend, part=part, measures=measures, members=members, vote=vote, **self.how, **search
        )
        [by_measure] = evaluation.measured.values()
        return {name: asdict(each) for name, each in by_measure.items()}
