"""The order of a save's operations, traced, and power losses: after each beginning of the trace the run opens whole."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from trials.row import Counts, Row
from trials.small_run import digests, made_up_panel, make_run, train_quietly

STRIDE = 1
"""After every so many operations power is lost; the quick test takes 3."""

Operation = tuple[str, Path, Any]
"""What was done to which path; a rename's third is its target, a sync's of a file its content, a save's its step."""


class Trace:
    """The operations on files below a folder, in order, while it is watched."""

    def __init__(self, root: Path) -> None:
        self.root, self.watching = root, False
        self.operations: list[Operation] = []
        sys.addaudithook(self._heard)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """While this lasts operations are written down, and the returns of `write_checkpoint` among them."""
        fsync, save = os.fsync, TrainingRecord.write_checkpoint

        def synced(descriptor: int) -> None:
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            self._note("sync", path, path.read_bytes() if path.is_file() else None)
            fsync(descriptor)

        def saved(record: TrainingRecord, *given: Any, **options: Any) -> str:
            name = save(record, *given, **options)
            self._note("saved", self.root, int(name.removeprefix("step-")))
            return name

        with mock.patch.object(os, "fsync", synced), mock.patch.object(TrainingRecord, "write_checkpoint", saved):
            self.watching = True
            try:
                yield
            finally:
                self.watching = False

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event == "open" and isinstance(given[0], str) and given[2] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            self._note("create", Path(given[0]), None)
        elif event == "os.rename":
            self._note("rename", _at(given[0], given[2]), _at(given[1], given[3]))
        elif event == "os.mkdir":
            self._note("mkdir", _at(given[0], given[2]), None)
        elif event in ("os.remove", "os.rmdir"):
            self._note("remove", _at(given[0], given[1]), None)

    def _note(self, what: str, path: Path, more: Any) -> None:
        if path.is_relative_to(self.root):
            self.operations.append((what, path, more))


def _at(path: Any, folder: int) -> Path:
    path = Path(os.fsdecode(path))
    return path if path.is_absolute() or folder < 0 else Path(os.readlink(f"/proc/self/fd/{folder}")) / path


@dataclass
class Node:
    """A file or a folder: as programs see it, and as it is after a power loss."""

    is_folder: bool
    children: dict[str, Node] = field(default_factory=dict)
    kept_children: dict[str, Node] = field(default_factory=dict)
    kept: bytes = b""


class Disk:
    """A file system that keeps for certain only what was synced: a file's content, a folder's list of names."""

    def __init__(self, root: Path) -> None:
        self.root, self.top = root, _of(root)

    def do(self, operation: Operation) -> None:
        """One operation."""
        what, path, more = operation
        if what == "saved":
            return
        parent = self._find(path.parent) if path != self.root else self.top
        if what == "sync":
            node = self._find(path)
            node.kept, node.kept_children = more or b"", dict(node.children)
        elif what == "create":
            parent.children.setdefault(path.name, Node(False))
        elif what == "mkdir":
            parent.children.setdefault(path.name, Node(True))
        elif what == "rename":
            self._find(more.parent).children[more.name] = parent.children.pop(path.name)
        elif what == "remove":
            parent.children.pop(path.name, None)

    def write(self, place: Path, names_kept: bool) -> None:
        """What is there after a power loss; with `names_kept` every name is, but no content that was not synced."""
        _write(self.top, place, names_kept)

    def _find(self, path: Path) -> Node:
        node = self.top
        for part in path.relative_to(self.root).parts:
            node = node.children[part]
        return node


def _of(path: Path) -> Node:
    if not path.is_dir():
        return Node(False, kept=path.read_bytes())
    children = {each.name: _of(each) for each in path.iterdir()}
    return Node(True, children, dict(children))


def _write(node: Node, place: Path, names_kept: bool) -> None:
    if not node.is_folder:
        place.write_bytes(node.kept)
        return
    place.mkdir()
    for name, child in (node.children if names_kept else node.kept_children).items():
        _write(child, place / name, names_kept)


def traced_run(folder: Path, **training: Any) -> tuple[Run, Trace, Disk]:
    """A run whose training was traced, and the disk as it was before."""
    run = make_run(folder / "run", precision="float64", **training)
    disk, trace = Disk(run.folder), Trace(run.folder)
    with made_up_panel(), trace.watch():
        train_quietly(run)
    return run, trace, disk


def trial(number: int, folder: Path) -> Counts:
    """Lose power after each operation of a training; the last save that returned, or a later one, is there, whole."""
    names_kept = bool(number % 2)
    run, trace, disk = traced_run(folder, keep_checkpoints=1 + number // 2 % 2, keep_best=1 + number // 4 % 2)
    whole = make_run(folder / "whole", precision="float64", keep_checkpoints=99)
    whole.folder.with_name("whole.tsv").write_bytes(run.folder.with_name("run.tsv").read_bytes())
    with made_up_panel():
        train_quietly(whole)
    saved, place = 0, folder / "after"
    counts: Counts = Counter()
    for done, operation in enumerate(trace.operations, 1):
        disk.do(operation)
        saved = operation[2] if operation[0] == "saved" else saved
        if done % STRIDE:
            continue
        disk.write(place, names_kept)
        after = Run.open(place)
        record = after.record("pytorch")
        record.recover()
        steps = record.steps() or 0
        assert steps >= saved, f"after {done} operations ({operation[:2]}): step {steps}, but {saved} was saved"
        if steps:
            name = f"step-{steps:08d}"
            found, expected = (each.read_checkpoint("pytorch", name) for each in (after, whole))
            assert found.parameters.keys() == expected.parameters.keys()
            told = [line["step"] for line in record.read_metrics() if "loss" in line]
            assert told[:steps] == list(range(1, steps + 1)), f"{name}: the metrics tell of {told}"
            assert all((value == expected.parameters[key]).all() for key, value in found.parameters.items()), name
        counts["power losses"] += 1
        shutil.rmtree(place)
    assert saved == int(digests(whole)["step"])
    return counts


ROW = Row(
    "power loss simulated: the trace of a training replayed to each of its operations, unsynced writes and names lost",
    "the run opens at a whole checkpoint, the last one that was saved or a later one",
    8,
    trial,
)
