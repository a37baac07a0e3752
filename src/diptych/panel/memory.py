"""What a process does with memory that was freed: it keeps it, where the C library is glibc.

A step of training frees hundreds of megabytes that the next one asks for again. Given back to the system and fetched
anew, page by page, they cost TensorFlow 5 % of its processor time on a Zen 3. Kept, its training fetches hardly a page
(docs/benchmark.md). Each thread keeps a store of its own, as glibc has it: one store for all, behind one lock, cost
TensorFlow a tenth of a training step.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_NO_LIMIT = -1

ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": str(2**48), "MALLOC_MMAP_MAX_": "0"}
"""What gives a program that is started with it the same."""


def keep_freed_memory() -> None:
    """From now on do not give memory back, but what a thread other than the first has in blocks of more than 64 MB."""
    with suppress(AttributeError, OSError, TypeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _NO_LIMIT)
        mallopt(_MMAP_MAX, 0)  # no mapping for each large tensor
