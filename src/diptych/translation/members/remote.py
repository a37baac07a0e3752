"""Models of a framework in a process of its own as steppers here: what lets two frameworks be in one ensemble."""

from __future__ import annotations

from typing import Any

from diptych.config import Precision, SearchConfig
from diptych.processes.process import Process
from diptych.search import Hypothesis
from diptych.search.stepper import Ids, Reals, Rows
from diptych.translation.members.member import Member

MADE_OF = "diptych.translation.members.steppers:Steppers"


class MemberProcess:
    """A process that holds one backend's members; it ends with `close`, with this object, or with this process.

    Attributes:
        backend: its framework.
        process: where they are.
        released: states in it that nothing here refers to any more; the next question tells it.
    """

    def __init__(self, backend: str, who: str = "") -> None:
        """Start the process; it does not wait for it; `who` is its name in errors."""
        self.backend = backend
        self.released: list[int] = []
        who = who or f"the {backend} process of the ensemble"
        # Ctrl-C reaches every process of the group: this one decides when the other ends.
        self.process = Process(who, MADE_OF, {"backend": backend}, ignored=["SIGINT"])

    def ask_to_load(
        self,
        member: Member,
        threads: int | None = None,
        precision: Precision | None = None,
        device: str = "auto",
        shortlist: str | None = None,
    ) -> None:
        """Have a model loaded meanwhile: each is got, in this order, by one call of `loaded`."""
        options = {"which": member.which, "threads": threads, "precision": precision, "device": device}
        options |= {"shortlist": shortlist}
        self.process.send("load", run=str(member.run.folder), **options)

    def loaded(self) -> RemoteStepper:
        """Wait for the next model that `ask_to_load` asked for.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: the process failed or ended.
        """
        return RemoteStepper(self, self.process.receive())

    def ask(self, do: str, **arguments: Any) -> tuple[RemoteState, dict[str, Any]]:
        """Have a method of `Steppers` called: the state that it made, and all that it returned.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: the process failed or ended.
        """
        released = [self.released.pop() for _ in range(len(self.released))]
        answer = self.process.ask(do, **arguments, released=released)
        return RemoteState(answer["state"], self.released), answer

    def close(self) -> None:
        """End the process; it can be asked nothing more."""
        self.process.close()


class RemoteState:
    """A state that is kept in a process; when nothing here refers to it any more, it is released there."""

    def __init__(self, number: int, released: list[int]) -> None:
        self.number = number
        self._released = released

    def __del__(self) -> None:
        self._released.append(self.number)


class RemoteStepper:
    """Drives a model in a process, see `diptych.search.Stepper`; states stay there, arrays cross.

    Every method raises what was raised there, or a BackendError if the process failed or ended.
    """

    def __init__(self, process: MemberProcess, model: int) -> None:
        """Drive this model of that process."""
        self.process = process
        self.model = model

    def start(self, source: Ids, source_lengths: Ids) -> RemoteState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        state, _ = self.process.ask("start", model=self.model, source=source, source_lengths=source_lengths)
        return state

    def step(self, state: RemoteState, tokens: Ids) -> tuple[Reals, Reals, RemoteState]:
        """Feed one token to each of N rows: log-probabilities (N, V), attention (N, S) and the next state."""
        after, answer = self.process.ask("step", state=state.number, tokens=tokens)
        return answer["log_probabilities"], answer["attention"], after

    def reorder(self, state: RemoteState, rows: Rows) -> RemoteState:
        """The state whose k-th row is row `rows[k]` of this one."""
        after, _ = self.process.ask("reorder", state=state.number, rows=rows)
        return after

    def find(self, *, search: SearchConfig, **request: Any) -> list[list[Hypothesis]]:
        """What `diptych.search.find` gives there, with these arguments."""
        values = search.model_dump(mode="json")
        told = self.process.process.ask("find", model=self.model, search=values, **request)
        return [[_hypothesis(each) for each in best_first] for best_first in told]


def _hypothesis(told: dict[str, Any]) -> Hypothesis:
    sequences = {name: tuple(told[name]) for name in ("tokens", "token_log_probabilities")}
    return Hypothesis(**{**told, **sequences})
