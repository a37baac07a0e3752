"""The command `diptych`: its list of commands, and how every one of them ends."""

from __future__ import annotations

import importlib
import keyword
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from diptych import __version__
from diptych.cli.streams import open_standard_streams, show_controls_on_terminal
from diptych.cli.utf8 import use_utf8

LONGEST = 4000
"""So many characters of an error are shown."""

# Each command and what it does, in the order in which the help shows them. The command `name` is the function `name`,
# or a group of commands of that name, in `diptych/cli/name.py`, a hyphen in it an underscore there; `import`, a word of
# Python's, is `import_`. Its file is loaded
# when the command is asked for, so the help is there at once; what it does is the first sentence of its docstring.
COMMANDS = {
    "compare": "Train the same model in TensorFlow and in PyTorch, and compare.",
    "report": "Write report.html and the pictures of a comparison anew, from its report.json.",
    "config": "Say what a config may hold: every key with its default, unit, choices and meaning.",
    "data": "Prepare a corpus for training, look into one, or show some of its pairs.",
    "train": "Train a model with one framework.",
    "runs": "List the runs below a folder: how far each is, how good, how fast.",
    "find-rate": "Find a learning rate: train for a few steps while it grows, and see where the loss diverges.",
    "batch": "Train and score a recipe on many tasks, with many seeds, and show one table.",
    "search": "Train a recipe with many settings, and rank them by their validation.",
    "translate": "Translate lines of standard input to lines on standard output.",
    "shortlist": "Make a shortlist: few target words for each source word, so that translating projects these alone.",
    "evaluate": "Score a run's translations of a part of its corpus, each score with its 95 % interval.",
    "score": "Say how probable a model finds given translations: log-probability and perplexity of each.",
    "parity": "Prove that both frameworks compute the same: exit code 0 where every rung holds, 1 where one does not.",
    "benchmark": "Measure training and decoding, and the share of what the machine can do.",
    "differences": "Show and measure where stock Keras and stock PyTorch part ways.",
    "code": "Show how TensorFlow and PyTorch say the same thing: a term, a class, a method, a function or a file.",
    "summary": "Show a model as TensorFlow and as PyTorch have it: each weight's name and shape, each tensor's shape.",
    "serve": "Show a page where both frameworks translate side by side, and answer to a JSON API.",
    "inspect": "Say what is in model files: layers, weights, who wrote them, and what they leave open.",
    "convert": "Write a model for the other framework: a program of stock layers, its weights and its certificate.",
    "export": "Write a trained model for another runtime: its files, a model card and a certificate.",
    "import": "Make a run of an export: its config, tokenizers and weights; `diptych train RUN --resume` trains it on.",
    "environment": "Say where Diptych runs: versions, processor, system; what a report of a fault needs beside it.",
    "certify": "Say whether two models give the same numbers: exit code 0 where they do, 1 where they part.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `diptych` and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    SIGTERM and SIGHUP end it in good order, with 143 and 129.

    Whatever goes wrong is one line on standard error; a traceback comes only with `--debug`, which may stand anywhere.
    """
    if arguments is None:
        open_standard_streams()
        use_utf8()
    show_controls_on_terminal()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = "--debug" in options
    given = [argument for argument in options if argument != "--debug"] + given[len(options) :]
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, _terminate) for number in _heard()} if in_main_thread else {}
    try:
        code = _commands(given).main(given or ["--help"], prog_name="diptych", standalone_mode=False)
        sys.stdout.flush()
        return code or (0 if given else 2)
    except BrokenPipeError:
        _give_up_output()  # whoever read it has stopped
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        _say(traceback.format_exc() if debug else f"error: {' '.join(_explain(error)[:LONGEST].split())}\n")
        try:
            sys.stdout.flush()
        except OSError:  # a full disk, or a terminal that is gone
            _give_up_output()
        return int(getattr(error, "exit_code", 1))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arguments is None and in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # Python is about to end, which takes a while with a framework: one more Ctrl-C ends it without a traceback.
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _say(text: str) -> None:
    """Write to standard error, if there is any; nothing in the text is obeyed by a terminal."""
    from diptych.visible import visible

    with suppress(OSError):
        sys.stderr.write(visible(text))
        sys.stderr.flush()


def _give_up_output() -> None:
    """Let what is still to be written go: nothing more can be said there, not even by Python when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _commands(given: Sequence[str]) -> Any:
    """Every command: those named in what was given ready to be called, the others with no more than the help shows."""
    # Without markup the help is plain text, and rich, which takes as long to load as all the rest, stays away.
    application = typer.Typer(add_completion=False, rich_markup_mode=None)
    application.callback()(_diptych)
    for name, purpose in COMMANDS.items():
        command = load_command(name) if name in given else _not_asked_for
        if isinstance(command, typer.Typer):
            application.add_typer(command, name=name)
        else:
            application.command(name, short_help=purpose)(command)
    return typer.main.get_command(application)


def load_command(name: str) -> Any:
    """The function that is the command `name`, or the group of its commands."""
    variable = f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")
    return getattr(importlib.import_module(f"diptych.cli.{variable}"), variable)


def _not_asked_for() -> None:
    """Stands for a command that is only listed."""


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
    from diptych.errors import DiptychError, finds_no_memory

    if isinstance(error, DiptychError):
        return str(error)
    if finds_no_memory(error):
        said = str(error).strip().splitlines()[-1:]  # NumPy's says it at the end of a page
        return (
            f"memory ran out{f' ({said[0].strip()})' if said else ''}: give this process more, or lower batch_size, "
            f"maximum_length, beam_size, --threads or the model's sizes"
        )
    if isinstance(error, OSError):
        reason = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        return f"{reason}: set TMPDIR to a folder that can be written" if "temporary directory" in reason else reason
    if isinstance(error, RecursionError):
        return "something that was read nests too deep to be what it should be: restore it, or make it again"
    if hasattr(error, "format_message"):  # a command line that typer cannot read
        context = getattr(error, "ctx", None)
        advice = f". See `{context.command_path} --help`" if context else ""
        return f"{error.format_message().rstrip('.')}{advice}"
    return f"{type(error).__name__}: {error} (not expected: this is a fault in Diptych; --debug shows where it is)"


def _heard() -> list[int]:
    """The signals that end a command in good order; one that is ignored, as under nohup, stays so."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]


def _terminate(number: int, frame: object) -> None:
    """End in good order, so that temporary files and worker processes go too."""
    raise SystemExit(128 + number)
