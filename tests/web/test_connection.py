"""Slow clients are cut off, whatever they are slow at; a slow application is not their fault."""

import asyncio
import functools
import socket
import threading
import time

import pytest
import uvicorn

from diptych.web.connection import ClientConnection

SECONDS = 0.5
LARGE = b"x" * 30_000_000  # more than any buffer in between holds


async def application(scope, receive, send):
    """Reads the body; answers with it, or slowly, or with very much."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * SECONDS)
    answer = LARGE if scope["path"] == "/large" else body or b"hello"
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def address():
    protocol = functools.partial(ClientConnection, seconds=SECONDS)
    config = uvicorn.Config(application, http=protocol, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def client(address):
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def read_to_end(connection):
    """All that comes, and how long it took."""
    started, found = time.monotonic(), b""
    while True:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        if not part:
            return found, time.monotonic() - started
        found += part


POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize("beginning", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n", POST, POST + b"some"])
def test_a_request_that_does_not_arrive_is_refused(client, beginning):
    client.sendall(beginning)
    found, seconds = read_to_end(client)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b'{"detail":' in found
    assert 0.8 * SECONDS < seconds < 8 * SECONDS


@pytest.mark.parametrize("request_part", [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", POST])
def test_a_byte_now_and_then_does_not_help(client, request_part):
    started = time.monotonic()
    client.sendall(request_part)
    client.settimeout(SECONDS / 5)
    found = None
    while found is None and time.monotonic() - started < 10 * SECONDS:
        try:
            client.sendall(b"x")
            found = client.recv(100)
        except TimeoutError:
            continue
        except OSError:
            found = b""
    assert found is not None
    assert time.monotonic() - started < 8 * SECONDS


def test_the_next_request_of_a_connection_has_its_own_time(client):
    for _ in range(3):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        found = b""
        while not found.endswith(b"hello"):
            found += client.recv(1000)
        time.sleep(0.6 * SECONDS)
    client.sendall(b"GET / HTTP")
    found, seconds = read_to_end(client)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert seconds > 0.8 * SECONDS


def test_a_request_that_begins_with_the_end_of_another_is_timed_too(client):
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
    found, seconds = read_to_end(client)
    assert found.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 408 " in found
    assert seconds < 8 * SECONDS


def test_who_waits_for_a_slow_application_is_not_cut_off(client):
    client.sendall(b"POST /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
    found, seconds = read_to_end(client)
    assert found.endswith(b"abc")
    assert seconds > 2 * SECONDS


def test_who_takes_an_answer_slowly_but_steadily_gets_it_all(client):
    client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    found = 0
    started = time.monotonic()
    while part := client.recv(1 << 20):
        found += len(part)
        time.sleep(SECONDS / 20)
    assert found > len(LARGE)
    assert time.monotonic() - started > SECONDS


def test_who_does_not_take_an_answer_is_cut_off(client):
    client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(4 * SECONDS)
    found, _ = read_to_end(client)
    assert len(found) < len(LARGE)
