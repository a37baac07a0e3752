"""Which kernel multiplies with a weight: measured for each shape of weight and each direction of its products.

On a processor PyTorch multiplies in float32 with MKL. On some processors it reaches less than half of what oneDNN,
a part of PyTorch too, reaches there; on others it is the faster one, but for some shapes. So both are measured, each
in the layout in memory that it would be given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

DEFAULT, ONEDNN = "PyTorch's default", "oneDNN"

Shape = tuple[int, int]
Timed = Callable[[], tuple[float, ...]]
Timer = Callable[[str, Shape, int], Timed]

# A product with fewer operations than this costs less than the call: there is nothing to gain.
_WORTH_CHOOSING = 2e7
# How much faster oneDNN must be to be taken, and how often, so that a close race ends the same way each time.
_CLEARLY = 1.15
_NEARLY_ALWAYS = 0.8
_ROUNDS = 6
# A race ends before its last round where one kernel was the faster one by so much in each of the first.
_PLAINLY = 1.4
_FIRST_ROUNDS = 4
# A product that is measured has fewer rows where it would take longer than so many operations, but not too few.
_ENOUGH = 4e8
_FEWEST_ROWS = 64
_TOLD = re.compile(r"(\d+) x (\d+) \(([^)]*)\)")


class Kernels(NamedTuple):
    """By which kernel the products with one weight are made, `DEFAULT` or `ONEDNN`.

    Attributes:
        forward: its products.
        inputs: the gradients of what it multiplied.
        weight: its own gradient.
    """

    forward: str = DEFAULT
    inputs: str = DEFAULT
    weight: str = DEFAULT

    @property
    def by_columns(self) -> bool:
        """Whether the weight lies in memory column after column: oneDNN is fastest so."""
        return ONEDNN in (self.forward, self.inputs)


PLAIN, BY_ONEDNN = Kernels(), Kernels(ONEDNN, ONEDNN, ONEDNN)


class Choice(NamedTuple):
    """The kernels of a model's weights.

    Attributes:
        by_shape: of weights (O, I) whose shapes were measured.
        others: of all others.
    """

    by_shape: Mapping[Shape, Kernels]
    others: Kernels = PLAIN

    def of(self, shape: Shape) -> Kernels:
        """Those of a weight of this shape (O, I)."""
        return self.by_shape.get(shape, self.others)

    def __str__(self) -> str:
        """In words, which `told` reads again: the default, oneDNN, or oneDNN for which shapes in which directions."""
        if not self.by_shape:
            return ONEDNN if self.others == BY_ONEDNN else DEFAULT
        if set(self.by_shape.values()) == {BY_ONEDNN}:
            return ONEDNN
        parts = []
        for (outputs, inputs), kernels in self.by_shape.items():
            if taken := [name for name, kernel in zip(Kernels._fields, kernels, strict=True) if kernel == ONEDNN]:
                parts.append(f"{outputs} x {inputs} ({', '.join(taken)})")
        return f"{ONEDNN} for {', '.join(parts)}" if parts else DEFAULT


def told(text: str) -> Choice:
    """The choice that was told so; whatever is not understood is the default's."""
    if text == ONEDNN:
        return Choice({}, BY_ONEDNN)
    by_shape = {}
    for outputs, inputs, names in _TOLD.findall(text):
        taken = dict.fromkeys(set(names.split(", ")) & set(Kernels._fields), ONEDNN)
        by_shape[int(outputs), int(inputs)] = Kernels(**taken)
    return Choice(by_shape)


class Race:
    """Which kernels are the faster ones here; each shape is measured once.

    Attributes:
        choice: what was chosen up to now.
        open: whether shapes that have not been measured still are; not where another process has chosen.
    """

    def __init__(self, timer: Timer) -> None:
        """Nothing is chosen yet.

        Args:
            timer: from a kernel, a weight's shape (O, I) and a number of rows N to what gives, each time that it is
                called, the seconds of a product with it, of its inputs' gradient and of its own.
        """
        self.choice = Choice({})
        self.open = True
        self._timer = timer

    def settle(self, choice: Choice) -> None:
        """Keep to what was chosen elsewhere."""
        self.choice, self.open = choice, False

    def run(self, rows: Mapping[Shape, int]) -> None:
        """Choose for weights of these shapes (O, I), which multiply so many rows at once, where it is worth it."""
        chosen = dict(self.choice.by_shape)
        for shape, count in rows.items():
            if self.open and shape not in chosen and 2 * count * shape[0] * shape[1] >= _WORTH_CHOOSING:
                enough = max(_FEWEST_ROWS, int(_ENOUGH / (2 * shape[0] * shape[1])))
                chosen[shape] = self._faster(shape, min(count, enough))
        self.choice = Choice(chosen, self.choice.others)

    def _faster(self, shape: Shape, rows: int) -> Kernels:
        timed = [self._timer(kernel, shape, rows) for kernel in (DEFAULT, ONEDNN)]
        for each in timed:
            each()  # warms up
        rounds: list[list[tuple[float, ...]]] = []
        while len(rounds) < _ROUNDS:  # in turn, so that other programs slow down both
            rounds.append([each() for each in timed])
            of_each_direction = list(zip(*(zip(*seconds, strict=True) for seconds in rounds), strict=True))
            if len(rounds) >= _FIRST_ROUNDS and all(map(_is_settled, of_each_direction)):
                break
        return Kernels(*(ONEDNN if _clearly_faster(pairs) else DEFAULT for pairs in of_each_direction))


def _clearly_faster(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether the second of two was faster by far at its best, and faster at all nearly every time."""
    first, second = zip(*pairs, strict=True)
    won = sum(each[1] < each[0] for each in pairs)
    return min(second) * _CLEARLY < min(first) and won >= _NEARLY_ALWAYS * len(pairs)


def _is_settled(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether the same one of two was plainly faster every time."""
    ratios = [first / second for first, second in pairs]
    return min(ratios) > _PLAINLY or max(ratios) < 1.0 / _PLAINLY
