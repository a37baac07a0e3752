"""`diptych serve` as a user starts and ends it, with the reference as the framework."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from diptych.runs.run import Run

LONG = {"sentences": ["I " * 400] * 64, "beam_size": 10, "maximum_length": 500}


def children(process):
    return [
        int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    ]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def in_background(function, *arguments, **options):
    """Call a function in a thread; gives the thread and the list that its result goes into."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*arguments, **options)))
    thread.start()
    return thread, found


def wait_until_busy(url):
    """Until a translation is being computed: the worker's processor time goes up with it, so time tells."""
    time.sleep(0.5)
    assert httpx.get(f"{url}healthz").status_code == 200


def test_the_page_the_api_and_the_end(run, serving):
    with serving(run.folder, "--backend", "reference", "--allow-host", "Example.org") as (process, url):
        page = httpx.get(url)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        for name in ("page.js", "page.css", "icon.svg", "DiptychHangul.ttf"):
            assert httpx.get(url + name).status_code == 200
        answer = httpx.post(f"{url}api/translate", json={"sentences": ["I feel hungry", "나"]}).json()
        assert [each["source"] for each in answer["sentences"]] == ["I feel hungry", "나"]
        assert "/api/translate" in httpx.get(f"{url}openapi.json").json()["paths"]
        assert httpx.get(url, headers={"host": "example.org"}).status_code == 200
        assert httpx.get(url, headers={"host": "example.com"}).status_code == 421
        [worker] = children(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not is_there(worker)
        assert process.stderr.read() == ""


def test_sigterm_finishes_what_is_in_flight(endless_run, serving):
    with serving(endless_run.folder, "--backend", "reference") as (process, url):
        request = {"sentences": ["I feel hungry"], "beam_size": 10, "maximum_length": 500}
        [answer] = httpx.post(f"{url}api/translate", json=request, timeout=60).json()["sentences"]
        seconds = answer["translations"]["reference"]["milliseconds"] / 1000.0
        request["sentences"] *= min(max(round(3.0 / seconds), 1), 64)
        thread, found = in_background(httpx.post, f"{url}api/translate", json=request, timeout=60)
        wait_until_busy(url)
        assert not found
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - started < 10.0
        thread.join()
        [answer] = found
        assert answer.status_code == 200
        assert len(answer.json()["sentences"]) == len(request["sentences"])
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


@pytest.mark.slow
def test_sigterm_does_not_wait_for_what_takes_too_long(endless_run, serving):
    with serving(endless_run.folder, "--backend", "reference") as (process, url):
        thread, found = in_background(httpx.post, f"{url}api/translate", json=LONG, timeout=60)
        wait_until_busy(url)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert 5.0 < time.monotonic() - started < 10.5
        thread.join()
        assert found[0].status_code == 503
        assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_a_clear_word_when_decoding_takes_too_long(endless_run, serving):
    with serving(endless_run.folder, "--backend", "reference") as (_, url):
        thread, found = in_background(httpx.post, f"{url}api/translate", json=LONG, timeout=60)
        wait_until_busy(url)
        short = {"sentences": ["I feel hungry"], "maximum_length": 5}
        assert httpx.post(f"{url}api/translate", json=short, timeout=60).status_code == 200
        assert thread.is_alive()  # the long one lets it in between two sentences
        thread.join()
        assert found[0].status_code == 422
        assert "reference computed for 20 s and was not done" in found[0].json()["detail"]


def test_ctrl_c_is_130(run, serving):
    with serving(run.folder, "--backend", "reference") as (process, url):
        assert httpx.get(f"{url}healthz").status_code == 200  # it is not starting any more
        [worker] = children(process)
        for pid in (process.pid, worker):  # as a terminal does
            os.kill(pid, signal.SIGINT)
        assert process.wait(10) == 130
        assert not is_there(worker)
        assert "Traceback" not in process.stderr.read()


def test_the_workers_end_with_a_server_that_is_killed(run, serving):
    with serving(run.folder, "--backend", "reference") as (process, _):
        [worker] = children(process)
        process.kill()
        process.wait(10)
        end = time.monotonic() + 10
        while is_there(worker):
            assert time.monotonic() < end
            time.sleep(0.05)


def diptych(*arguments):
    command = [sys.executable, "-m", "diptych", "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_a_port_that_is_taken(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        finished = diptych(run.folder, "--backend", "reference", "--port", other.getsockname()[1])
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "cannot listen at 127.0.0.1" in finished.stderr
    assert "--port" in finished.stderr
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize(("host", "message"), [("203.0.113.7", "cannot listen"), ("no.such.invalid", "cannot listen")])
def test_an_address_that_is_not_here(run, host, message):
    finished = diptych(run.folder, "--backend", "reference", "--host", host)
    assert finished.returncode == 2
    assert message in finished.stderr


def test_a_run_that_is_none_or_not_trained(run, tmp_path):
    finished = diptych(tmp_path / "none")
    assert (finished.returncode, finished.stderr.count("\n")) == (1, 1)
    assert "no run at" in finished.stderr
    untrained = Run.create(run.config, tmp_path / "untrained")
    finished = diptych(untrained.folder, "--backend", "reference")
    assert (finished.returncode, finished.stderr.count("\n")) == (1, 1)
    assert "has no checkpoint yet" in finished.stderr


def test_a_damaged_checkpoint_is_the_one_line_that_it_is_elsewhere(make_run, tmp_path):
    run = make_run(tmp_path / "damaged")
    [weights] = (run.folder / "pytorch" / "checkpoints").glob("*/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    finished = diptych(run.folder, "--backend", "reference", "--port", 0)
    assert (finished.returncode, finished.stdout, finished.stderr.count("\n")) == (1, "", 1)
    assert "model.safetensors" in finished.stderr


def test_without_the_extra_it_says_what_to_install(run):
    program = (
        "import sys\nsys.modules['fastapi'] = None\nfrom diptych.cli import main\n"
        f"sys.exit(main(['serve', {json.dumps(str(run.folder))}]))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert finished.returncode == 2
    assert "serve needs fastapi" in finished.stderr
    assert "pip install 'diptych[serve]'" in finished.stderr
