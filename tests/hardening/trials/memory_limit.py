"""A limit on memory that is met: an error that says what to lower, and never a fault of Diptych's."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from trials.damage import whole
from trials.row import Counts, Row, kept_folder

COMMANDS = {
    "translate, NumPy": ["translate", "--backend", "reference", "{run}"],
    "translate, PyTorch": ["translate", "--backend", "pytorch", "--threads", "1", "{run}"],
    "data sample": ["data", "sample", "{run}"],
    "data prepare": ["data", "prepare", "{run}"],
    "train, PyTorch": ["train", "{config}", "--run", "{config}.run", "--overwrite", "--quiet", "--threads", "1"],
}
CONFIG = """
name = "large"
[data]
corpus = "phrasebook"
maximum_pairs = 2000
[model]
embedding_size = 512
encoder_size = 1024
decoder_size = 1024
[training]
batch_size = 512
maximum_steps = 2
"""
"""What is trained: it needs far more than PyTorch does to start."""
SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.05)


@cache
def _config() -> Path:
    path = kept_folder() / "large.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def _run(command: list[str], limit: int) -> tuple[int, str]:
    given = [part.format(run=whole()[0], config=_config()) for part in command]
    found = subprocess.run(
        [sys.executable, "-m", "diptych", *given], input="small ball\n", capture_output=True, encoding="utf-8",
        check=False, timeout=600, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    return found.returncode, found.stderr


@cache
def needed(name: str) -> int:
    """How much address space a command needs, to 3 %."""
    low, high = 1 << 27, 1 << 34
    while high > 1.03 * low:
        middle = (low + high) // 2
        low, high = (low, middle) if _run(COMMANDS[name], middle)[0] == 0 else (middle, high)
    return high


def trial(number: int, folder: Path) -> Counts:
    """Give a command a share of what it needs."""
    name, share = list(COMMANDS)[number // len(SHARES)], SHARES[number % len(SHARES)]
    code, said = _run(COMMANDS[name], int(share * needed(name)))
    lines = said.strip().splitlines()
    if share > 1.0:
        assert code == 0, f"{name}, {share:.0%}: {said[-300:]}"
    elif code:
        assert "fault in Diptych" not in said, f"{name}, {share:.0%}: {lines[-1][:300]}"
        assert lines, f"{name}, {share:.0%}: ended with {code} and without a word"
    kind = (
        "went well"
        if not code
        else "told in a line"
        if code in (1, 2) and lines[-1][:6] == "error:"
        else "told by Python or a library"
    )
    return Counter({"commands": 1, kind: 1})


ROW = Row(
    "a memory limit (RLIMIT_AS) at 20 to 105 % of the need",
    "an error in words, and not called a fault of Diptych; below what Python itself needs to start, Python's own",
    len(COMMANDS) * len(SHARES),
    trial,
)
