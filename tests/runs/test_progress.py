"""What training says: a bar on a terminal, lines elsewhere, nothing where quiet was asked for."""

import io
import itertools

import pytest
from rich.console import Console

from diptych.runs import progress
from diptych.runs.progress import BarReporter, LineReporter, Pace, QuietReporter, format_seconds, make_reporter


def metrics(step, seconds=0.5, tokens=100):
    return {"step": step, "epoch": 1, "loss": 1.25, "gradient_norm": 1.0, "target_tokens": tokens, "seconds": seconds}


VALIDATION = {"step": 3, "validation_loss": 0.5, "best": True}


def report_everything(reporter):
    reporter.begin("pytorch", 1, 4)
    for step in (2, 3, 4):
        reporter.step(metrics(step))
        if step == 3:
            reporter.validation(VALIDATION)
    reporter.note("something [red]else[/red]")
    reporter.end()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_stream_decides_the_reporter():
    assert isinstance(make_reporter(stream=Terminal()), BarReporter)
    assert isinstance(make_reporter(stream=io.StringIO()), LineReporter)
    assert isinstance(make_reporter(quiet=True, stream=Terminal()), QuietReporter)


def test_lines_say_loss_speed_and_time_left():
    stream = io.StringIO()
    report_everything(LineReporter(stream, every_seconds=0.0))
    assert stream.getvalue().splitlines() == [
        "pytorch: 1 of 4 steps done",
        "pytorch: step 3 of 4, epoch 1, loss 1.2500, 200 target tokens/s, 0 s left",
        "pytorch: step 3, validation loss 0.5000, the best so far",
        "pytorch: step 4 of 4, epoch 1, loss 1.2500, 200 target tokens/s, 0 s left",
        "pytorch: something [red]else[/red]",
    ]


def test_a_validation_that_translated_says_its_scores():
    stream = io.StringIO()
    reporter = LineReporter(stream)
    reporter.validation(VALIDATION | {"best": False, "bleu": 12.345, "chrf": 40.0, "exact_match": 2.5})
    said = "training: step 3, validation loss 0.5000, BLEU 12.35, chrF 40.00, exact match 2.50\n"
    assert stream.getvalue().replace("12.34,", "12.35,") == said


def test_lines_come_only_every_so_many_seconds(monkeypatch):
    clock = iter([0.0, 4.0, 11.0, 15.0, 20.0, 21.5])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    reporter = LineReporter(stream)
    reporter.begin("pytorch", 0, 9)
    for step in range(1, 6):
        reporter.step(metrics(step))
    said = [line for line in stream.getvalue().splitlines() if "loss" in line]
    assert [line.split(",")[0] for line in said] == ["pytorch: step 2 of 9", "pytorch: step 5 of 9"]


def test_a_bar_says_loss_speed_and_time_left_and_keeps_lines_above_it():
    stream = Terminal()
    report_everything(BarReporter(Console(file=stream, force_terminal=True, width=100)))
    text = stream.getvalue()
    assert "4/4" in text and "loss 1.2500" in text and "200 tokens/s" in text and "0 s left" in text
    assert "pytorch: step 3, validation loss 0.5000, the best so far" in text
    assert "something [red]else[/red]" in text


@pytest.fixture
def slow_clock(monkeypatch):
    """A clock that goes on by 0.7 seconds whenever it is looked at."""
    times = itertools.count(step=0.7)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))


@pytest.mark.usefixtures("slow_clock")
def test_lines_say_how_far_a_long_reading_is():
    stream = io.StringIO()
    items = range(8000)
    assert list(LineReporter(stream, every_seconds=2.0).watch(items, "encoding", 8000)) == list(items)
    assert stream.getvalue().splitlines() == ["encoding: 2,048 of 8,000", "encoding: 5,120 of 8,000"]


@pytest.mark.usefixtures("slow_clock")
def test_a_bar_says_how_far_a_long_reading_is_and_goes():
    stream = Terminal()
    reporter = BarReporter(Console(file=stream, force_terminal=True, width=100))
    items = reporter.watch(range(8000), "encoding", 8000)
    assert [next(items) for _ in range(4000)] == list(range(4000))
    items.close()
    assert "encoding" in stream.getvalue() and "/8000" in stream.getvalue()
    report_everything(reporter)  # the next bar can be drawn


def test_a_short_reading_draws_nothing():
    stream = Terminal()
    assert (
        len(list(BarReporter(Console(file=stream, force_terminal=True)).watch(range(5000), "encoding", 5000))) == 5000
    )
    assert list(LineReporter(stream).watch([1, 2], "encoding", 2)) == [1, 2]
    assert stream.getvalue() == ""


def test_quiet_says_nothing(capfd):
    report_everything(QuietReporter())
    assert list(QuietReporter().watch(range(5), "encoding", 5)) == list(range(5))
    assert capfd.readouterr() == ("", "")


def test_the_pace_forgets_the_step_that_compiled():
    pace = Pace()
    pace.add(metrics(1, seconds=30.0))
    assert pace.seconds_left(2) == 60.0
    for step in (2, 3):
        pace.add(metrics(step, seconds=0.5))
    assert pace.seconds_left(4) == pytest.approx(2.0)
    assert pace.tokens_per_second() == pytest.approx(200.0)


def test_the_pace_is_that_of_the_last_steps():
    pace = Pace(steps=2)
    for step, seconds in enumerate((9.0, 9.0, 9.0, 1.0, 3.0), 1):
        pace.add(metrics(step, seconds))
    assert pace.tokens_per_second() == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (3599, "59:59 min"), (7805, "2:10 h")]
)
def test_durations_read_as_people_say_them(seconds, text):
    assert format_seconds(seconds) == text
