"""Workers in threads instead of processes: what they tell each other arrives whole, and who is silent is named."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from diptych.errors import RunError, WorkerError
from diptych.workers import group
from diptych.workers.group import Workers
from diptych.workers.membership import Membership


class Meeting:
    """Adds up what so many threads bring; one that does not come is silent."""

    def __init__(self, size):
        self.barrier, self.brought, self.silent = threading.Barrier(size), {}, {}
        self.closed = set()

    def panel(self):
        return SimpleNamespace(Exchange=self.exchange, to_tensor=np.array, to_array=np.array)

    def exchange(self, rank, addresses, size):
        def add(values):
            self.brought[rank] = values
            self.barrier.wait()
            total = sum(self.brought.values())
            self.barrier.wait()
            return total

        return SimpleNamespace(add=add, silence=lambda: dict(self.silent), close=lambda: self.closed.add(rank))


@pytest.fixture
def together(monkeypatch):
    """Has so many workers do something at once; what came of each."""
    monkeypatch.setattr(group, "BEAT", 0.02)

    def call(size, action, meeting=None):
        meeting, found = meeting or Meeting(size), {}

        def work(rank):
            try:
                with Workers(Membership(rank, size, ("here:1",), "test"), meeting.panel()) as workers:
                    found[rank] = action(workers)
                    workers.gather(None)
            except Exception as error:
                found[rank] = error

        threads = [threading.Thread(target=work, args=(rank,), daemon=True) for rank in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return [found.get(rank) for rank in range(size)]

    return call


VALUES = [None, "é\n", [0.1, -0.0, 1e-320, float("inf")], {"a": [1, "b" * 100]}]


def test_values_arrive_whole_and_in_order(together):
    def tell(workers):
        return workers.gather(VALUES[workers.rank]), workers.share(workers.rank + 7)

    assert [repr(each) for each in together(4, tell)] == [repr((VALUES, 7))] * 4


def test_one_alone_tells_itself():
    with Workers() as workers:
        assert workers.leads and workers.gather("x") == ["x"] and workers.share(3) == 3
        assert workers.add(5) == 5 and workers.first(lambda: 4) == 4


def test_one_acts_while_the_others_wait_and_its_error_ends_all(together):
    done = []

    def act(workers):
        return workers.first(lambda: done.append(workers.rank) or "made")

    assert together(3, act) == ["made", None, None] and done == [0]

    def fail(workers):
        def refuse():
            raise RunError("the disk is full")

        workers.first(refuse)

    first, *others = together(3, fail)
    assert isinstance(first, RunError)
    for other in others:
        assert isinstance(other, WorkerError) and "worker 0 of 3 failed: RunError: the disk is full" in str(other)


def test_who_does_not_come_and_gives_no_sign_is_named(together, monkeypatch):
    monkeypatch.setattr(group, "SILENCE", 0.3)
    meeting = Meeting(3)

    def work(workers):
        if workers.rank == 2:
            meeting.silent[2] = 60.0
            raise RuntimeError("stopped")
        return workers.gather(1)

    *others, _ = together(3, work, meeting)
    for other in others:
        assert isinstance(other, WorkerError)
        assert "worker 2 of 3 has given no sign of life for 60 seconds" in str(other) and "--resume" in str(other)


def test_who_is_late_but_lives_is_waited_for(together, monkeypatch):
    monkeypatch.setattr(group, "SILENCE", 0.3)

    def work(workers):
        time.sleep(0.8 if workers.rank else 0.0)
        return workers.gather(workers.rank)

    assert together(2, work) == [[0, 1], [0, 1]]
