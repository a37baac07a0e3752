"""Characters as tokens, and Hangul letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from diptych.data.tokens.tokenizers.tokenizer import Tokenizer
from diptych.errors import ConfigError

SYLLABLES = re.compile("[\uac00-\ud7a3]+")


@dataclass(frozen=True)
class CharacterTokenizer(Tokenizer):
    """Every code point is a token, the space too, so nothing of a normalized line is lost."""

    kind: ClassVar[str] = "character"
    tokens_per_word: ClassVar[int] = 5

    def split(self, text: str) -> list[str]:
        """The code points of one line, in order."""
        return list(text)

    def join(self, tokens: Iterable[str]) -> str:
        """The characters side by side."""
        return "".join(tokens)


@dataclass(frozen=True)
class JamoTokenizer(CharacterTokenizer):
    """Every code point is a token, but of a Hangul syllable its two or three conjoining letters are (jamo).

    Nothing of a normalized line is lost: its letters are canonically equivalent to it, and of all equivalent texts
    one has the normal form (Unicode Standard, sections 3.11 and 3.12). Without a normal form a syllable and its
    letters written out could not be told apart.

    Raises:
        ConfigError: the normalization is "none".
    """

    kind: ClassVar[str] = "jamo"
    tokens_per_word: ClassVar[int] = 8

    def __post_init__(self) -> None:
        if self.normalization == "none":
            raise ConfigError(
                "the jamo tokenizer cannot tell a Hangul syllable from its letters without a normal form: "
                "set normalization to NFC, NFD, NFKC or NFKD, got 'none'"
            )

    def split(self, text: str) -> list[str]:
        """The code points of one line, in order, syllables as their letters."""
        return list(SYLLABLES.sub(lambda syllables: unicodedata.normalize("NFD", syllables[0]), text))
