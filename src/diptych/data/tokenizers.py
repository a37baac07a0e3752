"""Tokenizers: from a line of text to its tokens, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from diptych.errors import ConfigError


class Tokenizer(Protocol):
    """Splits a line into tokens and joins tokens to a line."""

    @property
    def kind(self) -> str:
        """The name this tokenizer has in a config."""

    @property
    def lowercase(self) -> bool:
        """Whether a line is lower-cased before it is split."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one line, none of them empty."""

    def detokenize(self, tokens: Iterable[str]) -> str:
        """The line that these tokens make; `tokenize` gives the same tokens back."""


@dataclass(frozen=True)
class WordTokenizer:
    """Every run of characters between whitespace is a token; whitespace is Unicode's, as in `str.split`."""

    lowercase: bool = False
    kind: ClassVar[str] = "word"

    def tokenize(self, text: str) -> list[str]:
        """The words of one line, in order."""
        return (text.lower() if self.lowercase else text).split()

    def detokenize(self, tokens: Iterable[str]) -> str:
        """The words with one space between them."""
        return " ".join(tokens)


@dataclass(frozen=True)
class CharacterTokenizer:
    """Every code point is a token, the space too, so nothing is lost: `detokenize(tokenize(text)) == text`."""

    lowercase: bool = False
    kind: ClassVar[str] = "character"

    def tokenize(self, text: str) -> list[str]:
        """The code points of one line, in order."""
        return list(text.lower() if self.lowercase else text)

    def detokenize(self, tokens: Iterable[str]) -> str:
        """The characters side by side."""
        return "".join(tokens)


TOKENIZERS: dict[str, type[WordTokenizer | CharacterTokenizer]] = {
    tokenizer.kind: tokenizer for tokenizer in (WordTokenizer, CharacterTokenizer)
}
"""Every tokenizer by the name it has in a config."""


def make_tokenizer(kind: str, lowercase: bool = False) -> Tokenizer:
    """The tokenizer of this kind.

    Raises:
        ConfigError: there is no such kind; the message lists those there are.
    """
    if kind not in TOKENIZERS:
        raise ConfigError(f"unknown tokenizer {kind!r}; choose among: {', '.join(TOKENIZERS)}")
    return TOKENIZERS[kind](lowercase)
