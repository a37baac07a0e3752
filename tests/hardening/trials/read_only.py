"""Documented commands under a root that is read-only, as a user without a name and a home folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shutil import which

import numpy as np

from trials.damage import whole
from trials.row import PLACE, Counts, Row

USER = 12345
# A file system of its own for what is written, everything else read-only, and then somebody whom no file knows.
ENTER = f"""
mount --make-rprivate / || exit 99
for each in / /tmp /var/tmp /usr/tmp "{PLACE}"; do
  if mountpoint -q "$each"; then mount -o remount,bind,ro "$each" || exit 99; fi
done
mount -t tmpfs none "$1" || exit 99
shift
exec unshare --user --map-user={USER} --map-group={USER} "$@"
"""
ANSWERED = "small ball\n"
GRU = [
    "--layers",
    "",
    "--assume",
    "gru_gates=rzn",
    "--assume",
    "reset=after",
    "--assume",
    "recurrent_activation=sigmoid",
]
# By name: what is called, and whether there is a temporary folder that can be written.
CASES: dict[str, tuple[list[str], bool]] = {
    "data inspect": (["data", "inspect", "{text}"], False),
    "data sample": (["data", "sample", "{run}"], False),
    "data prepare": (["data", "prepare", "{config}", "--run", "{place}/run"], True),
    "inspect": (["inspect", "{weights}"], False),
    "translate, NumPy": (["translate", "{run}", "--backend", "reference"], False),
    "translate, PyTorch": (["translate", "{run}", "--backend", "pytorch", "--threads", "1"], False),
    "translate, TensorFlow": (["translate", "{run}", "--backend", "tensorflow", "--threads", "1"], True),
    "serve, NumPy": (["serve", "{run}", "--backend", "reference", "--port", "0"], True),
    "serve, both": (["serve", "{run}", "--threads", "1", "--port", "0"], True),
    "convert to PyTorch": (["convert", "{weights}", "{place}/out", "--to", "pytorch", "--layers", ""], True),
    "convert to Keras": (["convert", "{weights}", "{place}/out", "--to", "keras", "--layers", ""], True),
    "translate, TensorFlow, nothing to write to": (["translate", "{run}", "--backend", "tensorflow"], False),
    "serve, nothing to write to": (["serve", "{run}", "--backend", "reference", "--port", "0"], False),
    "convert, nothing to write to": (["convert", "{weights}", "{place}/out", "--to", "keras", "--layers", ""], False),
}
HOMES: tuple[str | None, ...] = (None, "/nowhere")


def possible() -> bool:
    """Whether this process may make file systems of its own."""
    found = which("unshare") and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return bool(found) and found.returncode == 0


@cache
def weights() -> Path:
    """A file with a GRU's weights."""
    path = whole()[0].with_name("weights.npz")
    shapes = {"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
    draw = np.random.default_rng(1)
    np.savez(path, **{f"gru.{name}": draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()})
    return path


def begin(name: str, home: str | None, place: Path) -> subprocess.Popen[bytes]:
    """Start a command there."""
    given, temporary = CASES[name]
    run = whole()[0]
    names = {
        "run": run,
        "text": run.with_name("run.tsv"),
        "config": run / "config.toml",
        "weights": weights(),
        "place": place,
    }
    command = [part.format(**names) for part in given]
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    environment |= ({"HOME": home} if home else {}) | ({"TMPDIR": str(place)} if temporary else {})
    return subprocess.Popen(
        ["unshare", "-m", "sh", "-c", ENTER, "sh", str(place), sys.executable, "-m", "diptych", *command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd="/",
    )  # fmt: skip


def served(process: subprocess.Popen[bytes]) -> Sequence[str]:
    """The backends that answer a request; the server is ended."""
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    try:
        address = line.split(": ", 1)[1].split()[0] if "http://" in line else ""
        if not address:
            return []
        body = json.dumps({"sentences": [ANSWERED.strip()]}).encode()
        request = urllib.request.Request(f"{address}api/translate", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return list(json.load(answer)["sentences"][0]["translations"])
    finally:
        process.terminate()


def trial(number: int, folder: Path) -> Counts:
    """One command, with no home at all or one that is not there."""
    name, home = list(CASES)[number % len(CASES)], HOMES[number // len(CASES)]
    place = folder / "place"
    place.mkdir()
    whole()
    begun = time.time()
    with begin(name, home, place) as process:
        answered = served(process) if "serve" in name else ()
        said, error = process.communicate(ANSWERED.encode())
    told = f"{name}, home {home}: {process.returncode}, {error.decode()[-400:]}"
    written = [path for path in whole()[0].rglob("*") if path.lstat().st_mtime > begun]
    assert not written, f"{name}: wrote {written}"
    if "nothing to write to" in name:
        assert process.returncode in (1, 2) and error.startswith(b"error: "), told
        assert error.count(b"\n") == 1 and b"TMPDIR" in error, told
        return Counter({"refused in a line": 1})
    assert process.returncode == 0, told
    assert not error or b"doubtful lines" in error or "prepare" in name, told
    assert len(answered) == ("serve" in name) + ("both" in name), told
    assert said.strip() or "serve" in name or "prepare" in name, told
    return Counter({"went well": 1, "went well with nothing to write to": not CASES[name][1]})


ROW = Row(
    "data, inspect, translate, serve and convert under a read-only root, as a user without a name, with HOME unset and "
    "with a home that is not there",
    "the answer and exit code 0, no warning, the run untouched; what needs a temporary folder says so in a line where "
    "there is none",
    len(CASES) * len(HOMES),
    trial,
)
