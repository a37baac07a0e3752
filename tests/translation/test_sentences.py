"""Cutting lines into sentences: rules by language, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.translation.sentences import cut

TEXTS = {
    "english": [
        "I feel hungry.", "Mr. Smith paid $3.50 to J. R. Brown at 5 p.m. on Monday.", '"Really?" she asked.',
        "See www.example.com for more!", "Wait... what?", "The U.S. team won.", "Is it (by any chance) true?!",
        "He said: “I am here.”", "Version 2.0.1 is out!",
    ],
    "german": [
        "Ich habe Hunger.", "Am 3. Oktober ist z.B. frei, bzw. nichts los.", "„Wirklich?“", "Das kostet ca. 5,50 Euro.",
        "Dr. Müller kommt usw. nach Hause!",
    ],
    "korean": ["배가 고파요.", "시장에 갔어요!", "정말요?", "버전 2.0이 나왔습니다.", "“괜찮아요.”"],
    "chinese": ["我饿了。", "你好吗？", "“真的！”", "价格是3.5元。"],
    "japanese": ["お腹が空きました。", "本当ですか？", "「はい。」", "行こう！"],
}  # fmt: skip


@pytest.mark.parametrize("language", TEXTS)
def test_sentences_put_together_come_apart_again(language):
    texts = TEXTS[language]
    space = "" if language in ("chinese", "japanese") else " "
    assert list(cut(space.join(texts)).sentences) == texts
    assert list(cut(space.join(texts[::-1])).sentences) == texts[::-1]


@given(st.text())
def test_nothing_is_lost_of_any_text(line):
    pieces = cut(line)
    assert pieces.joined(pieces.sentences) == line
    assert all(each == each.strip() and each for each in pieces.sentences)


@given(st.text(".!?。 \t\"'aAé가1", max_size=40))
def test_nothing_is_lost_of_what_is_hard(line):
    pieces = cut(line)
    assert pieces.joined(pieces.sentences) == line and len(pieces.between) == len(pieces.sentences) + 1


def test_other_sentences_stand_where_the_first_stood():
    assert cut("  One.  Two!\n").joined(["A", "B"]) == "  A  B\n"
    with pytest.raises(ValueError):
        cut("One. Two.").joined(["A"])
