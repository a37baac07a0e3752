"""What a pair of a file must be like to be taken, as far as its text tells; `Encoder` judges by its tokens, later."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt

from diptych.config import AdditionalText, DataConfig
from diptych.data.corpus.layout import USUAL, Layout
from diptych.data.corpus.scripts import share_of_scripts
from diptych.data.corpus.tables import Row
from diptych.data.faults import Fault
from diptych.data.reasons import Reason

INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""The Unicode categories of white space, controls, and what only says how others are written: joiners, directions."""


@dataclass(frozen=True)
class Filter:
    """Judges the rows of a file.

    Attributes:
        layout: how a file holds its pairs.
        drop_bad_lines: whether a bad line is dropped and counted; else it is an error.
        maximum_characters: a pair with more on a side is left out (0: none is).
        source_scripts: what the source's letters should be (none: anything).
        target_scripts: what the target's should be.
        script_share: at least this part of them.
    """

    layout: Layout = USUAL
    drop_bad_lines: bool = False
    maximum_characters: int = 0
    source_scripts: tuple[str, ...] = ()
    target_scripts: tuple[str, ...] = ()
    script_share: float = 0.5

    @classmethod
    def of_training(cls, config: DataConfig, text: AdditionalText | None = None) -> Filter:
        """The filter of `train`, or of a text beside it."""
        source, target = config.source_column, config.target_column
        if text:
            source, target = text.source_column or source, text.target_column or target
        layout = Layout(
            source,
            target,
            delimiter=config.delimiter,
            comment=config.comment,
            encoding=config.encoding,
            source_remove=config.source_remove,
            target_remove=config.target_remove,
            tags=config.source_tags,
        )
        scripts = config.source_scripts, config.target_scripts, config.script_share
        return cls(layout, config.bad_lines == "drop", config.maximum_characters, *scripts)

    @classmethod
    def of_held_out(cls, config: DataConfig) -> Filter:
        """The filter of validation and test files, which ought to stay as they are."""
        return replace(cls.of_training(config), source_scripts=(), target_scripts=())

    def judge(self, row: Row) -> Reason | Literal[0]:
        """Why a row is left out, or 0."""
        if isinstance(row, Fault):
            return row.reason
        source, target = self.layout.untagged(row[0]), row[1]
        if is_invisible(source) or is_invisible(target):
            return Reason.EMPTY
        limit = self.maximum_characters
        if limit and (len(source) > limit or len(target) > limit):
            return Reason.CHARACTERS
        if self.source_scripts and share_of_scripts(source, self.source_scripts) < self.script_share:
            return Reason.SOURCE_SCRIPT
        if self.target_scripts and share_of_scripts(target, self.target_scripts) < self.script_share:
            return Reason.TARGET_SCRIPT
        return 0


def is_invisible(text: str) -> bool:
    """Whether there is nothing to be seen in a text: white space, zero-width characters, marks of direction."""
    return not text[:1].isalnum() and all(unicodedata.category(character) in INVISIBLE for character in text)


def row_is_invisible(row: Row) -> bool:
    """Whether there is nothing to be seen in a whole row."""
    return is_invisible(row.text) if isinstance(row, Fault) else all(map(is_invisible, row))


def digest(text: str) -> bytes:
    """8 bytes that are the same for texts that differ in white space and normal form only.

    The chance that two among 3,000,000 different texts look alike is one in four million.
    """
    return blake2b(" ".join(unicodedata.normalize("NFC", text).split()).encode(), digest_size=8).digest()


def pair_digest(pair: tuple[str, str], what: str) -> bytes:
    """The digest of a pair's source if `what` is "sources", else of both sides."""
    source = digest(pair[0])
    return source if what == "sources" else blake2b(source + digest(pair[1]), digest_size=8).digest()


def repeated(digests: bytes | bytearray) -> npt.NDArray[np.bool_]:
    """(N,) which of N digests, end to end, came before."""
    numbers = np.frombuffer(digests, np.uint64)
    again = np.ones(len(numbers), np.bool_)
    again[np.unique(numbers, return_index=True)[1]] = False
    return again
