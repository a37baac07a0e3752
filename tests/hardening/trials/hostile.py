"""Hostile files made by rule: a typed error, in little time and memory, and nothing is run, opened or asked beside."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import resource
import shutil
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from safetensors.numpy import save

from diptych.comparison.comparison import show
from diptych.comparison.report import read_report
from diptych.data.corpus.tables import rows_of
from diptych.data.faults import Fault
from diptych.errors import DiptychError
from diptych.parameters.checkpoint import MODEL, OPTIMIZER, STATE
from diptych.runs.checksums import write_checksums
from diptych.runs.run import Run
from diptych.storage.manifest import MANIFEST, manifest_of
from trials.damage import whole
from trials.row import Counts, Row

SECONDS, MEGABYTES = 2.0, 200
DEEP = b"[" * 200_000
HUGE = 10**30

Case = tuple[str, Callable[[Path], object]]
"""A name, and what makes a copy of a run hostile and reads it."""
_watching: list[Path] = []
_seen: list[str] = []


def _newest(run: Path) -> Path:
    return sorted((run / "pytorch" / "checkpoints").glob("step-*"))[-1]


def _read(run: Path) -> object:
    opened = Run.open(run)
    return opened.read_checkpoint("pytorch", "latest"), opened.read_metrics("pytorch"), opened.encoded()


def _sealed(name: str, make: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """A file of the newest checkpoint made hostile, under a manifest that vouches for it."""

    def read(run: Path) -> object:
        folder = _newest(run)
        (folder / name).write_bytes(make((folder / name).read_bytes()))
        contents = {each: (folder / each).read_bytes() for each in (MODEL, OPTIMIZER, STATE)}
        (folder / MANIFEST).write_text(manifest_of(contents), encoding="utf-8")
        return _read(run)

    return read


def _part(name: str, make: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """A file of the run itself made hostile, under checksums that vouch for it."""

    def read(run: Path) -> object:
        (run / name).write_bytes(make((run / name).read_bytes()))
        write_checksums(run)
        return _read(run)

    return read


def _plain(name: str, make: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Any other file of the run."""

    def read(run: Path) -> object:
        [path] = sorted(run.glob(name))[-1:]
        path.write_bytes(make(path.read_bytes()))
        return _read(run)

    return read


def _tensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _safetensors() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    headers: dict[str, Any] = {
        "not JSON": b"x", "deep": DEEP, "a list": [], "a text": "x", "null": None, "empty": {},
        "overlapping": {"a": entry, "b": entry}, "reversed": {"a": entry | {"data_offsets": [4, 0]}},
        "negative": {"a": entry | {"data_offsets": [-4, 0]}}, "beyond": {"a": entry | {"data_offsets": [0, 2**40]}},
        "huge": {"a": entry | {"data_offsets": [0, HUGE]}}, "no shape": {"a": {"dtype": "F32"}},
        "a hole": {"a": entry, "b": entry | {"data_offsets": [8, 12]}},
        "huge shape": {"a": entry | {"shape": [2**62, 4]}}, "overflow": {"a": entry | {"shape": [2**33, 2**33]}},
        "zero and huge": {"a": entry | {"shape": [0, 2**62], "data_offsets": [0, 0]}},
        "negative shape": {"a": entry | {"shape": [-1]}}, "a shape of text": {"a": entry | {"shape": ["1"]}},
        "many axes": {"a": entry | {"shape": [1] * 10_000}}, "a name with ..": {"../../x": entry},
        "a name with NUL": {"a\0b": entry}, "a long name": {"a" * 10**6: entry}, "an escape": {"\x1b[2J": entry},
        "a million tensors": b'{"%s":{}}' % (b'a":{},"' * 10**6),
    }  # fmt: skip
    headers |= {f"type {kind}": {"a": entry | {"dtype": kind}} for kind in (
        "F16", "BF16", "F8_E4M3", "I64", "I32", "U8", "BOOL", "X9", "", "C64", 7,
    )}  # fmt: skip
    for name, header in headers.items():
        yield f"safetensors, {name}", lambda _, header=header: _tensors(header, bytes(16))  # type: ignore[misc]
    for length in (2**63, 2**40, 10**8, 0, 3):
        yield f"safetensors, a header of {length}", lambda _, n=length: _tensors({"a": entry}, bytes(4), n)  # type: ignore[misc]
    yield "safetensors, empty", lambda _: b""
    for name, value in (("NaN", np.nan), ("infinity", -np.inf)):

        def changed(data: bytes, value: float = value) -> bytes:
            from safetensors.numpy import load

            arrays = {key: each.copy() for key, each in load(data).items()}
            next(iter(arrays.values())).flat[0] = value
            return save(arrays)

        yield f"safetensors, {name}", changed


