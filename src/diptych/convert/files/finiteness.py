"""Weights that are no numbers: NaN and infinity, which a conversion would carry over without a word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from diptych.convert.files.model_file import Note, Tensor
from diptych.convert.files.printable import shown

# Bytes of one tensor, and of all together, that are looked through: enough for any recurrent model.
LARGEST, ALL, BLOCK = 128 << 20, 512 << 20, 1 << 20


def notes_on_finiteness(tensors: Iterable[Tensor]) -> list[Note]:
    """A remark on each tensor with numbers that are not finite, and one if some were too large to be looked through."""
    found, left, skipped = [], ALL, 0
    for tensor in tensors:
        if not tensor.dtype.startswith(("float", "bfloat", "complex")) or tensor.dtype.startswith("float8"):
            continue
        size = 8 * tensor.size  # of its numbers as float64, the largest they can be
        if size > LARGEST or size > left:
            skipped += 1
            continue
        left -= size
        flat = tensor.read().reshape(-1)
        count = sum(
            int(np.count_nonzero(~np.isfinite(flat[start : start + BLOCK]))) for start in range(0, flat.size, BLOCK)
        )
        if count:
            found.append(Note(f"{count:,} of {flat.size:,} numbers are not finite", shown(tensor.name)))
    if skipped:
        found.append(Note(f"{skipped:,} weights are too large to be looked through for NaN and infinity here"))
    return found
