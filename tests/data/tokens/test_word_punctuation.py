"""Words parted from punctuation marks: words look the same wherever they stand, and the line comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.data.tokens.tokenizers.word_punctuation import ESCAPE, JOINER

TOKENIZER = make_tokenizer("word_punctuation")


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("I feel hungry.", ["I", "feel", "hungry", "￭."]),
        ('He said: "No!"', ["He", "said", "￭:", '"￭', "No", "￭!", '￭"']),
        ("don't pay 3.14 or 1,000", ["don't", "pay", "3.14", "or", "1,000"]),
        ("well-known (so-called)", ["well", "￭-￭", "known", "(￭", "so", "￭-￭", "called", "￭)"]),
        ("배가 고파요. 왜?", ["배가", "고파요", "￭.", "왜", "￭?"]),
        ("a - b", ["a", "-", "b"]),
        ("50% of $5", ["50", "￭%", "of", "$￭", "5"]),
        ("हिन्दी।", ["हिन्दी", "￭।"]),
        ("", []),
    ],
)
def test_marks_are_tokens_of_their_own(line, tokens):
    assert TOKENIZER.tokenize(line) == tokens
    assert TOKENIZER.detokenize(tokens) == line


@given(st.text(st.sampled_from(f"ab1é가.,'’\"()-$% {JOINER}{ESCAPE}01\u3000"), max_size=20))
def test_every_line_comes_back_but_for_its_white_space(line):
    tokens = TOKENIZER.tokenize(line)
    assert TOKENIZER.detokenize(tokens) == " ".join(line.split())
    assert all(token and not any(map(str.isspace, token)) for token in tokens)


@given(st.text(max_size=30))
def test_any_text_at_all_comes_back(line):
    assert TOKENIZER.detokenize(TOKENIZER.tokenize(line)) == " ".join(line.split())


def test_a_word_is_the_same_whatever_stands_beside_it():
    for line in ("house", "(house)", "house,", '"house"', "house-house"):
        assert "house" in TOKENIZER.tokenize(line)
