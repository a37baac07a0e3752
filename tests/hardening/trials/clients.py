"""Requests of every kind at once to a server whose frameworks are made up: no unplanned 5xx, flat memory and files."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import random
import resource
import socket
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn

from diptych.runs.run import Run
from diptych.web.application import make_application
from diptych.web.connection import ClientConnection
from diptych.web.gate import LOCAL_HOSTS
from diptych.web.limits import Limits
from diptych.web.service import Service
from trials.damage import whole
from trials.row import Counts, Row, chance

AT_ONCE, SLOW = 1000, 20
CLIENT_SECONDS = 3.0
PLANNED = {100, 200, 400, 403, 404, 405, 408, 413, 415, 421, 422, 503}
ODD = (None, -1, 10**30, 1e308, "x", "", [], {}, True, "\x1b[2J", "한" * 3000, "\ud800", [["a"]], float("nan"))
KEYS = (
    "sentences", "backends", "temperature", "seed", "top_k", "top_p", "beam_size", "maximum_length", "length_penalty",
    "coverage_penalty", "no_repeat_ngram", "forbid_unknown", "unknown",
)  # fmt: skip


class MadeUp:
    """Answers as a framework's process does."""

    def __init__(self, backend: str) -> None:
        self.backend, self.trouble, self.restarts = backend, "", 0
        self.facts: dict[str, Any] = {"versions": {}, "precision": "float32", "trained_in": backend}

    async def translate(self, sentence: str, row: int, search: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The sentence itself."""
        await asyncio.sleep(0)
        told = {"text": sentence, "tokens": sentence.split(), "score": 0.0, "log_probability": 0.0, "alternatives": []}
        return {"translation": told | {"attention": None, "milliseconds": 0.1}}


@cache
def address() -> tuple[str, int]:
    """Of a server that lives as long as this process."""
    limits = Limits(client_seconds=CLIENT_SECONDS)
    workers: Any = {name: MadeUp(name) for name in ("tensorflow", "pytorch")}
    application = make_application(Service(Run.open(whole()[0]), workers, limits), LOCAL_HOSTS)
    protocol: Any = functools.partial(ClientConnection, seconds=limits.client_seconds)
    config = uvicorn.Config(application, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False)
    log = logging.getLogger("uvicorn.error")
    log.setLevel(logging.ERROR)
    log.addHandler(_Said())
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=uvicorn.Server(config).run, args=([listener],), daemon=True).start()
    return "127.0.0.1", int(listener.getsockname()[1])


def request(draw: random.Random) -> bytes:
    """Any request."""
    body: Any = {"sentences": ["small ball"] * draw.choice((1, 1, 2, 64, 65))}
    for _ in range(draw.randrange(3)):
        body[draw.choice(KEYS)] = draw.choice((*ODD, 1, 2, 0.5, ["pytorch"], ["a"]))
    data = json.dumps(body).encode() if draw.random() < 0.9 else draw.randbytes(draw.randrange(200))
    if draw.random() < 0.02:
        data = b"[" * draw.choice((1000, 60_000, 70_000))
    method = draw.choice(("POST", "POST", "POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "A" * 50))
    path = draw.choice(
        ("/api/translate",) * 12 + ("/", "/healthz", "/api/model", "/../etc/passwd", "/%00", "/a" * 999, "/%ff")
    )
    headers = {"Host": draw.choice(("localhost",) * 12 + ("evil.example", "localhost:1", "[::1]", "")),
               "Content-Type": draw.choice(("application/json",) * 12 + ("text/plain", "")),
               "Content-Length": str(len(data))}  # fmt: skip
    if draw.random() < 0.05:
        headers["Origin"] = draw.choice(("http://localhost", "https://evil.example", "null"))
    if draw.random() < 0.03:
        headers |= draw.choice((
            {"Transfer-Encoding": "chunked"}, {"Upgrade": "websocket", "Connection": "Upgrade"}, {"X": "a" * 70_000},
            {"Content-Length": "x"}, {"Content-Length": "-1"}, {"Expect": "100-continue"}, {"X-Forwarded-Host": "evil"},
        ))  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode() + data


async def ask(data: bytes, where: tuple[str, int] | None = None) -> tuple[int, float]:
    """The status of the answer, 0 where the connection was cut off, and the processor's seconds until it came.

    Args:
        data: the request.
        where: address and port of a server; None: the one whose frameworks are made up.
    """
    begun = time.process_time()  # of server and clients, so that a busy machine counts for nothing
    try:
        reader, writer = await asyncio.open_connection(*(where or address()))
        writer.write(data)
        line = await asyncio.wait_for(reader.readline(), 60)
        writer.close()
    except (ConnectionError, OSError):
        return 0, time.process_time() - begun
    return int(line.split()[1]) if line else 0, time.process_time() - begun


async def _all(draw: random.Random) -> tuple[Counts, float]:
    counts, worst = Counter[str](), 0.0
    slow = [await asyncio.open_connection(*address()) for _ in range(SLOW)]
    for number, (_, writer) in enumerate(slow):
        writer.write(
            (b"GET / HTTP/1.1\r\nHost: local", b"", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")[
                number % 3
            ]
        )
    good = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for _ in range(AT_ONCE // 20):
        begun = time.monotonic(), time.process_time()
        answers = await asyncio.gather(ask(good), *(ask(request(draw)) for _ in range(19)))
        waited = time.monotonic() - begun[0] - (time.process_time() - begun[1])
        held_up = waited > CLIENT_SECONDS  # by the machine: then a client is right to be called slow
        assert answers[0][0] == 200 or held_up, f"an ordinary request got {answers[0][0]}"
        worst = max(worst, answers[0][1])
        for status, _ in answers:
            assert status in PLANNED or status == 0, f"status {status}"
            counts[f"answered {status}" if status else "cut off"] += 1
    for _, writer in slow:
        writer.close()
    return counts, worst


class _Said(logging.Handler):
    """Keeps what a server would have told in its log as an error: the line that says which."""

    said: list[str] = []  # noqa: RUF012 (one for all)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        self.said.append(f"{record.getMessage().splitlines()[0]}: {error!r}"[:200])


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


_first: list[float] = []


def trial(number: int, folder: Path) -> Counts:
    """A thousand requests, twenty at a time, beside slow clients."""
    counts, worst = asyncio.run(_all(chance("clients", number)))
    time.sleep(0.2)
    memory, files = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, _files()
    if number >= 2 and not _first:
        _first[:] = [memory, files]
    if _first:
        assert memory < 1.05 * _first[0] + 20, f"memory grew from {_first[0]:.0f} to {memory:.0f} MB"
        assert files < _first[1] + 2 * SLOW, f"open files grew from {_first[1]:.0f} to {files}"
    assert not _Said.said, f"{len(_Said.said)} errors in the log, {_Said.said.pop()}"
    assert worst < 2.0, f"an ordinary request took {worst:.1f} s beside the others"
    return counts + Counter({"slow clients and half-open connections": SLOW})


ROW = Row(
    "100,000 requests to serve, 20 at a time beside 20 slow clients (frameworks made up): odd values, bodies, methods, "
    "paths, hosts, origins, lengths, upgrades, oversized headers",
    "no unplanned status, no error in the server's log; an ordinary request within 2 s of processor time beside them; "
    "memory and open files flat",
    100,
    trial,
)
