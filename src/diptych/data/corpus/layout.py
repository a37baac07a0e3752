"""How a table holds its pairs: which columns they are in, and what stands between these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from diptych.data.tags import TAG_END

SEPARATORS = ("\t", ",", ";", "|", "~", " ")
"""What may stand between columns, to name what a line without the right one holds."""

Columns = str | tuple[str, ...]
"""A column, or several whose texts are joined."""


class Layout(NamedTuple):
    """How a file holds its pairs.

    Attributes:
        source: the column of the source: a name, a number from 1, or "" for the format's own; in JSON dots lead into
            objects. Of several the texts are joined by spaces.
        target: the target's column.
        delimiter: what stands between the columns of a file that is neither CSV nor JSON; "" for a tab. With another
            one and no columns, the source is what stands before the first, and the target all that follows.
        comment: a line of a table that begins with it is none; "" for none.
        encoding: of the text.
        source_remove, target_remove: what matches these regular expressions is taken out of each side.
        tags: columns whose texts stand in front of the source, a tab after each.
    """

    source: Columns = ""
    target: str = ""
    delimiter: str = ""
    comment: str = ""
    encoding: str = "utf-8"
    source_remove: str = ""
    target_remove: str = ""
    tags: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the source, "" for the format's own."""
        return (self.source,) if isinstance(self.source, str) else self.source

    def named(self, source: str, target: str) -> tuple[str, ...]:
        """All columns, those of the source first, the target's next, tags last; the format's own where none is named.

        Args:
            source, target: what the format calls its own.
        """
        return *(each or source for each in self.sources), self.target or target, *self.tags

    def pair(self, texts: Sequence[str]) -> tuple[str, str]:
        """Source and target of the texts in the columns that `named` gives."""
        target = len(self.sources)
        source = " ".join(filter(None, texts[:target])) if target > 1 else texts[0]
        if self.tags and source.strip():
            source = "".join(f"{_one_part(each)}{TAG_END}" for each in (*texts[target + 1 :], source))[:-1]
        return source, texts[target]

    def untagged(self, source: str) -> str:
        """A source without the tags in front of it."""
        return source.rpartition(TAG_END)[2] if self.tags else source

    def option(self, column: str, source: str, target: str) -> str:
        """The key of a config that says which this column is."""
        place = self.named(source, target).index(column)
        return "source_column" if place < len(self.sources) else ("target_column", "source_tags")[
            place > len(self.sources)
        ]  # fmt: skip


USUAL = Layout()


def separators_in(line: str, but: str) -> str:
    """Which separators a line holds but for one, as advice; "" for none."""
    seen = [repr(each) for each in SEPARATORS if each != but and each in line]
    return f"; it holds {', '.join(seen)}: set data.delimiter if one of them parts the columns" if seen else ""


def is_number(column: str) -> bool:
    """Whether a column is given by its number, from 1."""
    return column.isascii() and column.isdigit() and int(column) > 0


def _one_part(text: str) -> str:
    return text.replace(TAG_END, " ").strip()
