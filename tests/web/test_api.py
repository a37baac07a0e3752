"""What the API answers, and what it refuses, whatever the frameworks are."""

import json
from types import SimpleNamespace

import pytest

from diptych.config import SearchConfig
from diptych.web.gate import HEADERS, host_name

JSON = {"content-type": "application/json"}
EVERY = {"sentences": ["a"]}


def post(body, headers=JSON):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda client: client.post("/api/translate", content=content, headers=headers)


def get(path):
    return lambda client: client.get(path)


def test_every_sentence_is_answered_by_every_backend(ask, workers):
    response = ask(post({"sentences": ["I feel hungry", "a qux", " "]}))
    assert response.status_code == 200
    one, other, blank = response.json()["sentences"]
    assert one["source_tokens"] == ["I", "feel", "hungry"]
    assert {backend: found["text"] for backend, found in one["translations"].items()} == {
        "tensorflow": "I FEEL HUNGRY",
        "pytorch": "I FEEL HUNGRY",
    }
    assert (one["unknown"], one["errors"]) == ([], {})
    assert 1 in other["unknown"]
    assert blank["source_tokens"] == []
    assert [asked[:2] for asked in workers["pytorch"].asked] == [("I feel hungry", 0), ("a qux", 1), (" ", 2)]


def test_only_the_backends_that_are_asked_for(ask, workers):
    answer = ask(post(EVERY | {"backends": ["pytorch", "pytorch"]})).json()["sentences"][0]
    assert list(answer["translations"]) == ["pytorch"]
    assert workers["tensorflow"].asked == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"beam_size": 1, "temperature": 0.0, "n_best": 1, "maximum_length": 0}),
        ({"beam_size": 4, "maximum_length": 7}, {"beam_size": 4, "n_best": 4, "maximum_length": 7}),
        ({"beam_size": 4.0}, {"beam_size": 4}),
        ({"temperature": 1, "seed": 5}, {"temperature": 1.0, "seed": 5, "beam_size": 1}),
        ({"beam_size": None, "length_penalty": 0}, {"beam_size": 1, "length_penalty": 0.0}),
        ({"temperature": 0.5, "top_k": 3, "top_p": 0.9}, {"temperature": 0.5, "top_k": 3, "top_p": 0.9}),
        ({"top_k": 3}, {"temperature": 0.0, "top_k": 0}),
        ({"beam_size": 4, "coverage_penalty": 0.2}, {"beam_size": 4, "coverage_penalty": 0.2}),
        ({"coverage_penalty": 0.2}, {"beam_size": 1, "coverage_penalty": 0.0}),
        ({"no_repeat_ngram": 2.0, "forbid_unknown": True}, {"no_repeat_ngram": 2, "forbid_unknown": True}),
    ],
)
def test_options_become_a_search(ask, workers, options, expected):
    assert ask(post(EVERY | options)).status_code == 200
    search = workers["pytorch"].asked[0][2]
    assert {key: search[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("own", "options", "beam_size", "temperature"),
    [
        ({"beam_size": 5}, {"temperature": 0.7}, 1, 0.7),
        ({"temperature": 0.9}, {"beam_size": 3}, 3, 0.0),
        ({"temperature": 0.9}, {}, 1, 0.9),
        ({"beam_size": 5, "n_best": 2}, {}, 5, 0.0),
        ({"beam_size": 5, "coverage_penalty": 0.2}, {"beam_size": 1}, 1, 0.0),
        ({"beam_size": 5, "coverage_penalty": 0.2}, {"temperature": 0.7}, 1, 0.7),
        ({"temperature": 0.9, "top_k": 3, "top_p": 0.5}, {"beam_size": 3}, 3, 0.0),
        ({"temperature": 0.9, "top_k": 3, "top_p": 0.5}, {"temperature": 0.0}, 1, 0.0),
    ],
)
def test_who_samples_leaves_the_beam_of_the_run_and_the_reverse(
    ask, service, workers, own, options, beam_size, temperature
):
    run = service.run
    service.run = SimpleNamespace(
        config=run.config.model_copy(update={"search": SearchConfig(**own)}),
        source_tokenizer=run.source_tokenizer,
        source_vocabulary=run.source_vocabulary,
    )
    assert ask(post(EVERY | options)).status_code == 200
    search = workers["pytorch"].asked[0][2]
    assert (search["beam_size"], search["temperature"]) == (beam_size, temperature)


def test_a_maximum_length_below_the_runs_least_is_refused(ask, service):
    run, search = service.run, SearchConfig(minimum_length=8)
    service.run = SimpleNamespace(config=run.config.model_copy(update={"search": search}))
    answer = ask(post(EVERY | {"maximum_length": 8}))
    assert answer.status_code == 422
    assert "maximum_length 8: this run's translations have at least 8 tokens" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "Invalid JSON"),
        (b"", 400, "Invalid JSON"),
        (b"[" * 10_000, 400, "Invalid JSON"),
        (b'{"sentences": ["\xff"]}', 400, "byte 17 of the body, 0xff, is not UTF-8"),
        ('{"sentences": ["a"]}'.encode("utf-16"), 400, "not UTF-8"),
        (b'{"sentences": ["\\ud800"]}', 400, "Invalid JSON"),
        (b'{"sentences": ["a"], "temperature": NaN}', 422, "temperature: input should be a finite number"),
        (b'{"sentences": ["a"], "length_penalty": Infinity}', 422, "length_penalty: input should be"),
        (b'{"sentences": ["a"], "beam_size": NaN}', 422, "beam_size"),
        (b"NaN", 422, "should be an object"),
        ([], 422, "should be an object"),
        ({}, 422, "sentences: field required"),
        ({"sentences": []}, 422, "at least 1 item"),
        ({"sentences": "a"}, 422, "sentences: input should be a valid array"),
        ({"sentences": [1]}, 422, "sentences[0]: input should be a valid string"),
        ({"sentences": ["a"] * 65}, 422, "at most 64 items"),
        ({"sentences": ["a", "x" * 2001]}, 422, "sentences[1]: string should have at most 2000 characters"),
        (EVERY | {"beem_size": 3}, 422, "unknown field 'beem_size'; choose among: sentences, backends, temperature"),
        (EVERY | {"beam_size": 0}, 422, "beam_size: input should be greater than or equal to 1"),
        (EVERY | {"beam_size": "3"}, 422, "beam_size: input should be a valid integer"),
        (EVERY | {"beam_size": True}, 422, "beam_size: input should be a valid integer"),
        (EVERY | {"beam_size": 2.5}, 422, "beam_size: input should be a valid integer"),
        (EVERY | {"beam_size": 11}, 422, "beam_size: input should be less than or equal to 10"),
        (EVERY | {"maximum_length": 501}, 422, "maximum_length"),
        (EVERY | {"seed": 2**32}, 422, "seed"),
        (EVERY | {"top_p": 0}, 422, "top_p: input should be greater than 0"),
        (EVERY | {"forbid_unknown": 1}, 422, "forbid_unknown: input should be a valid boolean"),
        (EVERY | {"beam_size": 2, "temperature": 0.5}, 422, "exclude each other: leave one of them out"),
        (EVERY | {"backends": []}, 422, "backends"),
        (EVERY | {"backends": ["jax"]}, 422, "'jax' is not served here; choose among: tensorflow, pytorch"),
        (b" " * 65_537, 413, "more than 65,536 bytes"),
        (b" " * 3_000_000, 413, "more than 65,536 bytes"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_reason_said(ask, workers, body, status, message):
    response = ask(post(body))
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert message in response.json()["detail"]
    assert not any(worker.asked for worker in workers.values())


def test_the_largest_request_is_answered(ask):
    sentences = ["나" * 310 for _ in range(64)]  # three bytes each
    body = json.dumps({"sentences": sentences}, ensure_ascii=False).encode()
    assert 0.9 * 65_536 < len(body) <= 65_536
    assert ask(post(body)).status_code == 200
    assert ask(post({"sentences": ["x" * 2000]})).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
def test_another_content_type_is_refused(ask, kind):
    response = ask(post(EVERY, {} if kind is None else {"content-type": kind}))
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]
    assert ask(post(EVERY, {"content-type": "Application/JSON; charset=utf-8"})).status_code == 200


