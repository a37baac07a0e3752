"""What a training leaves behind by which two runs can be compared to the last bit: digests, sums, near ties, gaps.

In a run's folder the backend that is trained second takes over how the first one decided its near ties, so that the two
are equal with certainty. Whoever wants to know how much luck there was finds it in the metrics: how many ties there
were, how many would have been decided otherwise, how near to halfway any weight came and how far apart the two were.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from diptych.errors import WorkerError
from diptych.panel import BACKENDS
from diptych.parameters.digest import digest
from diptych.parameters.grid import Tie
from diptych.runs.run import Run
from diptych.training.learner import Learner
from diptych.workers.group import Workers

DIGEST_EVERY = 100
"""Steps from one digest to the next: hashing the weights takes a thousandth of their time, or less."""
REMAINDERS = "remainders"
"""The folder, in the first backend's, of how far its weights were from their multiples at some steps."""


class Evidence:
    """Follows a training step by step and says what of each belongs into its metrics."""

    def __init__(
        self,
        run: Run,
        backend: str,
        learner: Learner,
        begun_at: int,
        measure_gaps: bool,
        workers: Workers | None = None,
    ) -> None:
        """Begin after so many steps.

        Args:
            run: what is trained.
            backend: with which framework.
            learner: the model that is trained.
            begun_at: optimizer steps done before.
            measure_gaps: leave, or compare, every weight before its rounding, at steps 1, 10, 100 and so on.
            workers: those that share the training; None: nobody does.
        """
        self._learner, self._exponent = learner, run.config.training.grid_exponent
        self._exact = run.config.training.precision == "exact"
        self._record = run.record(backend)
        self._workers = workers or Workers()
        self._measure_gaps = measure_gaps
        self._first: str | None = None
        self._ties: dict[int, list[Tie]] = {}
        self._decided_until = 0
        if self._exact:
            if self._workers.leads:
                before = self._record.read_ties()
                self._record.write_ties({step: ties for step, ties in before.items() if step <= begun_at})
            self._follow(run, backend)

    @property
    def notes(self) -> list[str]:
        """What is to be said before training."""
        return [f"near ties are decided as {self._first} decided them"] if self._first else []

    def before(self, step: int) -> None:
        """Before a step, counted from 1: say how its near ties have been decided, if they have."""
        follows = self._exact and step <= self._decided_until
        self._learner.training.decided = self._ties.get(step, ()) if follows else None

    def of_step(self, told: Any, step: int, is_last: bool) -> dict[str, Any]:
        """What the metrics tell beside a step's loss."""
        noted: dict[str, Any] = {}
        if told.rounding is not None:
            rounding = told.rounding
            noted = {"checksum": rounding.checksum, "margin": rounding.margin}
            if rounding.ties and self._workers.leads:
                self._record.append_ties(step, rounding.ties)
            for name in ("ties", "turned", "faults"):
                if ties := getattr(rounding, name):
                    noted[name] = len(ties)
            if rounding.faults:  # the two have parted: from here on each decides for itself
                self._decided_until = 0
                noted["fault"] = list(rounding.faults[0])
            if self._measure_gaps and self._workers.leads and _is_power_of_ten(step):
                noted |= self._gaps(step)
        if step % DIGEST_EVERY == 0 or is_last:
            self._check_others(step)
            noted["digest"] = self.digest()
        return noted

    def digest(self) -> str:
        """That of the model's weights as they are."""
        return digest(self._learner.parameters())

    def _check_others(self, step: int) -> None:
        """Compare the weights of all workers.

        Raises:
            WorkerError: they are not the same.
        """
        if self._workers.size == 1:
            return
        own = {name: digest({name: values}) for name, values in self._learner.parameters().items()}
        for rank, theirs in enumerate(told := self._workers.gather(own)):
            for name, value in theirs.items():
                if value != told[0][name]:
                    raise WorkerError(
                        f"after step {step} the weight {name} of worker {rank} is not that of worker 0: a machine "
                        f"computes wrongly, or not all have the same processor and versions; compare them, and go on "
                        f"from the last checkpoint with --resume"
                    )

    def _follow(self, run: Run, backend: str) -> None:
        """Take over the near ties of another backend of this run, which has been trained before."""
        for name in BACKENDS:
            record = run.record(name)
            if name != backend and record.ties.is_file():
                self._first, self._ties = name, record.read_ties()
                self._decided_until = max(
                    (line["step"] for line in record.read_metrics() if "checksum" in line), default=0
                )

    def _gaps(self, step: int) -> dict[str, float]:
        """The largest and the mean difference from the first backend before rounding; the first one leaves its own."""
        own = self._learner.training.export_remainders()
        path = self._record.folder.parent / (self._first or self._record.folder.name) / REMAINDERS
        path /= f"step-{step:08d}.safetensors"
        if self._first is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(own, path)
            return {}
        if not path.is_file():
            return {}
        others = load_file(path)
        gaps = [own[name] - others[name] for name in own]
        gaps = [np.abs(gap - np.round(gap)) / 2.0**self._exponent for gap in gaps]  # one may have been turned
        count = sum(gap.size for gap in gaps)
        return {"gap": max(float(gap.max()) for gap in gaps), "mean_gap": sum(float(gap.sum()) for gap in gaps) / count}


def _is_power_of_ten(step: int) -> bool:
    return str(step).rstrip("0") == "1"
