"""The server with both frameworks: they answer alike, one's death leaves the other, and crowds change no answer."""

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.builtin.phrasebook import phrasebook
from diptych.panel import BACKENDS
from diptych.web.watched import MADE_OF

CONFIG = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=300, validation_size=10, test_size=10),
    model=ModelConfig(embedding_size=16, encoder_size=16, decoder_size=32),
    training=TrainingConfig(epochs=8, batch_size=16, learning_rate=0.02),
)
CLIENTS, SENTENCES = 32, 1000


@pytest.fixture(scope="module")
def served(both_frameworks, tmp_path_factory, serving):
    """A server of a run that was trained in one framework, so that both have the same weights."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.toml").write_text(CONFIG.to_toml(), encoding="utf-8")
    command = [sys.executable, "-m", "diptych", "train", "tiny.toml", "--backend", "pytorch", "--threads", "1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    with serving(folder / "runs" / "tiny", "--threads", 1) as server:
        yield server


@pytest.fixture(scope="module")
def url(served):
    return served[1]


def translate(url, request):
    response = httpx.post(f"{url}api/translate", json=request, timeout=120)
    assert response.status_code == 200, response.text
    return response.json()["sentences"]


def test_both_answer_alike(url):
    model = httpx.get(f"{url}api/model").json()
    assert list(model["backends"]) == list(BACKENDS)
    assert {facts["trained_in"] for facts in model["backends"].values()} == {"pytorch"}
    for options in ({}, {"beam_size": 4}, {"temperature": 0.8, "seed": 3}):
        for answer in translate(url, {"sentences": ["I feel hungry", "Please close the window"]} | options):
            one, other = (answer["translations"][backend] for backend in BACKENDS)
            assert one["tokens"] == other["tokens"]
            assert one["score"] == pytest.approx(other["score"], abs=1e-4)
            np.testing.assert_allclose(one["attention"], other["attention"], atol=1e-4)
            assert np.shape(one["attention"]) == (len(one["tokens"]), len(answer["source_tokens"]))
            np.testing.assert_allclose(np.sum(one["attention"], axis=1), 1.0, atol=1e-4)
            assert len(one["alternatives"]) == (4 if "beam_size" in options else 0)
            assert 0.0 < one["milliseconds"] < 60_000.0


def mixed_requests():
    """Requests of 1 to 8 sentences, a thousand in all, searched for in different ways; some sentences come often."""
    generator = random.Random(1)
    sentences = [source for source, _ in phrasebook(seed=2, pairs=400)] + [
        "",
        "unheard-of words",
        "나는 배고파",
        "<eos>",
    ]
    searches = [{}, {}, {"beam_size": 3}, {"temperature": 0.9, "seed": 7}, {"maximum_length": 4}]
    requests, left = [], SENTENCES
    while left:
        count = min(left, generator.randint(1, 8))
        requests.append({"sentences": generator.choices(sentences, k=count)} | generator.choice(searches))
        left -= count
    return requests


def timeless(answers):
    """Answers without what may differ: the time they took."""
    text = json.dumps(answers)
    found = json.loads(text)
    for answer in found:
        for translation in answer["translations"].values():
            del translation["milliseconds"]
    return found


@pytest.mark.slow
def test_a_crowd_gets_the_answers_that_each_would_get_alone(url):
    requests = mixed_requests()
    assert sum(len(request["sentences"]) for request in requests) == SENTENCES
    alone = [timeless(translate(url, request)) for request in requests]
    order = list(range(len(requests)))
    random.Random(2).shuffle(order)
    with ThreadPoolExecutor(CLIENTS) as clients:
        together = dict(zip(order, clients.map(lambda place: timeless(translate(url, requests[place])), order)))
    assert [together[place] for place in range(len(requests))] == alone
    greedy = {}
    for request, answers in zip(requests, alone):
        if len(request) == 1:  # whatever else was in its request
            for answer in answers:
                assert greedy.setdefault(answer["source"], answer) == answer


def test_the_death_of_one_leaves_the_other_and_does_not_last(served):
    process, url = served
    victims = {}
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split():
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
        victims[json.loads(command[command.index(MADE_OF) + 1])["backend"]] = int(pid)
    for dead, alive in (BACKENDS, BACKENDS[::-1]):
        before = translate(url, {"sentences": ["I feel hungry"]})[0]
        os.kill(victims[dead], 9)
        [answer] = translate(url, {"sentences": ["I feel hungry"]})
        assert list(answer["translations"]) == [alive]
        assert f"the {dead} process was killed (SIGKILL) and is being started again" in answer["errors"][dead]
        killed = time.monotonic()
        while httpx.get(f"{url}healthz").json()["status"] != "ok":
            assert time.monotonic() - killed < 30.0
            time.sleep(0.1)
        assert timeless(translate(url, {"sentences": ["I feel hungry"]})) == timeless([before])
        assert httpx.get(f"{url}api/model").json()["backends"][dead]["restarts"] == 1
