"""Every random number in Diptych is a pure function of a seed, a purpose and counters.

There is no generator state anywhere: each draw makes its own Philox generator (Salmon et al., 2011, "Parallel random
numbers: as easy as 1, 2, 3"), keyed by a hash of what the numbers are for. So both panels draw the same numbers, and
a run that was interrupted draws what it would have drawn.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

BLOCK = 16
"""How many masks' numbers, of 16 bits each, Philox makes at once: in 256 bits."""


def generator(seed: int, purpose: str, *counters: int | str, skip: int = 0) -> np.random.Generator:
    """A fresh generator for one purpose, for instance `generator(1, "batch order", epoch)`.

    Equal arguments give equal numbers; arguments that differ anywhere give independent ones. `skip` leaves out so many
    blocks of 256 bits, of which each costs nothing.
    """
    key = "\x1f".join([str(seed), purpose, *map(str, counters)])
    digest = hashlib.sha256(key.encode()).digest()
    bits = np.random.Philox(key=int.from_bytes(digest[:16], "little"))
    return np.random.Generator(bits.advance(skip) if skip else bits)


def dropout_masks(
    seed: int,
    step: int,
    shapes: Mapping[str, tuple[int, ...]],
    rate: float,
    part: int = 0,
    rows: tuple[int, int] | None = None,
) -> dict[str, npt.NDArray[np.bool_]]:
    """The dropout masks of one training step: True where a number is kept.

    Args:
        seed: the training seed.
        step: the optimizer step, from 0.
        shapes: the shape of each mask by the name of the place it is for; empty gives no masks.
        rate: the fraction dropped, 0 <= rate < 1, resolved to 1/65536.
        part: which of the batches of this step, from 0.
        rows: the first row that is wanted and the one after the last; None: all. A row's mask is the same whichever
            others are drawn with it, and only those are.

    Returns:
        One mask per shape, of the rows that are wanted, or none at all where the rate is 0.
    """
    if rate == 0.0:
        return {}
    threshold = round(rate * 65536)
    masks = {}
    for name, (batch, *rest) in shapes.items():
        first, end = rows or (0, batch)
        size = math.prod(rest)  # of a row
        blocks = first * size // BLOCK  # of what comes before
        counters = (step, name, part) if part else (step, name)
        random = generator(seed, "dropout", *counters, skip=blocks)
        count = end * size - blocks * BLOCK
        words = random.integers(0, 2**64 - 1, (count + 3) // 4, np.uint64, True)
        wanted = words.view(np.uint16)[first * size - blocks * BLOCK : count]
        masks[name] = (wanted >= threshold).reshape(end - first, *rest)
    return masks
