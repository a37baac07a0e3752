"""How many may wait, and for how long: what is refused then, and that the rest goes on."""

import asyncio

import pytest

from diptych.web.limits import Limits
from diptych.web.schemas import TranslationRequest
from diptych.web.service import RefusedError, Service

EVERY = {"sentences": ["a"]}


def test_more_requests_than_may_wait_get_503_while_health_answers(ask, workers):
    async def crowd(client):
        workers["pytorch"].gate = gate = asyncio.Event()
        waiting = [asyncio.create_task(client.post("/api/translate", json=EVERY)) for _ in range(3)]
        while len(workers["pytorch"].asked) < 3:
            await asyncio.sleep(0)
        refused = await client.post("/api/translate", json=EVERY)
        health = await client.get("/healthz")
        gate.set()
        answers = await asyncio.gather(*waiting)
        return refused, health, answers, await client.post("/api/translate", json=EVERY)

    refused, health, answers, later = ask(crowd)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "2"
    assert "3 requests are being answered already" in refused.json()["detail"]
    assert health.status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert later.status_code == 200


def test_who_waits_too_long_gets_503(ask, service, workers):
    service.limits = Limits(waiting_seconds=0.05)

    async def wait(client):
        workers["pytorch"].gate = asyncio.Event()
        return await client.post("/api/translate", json=EVERY)

    response = ask(wait)
    assert response.status_code == 503
    assert "no answer within" in response.json()["detail"]
    assert service._requests == 0


@pytest.mark.parametrize(
    ("sentences", "place"),
    [
        (["a", "overtime", "b"], 2),  # the worker says so
        (["slow", "slow", "slow", "slow"], 4),  # nine seconds each, of twenty
    ],
)
def test_what_takes_too_long_to_decode_is_422(ask, workers, sentences, place):
    response = ask(lambda client: client.post("/api/translate", json={"sentences": sentences}))
    assert response.status_code == 422
    detail = response.json()["detail"]
    assert "computed for 20 s and was not done" in detail
    assert f"(at sentence {place})" in detail
    assert len(workers["pytorch"].asked) < len(sentences)


def test_each_sentence_has_the_time_that_is_left(ask, workers):
    response = ask(lambda client: client.post("/api/translate", json={"sentences": ["slow", "a"]}))
    assert response.status_code == 200
    assert [asked[3] for asked in workers["pytorch"].asked] == [20.0, 11.0]


def test_nothing_more_is_translated_for_a_client_that_has_gone(run, workers):
    service = Service(run, workers, Limits())

    async def gone():
        return True

    with pytest.raises(RefusedError, match="gone"):
        asyncio.run(service.translate(TranslationRequest(sentences=["a", "b", "c"]), gone))
    assert len(workers["pytorch"].asked) == 1


def test_what_is_cancelled_gets_503(service, workers):
    async def stop():
        workers["pytorch"].gate = asyncio.Event()
        waiting = asyncio.create_task(service.translate(TranslationRequest(**EVERY), lambda: None))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await waiting

    with pytest.raises(RefusedError, match="stopping") as raised:
        asyncio.run(stop())
    assert raised.value.status == 503
