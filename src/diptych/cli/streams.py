"""Standard input, output and error: there whatever the shell did with them, and safe for a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO, TextIO

NAMES = ("stdin", "stdout", "stderr")


def open_standard_streams() -> None:
    """Open what the shell has closed (`<&-`, `>&-`): nothing comes from there, and what goes there is lost.

    Else the next file that is opened would take its place, and get what is printed.
    """
    for descriptor in range(len(NAMES)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free: this one
    for descriptor, name in enumerate(NAMES):
        if getattr(sys, name) is None:
            stream = open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, _Closed(stream))


def show_controls_on_terminal() -> None:
    """Make what is printed on a terminal visible instead of obeyed, see `diptych.visible`."""
    if sys.stdout.isatty() and not isinstance(sys.stdout, VisibleOutput):
        sys.stdout = VisibleOutput(sys.stdout)


def standard_input() -> BinaryIO:
    """What bytes are read from.

    Raises:
        UsageError: it is closed.
    """
    from diptych.errors import UsageError  # only here: the help is to be there at once

    if isinstance(sys.stdin, _Closed):
        raise UsageError("standard input is closed: give lines there, from a file or a pipe")
    return sys.stdin.buffer


def write_lines(lines: Iterable[str]) -> None:
    """Write each with a line feed to standard output, in UTF-8 whatever the terminal's language is, and at once.

    Raises:
        UsageError: standard output is closed.
    """
    from diptych.errors import UsageError
    from diptych.visible import visible

    if isinstance(sys.stdout, _Closed):
        raise UsageError("standard output is closed: what belongs there would be lost; give it a file, or /dev/null")
    text = "".join(f"{line}\n" for line in lines)
    if isinstance(sys.stdout, VisibleOutput):
        text = visible(text)
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


class VisibleOutput:
    """A terminal that shows control characters; everything else is as the stream has it."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this terminal."""
        # By this name rich, which colours what it writes, finds the terminal itself.
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write a text; a line feed and a tab are obeyed, nothing else."""
        from diptych.visible import visible

        return self.rich_proxied_file.write(visible(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write these texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


class _Closed:
    """Stands for a stream that the shell has closed: an empty one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
