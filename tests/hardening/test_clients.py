"""What a server refuses before any route: always in JSON, whatever the bytes were, and no page of another site asks."""

import functools
import json
import socket
import threading

import pytest
import uvicorn

from diptych.web.connection import ClientConnection
from diptych.web.gate import LOCAL_HOSTS, Gate


async def application(scope, receive, send):
    """Says how long the body was."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = b"%d" % len(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def address():
    protocol = functools.partial(ClientConnection, seconds=20)
    config = uvicorn.Config(Gate(application, LOCAL_HOSTS), http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def ask(address):
    """Sends bytes: the answers' statuses, the last one's body, and whether the connection was closed."""

    def ask(data):
        with socket.create_connection(address, timeout=3) as connection:
            connection.sendall(data)
            found, closed = b"", False
            try:
                while part := connection.recv(1 << 16):
                    found += part
                closed = True
            except TimeoutError:
                pass
            except ConnectionResetError:  # not all was read
                closed = True
        statuses = [int(each.split()[0]) for each in found.split(b"HTTP/1.1 ")[1:]]
        return statuses, found.rpartition(b"\r\n\r\n")[2], closed

    return ask


GOOD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /한 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
        GOOD.replace(b"2", b"-2"),
        GOOD.replace(b"2", b"2, 3"),
        GOOD.replace(b"Host: localhost", b"Host: localhost\r\nHost: example.org"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)) + b"\r\n\r\n",
        GOOD.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"),
        GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: gzip"),
        GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(b"ab", b"no chunk\r\n"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_in_json(ask, data):
    statuses, body, closed = ask(data)
    assert statuses == [400] and closed
    assert "HTTP/1.1" in json.loads(body)["detail"]


def test_an_application_that_still_answers_a_request_refused_meanwhile_is_no_error(ask, caplog):
    chunked = GOOD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(b"localhost", b"example.org")
    for body in (b"no chunk\r\n", b"2\r\nab\r\nno chunk\r\n", b"2\r\nabc\r\n0\r\n\r\n"):
        assert ask(chunked.replace(b"ab", body))[0] == [400]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_head_without_an_end_is_cut_off(ask):
    statuses, _, closed = ask(b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000)
    assert closed and statuses in ([400], []), "who is still sending may not see the answer"


def test_two_ways_to_say_a_length_are_refused_and_what_follows_is_not_read(ask):
    both = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    statuses, body, closed = ask(both + GOOD)
    assert statuses == [400] and closed and "send one of them" in json.loads(body)["detail"]
    assert ask(GOOD + GOOD.replace(b"Host: ", b"Connection: close\r\nHost: ")) == ([200, 200], b"2", True)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:8000", "http://localhost:8000", 200),
        ("localhost", "https://LOCALHOST", 200),
        ("localhost:8000", None, 200),
        ("localhost:8000", "http://localhost:3000", 403),
        ("localhost:8000", "https://example.org", 403),
        ("localhost:8000", "null", 403),
        ("localhost:8000", "http://localhost:8000.example.org", 403),
        ("example.org", "http://example.org", 421),
    ],
)
def test_a_page_of_another_site_may_not_ask(ask, host, origin, status):
    lines = f"Host: {host}\r\nConnection: close\r\n" + (f"Origin: {origin}\r\n" if origin else "")
    statuses, body, closed = ask(GOOD.replace(b"Host: localhost\r\n", lines.encode()))
    assert (statuses, closed) == ([status], True)
    assert body == b"2" or json.loads(body)["detail"]
    reading = f"GET / HTTP/1.1\r\n{lines}\r\n".encode()
    assert ask(reading)[0] == [421 if status == 421 else 200], "the browser keeps the answer from another site's page"
