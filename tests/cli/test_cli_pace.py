"""How far a translation of many lines is: told on a terminal alone, and taken away at the end."""

import io
import sys
from contextlib import suppress

import pytest

from diptych.cli import pace


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(monkeypatch, terminal, quiet=False, interrupted=False):
    moments = iter(range(100))
    monkeypatch.setattr(pace.time, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with suppress(KeyboardInterrupt), pace.Pace(quiet, terminal) as counted:
        counted.add(1000)
        counted.add(500)
        if interrupted:
            raise KeyboardInterrupt
    return terminal.getvalue()


@pytest.mark.parametrize("interrupted", [False, True])
def test_lines_and_their_speed_stand_on_one_line_that_goes_away(interrupted, monkeypatch):
    text = told(monkeypatch, Terminal(), interrupted=interrupted)
    assert text == "\r\x1b[K1,000 lines, 1,000 a second\r\x1b[K1,500 lines, 750 a second\r\x1b[K"


def test_nothing_is_told_to_a_file_or_where_it_is_not_wanted(monkeypatch):
    assert told(monkeypatch, io.StringIO()) == ""
    assert told(monkeypatch, Terminal(), quiet=True) == ""
