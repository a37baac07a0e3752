"""Build src/diptych/fonts/DiptychHangul.ttf: the Hangul of a freely licensed font, under a name of its own.

    apt-get install fonts-nanum
    .venv/bin/python scripts/build_font.py /usr/share/fonts/truetype/nanum/NanumBarunGothic.ttf

Everything but the glyphs Korean text needs is left out, hinting included. The SIL Open Font License reserves the
original's name, so the subset is called "Diptych Hangul"; its copyright notice and licence stay as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Diptych Hangul"
FONT = Path(__file__).parents[1] / "src" / "diptych" / "fonts" / "DiptychHangul.ttf"
# Ranges of code points, both ends included. Where a font lacks one it is simply not there.
RANGES = (
    (0x0020, 0x007E),  # ASCII, so that the font also stands alone
    (0x00A0, 0x00FF),  # Latin-1
    (0x2010, 0x2027),  # dashes, quotation marks, ellipsis
    (0x20A9, 0x20A9),  # the won sign
    (0x3000, 0x303F),  # East Asian punctuation
    (0x3131, 0x318E),  # single Hangul letters
    (0xAC00, 0xD7A3),  # all 11,172 Hangul syllables
    (0xFF01, 0xFF5E),  # full-width ASCII
)
LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1."
LICENCE_ADDRESS = "https://openfontlicense.org"


def build(source: Path, destination: Path) -> None:
    """Write the subset of one TrueType font; equal input gives equal bytes."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB", "kern"]
    options.name_IDs = [0]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[point for first, last in RANGES for point in range(first, last + 1)])
    subsetter.subset(font)

    version = f"Version 1.000; a subset of {source.stem}"
    names = {1: FAMILY, 2: "Regular", 3: f"{FAMILY} 1.000", 4: FAMILY, 5: version, 6: "DiptychHangul-Regular"}
    names |= {13: LICENCE, 14: LICENCE_ADDRESS}
    table = font["name"]
    notice = table.getDebugName(0)
    table.names = []
    for identifier, text in {0: notice, **names}.items():
        table.setName(text, identifier, 3, 1, 0x409)  # Windows, Unicode, English
    font.save(destination)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} NanumBarunGothic.ttf")
    build(Path(sys.argv[1]), FONT)
    print(f"{FONT}: {FONT.stat().st_size:,} bytes")
