"""The files of token ids under checksums, and whether every id in them is one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from diptych.data.tokens.stored import TYPES

BLOCK = 1 << 23
PARTS = ("train", "validation")
FILES = {f"{part}/{name}.{kind}": (name, kind) for part in PARTS for name, kind in TYPES.items()}


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of token ids in a folder.

    Raises:
        OSError: one cannot be read.
    """
    digests = {}
    for name in FILES:
        with (folder / name).open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def are_whole(folder: Path, digests: Any, sizes: dict[str, int]) -> bool:
    """Whether the files are what they were when `checksums` gave these digests, and hold ids of vocabularies.

    Args:
        folder: what holds them.
        digests: by file.
        sizes: how many tokens the source's vocabulary has, and the target's.
    """
    if not isinstance(digests, dict) or set(digests) != set(FILES):
        return False
    try:
        return all(
            _is_whole(folder / file, kind, digest=digests[file], below=sizes.get(name.removesuffix(".tokens")))
            for file, (name, kind) in FILES.items()
        )
    except OSError:
        return False


def _is_whole(path: Path, kind: str, digest: Any, below: int | None) -> bool:
    """One file, of which tokens are from 0 to before `below`, and all other numbers never fall."""
    sha, last = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            if len(block) % np.dtype(kind).itemsize:
                return False
            numbers = np.frombuffer(block, kind)
            if below is not None and not 0 <= int(numbers.min()) <= int(numbers.max()) < below:
                return False
            if below is None:
                if int(numbers[0]) < last or bool((np.diff(numbers) < 0).any()):
                    return False
                last = int(numbers[-1])
    return bool(sha.hexdigest() == digest)
