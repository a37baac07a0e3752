"""Each reader is given what chance makes of good files: only typed errors come."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from diptych.config.reading import config_of_bytes
from diptych.data.corpus.tables import rows_of
from diptych.data.tokens.language import Language
from diptych.errors import DiptychError
from diptych.parameters.checkpoint import MODEL, _parse
from diptych.runs.json_lines import read_metrics
from diptych.storage.manifest import parse_object
from diptych.training.state import TrainingState
from trials.damage import whole
from trials.row import Counts, Row, chance, not_raised

AT_ONCE = 1000
TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"-1", b"1e999", b"NaN", b"\\u0000", b"\\ud800",
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"9" * 400, b"[" * 2000, b'{"a":' * 500, b"\n", b"\r", b"\t", b"=", b".", b"..",
    b"'" * 3, b"\xe2\x80\xa8", b'""', b"[[data.additional]]\n", b"1979-05-27", b"0x7f", b"inf",
)  # fmt: skip


@cache
def seeds() -> dict[str, bytes]:
    """A good file for each reader."""
    run, _, _, _ = whole()
    step = sorted((run / "pytorch" / "checkpoints").glob("step-*"))[-1]
    return {
        "safetensors": (step / MODEL).read_bytes(),
        "manifest": (step / "MANIFEST.json").read_bytes(),
        "state.json": (step / "state.json").read_bytes(),
        "tokenizer": (run / "tokenizer" / "source.json").read_bytes(),
        "TOML": (run / "config.toml").read_bytes(),
        "metrics": (run / "pytorch" / "metrics.jsonl").read_bytes()[:2000],
        "TSV": run.with_name("run.tsv").read_bytes()[:400],
        "CSV": b'source,target\n"a ""quoted"" text",b\n"two\nlines",c\n' * 5,
        "JSONL": json.dumps({"source": "a", "target": "b"}).encode() * 5,
    }


def mutated(draw: random.Random, content: bytes) -> bytes:
    """A few bytes changed, removed, repeated, or something of another kind put in."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        place = draw.randrange(len(data) + 1)
        end = min(len(data), place + draw.choice((1, 1, 2, 8, 64)))
        how = draw.randrange(5)
        if how == 0:
            data[place:end] = b""
        elif how == 1:
            data[place:place] = data[place:end] * draw.choice((1, 2, 50))
        elif how == 2:
            data[place:place] = draw.choice(TOKENS)
        elif how == 3:
            data[place:end] = draw.randbytes(end - place)
        elif place < len(data):
            data[place] ^= 1 << draw.randrange(8)
    return bytes(data)


def _table(suffix: str) -> Callable[[Path, bytes], object]:
    def read(folder: Path, data: bytes) -> object:
        path = folder / f"table.{suffix}"
        path.write_bytes(data)
        return list(rows_of(path))

    return read


def _metrics(folder: Path, data: bytes) -> object:
    (folder / "metrics.jsonl").write_bytes(data)
    return read_metrics(folder / "metrics.jsonl")


READERS: dict[str, Callable[[Path, bytes], object]] = {
    "safetensors": lambda folder, data: _parse(folder / MODEL, data),
    "manifest": lambda folder, data: parse_object(folder / "MANIFEST.json", data),
    "state.json": lambda folder, data: TrainingState.from_json(parse_object(folder / "state.json", data)),
    "tokenizer": lambda folder, data: Language.from_json(data.decode("utf-8", "surrogateescape"), "tokenizer"),
    "TOML": lambda folder, data: config_of_bytes(data, folder / "config.toml"),
    "metrics": _metrics,
    "TSV": _table("tsv"),
    "CSV": _table("csv"),
    "JSONL": _table("jsonl"),
}


def trial(number: int, folder: Path) -> Counts:
    """Give one reader a thousand inputs."""
    name = list(READERS)[number % len(READERS)]
    draw, counts = chance("fuzzing", number), Counter[str]()
    for _ in range(AT_ONCE):
        data = mutated(draw, seeds()[name])
        try:
            with not_raised(f"{name} {data[:300]!r}", DiptychError):
                READERS[name](folder, data)
            counts["read"] += 1
        except DiptychError:
            counts["refused"] += 1
        counts[f"inputs for {name}"] += 1
    return counts


ROW = Row(
    "fuzzing of each reader, by mutation at random, not guided by coverage",
    "only typed errors",
    1008,
    trial,
)
