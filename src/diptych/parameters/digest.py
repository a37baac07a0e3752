"""One line that stands for all weights: two runs whose digests are equal have the same weights, to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def digest(parameters: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 over the weights as little-endian float64, names sorted, each row after row; in hexadecimal digits.

    A weight of float32 is the same number in float64, so the digest tells nothing of the type.
    """
    sha256 = hashlib.sha256()
    for name in sorted(parameters):
        sha256.update(np.ascontiguousarray(parameters[name], "<f8").data)
    return sha256.hexdigest()
