"""The command `diptych`: its list of commands, and how every one of them ends."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from diptych import __version__
from diptych.cli.utf8 import use_utf8

# In the order in which the help shows them. The command `name` is the function `name` in `diptych/cli/name.py`, or a
# group of commands of that name, a hyphen in it an underscore there; these files import nothing heavy before their
# function is called.
COMMANDS = (
    "compare",
    "report",
    "config",
    "data",
    "train",
    "find-rate",
    "translate",
    "evaluate",
    "parity",
    "benchmark",
    "differences",
    "code",
    "summary",
    "serve",
    "inspect",
    "convert",
    "certify",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `diptych` and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Whatever goes wrong is one line on standard error; a traceback comes only with `--debug`, which may stand anywhere.
    """
    if arguments is None:
        use_utf8()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = "--debug" in options
    given = [argument for argument in options if argument != "--debug"] + given[len(options) :]
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _terminate) if in_main_thread else None
    try:
        code = _commands().main(given or ["--help"], prog_name="diptych", standalone_mode=False)
        sys.stdout.flush()
        return code or (0 if given else 2)
    except BrokenPipeError:
        # Whoever read the output has stopped: nothing more can be said there, not even by Python when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        else:
            print(f"error: {' '.join(_explain(error).split())}", file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _commands() -> Any:
    """Every command, ready to be called."""
    application = typer.Typer(add_completion=False)
    application.callback()(_diptych)
    for name in COMMANDS:
        variable = name.replace("-", "_")
        command = getattr(importlib.import_module(f"diptych.cli.{variable}"), variable)
        if isinstance(command, typer.Typer):
            application.add_typer(command, name=name)
        else:
            application.command(name)(command)
    return typer.main.get_command(application)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"diptych {__version__}")
        raise typer.Exit


def _diptych(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")] = False,
) -> None:
    """One recurrent sequence-to-sequence model, in TensorFlow and in PyTorch: the same weights, the same numbers."""


def _explain(error: Exception) -> str:
    """What went wrong, in words: Diptych's own errors and wrong usage say it themselves."""
    from diptych.errors import DiptychError

    if isinstance(error, DiptychError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    if hasattr(error, "format_message"):  # a command line that typer cannot read
        context = getattr(error, "ctx", None)
        advice = f". See `{context.command_path} --help`" if context else ""
        return f"{error.format_message().rstrip('.')}{advice}"
    return f"{type(error).__name__}: {error} (not expected: this is a fault in Diptych; --debug shows where it is)"


def _terminate(number: int, frame: object) -> None:
    """End in good order, so that temporary files and worker processes go too."""
    raise SystemExit(128 + number)
