"""A framework in a process of its own, and its models as steppers here: what lets two frameworks be in one ensemble."""

from __future__ import annotations

import signal
import subprocess
import sys
import weakref
from typing import Any, BinaryIO, cast

from diptych.config import Precision
from diptych.errors import BackendError, DiptychError, error_named, process_end
from diptych.processes.messages import Array, receive, send
from diptych.search.stepper import Ids, Reals, Rows
from diptych.translation.members.member import Member

SECONDS_TO_END = 3.0


class MemberProcess:
    """A worker that holds one backend's members; it ends with `close`, with this object, or with this process.

    Attributes:
        backend: its framework.
        released: states of the worker's that nothing here refers to any more; the next message tells it.
    """

    def __init__(self, backend: str) -> None:
        """Start the process; it does not wait for it."""
        self.backend = backend
        self.released: list[int] = []
        # -P: a torch.py in the current folder is not the framework.
        command = [sys.executable, "-P", "-m", "diptych.translation.members.worker", backend]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._end = weakref.finalize(self, _end, self._process)

    def ask_to_load(
        self, member: Member, threads: int | None = None, precision: Precision | None = None, device: str = "auto"
    ) -> None:
        """Have a model loaded meanwhile: each is got, in this order, by one call of `loaded`."""
        options = {"which": member.which, "threads": threads, "precision": precision, "device": device}
        self._send({"do": "load", "run": str(member.run.folder)} | options)

    def loaded(self) -> RemoteStepper:
        """Wait for the next model that `ask_to_load` asked for.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: the process failed or ended.
        """
        return RemoteStepper(self, self._receive()[0]["model"])

    def ask(self, message: dict[str, Any], *arrays: Array) -> tuple[dict[str, Any], list[Array]]:
        """Send a message and wait for the answer.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: the process failed or ended.
        """
        released = [self.released.pop() for _ in range(len(self.released))]
        self._send(message | {"released": released}, *arrays)
        return self._receive()

    def close(self) -> None:
        """End the process; it can be asked nothing more."""
        self._end()

    def _send(self, message: dict[str, Any], *arrays: Array) -> None:
        if not self._end.alive:
            raise BackendError(f"the {self.backend} process of the ensemble has ended: load the ensemble again")
        try:
            send(cast(BinaryIO, self._process.stdin), message, arrays)
        except BrokenPipeError:
            raise self._death() from None
        except BaseException:  # Ctrl-C: whatever it has heard of the message, it is of no more use
            self.close()
            raise

    def _receive(self) -> tuple[dict[str, Any], list[Array]]:
        try:
            answer, arrays = receive(cast(BinaryIO, self._process.stdout))
        except EOFError:
            raise self._death() from None
        except BaseException:
            self.close()
            raise
        if "failed" in answer:
            raise _error_of(answer["failed"], self.backend)
        return answer, arrays

    def _death(self) -> BackendError:
        """How the process ended, which closed its pipes."""
        self.close()
        status = self._process.returncode
        end = process_end(status)
        if status >= 0:
            end += "; what it said is above"
        elif -status == signal.SIGKILL:
            end += ", as when the system has no memory left: try a smaller batch_size or fewer members"
        return BackendError(f"the {self.backend} process of the ensemble {end}")


class RemoteState:
    """A state that is kept in a worker; when nothing here refers to it any more, it is released there."""

    def __init__(self, number: int, released: list[int]) -> None:
        self.number = number
        self._released = released

    def __del__(self) -> None:
        self._released.append(self.number)


class RemoteStepper:
    """Drives a model in a worker, see `diptych.search.Stepper`; states stay there, arrays cross.

    Every method raises what was raised there, or a BackendError if the process failed or ended.
    """

    def __init__(self, process: MemberProcess, model: int) -> None:
        """Drive this model of that process."""
        self.process = process
        self.model = model

    def start(self, source: Ids, source_lengths: Ids) -> RemoteState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        answer, _ = self.process.ask({"do": "start", "model": self.model}, source, source_lengths)
        return self._state(answer)

    def step(self, state: RemoteState, tokens: Ids) -> tuple[Reals, Reals, RemoteState]:
        """Feed one token to each of N rows: log-probabilities (N, V), attention (N, S) and the next state."""
        answer, arrays = self.process.ask({"do": "step", "state": state.number}, tokens)
        log_probabilities, attention = arrays
        return log_probabilities, attention, self._state(answer)

    def reorder(self, state: RemoteState, rows: Rows) -> RemoteState:
        """The state whose k-th row is row `rows[k]` of this one."""
        answer, _ = self.process.ask({"do": "reorder", "state": state.number}, rows)
        return self._state(answer)

    def _state(self, answer: dict[str, Any]) -> RemoteState:
        return RemoteState(answer["state"], self.process.released)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process: kindly, then not."""
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except BrokenPipeError:  # it has gone already
            pass
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _error_of(problem: dict[str, str], backend: str) -> DiptychError:
    """The error that a worker told of."""
    own = error_named(problem["kind"], problem["message"])
    return own or BackendError(f"the {backend} process of the ensemble failed: {problem['message']}")
