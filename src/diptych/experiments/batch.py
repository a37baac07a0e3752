"""Trainings of a recipe done one after another, or side by side, noted as they end, and taken up where they stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from diptych.errors import RunError
from diptych.evaluation.part import Part
from diptych.experiments.plan import Planned
from diptych.processes.environment import environment
from diptych.processes.process import Process
from diptych.storage.place import replace_file

NOTES = "batch.json"
TRIAL = "diptych.experiments.trial:Trial"


@dataclass(frozen=True)
class Judgement:
    """How the models of a batch are scored.

    Attributes:
        part: of each run's corpus.
        measures: names of `diptych.evaluation.measures.MEASURES`.
        search: keys of `SearchConfig` that replace the runs' own.
        together: what all models of one task do beside what each does: "ensemble", "vote", both or nothing.
    """

    part: Part
    measures: tuple[str, ...]
    search: Mapping[str, Any] = field(default_factory=dict)
    together: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What two scores must have in common to stand in one table."""
        return {"part": self.part, "measures": list(self.measures), "search": dict(self.search)}


class Batch:
    """A folder of runs, and batch.json with what came of each: settings, training, scores.

    Attributes:
        folder: where they are.
        notes: what batch.json holds: machine, results by name.
    """

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Open the batch in a folder, or begin one.

        Raises:
            RunError: batch.json is damaged.
        """
        self.folder, self.threads, self.device = folder, threads, device
        self._noting = Lock()
        self.notes: dict[str, Any] = {"machine": environment(), "threads": threads, "results": {}}
        try:
            text = (folder / NOTES).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        try:
            self.notes["results"] = dict(json.loads(text)["results"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise RunError(f"{folder / NOTES} is damaged: remove it; the runs beside it are scored anew") from None

    def run(self, plan: Sequence[Planned], judgement: Judgement, jobs: int, say: Callable[[str], None]) -> None:
        """Train and score all that is not done yet.

        Args:
            plan: the trainings.
            judgement: how their models are scored.
            jobs: how many at once, each in a process of its own.
            say: told of each that begins or ends.

        Raises:
            DiptychError: the first that one of them met; the others end first.
            KeyboardInterrupt: on Ctrl-C; what was trained so far goes on from its last checkpoint.
        """
        waiting = [each for each in plan if not self._is_done(each, judgement)]
        if len(waiting) < len(plan):
            say(f"{len(plan) - len(waiting)} of {len(plan)} done already")
        self._all([(each.name, self._train_and_score, (each, judgement)) for each in waiting], jobs, say)
        groups = self._groups(plan) if judgement.together else {}
        wanted = [
            (f"{members[0].name} and {len(members) - 1} more, {kind}", self._score_together, (members, kind, judgement))
            for members in groups.values()
            for kind in judgement.together
            if len(members) > 1 and not self._agrees(_together(members, kind), judgement, members)
        ]
        self._all(wanted, jobs, say)

    def results(self, plan: Sequence[Planned], judgement: Judgement) -> list[dict[str, Any]]:
        """The notes of these trainings, then those of what their models say together, in the plan's order."""
        names = [each.name for each in plan]
        names += [_together(each, kind) for each in self._groups(plan).values() for kind in judgement.together]
        return [self.notes["results"][name] for name in names if name in self.notes["results"]]

    def _train_and_score(self, planned: Planned, judgement: Judgement) -> str:
        folder = str(self.folder / planned.name)
        with self._process(planned.name, planned.backend) as process:
            training = process.ask("train", config=planned.config.model_dump(mode="json"), folder=folder)
            scores = self._ask_for_scores(process, folder, judgement, members=[], vote=False)
        self._note(
            planned.name,
            {
                "settings": planned.settings,
                "backend": planned.backend,
                "config": planned.config.hash(),
                "training": training,
                "scores": scores,
                **judgement.to_json(),
            },
        )
        return _told(scores)

    def _score_together(self, members: Sequence[Planned], kind: str, judgement: Judgement) -> str:
        first, *others = members
        named = [f"{self.folder / each.name}:{each.backend}" for each in others]
        with self._process(first.name, first.backend) as process:
            scores = self._ask_for_scores(
                process, str(self.folder / first.name), judgement, members=named, vote=kind == "vote"
            )
        self._note(
            _together(members, kind),
            {
                "settings": dict(_shared(members)),
                "together": kind,
                "members": [each.name for each in members],
                "config": [each.config.hash() for each in members],
                "scores": scores,
                **judgement.to_json(),
            },
        )
        return _told(scores)

    def _process(self, name: str, backend: str) -> Process:
        given = {"backend": backend, "threads": self.threads, "device": self.device}
        return Process(f"the process of {name}", TRIAL, given)

    def _ask_for_scores(
        self, process: Process, folder: str, judgement: Judgement, members: list[str], vote: bool
    ) -> dict[str, Any]:
        scores: dict[str, Any] = process.ask(
            "evaluate", folder=folder, members=members, vote=vote, **judgement.to_json()
        )
        return scores

    def _all(self, work: list[tuple[str, Callable[..., str], tuple[Any, ...]]], jobs: int, say: Any) -> None:
        """Do all of it, so many at once."""
        left = list(reversed(work))
        running: dict[Future[str], str] = {}
        with ThreadPoolExecutor(jobs) as threads:
            while left or running:
                while left and len(running) < jobs:
                    name, do, arguments = left.pop()
                    say(f"{name} begins; {len(left)} to go")
                    running[threads.submit(do, *arguments)] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    say(f"{name}: {future.result()}")

    def _note(self, name: str, result: dict[str, Any]) -> None:
        with self._noting:
            self.notes["results"][name] = result
            self._write()

    def _write(self) -> None:
        replace_file(self.folder / NOTES, json.dumps(self.notes, indent=1, ensure_ascii=False) + "\n")

    def _is_done(self, planned: Planned, judgement: Judgement) -> bool:
        result = self.notes["results"].get(planned.name)
        return self._agrees(planned.name, judgement, [planned]) and result["backend"] == planned.backend

    def _agrees(self, name: str, judgement: Judgement, members: Sequence[Planned]) -> bool:
        """Whether there is a score of these models, taken in this way."""
        result = self.notes["results"].get(name)
        hashes = [each.config.hash() for each in members]
        return result is not None and all(
            result.get(key) == value
            for key, value in {**judgement.to_json(), "config": hashes if "together" in result else hashes[0]}.items()
        )

    def _groups(self, plan: Sequence[Planned]) -> dict[tuple[tuple[str, str], ...], list[Planned]]:
        groups: dict[tuple[tuple[str, str], ...], list[Planned]] = {}
        for each in plan:
            groups.setdefault(each.task, []).append(each)
        return groups


def _together(members: Sequence[Planned], kind: str) -> str:
    return f"{kind} of {', '.join(each.name for each in members)}"


def _shared(members: Sequence[Planned]) -> list[tuple[str, str]]:
    """The settings that all have in common."""
    return [pair for pair in members[0].settings.items() if all(pair in each.settings.items() for each in members)]


def _told(scores: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {each['score']:.2f}" for name, each in scores.items())
