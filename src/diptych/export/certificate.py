"""What was compared with the reference, and how far apart it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import CertificateError


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        what: what was compared.
        gap: how far apart it is: the largest difference, relative to the largest number there; or how many differ.
        limit: what the gap may be.
        where: the place of the largest gap; "" where there is none.
    """

    what: str
    gap: float
    limit: float
    where: str = ""

    @property
    def holds(self) -> bool:
        """Whether the gap is within its limit; NaN is not."""
        return self.gap <= self.limit


def check(
    what: str, found: Mapping[str, npt.NDArray[Any]], expected: Mapping[str, npt.NDArray[Any]], limit: float
) -> Check:
    """The largest gap of arrays by their names, each relative to the largest number that was expected of it."""
    worst, where = 0.0, ""
    for name, value in expected.items():
        if found[name].shape != value.shape:
            return Check(
                what, float("inf"), limit=limit, where=f"{name}: shape {found[name].shape}, expected {value.shape}"
            )
        relative = np.abs(found[name] - value) / (float(np.abs(value).max(initial=0.0)) or 1.0)
        place = np.unravel_index(int(np.argmax(relative)), relative.shape)  # the first NaN, if there is one
        if not relative[place] <= worst:
            worst, where = float(relative[place]), f"{name}{[int(one) for one in place]}"
    return Check(what, worst, limit=limit, where=where)


def demand(checks: Sequence[Check]) -> None:
    """Refuse an export that does not compute the same.

    Raises:
        CertificateError: naming the first check that fails.
    """
    for one in checks:
        if not one.holds:
            raise CertificateError(f"not certified: {one.what}: {one.gap:.2g} at {one.where}, more than {one.limit:g}")


def to_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as the certificate has them."""
    return [asdict(one) | {"holds": one.holds} for one in checks]
