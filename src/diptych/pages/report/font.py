"""The glyphs of Hangul that a page needs, as a font inside the page."""

from __future__ import annotations

import base64
from io import BytesIO

from diptych.plots.text import HANGUL_FONT


def font_address(text: str) -> str:
    """A data: address of a font with the Hangul of a text; "" if there is none, for every machine has the rest."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(HANGUL_FONT)
    needed = {ord(character) for character in text if ord(character) >= 0x1100} & set(font.getBestCmap())
    if not needed:
        return ""
    options = Options()
    options.layout_features = []
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=needed)
    subsetter.subset(font)
    font.flavor = "woff"
    buffer = BytesIO()
    font.save(buffer)
    return f"data:font/woff;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
