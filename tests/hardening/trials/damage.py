"""Each file of a run cut, flipped, emptied, swapped, or replaced by something else: refused, or read as it was."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

from diptych.errors import DiptychError
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from trials.row import Counts, Row, chance, kept_folder, not_raised
from trials.small_run import digests, made_up_panel, make_run, train_quietly

AT_ONCE = 100
"""So many files are damaged, one after the other, in a trial."""
LOGS = ("metrics.jsonl", "dropped.tsv", "environment.json", "ties.jsonl", "training.lock")
"""What is told of a run, and never computed with: it has no checksum."""


@cache
def whole() -> tuple[Path, Path, dict[str, str], str]:
    """A trained run, another one, and what the first one is."""
    folder = kept_folder()
    runs = [make_run(folder / name, precision="float64", seed=seed) for seed, name in ((1, "run"), (2, "other"))]
    with made_up_panel():
        for run in runs:
            train_quietly(run)
    return runs[0].folder, runs[1].folder, digests(runs[0]), runs[0].encoded().fingerprint


class Said(QuietReporter):
    """Remembers whether something was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def damage(draw: random.Random, path: Path, other: Path) -> str:
    """Damage a file; how."""
    content = path.read_bytes()
    how = draw.choice(("cut", "flip", "flip", "flip", "emptied", "swapped", "a folder", "a device", "a link to itself"))
    if how == "cut":
        path.write_bytes(content[: len(content) * draw.randrange(1000) // 1000])
    elif how == "flip":
        place = draw.randrange(len(content) or 1)
        flipped = bytes([content[place] ^ 1 << draw.randrange(8)]) if content else b""
        path.write_bytes(content[:place] + flipped + content[place + 1 :])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "swapped" and other.is_file():
        shutil.copyfile(other, path)
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "a device":
        path.unlink()
        path.symlink_to("/dev/zero" if draw.random() < 0.5 else "/dev/null")
    elif how == "a link to itself":
        path.unlink()
        path.symlink_to(path)
    return how


def files(folder: Path) -> list[Path]:
    """What a run consists of, beside its logs, by name within its folder."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name not in LOGS)
    return sorted(name for name in names if not name.name.startswith("."))


def read_damaged(run: Path, what: str) -> str:
    """Read a run of which a file is damaged; what came of it."""
    _, _, expected, fingerprint = whole()
    try:
        with not_raised(what, DiptychError):
            opened, said = Run.open(run), Said()
            found = digests(opened)
            best = opened.read_checkpoint("pytorch", "best")
            corpus = opened.encoded(said)
    except DiptychError:
        return "refused"
    assert found == expected, f"{what}: loaded silently as something else"
    assert best.state["step"] <= int(expected["step"])
    assert corpus.fingerprint == fingerprint, f"{what}: other token ids"
    return f"read as it was{', after it was made anew aloud' if said.notes else ''}"


def trial(number: int, folder: Path) -> Counts:
    """Damage a file of a run and read the run, a hundred times."""
    draw, counts = chance("damage", number), Counter[str]()
    original, other = whole()[:2]
    names, run = files(original), folder / "run"
    for _ in range(AT_ONCE):
        shutil.copytree(original, run)
        name = draw.choice(names)
        how = damage(draw, run / name, other / name)
        counts[read_damaged(run, f"{name} {how}")] += 1
        counts["a bit flipped" if how == "flip" else how] += 1
        shutil.rmtree(run)
    return counts


ROW = Row(
    "each file of a run cut, a bit flipped, emptied, taken from another run, replaced by a folder or a device",
    "refused with a reason, or read as it was; never a traceback (logs, which nothing is computed from, have no "
    "checksum)",
    310,
    trial,
)
