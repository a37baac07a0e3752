"""Standard streams that are closed, full or a terminal; what a terminal would obey is shown; lines without an end."""

import io
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from unittest import mock

import pytest

from diptych.cli import main, streams
from diptych.cli.lines import LONGEST, MOST_BYTES, decoded_lines
from diptych.errors import DataError
from diptych.runs.progress import LineReporter
from diptych.visible import visible

HOSTILE = "a\x1b[31mred\x1b]0;title\x07\x9b2J\u202eevil\x00"
SHOWN = r"a\x1b[31mred\x1b]0;title\x07\u009b2J\u202eevil\x00"


class Terminal(io.TextIOWrapper):
    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self):
        return True


@contextmanager
def terminal():
    """While this lasts standard output is a terminal; a function gives what it got."""
    stream = Terminal()
    with mock.patch.object(sys, "stdout", stream):
        yield lambda: stream.buffer.getvalue().decode("utf-8")


def shell(command, **options):
    """A command line for a shell that closes streams: its exit code and what came."""
    found = subprocess.run(
        ["bash", "-c", command, sys.executable], capture_output=True, text=True, timeout=120, check=False, **options
    )
    return found.returncode, found.stdout, found.stderr


def test_what_a_terminal_would_obey_is_shown():
    assert visible(HOSTILE) == SHOWN
    assert visible("한국어\tline\n\u200d🙂") == "한국어\tline\n\u200d🙂"
    assert visible("\udc9b") == r"\udc9b"
    out = io.StringIO()
    LineReporter(out).note(HOSTILE)
    assert SHOWN in out.getvalue()


def test_an_error_shows_what_is_in_a_name(capsys, tmp_path):
    assert main(["translate", str(tmp_path / HOSTILE.replace("\0", ""))]) == 1
    error = capsys.readouterr().err
    assert SHOWN.replace(r"\x00", "") in error and "\x1b" not in error
    (tmp_path / "config.toml").write_text('[model]\ncell = "\\u001b[31m"\n', encoding="utf-8")
    assert main(["train", str(tmp_path / "config.toml"), "--debug"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_corpus_s_lines_are_shown_on_a_terminal_and_given_to_a_pipe_as_they_are(tmp_path, capfdbinary):
    text = tmp_path / "pairs.tsv"
    text.write_text("a\x1b[31m\tb\x9b\n" * 3, encoding="utf-8")
    with terminal() as got:
        for command in (["data", "sample"], ["data", "inspect"]):
            assert main([*command, str(text)]) == 0
        assert r"a\x1b[31m" in got() and "\x1b" not in got() and "\x9b" not in got()
    assert main(["data", "sample", str(text)]) == 0
    assert b"a\x1b[31m\tb\xc2\x9b\n" in capfdbinary.readouterr().out


def test_rich_writes_colours_to_the_terminal_itself(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with terminal() as got:
        streams.show_controls_on_terminal()
        print("\x1b[1m")
        assert main(["code", "loss.py"]) == 0
        assert got().startswith("\\x1b[1m\n") and "\x1b[" in got()


@pytest.mark.parametrize(
    ("redirections", "code", "says"),
    [
        ("config model >&-", 0, ""),
        ("config model <&-", 0, ""),
        ("config nothing 2>&-", 2, ""),
        ("config nothing <&- >&- 2>&-", 2, ""),
        ("config model > /dev/full", 1, "No space left on device"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_fault(redirections, code, says):
    found = shell(f'exec "$0" -m diptych {redirections}')
    assert found[0] == code, found
    assert found[1] == "" or code == 0
    assert says in found[2] and "Traceback" not in found[2] and "fault" not in found[2]


def test_the_next_file_does_not_take_a_closed_stream_s_place(tmp_path):
    program = (
        "from diptych.cli.streams import open_standard_streams as o; import os; o(); "
        f"file = open({str(tmp_path / 'a')!r}, 'w'); os.write(2, b'said'); os.write(1, b'said'); print('said')"
    )
    assert shell(f'exec "$0" -c "{program}" <&- >&- 2>&-')[0] == 0
    assert (tmp_path / "a").read_bytes() == b""


def test_translating_says_which_stream_is_closed(monkeypatch, capsys):
    closed = streams._Closed(open(os.devnull, encoding="utf-8"))  # noqa: SIM115
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(Exception, match="standard input is closed"):
        streams.standard_input()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(Exception, match="standard output is closed"):
        streams.write_lines(["lost"])


class Endless(io.RawIOBase):
    """Gives the same byte for ever, and counts how much was taken."""

    taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = b"a" * len(buffer)
        self.taken += len(buffer)
        return len(buffer)


def test_a_line_without_an_end_is_refused_after_a_few_bytes():
    stream, begun = Endless(), time.process_time()
    with pytest.raises(DataError, match="standard input, line 1 has more than 40,004 bytes"):
        list(decoded_lines(io.BufferedReader(stream)))
    assert stream.taken < 10 * MOST_BYTES and time.process_time() - begun < 5


@pytest.mark.parametrize("letter", ["a", "한", "🙂"])
def test_the_longest_line_is_read_and_the_next_longer_one_refused(letter):
    longest = letter * LONGEST
    for end in ("", "\n", "\r\n"):
        assert list(decoded_lines(io.BytesIO(f"\ufeff{longest}{end}".encode()))) == [[longest]]
    lines = decoded_lines(io.BytesIO(f"first\n{longest}{letter}\nlast\n".encode()))
    found = []
    with pytest.raises(DataError, match="line 2 has 10,001 characters, expected at most 10,000"):
        found.extend(iter(lines.__next__, None))
    assert found == [["first"]]
