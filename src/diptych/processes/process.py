"""One framework in a process of its own: started, asked, and ended; the only place that starts one.

What it runs is `diptych.processes.child`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, BinaryIO, cast

from diptych.errors import BackendError
from diptych.processes.failures import INTERRUPTED, death, told
from diptych.processes.messages import receive, send

SECONDS_TO_END = 3.0


class Process:
    """A process that holds an object and calls its methods; it ends with `close`, with this object, or with ours.

    One thread may ask while others wait or kill.

    Attributes:
        who: its name in errors.
    """

    def __init__(self, who: str, made_of: str, arguments: dict[str, Any], ignored: Sequence[str] = ()) -> None:
        """Start the process; it does not wait for it.

        Args:
            who: its name in errors: "the pytorch process".
            made_of: "module:class" of the object.
            arguments: what that is made with: JSON values by name. Who lists processes sees them.
            ignored: names of signals that it does not hear, "SIGINT" for Ctrl-C, which reaches a whole group.

        Raises:
            OSError: the system has no process, or no memory, to give.
        """
        self.who = who
        self._late = False
        self._hears_ctrl_c = "SIGINT" not in ignored
        # What a framework leaves in its temporary folder goes with the process.
        folder = tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True)
        # -P: a torch.py in the current folder is not the framework.
        command = [sys.executable, "-P", "-m", "diptych.processes.child", made_of, json.dumps(arguments), *ignored]
        environment = os.environ | {"TMPDIR": folder.name}
        try:
            self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        except BaseException:
            folder.cleanup()
            raise
        self._end = weakref.finalize(self, _end, self._popen, folder)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Its number, by which the system knows it."""
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """How it ended, see `subprocess.Popen.returncode`; None while it runs."""
        return self._popen.poll()

    def ask(self, do: str, seconds: float | None = None, /, **arguments: Any) -> Any:
        """Have a method called, and wait for what it returns.

        Args:
            do: the method's name.
            seconds: after which the process is killed; None for as long as it takes.
            arguments: the method's, by name: JSON values and arrays of numbers.

        Raises:
            DiptychError: the one that was raised there.
            BackendError: something else was raised there, or the process ended; `status` is None in the first case.
            KeyboardInterrupt: on Ctrl-C, here or there; the process has ended then.
        """
        self.send(do, **arguments)
        return self.receive(seconds)

    def send(self, do: str, /, **arguments: Any) -> None:
        """Have a method called, and do not wait: `receive` gives what it returns, once for each, in order."""
        if not self._end.alive:
            raise BackendError(f"{self.who} has ended: it can be asked nothing more")
        try:
            send(cast(BinaryIO, self._popen.stdin), {"do": do, "arguments": arguments})
        except OSError:  # a broken pipe, by whatever name the system calls it
            raise self._death() from None
        except BaseException:  # Ctrl-C: whatever it has heard of the question, it is of no more use
            self._give_up(patiently=False)
            raise

    def receive(self, seconds: float | None = None) -> Any:
        """What the next method that was asked for returns; raises as `ask` does."""
        timer = None if seconds is None else threading.Timer(seconds, self._end_late)
        try:
            if timer is not None:
                timer.start()
            answer = receive(cast(BinaryIO, self._popen.stdout))
        except EOFError:
            if self._late:
                self.close()
                raise BackendError(f"{self.who} was not done after {seconds:g} s and was ended") from None
            raise self._death() from None
        except BaseException as error:
            self._give_up(patiently=isinstance(error, KeyboardInterrupt))
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if "failed" in answer:
            raise told(answer["failed"], self.who)
        return answer["result"]

    def wait(self) -> int:
        """Wait until it has ended; its `status`."""
        return self._popen.wait()

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def close(self) -> None:
        """End it: in good order if it can, at once if that takes too long."""
        self._end()

    def _end_late(self) -> None:
        self._late = True
        self.kill()

    def _give_up(self, patiently: bool) -> None:
        """End it; one that hears Ctrl-C may end by itself first."""
        try:
            if patiently and self._hears_ctrl_c:
                self._popen.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()
            self.close()

    def _death(self) -> BackendError:
        """The error for how it ended, which has closed its pipes.

        Raises:
            KeyboardInterrupt: Ctrl-C has ended it.
        """
        self.close()
        status = self.wait()
        if status in (INTERRUPTED, 128 - INTERRUPTED):
            raise KeyboardInterrupt
        return death(status, self.who, self.pid)


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    """End a process: it ends when its standard input does, or is killed."""
    try:
        if process.stdin is not None:
            process.stdin.close()
    except OSError:  # it has gone already
        pass
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()  # last: another thread may still read there
    folder.cleanup()
