"""One framework's models in a process of its own, a step at a time: what `diptych.translation.members.remote` asks.

States stay here, by number, until they are released; arrays cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diptych.config import Precision, SearchConfig
from diptych.runs.run import Run
from diptych.search import Stepper, find
from diptych.search.stepper import Ids, Rows
from diptych.translation.members.loading import load_model


class Steppers:
    """What the process remembers: its models, and the states of the searches."""

    def __init__(self, backend: str) -> None:
        """No model is loaded yet."""
        self.backend = backend
        self.steppers: list[Stepper] = []
        self.states: dict[int, tuple[Stepper, Any]] = {}
        self._count = 0

    def load(
        self,
        run: str,
        which: str,
        threads: int | None,
        precision: Precision | None,
        device: str,
        shortlist: str | None = None,
    ) -> int:
        """Load a model, see `load_model`: its number."""
        loaded = load_model(
            Run.open(run),
            self.backend,
            which=which,
            threads=threads,
            precision=precision,
            device=device,
            shortlist=shortlist,
        )
        self.steppers.append(loaded.stepper)
        return len(self.steppers) - 1

    def start(self, model: int, source: Ids, source_lengths: Ids, released: Sequence[int] = ()) -> dict[str, Any]:
        """See `Stepper.start`; states that are `released` are forgotten first."""
        self._release(released)
        stepper = self.steppers[model]
        return self._keep(stepper, stepper.start(source, source_lengths))

    def step(self, state: int, tokens: Ids, released: Sequence[int] = ()) -> dict[str, Any]:
        """See `Stepper.step`."""
        self._release(released)
        stepper, before = self.states[state]
        log_probabilities, attention, after = stepper.step(before, tokens)
        return self._keep(stepper, after) | {"log_probabilities": log_probabilities, "attention": attention}

    def reorder(self, state: int, rows: Rows, released: Sequence[int] = ()) -> dict[str, Any]:
        """See `Stepper.reorder`."""
        self._release(released)
        stepper, before = self.states[state]
        return self._keep(stepper, stepper.reorder(before, rows))

    def find(self, model: int, search: dict[str, Any], **request: Any) -> list[list[dict[str, Any]]]:
        """See `diptych.search.find`; a hypothesis is a dict of its attributes."""
        found = find(self.steppers[model], search=SearchConfig(**search), **request)
        return [[vars(each) for each in best_first] for best_first in found]

    def _release(self, states: Sequence[int]) -> None:
        for state in states:
            del self.states[state]

    def _keep(self, stepper: Stepper, state: Any) -> dict[str, Any]:
        self._count += 1
        self.states[self._count] = stepper, state
        return {"state": self._count}
