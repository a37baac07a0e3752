"""A framework's process: every answer belongs to its question, and one that dies is started again."""

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager

import pytest

from diptych.errors import BackendError, CheckpointError
from diptych.web import watched
from diptych.web.limits import Limits
from diptych.web.watched import WatchedProcess


@asynccontextmanager
async def started(worker, restarted=False):
    await worker.start()
    watcher = asyncio.create_task(worker.watch()) if restarted else None
    try:
        yield worker
    finally:
        if watcher:
            watcher.cancel()
        await worker.close()


async def say(worker, sentence, seconds=20.0):
    answer = await worker.translate(sentence, 0, {}, seconds)
    return answer.get("translation", {}).get("text") or answer["error"]["message"]


async def until(true):
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def test_every_answer_belongs_to_its_question(fake_process):
    async def ask():
        async with started(fake_process()) as worker:
            assert worker.facts == {"versions": {"fake": "1"}, "precision": "float32", "trained_in": "pytorch"}
            return await asyncio.gather(*(say(worker, f"number {n}") for n in range(200)))

    assert asyncio.run(ask()) == [f"number {n}" for n in range(200)]


def test_any_text_arrives_as_it_is(fake_process):
    texts = ["나는 배고파", "\u2028\x00\r\n\t", "\U0001f600", "x" * 2000, '"\\']

    async def ask():
        async with started(fake_process()) as worker:
            return [await say(worker, text) for text in texts]

    assert asyncio.run(ask()) == texts


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("die", r"was killed \(SIGKILL\) and is being started again; try again"),
        ("leave 3", r"ended with exit status 3 and is being started again"),
    ],
)
def test_one_that_dies_says_so_and_is_started_again(fake_process, capfd, sentence, message):
    async def ask():
        async with started(fake_process(), restarted=True) as worker:
            first = worker.process.pid
            answers = await asyncio.gather(*(say(worker, text) for text in (sentence, "waiting", "too")))
            await until(lambda: not worker.trouble)
            assert worker.process.pid != first
            return answers, await say(worker, "alive"), worker.restarts

    (dead, *waiting), alive, restarts = asyncio.run(ask())
    assert re.search(message, dead)
    assert all(dead.split(";")[0] in answer for answer in waiting)
    assert (alive, restarts) == ("alive", 1)
    assert capfd.readouterr().err.count("is being started again") == 1


def test_one_that_dies_while_nobody_asks_is_started_again_too(fake_process):
    async def ask():
        async with started(fake_process(), restarted=True) as worker:
            worker.process.kill()
            await until(lambda: worker.restarts and not worker.trouble)
            return await say(worker, "alive")

    assert asyncio.run(ask()) == "alive"


@pytest.mark.parametrize(
    ("broken", "message"),
    [("failed", "a damaged checkpoint; it will be started again"), (None, "No such file or directory")],
)
def test_starting_again_is_tried_until_it_works(fake_process, monkeypatch, capfd, broken, message):
    monkeypatch.setattr(watched, "PAUSES", (0.0, 0.01))
    python = sys.executable

    async def ask():
        async with started(fake_process(), restarted=True) as worker:
            if broken:
                worker.arguments = {"mode": broken}
            else:
                monkeypatch.setattr(sys, "executable", "/no/such/program")
            worker.process.kill()
            await until(lambda: worker.restarts > 3)
            trouble = await say(worker, "dead")
            worker.arguments = {"mode": "good"}
            monkeypatch.setattr(sys, "executable", python)
            await until(lambda: not worker.trouble)
            return trouble, await say(worker, "alive")

    trouble, alive = asyncio.run(ask())
    assert message in trouble
    assert alive == "alive"
    assert "answers again" in capfd.readouterr().err


def test_pauses_bring_a_worker_back_within_30_seconds():
    assert max(watched.PAUSES) <= 15.0


def test_one_that_is_stuck_is_killed(fake_process, monkeypatch):
    monkeypatch.setattr(watched, "SECONDS_OF_GRACE", 0.2)

    async def ask():
        async with started(fake_process(), restarted=True) as worker:
            answer = await say(worker, "wait 60", seconds=0.1)
            await until(lambda: not worker.trouble)
            return answer, await say(worker, "alive")

    answer, alive = asyncio.run(ask())
    assert "was killed" in answer
    assert alive == "alive"


def test_who_goes_away_leaves_the_next_one_its_own_answer(fake_process):
    async def ask():
        async with started(fake_process()) as worker:
            impatient = asyncio.create_task(say(worker, "wait 0.3"))
            await asyncio.sleep(0.1)
            impatient.cancel()
            return await say(worker, "mine")

    assert asyncio.run(ask()) == "mine"


@pytest.mark.parametrize(
    ("mode", "kind", "message"),
    [
        ("failed", CheckpointError, "^a damaged checkpoint$"),
        ("fault", BackendError, "^the pytorch process failed: ZeroDivisionError: by zero"),
        ("silent", BackendError, "^the pytorch process ended with exit status 3 and without an answer; what it said"),
        ("never ready", BackendError, r"^the pytorch process was not done after 0\.3 s and was ended$"),
    ],
)
def test_one_that_does_not_start_says_why_and_leaves_no_process(fake_process, mode, kind, message):
    limits = Limits(starting_seconds=0.3 if mode == "never ready" else 20.0)

    async def start():
        worker = fake_process(mode, limits)
        try:
            await worker.start()
        finally:
            assert worker.process.status is not None
            assert "starting" in worker.trouble

    with pytest.raises(kind, match=message):
        asyncio.run(start())


def test_what_fails_is_an_answer_and_does_not_end_it(fake_process):
    async def ask():
        async with started(fake_process()) as worker:
            failed = await worker.translate("fail", 0, {}, 20.0)
            late = await worker.translate("overtime", 0, {}, 20.0)
            return failed, late, await say(worker, "alive")

    failed, late, alive = asyncio.run(ask())
    message = "the pytorch process failed: ZeroDivisionError: division by zero"
    assert failed == {"error": {"kind": "BackendError", "message": message}}
    assert (late["error"]["kind"], alive) == ("TimeLimitError", "alive")


def test_one_that_is_busy_can_be_closed(fake_process):
    async def ask():
        async with started(fake_process()) as worker:
            waiting = asyncio.create_task(say(worker, "wait 60"))
            await asyncio.sleep(0.1)
            pid = worker.process.pid
        await waiting
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    asyncio.run(ask())


def test_the_real_worker_translates(run):
    given = {"run": str(run.folder), "backend": "reference", "threads": 1, "device": "auto"}

    async def ask():
        async with started(WatchedProcess("reference", given, Limits())) as worker:
            search = run.config.search.model_dump()
            return worker.facts, await worker.translate("I feel hungry", 0, search, 20.0)

    facts, answer = asyncio.run(ask())
    assert (facts["precision"], facts["trained_in"]) == ("float64", "pytorch")
    assert answer["translation"]["tokens"][-1] == "<eos>"
