"""Words as tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from diptych.data.tokens.tokenizers.tokenizer import Tokenizer


@dataclass(frozen=True)
class WordTokenizer(Tokenizer):
    """Every run of characters between whitespace is a token; whitespace is Unicode's, as in `str.split`."""

    kind: ClassVar[str] = "word"

    def split(self, text: str) -> list[str]:
        """The words of one line, in order."""
        return text.split()

    def join(self, tokens: Iterable[str]) -> str:
        """The words with one space between them."""
        return " ".join(tokens)
