"""Why a pair is left out of a corpus."""

from __future__ import annotations

from enum import IntEnum

from diptych.config import DataConfig

HELD_OUT = "source sentence is in validation or test"


class Reason(IntEnum):
    """Why a record of a file is no pair of a part, as one byte; 0 stands for one that is.

    The first ones are bad lines, which are an error unless the config says that they are dropped. TAKEN is no loss:
    the pair is in the validation or the test part.
    """

    NOT_UTF8 = 1
    NUL = 2
    NO_TABLE_ROW = 3
    NO_COLUMN = 4
    EMPTY = 5
    CHARACTERS = 16
    SOURCE_SCRIPT = 17
    TARGET_SCRIPT = 18
    DUPLICATE = 19
    HELD_OUT = 20
    LIMIT = 21
    WEIGHT = 22
    SHORT = 23
    LONG = 24
    RATIO = 25
    TAKEN = 255

    @property
    def is_bad_line(self) -> bool:
        """Whether the line itself is wrong, and not only unwanted."""
        return self < Reason.CHARACTERS

    def describe(self, config: DataConfig) -> str:
        """The reason in words, with the option that it comes from."""
        scripts = {side: " or ".join(getattr(config, f"{side}_scripts")) for side in ("source", "target")}
        share = f"{config.script_share:.0%}"
        return {
            Reason.NOT_UTF8: "bad line: not UTF-8",
            Reason.NUL: "bad line: a NUL character",
            Reason.NO_TABLE_ROW: "bad line: not a row of the table's format",
            Reason.NO_COLUMN: "bad line: a column is missing",
            Reason.EMPTY: "bad line: a side is empty",
            Reason.CHARACTERS: f"longer than maximum_characters = {config.maximum_characters}",
            Reason.SOURCE_SCRIPT: f"less than {share} of the source's letters are {scripts['source']}",
            Reason.TARGET_SCRIPT: f"less than {share} of the target's letters are {scripts['target']}",
            Reason.DUPLICATE: f"came before (remove_duplicates = {config.remove_duplicates})",
            Reason.HELD_OUT: HELD_OUT,
            Reason.LIMIT: f"beyond maximum_pairs = {config.maximum_pairs}",
            Reason.WEIGHT: "not drawn, as the text's weight is below 1",
            Reason.SHORT: f"shorter than minimum_length = {config.minimum_length} tokens",
            Reason.LONG: f"longer than maximum_length = {config.maximum_length} tokens",
            Reason.RATIO: f"one side is more than maximum_ratio = {config.maximum_ratio:g} times as long as the other",
            Reason.TAKEN: "in validation or test",
        }[self]
