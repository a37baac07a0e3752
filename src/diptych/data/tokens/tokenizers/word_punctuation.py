"""Words and punctuation marks as tokens, and the line given back as it was."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from diptych.data.tokens.tokenizers.tokenizer import Tokenizer

JOINER = "\uffed"
"""On the side of a mark on which no space stood: "house," is "house" and JOINER + ","."""
ESCAPE = "\uffec"
WRITTEN = {JOINER: f"{ESCAPE}0", ESCAPE: f"{ESCAPE}1"}
"""How these two are written where a text has them."""
READ = {written: character for character, written in WRITTEN.items()}
APOSTROPHES = "'\u2019"


@dataclass(frozen=True)
class WordPunctuationTokenizer(Tokenizer):
    """What stands between spaces, parted from the punctuation marks and signs around it and in it.

    A mark remembers on which side it touched its neighbour, so words are the same wherever they stand, and joining the
    tokens gives the line back; of white space, as from words, one space. An apostrophe between letters and a full stop
    or a comma between digits belong to their word: "don't", "3.14".
    """

    kind: ClassVar[str] = "word_punctuation"

    def split(self, text: str) -> list[str]:
        """The words and marks of one line, in order."""
        return [token for chunk in text.split() for token in _parted(chunk)]

    def join(self, tokens: Iterable[str]) -> str:
        """The line: a space between two tokens unless one of them touches the other."""
        pieces: list[str] = []
        touches = True
        for token in tokens:
            before, after = token.startswith(JOINER), token.endswith(JOINER) and len(token) > 1
            bare = token[before : len(token) - after]
            pieces += [bare] if touches or before else [" ", bare]
            touches = after
        return re.sub(f"{ESCAPE}[01]", lambda match: READ[match[0]], "".join(pieces))


@lru_cache(1 << 16)
def _parted(chunk: str) -> tuple[str, ...]:
    """The tokens of what stands between two spaces."""
    pieces: list[tuple[str, bool]] = []  # and whether each is a mark
    for place, character in enumerate(chunk):
        is_mark = _is_mark(chunk, place)
        written = WRITTEN.get(character, character)
        if pieces and not is_mark and not pieces[-1][1]:
            pieces[-1] = pieces[-1][0] + written, False
        else:
            pieces.append((written, is_mark))
    tokens = []
    for place, (piece, is_mark) in enumerate(pieces):
        # A mark touches what comes before it, and a word after it; of two marks the second remembers it.
        before = JOINER if is_mark and place > 0 else ""
        after = JOINER if is_mark and place + 1 < len(pieces) and not pieces[place + 1][1] else ""
        tokens.append(before + piece + after)
    return tuple(tokens)


def _is_mark(chunk: str, place: int) -> bool:
    if not is_punctuation(chunk[place]):
        return False
    before, after = chunk[place - 1 : place], chunk[place + 1 : place + 2]
    if chunk[place] in APOSTROPHES:
        return not (before.isalpha() and after.isalpha())
    return not (chunk[place] in ".," and before.isdigit() and after.isdigit())


def is_punctuation(character: str) -> bool:
    """Whether a character is a punctuation mark or a sign."""
    return unicodedata.category(character)[0] in "PS"
