"""Sentence pairs that a Python program has in memory, and that its run keeps: RUN/pairs/train.jsonl and so on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.config import RunConfig, parse_config
from diptych.data.pairs import Pair
from diptych.errors import DataError, RunError
from diptych.storage.place import replace_file

PAIRS = "pairs"
"""The folder in a run's folder."""
PARTS = ("train", "validation", "test")
SHARE, MOST = 10, 500
"""Where neither a part nor its size is given, every tenth pair is held out for it, but no more than so many."""


@dataclass(frozen=True)
class GivenPairs:
    """Pairs in memory, as the files that keep them.

    Attributes:
        files: by part, its pairs as JSON lines.
        count: how many pairs there are to train on, those that are to be held out included.
    """

    files: Mapping[str, bytes]
    count: int

    @classmethod
    def of(
        cls, pairs: Iterable[Pair], validation: Iterable[Pair] | None = None, test: Iterable[Pair] | None = None
    ) -> GivenPairs:
        """These pairs of a source and a target.

        Raises:
            DataError: one of them is no pair of two texts, or a part is empty.
        """
        given = {"train": pairs, "validation": validation, "test": test}
        texts = {part: _lines(part, part_pairs) for part, part_pairs in given.items() if part_pairs is not None}
        return cls({part: "".join(lines).encode() for part, lines in texts.items()}, len(texts["train"]))

    def config(self, values: Mapping[str, Any], folder: Path) -> RunConfig:
        """A config whose corpus is these pairs, as a run in this folder keeps them.

        All of them are taken, where the config does not say otherwise, and every tenth is held out for a part that is
        not given.

        Raises:
            ConfigError: something else in the config does not fit.
        """
        data: dict[str, Any] = dict(values.get("data", {}))
        held_out = max(1, min(MOST, self.count // SHARE))
        data = {"maximum_pairs": 0, "validation_size": held_out, "test_size": held_out} | data
        data |= {part: [str(folder / PAIRS / f"{part}.jsonl")] for part in self.files}
        data |= {"corpus": "files", "source_column": "", "target_column": ""}
        return parse_config(dict(values) | {"data": data})

    def write(self, folder: Path) -> None:
        """Write the files into a run's folder."""
        for part, content in self.files.items():
            replace_file(folder / PAIRS / f"{part}.jsonl", content.decode())

    def check_same(self, folder: Path) -> None:
        """Refuse a run that keeps other pairs.

        Raises:
            RunError: it does.
        """
        for part in PARTS:
            path = folder / PAIRS / f"{part}.jsonl"
            if (path.read_bytes() if path.is_file() else None) != self.files.get(part):
                raise RunError(
                    f"{folder} is a run of other pairs (the {part} part differs): give another folder, or "
                    f"overwrite=True to remove that run and start anew"
                )

    def hash(self) -> str:
        """Names these pairs."""
        return hashlib.sha256(b"\0".join(self.files.get(part, b"") for part in PARTS)).hexdigest()


def _lines(part: str, pairs: Iterable[Pair]) -> list[str]:
    lines = []
    for number, pair in enumerate(pairs, 1):
        sides = tuple(pair) if isinstance(pair, (tuple, list)) else ()
        if len(sides) != 2 or not all(isinstance(side, str) and side.strip() for side in sides):
            raise DataError(
                f"pair {number} of {part} is {str(pair)[:80]!r}, expected a source and a target, two texts that are "
                f'not empty: ("I feel hungry", "배가 고파요")'
            )
        lines.append(json.dumps(dict(zip(("source", "target"), sides, strict=True)), ensure_ascii=False) + "\n")
    if not lines:
        raise DataError(f"there is no pair in {part}: give a list of (source, target)")
    return lines
