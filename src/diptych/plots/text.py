"""Text in pictures: its fonts, and what becomes of characters that none of them has."""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.data.tokens.tokenizers.word_punctuation import JOINER

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

# Latin, Greek and Cyrillic come from the font matplotlib carries, Hangul from the one in this package.
FAMILY = ["DejaVu Sans", "Diptych Hangul"]
HANGUL_FONT = Path(__file__).parents[1] / "fonts" / "DiptychHangul.ttf"
INK = "#1a1a1a"
MAXIMUM_LABEL = 24
CONJOINING = re.compile("[\u1100-\u11ff]")


@cache
def fonts() -> tuple[FT2Font, ...]:
    """The fonts of every text, in the order in which they are asked for a character."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    fontManager.addfont(HANGUL_FONT)
    return tuple(get_font(fontManager.findfont(FontProperties(family=[name]))) for name in FAMILY)


def label(token: str) -> str:
    """A token as it stands beside a map: white space made visible, and shortened where it is very long.

    The square on the side of a mark that touches its neighbour is one that fonts have.
    """
    text = "".join("\N{OPEN BOX}" if character.isspace() else character for character in token)
    text = text.replace(JOINER, "\N{BLACK SMALL SQUARE}")
    return printable(text if len(text) <= MAXIMUM_LABEL else text[: MAXIMUM_LABEL - 1] + "\N{HORIZONTAL ELLIPSIS}")


def printable(text: str) -> str:
    """The text with what no font has a picture of replaced by U+FFFD, and a warning that says so."""
    text = stand_alone(unicodedata.normalize("NFC", text))  # Hangul spelt in single letters becomes syllables
    missing = {c for c in text if not any(font.get_char_index(ord(c)) for font in fonts())}
    if missing:
        names = ", ".join(f"U+{ord(character):04X}" for character in sorted(missing))
        warnings.warn(f"no glyph for {names}: drawn as \N{REPLACEMENT CHARACTER}", stacklevel=2)
    return "".join("\N{REPLACEMENT CHARACTER}" if character in missing else character for character in text)


def stand_alone(text: str) -> str:
    """The text with each conjoining Hangul letter as the letter that stands by itself: it has a picture."""
    return CONJOINING.sub(lambda letter: _letter(letter[0]), text)


def _letter(conjoining: str) -> str:
    name = unicodedata.name(conjoining, "").partition("SEONG ")[2]  # HANGUL CHOSEONG KIYEOK, the first of a syllable
    try:
        return unicodedata.lookup(f"HANGUL LETTER {name}")
    except KeyError:
        return conjoining


def width(text: str) -> float:
    """About how wide a text is, in letter heights."""
    return sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.62 for character in text)
