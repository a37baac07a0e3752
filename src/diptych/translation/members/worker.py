"""One framework's models in a process of its own, a step at a time, told by `diptych.processes.messages`.

    in      {"do": "load", "run": "runs/a", "which": "best", "threads": null, "precision": null, "device": "auto"}
    back    {"model": 0, "trained_in": "pytorch"}
    in      {"do": "start", "model": 0, "released": []} and the source and its lengths
    back    {"state": 0}
    in      {"do": "step", "state": 0, "released": []} and the tokens
    back    {"state": 1} and the log-probabilities and the attention
    in      {"do": "reorder", "state": 1, "released": [0]} and the rows
    back    {"state": 2}

States stay here, by number, until they are released. What fails is {"failed": {"kind": ..., "message": ...}}. The
process ends when its standard input does, so it never outlives the one that started it.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, BinaryIO

from diptych import errors
from diptych.processes.messages import Array, receive, send
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.translation.members.loading import load_model


class Worker:
    """What the process remembers: its models, and the states of the searches."""

    def __init__(self, backend: str) -> None:
        """No model is loaded yet."""
        self.backend = backend
        self.steppers: list[Stepper] = []
        self.states: dict[int, tuple[Stepper, Any]] = {}
        self._count = 0

    def answer(self, message: dict[str, Any], arrays: list[Array]) -> tuple[dict[str, Any], list[Array]]:
        """Do what a message asks for: the message and the arrays to send back."""
        if message["do"] == "load":
            return self._load(message), []
        if message["do"] == "start":
            stepper = self.steppers[message["model"]]
            return self._keep(stepper, stepper.start(*arrays)), []
        stepper, state = self.states[message["state"]]
        if message["do"] == "reorder":
            return self._keep(stepper, stepper.reorder(state, *arrays)), []
        log_probabilities, attention, after = stepper.step(state, *arrays)
        return self._keep(stepper, after), [log_probabilities, attention]

    def release(self, states: list[int]) -> None:
        """Forget these states."""
        for state in states:
            del self.states[state]

    def _load(self, message: dict[str, Any]) -> dict[str, Any]:
        options = {key: message[key] for key in ("which", "threads", "precision", "device")}
        loaded = load_model(Run.open(message["run"]), self.backend, **options)
        self.steppers.append(loaded.stepper)
        return {"model": len(self.steppers) - 1, "trained_in": loaded.trained_in}

    def _keep(self, stepper: Stepper, state: Any) -> dict[str, Any]:
        self._count += 1
        self.states[self._count] = stepper, state
        return {"state": self._count}


def serve(backend: str, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer message after message until there are no more."""
    worker = Worker(backend)
    while True:
        try:
            message, arrays = receive(questions)
        except EOFError:
            return
        worker.release(message.pop("released", []))
        try:
            answer, found = worker.answer(message, arrays)
        except Exception as error:
            own = getattr(errors, type(error).__name__, None) is type(error)
            said = str(error) if own else f"{type(error).__name__}: {error}"
            answer, found = {"failed": {"kind": type(error).__name__ if own else "", "message": said}}, []
        send(answers, answer, found)


def main() -> int:
    """Serve on standard input and output. Whatever else a framework prints goes to standard error."""
    # Ctrl-C reaches every process of the group: the one that started this one decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.argv[1], sys.stdin.buffer, answers)
    except BrokenPipeError:  # the process that asked has gone
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
