"""What a planted mistake is."""

from __future__ import annotations

from dataclasses import dataclass

from diptych.convert.graph import Graph


@dataclass(frozen=True, eq=False)
class Fault:
    """A mistake, planted.

    Attributes:
        family: mistakes of one family are not combined with each other on one layer.
        what: a sentence without its full stop.
        where: the layers, as the user's model calls them.
        entry: the catalogue's entry, for `diptych differences`; "" where it has none.
        graph: the model with the mistake in it.
    """

    family: str
    what: str
    where: str
    entry: str
    graph: Graph

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
