"""Signals are held back until training can stop, also those that came before it began, and of one inside another."""

import signal
import sys

import pytest

from diptych.training.interruption import Interruption

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


@pytest.fixture
def noted():
    """The signals that reach whoever heard them before."""
    found = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: found.append(number))
    yield found
    signal.signal(signal.SIGTERM, before)


def twice(number):
    with Interruption():
        signal.raise_signal(number)
        signal.raise_signal(number)


def test_a_signal_waits_and_is_sent_once_more_at_the_end(noted):
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert interruption.requested and not noted
    assert noted == [signal.SIGTERM]


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_second_one_ends_at_once(noted, number, error):
    with pytest.raises(error) as raised:
        twice(number)
    assert getattr(raised.value, "code", None) == (143 if number == signal.SIGTERM else None)
    assert not noted


def test_whoever_is_patient_hears_a_second_one_and_goes_on(noted):
    """`timeout` tells a whole group of processes, and the first of them tells the others once more."""
    with Interruption(patient=True) as outer:
        with Interruption() as inner:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert inner.requested
        assert outer.requested and not noted
    assert noted == [signal.SIGTERM]


def test_what_came_before_the_inner_one_is_heard_by_it(noted):
    with Interruption():
        signal.raise_signal(signal.SIGTERM)
        with Interruption() as inner:
            assert inner.requested
    assert noted == [signal.SIGTERM]


def test_what_came_in_the_inner_one_is_heard_outside_and_obeyed_when_asked(noted):
    with Interruption() as outer:
        with Interruption():
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(SystemExit, match="143"):
            outer.obey()
    assert noted == [signal.SIGTERM]
