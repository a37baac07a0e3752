"""Unknown words that a model says, replaced by what it looked at (Luong et al., 2015; Jean et al., 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from diptych.data.corpus.lines import lines_of
from diptych.data.tokens.tokenizers import Tokenizer
from diptych.data.tokens.vocabulary import EOS, SPECIALS, UNK
from diptych.errors import DataError
from diptych.translation.translation import Translation


def with_words_of_source(translation: Translation, target: Tokenizer, dictionary: Mapping[str, str]) -> Translation:
    """A translation in which every "<unk>" is the source token that it got most of its attention from.

    Args:
        translation: with the attention that the model had.
        target: how its tokens become a text.
        dictionary: what a source token becomes; one that is not in it stays as it is.
    """
    if SPECIALS[UNK] not in translation.tokens or not translation.attention.any():
        return translation
    looked = translation.attention.argmax(axis=1)
    tokens = [
        _said(translation.source_tokens[place], dictionary) if token == SPECIALS[UNK] else token
        for token, place in zip(translation.tokens, looked.tolist(), strict=True)
    ]
    ended = tokens[-1] == SPECIALS[EOS]
    text = target.detokenize(tokens[:-1] if ended else tokens)
    return replace(translation, text=text, tokens=tuple(tokens))


def read_dictionary(path: Path) -> dict[str, str]:
    """A file of lines SOURCE, tab, TARGET; of a word that stands twice the first counts.

    Raises:
        DataError: the file cannot be read, or a line is no such pair.
    """
    words: dict[str, str] = {}
    for number, line in enumerate(lines_of(path), 1):
        source, tab, target = line.partition("\t")
        if not (source.strip() and tab and target.strip()) or "\t" in target:
            raise DataError(f"{path}, line {number}: a line is a word, a tab and its translation, got {line[:60]!r}")
        words.setdefault(source.strip(), target.strip())
    return words


def _said(token: str, dictionary: Mapping[str, str]) -> str:
    """A subword's leading space stays before what it becomes."""
    word = token.strip()
    return token.replace(word, dictionary.get(word, word), 1) if word else token
