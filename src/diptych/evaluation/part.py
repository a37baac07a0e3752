"""The part of a run's corpus that is evaluated."""

from __future__ import annotations

from typing import Literal

from diptych.data.opening import open_part
from diptych.data.pairs import Pair
from diptych.errors import DataError
from diptych.runs.run import Run

Part = Literal["train", "validation", "test"]


def read_part(run: Run, part: Part) -> list[Pair]:
    """The pairs of one part of a run's corpus, read anew; texts that this part does not come from need not be there.

    Raises:
        DataError: the part cannot be read, or is empty.
    """
    pairs = list(open_part(run.config.data, part))
    if not pairs:
        raise DataError(f"the {part} part of {run.folder} holds no pair, nothing to evaluate; choose another part")
    return pairs
