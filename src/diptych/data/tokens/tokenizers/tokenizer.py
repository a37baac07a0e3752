"""What every tokenizer is: a way from a line of text to its tokens, and back."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from diptych.config import Normalization
from diptych.data.tags import TAG_END
from diptych.errors import DataError


@dataclass(frozen=True)
class Tokenizer(ABC):
    """Splits a line into tokens and joins tokens to a line.

    Attributes:
        lowercase: whether a line is lower-cased before it is split.
        normalization: the Unicode normal form that a line is brought into before it is lower-cased and split, and what
            is joined after; "none" leaves both as they are.
        reverse: whether the tokens come from the line's end to its beginning: a model that says them so makes other
            errors than one that says them forwards, and the two can vote.
        tags: how many tags stand in front of each line, a tab after each; each is one token, [ko] for instance.
    """

    lowercase: bool = False
    normalization: Normalization = "none"
    reverse: bool = field(default=False, kw_only=True)
    tags: int = field(default=0, kw_only=True)
    kind: ClassVar[str]
    """The name this tokenizer has in a config."""
    tokens_per_word: ClassVar[int] = 1
    """About how many tokens a word has."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one line, none of them empty.

        Raises:
            DataError: it lacks the tags that this tokenizer was made for.
        """
        tags, text = self.parted(text)
        tokens = self.split(self.normalize(text))
        return tags + (tokens[::-1] if self.reverse else tokens)

    def detokenize(self, tokens: Iterable[str]) -> str:
        """The line that these tokens make; `tokenize` gives the same tokens back if they are some line's."""
        tags, tokens = list(tokens)[: self.tags], list(tokens)[self.tags :]
        text = self.form(self.join(tokens[::-1] if self.reverse else tokens))
        return "".join(f"{tag[1:-1]}{TAG_END}" for tag in tags) + text

    def parted(self, text: str) -> tuple[list[str], str]:
        """The tokens of the tags in front of a line, and the line without them.

        Raises:
            DataError: there are fewer tags.
        """
        *tags, rest = text.split(TAG_END, self.tags) if self.tags else [text]
        if len(tags) < self.tags:
            raise DataError(
                f"{text[:40]!r} has {len(tags)} tag(s) in front, expected {self.tags}, a tab after each: write, for "
                f"instance, {f'ko{TAG_END}' * self.tags + rest[:20]!r}"
            )
        return [f"[{self.form(tag.strip())}]" for tag in tags], rest

    def normalize(self, text: str) -> str:
        """The line as it is split: in its normal form and, if asked for, lower-cased."""
        text = self.form(text)
        # Once more, for a lower-case letter may be one with an accent that its capital could only stand before.
        return self.form(text.lower()) if self.lowercase else text

    def form(self, text: str) -> str:
        """The line in its normal form."""
        return text if self.normalization == "none" else unicodedata.normalize(self.normalization, text)

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """The tokens of a line that `normalize` gave."""

    @abstractmethod
    def join(self, tokens: Iterable[str]) -> str:
        """The tokens as a line, in whatever form they are."""