def _values(good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in product(good, (-1, HUGE, "x" * 10**5, None, [[]], {"a": 1})):
        yield f"{key} = {str(value)[:8]}", good | {key: value}


@cache
def cases() -> list[Case]:
    """Every rule."""
    run, _, _, _ = whole()
    found: list[Case] = []
    for name, make in _safetensors():
        found += [(name, _sealed(MODEL, make))]
    found += [("optimizer, NaN", _sealed(OPTIMIZER, dict(_safetensors())["safetensors, NaN"]))]
    state = json.loads((_newest(run) / STATE).read_bytes())
    for name, value in list(_values(state))[::3]:
        found.append((f"state.json, {name}", _sealed(STATE, lambda _, v=value: json.dumps(v).encode())))  # type: ignore[misc]
    files = {"version": 1, "files": {each: {"size": 0, "sha256": ""} for each in (MODEL, OPTIMIZER, STATE)}}
    manifests = [DEEP, b"{}", b"[]", b"\xff", b"{}," * 400_000, json.dumps(files).encode()]
    names = ("../../secret", "/etc/passwd", "a\0b", "a" * 10**5, "\x1b[2J")
    manifests += [json.dumps(files | {"files": {name: {}}}).encode() for name in names]
    sizes = (-1, True, HUGE, 1.0, "0", None, [])
    for size in sizes:
        entries = {name: {"size": size} for name in (MODEL, OPTIMIZER, STATE)}
        manifests.append(json.dumps(files | {"files": entries}).encode())
    for number, text in enumerate(manifests):
        found.append((f"manifest {number}", _plain(f"pytorch/checkpoints/step-*/{MANIFEST}", lambda _, t=text: t)))  # type: ignore[misc]
    toml = (
        b"x = " + DEEP, b"a" + b".a" * 5000 + b" = 1", b"a" + b".a" * 400_000 + b" = 1", b"[" + b"a." * 9000 + b"a]",
        b"[model]\nencoder_layers = 10000000", b"[model]\nembedding_size = 1" + b"0" * 5000, b"\0", b"\xff\xfe",
        b"a = 1\n" * 10**5, b'name = "../../x"', b'name = "\\u001b[2J"', b"[training]\nepochs = nan", b"[[data]]",
        b"[training]\nlearning_rate = inf", b"data = 1", b"x = 1979-05-27", b"", b'[data]\ntrain = ["\\u0000"]',
        b"[data]\nadditional = [" + b"{}," * 10**5 + b"]", b"[variables]\na = " + b'"x"' * 3,
    )  # fmt: skip
    for number, text in enumerate(toml):
        found.append((f"config {number}", _part("config.toml", lambda _, t=text: t)))  # type: ignore[misc]
    tokenizer = json.loads((run / "tokenizer" / "source.json").read_bytes())
    languages: list[Any] = [value for _, value in list(_values(tokenizer))[::2]]
    for tokens in ([""], ["a", "a"], ["\ud800"], [1], [["a"]] * 10, "abc", {"a": 1}, ["a" * 10**6], []):
        languages.append(tokenizer | {"vocabulary": tokenizer["vocabulary"] | {"tokens": tokens}})
    languages += [tokenizer | {"scores": [value] * len(tokenizer["scores"])} for value in (1.0, -1e300, "x", None)]
    texts = [json.dumps(each).encode() for each in languages]
    texts += [DEEP, b"[{}" + b",{}" * 2 * 10**6 + b"]", b'{"a":' * 10**5, b"1" * 10**6, b"[NaN]", b"[1e999]"]
    for number, text in enumerate(texts):
        found.append((f"tokenizer {number}", _part("tokenizer/source.json", lambda _, t=text: t)))  # type: ignore[misc]
    for number, text in enumerate((DEEP, b"{}", b"[]", b'{"sha256": 1}', b"[" + b"{}," * 10**6)):
        found.append((f"description {number}", _plain("data/*/description.json", lambda _, t=text: t)))  # type: ignore[misc]
    for number, text in enumerate((b"../../x", b"step-" + b"9" * 5000, b"step-00000001\0", b"\x1b[2J", b"x" * 10**6)):
        found.append((f"latest {number}", _plain("pytorch/checkpoints/latest", lambda _, t=text: t)))  # type: ignore[misc]
    lines = (DEEP + b"\n", b"{}\n", b'{"step": 1, "loss": "x"}\n', b'{"step": NaN}\n', b"x" * (17 << 20) + b"\n")
    for number, text in enumerate(lines):
        found.append((f"metrics {number}", _plain("pytorch/metrics.jsonl", lambda _, t=text: t)))  # type: ignore[misc]
    for number, text in enumerate((DEEP, b"[]", b'{"schema": 1}', b"[" + b"{}," * 10**6, b"\xff", b" " * 10**7)):
        found.append((f"report {number}", _report(text)))
    return found + [(f"corpus, {name}", _corpus(name, data)) for name, data in _bombs()]


def _report(text: bytes) -> Callable[[Path], object]:
    def read(run: Path) -> object:
        (run / "report.json").write_bytes(text)
        return show(read_report(run / "report.json"), run)

    return read


def _bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    zeros, letters = bytes(1 << 27), b"a" * (1 << 27)
    for kind, compress in (
        ("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lambda data: lzma.compress(data, preset=0)),
        ("zstd", lambda data: zstandard.ZstdCompressor().compress(data)),
    ):  # fmt: skip
        yield f"{kind} of zeros", lambda c=compress: c(zeros)  # type: ignore[misc]
        yield f"{kind} of letters", lambda c=compress: c(letters)  # type: ignore[misc]
        yield f"{kind}, cut", lambda c=compress: c(b"a\tb\n" * 1000)[:-8]  # type: ignore[misc]


def _corpus(name: str, make: Callable[[], bytes]) -> Callable[[Path], object]:
    def read(run: Path) -> object:
        path = run / "bomb.tsv"
        path.write_bytes(make())
        _start()
        for number, row in rows_of(path):
            if isinstance(row, Fault):
                raise row.error(path, number)
        return None

    return read


_begun = [0.0, 0]


def _start() -> None:
    """Time and memory count from here on: what made the file is not the reader's."""
    _begun[:] = [time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]


def _hear(event: str, given: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event.startswith(
        ("socket.", "os.exec", "os.system", "os.posix_spawn", "subprocess.", "os.fork", "ctypes.dlopen")
    ):
        _seen.append(f"{event} {given!r:.100}")
    if event == "open" and isinstance(given[0], str | bytes):
        path = os.fsdecode(given[0])
        if not path.startswith("/"):  # within a folder that is open: what removes folders asks so
            return
        path = os.path.realpath(path)
        own = (
            *map(os.fspath, _watching),
            sys.prefix,
            sys.base_prefix,
            "/work",
            "/tmp/w",
            "/proc",
            "/sys",
            "/dev",
            "/usr",
        )
        if not path.startswith(tuple(map(os.path.realpath, own))):
            _seen.append(f"open {path}")


sys.addaudithook(_hear)


def trial(number: int, folder: Path) -> Counts:
    """Make one kind of file and read it, in a process of its own."""
    run, _, _, _ = whole()
    name, read = cases()[number]
    shutil.copytree(run, folder / "run")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        said = "it died"
        try:
            _watching.extend((folder, run.parent))  # the run's, and that of its corpus
            _start()
            try:
                read(folder / "run")
                said = "read"
            except DiptychError as error:
                said = f"refused: {type(error).__name__}"
            except Exception as error:
                said = f"{type(error).__name__}: {error}"[:300]
            seconds = time.process_time() - _begun[0]
            size = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - _begun[1]) / 1000 - size / 1e6
            _watching.clear()
            os.write(writing, json.dumps([said, seconds, more, _seen]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    said, seconds, more, seen = json.loads(told or b'["it died", 0, 0, []]')
    assert said == "read" or said.startswith("refused"), f"{name}: {said}"
    assert not seen, f"{name}: {seen[0]}"
    assert seconds <= SECONDS, f"{name}: {seconds:.1f} s of processor time"
    assert more <= MEGABYTES, f"{name}: {more:.0f} MB beyond the file"
    return Counter({"read, as it means no harm" if said == "read" else "refused": 1})


ROW = Row(
    "hostile checkpoints, configs, tokenizers, encoded corpora, reports and corpora, a rule each",
    f"a typed error within {SECONDS:g} s of processor time and {MEGABYTES} MB beyond the file; an audit hook sees no "
    "process, no socket, no library and no file outside",
    len(cases()),
    trial,
)
