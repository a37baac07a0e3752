"""Tokenizers: from a line of text to its tokens, and back."""

from __future__ import annotations

from diptych.config import Normalization
from diptych.data.tokens.tokenizers.bpe import BpeTokenizer
from diptych.data.tokens.tokenizers.character import CharacterTokenizer, JamoTokenizer
from diptych.data.tokens.tokenizers.subword import SubwordTokenizer
from diptych.data.tokens.tokenizers.tokenizer import Tokenizer
from diptych.data.tokens.tokenizers.unigram import UnigramTokenizer
from diptych.data.tokens.tokenizers.word import WordTokenizer
from diptych.data.tokens.tokenizers.word_punctuation import WordPunctuationTokenizer
from diptych.errors import ConfigError

__all__ = [
    "TOKENIZERS", "BpeTokenizer", "CharacterTokenizer", "JamoTokenizer", "SubwordTokenizer", "Tokenizer",
    "UnigramTokenizer", "WordPunctuationTokenizer", "WordTokenizer", "make_tokenizer",
]  # fmt: skip

TOKENIZERS: dict[str, type[Tokenizer]] = {
    tokenizer.kind: tokenizer
    for tokenizer in (
        WordTokenizer,
        WordPunctuationTokenizer,
        CharacterTokenizer,
        JamoTokenizer,
        UnigramTokenizer,
        BpeTokenizer,
    )
}
"""Every tokenizer by the name it has in a config."""


def make_tokenizer(
    kind: str, lowercase: bool = False, normalization: Normalization = "none", reverse: bool = False, tags: int = 0
) -> Tokenizer:
    """The tokenizer of this kind; one for subwords knows no pieces yet, so it divides a line into characters.

    Raises:
        ConfigError: there is no such kind, and the message lists those there are; or it needs a normal form.
    """
    if kind not in TOKENIZERS:
        raise ConfigError(f"unknown tokenizer {kind!r}; choose among: {', '.join(TOKENIZERS)}")
    return TOKENIZERS[kind](lowercase, normalization, reverse=reverse, tags=tags)
