"""What stands for the tensors of an ONNX file while its graph is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.graph import Ref
from diptych.errors import RefusalError


@dataclass(eq=False)
class Dim:
    """The length of an axis of an input, wherever the axis goes.

    Attributes:
        size: None where the file leaves it open.
        role: "batch" or "time" as soon as a layer tells; "" before.
    """

    size: int | None
    role: str = ""


Dims = tuple[Dim | int, ...]


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers that are known: weights, or sizes; of an array of objects some are a `Dim`.

    Attributes:
        array: the numbers.
        name: the file's name for a weight, by which layers are found that share it; "" for what was computed.
    """

    array: npt.NDArray[Any]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Filled:
    """A tensor of one number over and over, whatever its shape."""

    value: Any


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph.

    Attributes:
        ref: which one.
        dims: how long its axes are.
        dtype: "float", "int" or "bool".
    """

    ref: Ref
    dims: Dims
    dtype: str = "float"

    @property
    def batch_axis(self) -> int:
        """Where the rows of the batch are; the first axis as long as nothing says otherwise."""
        roles = [dim.role if isinstance(dim, Dim) else "" for dim in self.dims]
        return roles.index("batch") if "batch" in roles else 0


@dataclass(frozen=True, eq=False)
class Stacked:
    """Tensors along a new axis, as ONNX gives directions and states; a tensor is made when one is asked for.

    Attributes:
        axis: the new one.
        parts: each without it.
        whole: the parts one behind the other on their last axis, where that is a value itself.
    """

    axis: int
    parts: tuple[Tensor, ...]
    whole: Tensor | None = None

    @property
    def dims(self) -> Dims:
        """Of the stack."""
        own = self.parts[0].dims
        return (*own[: self.axis], len(self.parts), *own[self.axis :])

    def only(self, places: Sequence[int]) -> Stacked:
        """Some of the parts, in this order."""
        same = list(places) == list(range(len(self.parts)))
        return replace(self, parts=tuple(self.parts[place] for place in places), whole=self.whole if same else None)


@dataclass(frozen=True, eq=False)
class Unread:
    """What an operator gives that is not converted: an error, unless a pattern that is known goes round it."""

    error: RefusalError


Value = Constant | Filled | Tensor | Stacked | Unread


def known(dim: Dim | int) -> int | None:
    """How long an axis is, where the file says."""
    return dim.size if isinstance(dim, Dim) else dim


def same(first: Dim | int, second: Dim | int) -> bool:
    """Whether two axes are as long as each other for certain."""
    return first is second or (known(first) is not None and known(first) == known(second))


def sizes(dims: Sequence[Dim | int]) -> npt.NDArray[Any]:
    """The lengths as numbers, or as objects where some are open."""
    found = np.empty(len(dims), object)
    found[:] = list(dims)
    return found if any(isinstance(dim, Dim) for dim in dims) else found.astype(np.int64)
