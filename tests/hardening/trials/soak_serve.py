"""An hour of serving both panels under mixed load: memory and open files of every process stay, and none dies."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from diptych.panel import BACKENDS
from trials.clients import KEYS, PLANNED, ask, request
from trials.damage import whole
from trials.growth import Look, children, grown, used
from trials.row import Counts, Row, chance
from trials.small_run import WORDS

Looks = dict[tuple[str, int], list[Look]]
"""By a process's name and number."""
SECONDS = 3600.0
ROUND_SECONDS, MOST_BETWEEN_ROUNDS = 1.5, 5.0
"""A round of requests is sent so often; time in which everything stood still does not count."""
STANDSTILL = 20.0
"""After so many seconds without a round the machine stood still: what was asked then is over its time limit, and the
process that has not answered is taken for stuck and started again."""
PAGES = ("/", "/healthz", "/api/model", "/openapi.json")
SEARCHES = (
    {}, {"beam_size": 4}, {"beam_size": 10, "coverage_penalty": 0.2}, {"temperature": 0.8, "seed": 7},
    {"temperature": 1.0, "top_k": 3, "top_p": 0.9}, {"no_repeat_ngram": 2}, {"backends": ["tensorflow"]},
    {"backends": ["pytorch"], "maximum_length": 60},
)  # fmt: skip
assert {key for search in SEARCHES for key in search} <= set(KEYS)


def translation(draw: random.Random) -> bytes:
    """A request that is right: sentences of any length, any search."""
    longest = draw.choice((3, 10, 10, 40))
    sentences = [" ".join(draw.choices((*WORDS, "공", "\U0001f642"), k=draw.randint(0, longest)))
                 for _ in range(draw.choice((1, 1, 2, 5)))]  # fmt: skip
    body = json.dumps({"sentences": sentences, **draw.choice(SEARCHES)}).encode()
    headers = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"POST /api/translate HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body


async def leave(data: bytes, where: tuple[str, int]) -> None:
    """Send a part of a request, or all of it, and go without the answer."""
    _, writer = await asyncio.open_connection(*where)
    writer.write(data)
    await asyncio.sleep(0.05)
    writer.close()


async def one_round(draw: random.Random, where: tuple[str, int]) -> Counts:
    """A few requests at once: most of them right, some odd, some left alone."""
    right = [translation(draw) for _ in range(2)]
    page = f"GET {draw.choice(PAGES)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    left = translation(draw)
    answers = await asyncio.gather(*(ask(data, where) for data in (*right, page, request(draw))),
                                   leave(left[: draw.choice((20, 90, len(left)))], where))  # fmt: skip
    counts = Counter({"left without waiting": 1})
    for number, (status, _) in enumerate(answers[:-1]):
        assert status in PLANNED or status == 0, f"status {status}"
        counts[f"answered {status}" if status else "cut off"] += 1
        counts["translations and pages"] += number < 3 and status == 200
        counts["translations and pages held up"] += number < 3 and status != 200
    return counts


def name_of(process: int) -> str:
    """Which framework a process computes with, or that it is the server."""
    command = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8")
    return next((backend for backend in BACKENDS if f'"{backend}"' in command), "server")


def load(process: subprocess.Popen[bytes], where: tuple[str, int], draw: random.Random) -> tuple[Counts, Looks]:
    """Ask until the time is over; what was answered, and looks at each process."""
    counts, looks = Counter[str](), Looks()
    seconds, last, seen = 0.0, time.monotonic(), 0
    while seconds < SECONDS:
        counts += asyncio.run(one_round(draw, where))
        time.sleep(max(0.0, ROUND_SECONDS - (time.monotonic() - last)))
        now = time.monotonic()
        counts["standstills of the machine"] += now - last > STANDSTILL
        seconds, last = seconds + min(now - last, MOST_BETWEEN_ROUNDS), now
        assert process.poll() is None, f"the server ended with {process.returncode}"
        if seconds >= seen * SECONDS / 200:
            seen += 1
            for each in (process.pid, *children(process.pid)):
                looks.setdefault((name_of(each), each), []).append((seconds, *used(each)))
    return counts, looks


def judged(looks: Looks, standstills: int) -> Counts:
    """What memory each process took.

    Raises:
        AssertionError: one grew, or was replaced though the machine did not stand still.
    """
    replaced = len(looks) - 1 - len(BACKENDS)
    assert 0 <= replaced <= standstills * len(BACKENDS), f"{replaced} processes were started again"
    counts = Counter({"processes started again after a standstill": replaced})
    for (name, _), each in looks.items():
        begun = each[0][0]
        if each[-1][0] - begun < SECONDS / 10:
            continue  # not warm yet
        before, after = grown(name, [(seconds - begun, *more) for seconds, *more in each])
        counts |= Counter({f"MB, {name}, when warm": round(before), f"MB, {name}, at the end": round(after)})
    return counts


def trial(number: int, folder: Path) -> Counts:
    """Serve for an hour."""
    run, _, _, _ = whole()
    said = folder / "said"
    command = [sys.executable, "-m", "diptych", "serve", str(run), "--port", "0", "--threads", "1", "--device", "cpu"]
    with said.open("wb") as heard, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=heard, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert "http://" in line, said.read_text(encoding="utf-8")[-300:]
            port = int(line.split(": ", 1)[1].split()[0].rstrip("/").rsplit(":", 1)[1])
            counts, looks = load(process, ("127.0.0.1", port), chance("soak", number))
            process.terminate()
            assert process.wait(60) == 0, f"ended with {process.returncode}"
        finally:
            process.kill()
    standstills = counts["standstills of the machine"]
    lines = [line for line in said.read_text(encoding="utf-8").splitlines() if not standstills or "again" not in line]
    assert not lines, f"{len(lines)} lines in the log, {lines[-1]}"
    counts |= judged(looks, standstills)
    held_up = counts["translations and pages held up"]
    assert held_up <= 0.05 * counts["translations and pages"], f"{held_up} requests were not answered"
    return counts


ROW = Row(
    f"{SECONDS / 3600:g} h of `diptych serve` with both panels under mixed load: translations of every length by every "
    "search, pages, odd requests, clients that leave",
    "no unplanned status, nothing in the log, no process dies; memory of each grows by less than 5 % from the first "
    "fifth on, no file more is open",
    1,
    trial,
)
