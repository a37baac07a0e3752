"""What goes wrong in another process: its errors, told there and raised again here, and how it died."""

from __future__ import annotations

import signal
import traceback

from diptych import errors
from diptych.errors import BackendError, DiptychError

INTERRUPTED = 128 + signal.SIGINT
"""The exit status of a process that Ctrl-C has ended."""


def tell(error: Exception) -> dict[str, str]:
    """An error as another process can raise it again: Diptych's own by its nearest kind, any other by its name."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind]
    message = str(error) if kinds else f"{type(error).__name__}: {error}"
    return {"kind": kinds[0] if kinds else "", "message": message, "traceback": traceback.format_exc()}


def told(problem: dict[str, str], who: str) -> DiptychError:
    """The error that `tell` told of; a BackendError that names the process where it was not one of Diptych's own."""
    kind = getattr(errors, problem["kind"], None) if problem["kind"] else None
    if kind is not None:
        own: DiptychError = kind(problem["message"])
        return own
    error = BackendError(f"{who} failed: {problem['message']}")
    error.add_note(f"there:\n{problem['traceback']}")
    return error


def end_in_words(status: int) -> str:
    """How a process ended, from its return code as `subprocess` gives it: an exit status, or less a signal's number."""
    if status >= 0:  # Windows has no signals, and codes like 0xc0000005
        return f"ended with exit status {status if status < 256 else hex(status)}"
    name = _signal(status)
    return f"{'was killed' if name == 'SIGKILL' else 'died'} ({name})"


def death(status: int, who: str, pid: int) -> BackendError:
    """The error for a process that ended and owed an answer, with what to do about it."""
    end = f"{who} {end_in_words(status)}"
    if status >= 0:
        return BackendError(f"{end} and without an answer; what it said is above")
    if _signal(status) == "SIGKILL":
        return BackendError(
            f"{end}, as the system does when memory runs out (its log then names process {pid}): try a smaller "
            f"batch_size, or smaller or fewer models"
        )
    return BackendError(f"{end}; its installation may be broken, or this processor unknown to it")


def _signal(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
