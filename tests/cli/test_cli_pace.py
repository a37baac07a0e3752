"""How far a translation of many lines is: told on a terminal alone, and taken away at the end."""

import io
import sys

from diptych.cli import pace


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(monkeypatch, terminal, quiet=False):
    moments = iter(range(100))
    monkeypatch.setattr(pace.time, "monotonic", lambda: float(next(moments)))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    counted = pace.Pace(quiet, terminal)
    counted.add(1000)
    counted.add(500)
    counted.end()
    return terminal.getvalue()


def test_lines_and_their_speed_stand_on_one_line_that_goes_away(monkeypatch):
    text = told(monkeypatch, Terminal())
    assert text == "\r\x1b[K1,000 lines, 1,000 a second\r\x1b[K1,500 lines, 750 a second\r\x1b[K"


def test_nothing_is_told_to_a_file_or_where_it_is_not_wanted(monkeypatch):
    assert told(monkeypatch, io.StringIO()) == ""
    assert told(monkeypatch, Terminal(), quiet=True) == ""
