"""Lines of several sentences."""

from __future__ import annotations

import numpy as np

from diptych.translation.paragraphs import translate_paragraphs
from diptych.translation.translation import Translation

ASKED = []


def upper(lines):
    """Says each word in capitals, looking at it."""
    ASKED.append(list(lines))
    return [
        Translation(
            source=line,
            text=line.upper(),
            tokens=tuple(line.upper().split()),
            source_tokens=tuple(line.split()),
            log_probability=-1.0,
            token_log_probabilities=(-0.5,) * len(line.split()),
            attention=np.eye(len(line.split()), dtype=np.float32),
            doubts=("loop",) if "twice" in line else (),
        )
        for line in lines
    ]


def test_sentences_are_translated_together_and_stand_where_they_stood():
    ASKED.clear()
    lines = ["One two.  Three twice!", " alone ", "", "Four. Five."]
    found = translate_paragraphs(lines, upper)
    assert ASKED == [["One two.", "Three twice!", "alone", "Four.", "Five."]]
    assert [each.text for each in found] == ["ONE TWO.  THREE TWICE!", " ALONE ", "", "FOUR. FIVE."]
    assert [each.source for each in found] == lines
    first = found[0]
    assert first.tokens == ("ONE", "TWO.", "THREE", "TWICE!") and first.log_probability == -2.0
    assert np.array_equal(first.attention, np.eye(4)) and first.doubts == ("loop",)
    assert found[2].tokens == () and found[3].doubts == ()