def test_unknown_paths_and_methods(ask):
    assert ask(get("/nothing")).status_code == 404
    refused = ask(get("/api/translate"))
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1", 421),
    ],
)
def test_only_allowed_hosts_are_answered(ask, host, status):
    response = ask(get("/healthz"), host=host)
    assert response.status_code == status
    if status == 421:
        assert "--allow-host" in response.json()["detail"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Example.org:80", "example.org"),
        ("[::1]:8000", "[::1]"),
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_the_name_of_a_host(host, name):
    assert host_name(host) == name


@pytest.mark.parametrize("path", ["/", "/page.js", "/healthz", "/nothing", "/openapi.json"])
def test_every_answer_says_what_a_browser_may_do(ask, path):
    headers = ask(get(path)).headers
    assert {key: headers[key] for key in HEADERS} == HEADERS
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] in ("no-store", "no-cache")


def test_the_page_names_nothing_elsewhere(ask):
    for path in (
        "/",
        "/page.js",
        "/panel.js",
        "/attention.js",
        "/layouts.js",
        "/svg.js",
        "/verdict.js",
        "/page.css",
        "/theme.css",
    ):
        text = ask(get(path)).text
        assert text.replace("http://www.w3.org/2000/svg", "").count("://") == 0, path
    assert ask(get("/docs")).status_code == 404  # it would load scripts from elsewhere


def test_the_model_is_described_without_paths(ask, service, run):
    found = ask(get("/api/model")).json()
    assert found["backends"]["pytorch"]["ready"] is True
    assert (found["run"], found["limits"]["sentences"]) == ("tiny", 64)
    assert found["parameters"] == sum(array.size for array in run.initial_parameters().values())
    assert str(run.folder) not in json.dumps(found)


def test_one_backend_in_trouble_leaves_the_other(ask, workers):
    workers["tensorflow"].trouble = "the tensorflow process died"
    response = ask(post({"sentences": ["a", "b"]}))
    assert response.status_code == 200
    for answer in response.json()["sentences"]:
        assert list(answer["translations"]) == ["pytorch"]
        assert answer["errors"] == {"tensorflow": "the tensorflow process died"}
    health = ask(get("/healthz"))
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert ask(get("/api/model")).json()["backends"]["tensorflow"]["trouble"] == "the tensorflow process died"


def test_all_backends_in_trouble_is_503(ask, workers):
    for worker in workers.values():
        worker.trouble = f"the {worker.backend} process died"
    response = ask(post(EVERY))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "the tensorflow process died; the pytorch process died" in response.json()["detail"]
    health = ask(get("/healthz"))
    assert (health.status_code, health.json()["status"]) == (503, "down")
