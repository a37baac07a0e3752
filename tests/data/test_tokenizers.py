"""Tokenizers: what is split can be joined again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokenizers import make_tokenizer
from diptych.errors import ConfigError

KINDS = ("word", "character")


@given(st.text())
def test_characters_lose_nothing(text: str) -> None:
    tokenizer = make_tokenizer("character")
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == text
    assert len(tokenizer.tokenize(text)) == len(text)


@given(st.lists(st.text(min_size=1).filter(lambda word: word.split() == [word])))
def test_words_come_back_from_their_line(words: list[str]) -> None:
    tokenizer = make_tokenizer("word")
    assert tokenizer.tokenize(tokenizer.detokenize(words)) == words


@given(st.sampled_from(KINDS), st.booleans(), st.text())
def test_a_line_made_of_tokens_has_these_tokens(kind: str, lowercase: bool, text: str) -> None:
    tokenizer = make_tokenizer(kind, lowercase)
    tokens = tokenizer.tokenize(text)
    assert all(tokens)
    assert tokenizer.tokenize(tokenizer.detokenize(tokens)) == tokens


def test_any_run_of_unicode_whitespace_separates_words() -> None:
    assert make_tokenizer("word").tokenize(" I\tfeel\u3000very \u00a0 hungry\u2028now ") == [
        "I", "feel", "very", "hungry", "now",
    ]  # fmt: skip


def test_words_are_joined_with_one_space() -> None:
    assert make_tokenizer("word").detokenize(["I", "feel", "hungry"]) == "I feel hungry"


def test_lower_casing_is_asked_for() -> None:
    assert make_tokenizer("word").tokenize("I Feel") == ["I", "Feel"]
    assert make_tokenizer("word", lowercase=True).tokenize("I FEEL ÄÖ") == ["i", "feel", "äö"]
    assert make_tokenizer("character", lowercase=True).tokenize("A b") == ["a", " ", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_knows_its_config(kind: str) -> None:
    tokenizer = make_tokenizer(kind, lowercase=True)
    assert (tokenizer.kind, tokenizer.lowercase) == (kind, True)
    assert tokenizer == make_tokenizer(kind, lowercase=True) != make_tokenizer(kind)


def test_an_unknown_kind_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"unknown tokenizer 'syllable'; choose among: word, character"):
        make_tokenizer("syllable")
