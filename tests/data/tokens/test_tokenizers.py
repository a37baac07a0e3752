"""Tokenizers: what is split can be joined again."""

import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import Normalization
from diptych.data.tokens.tokenizers import TOKENIZERS, make_tokenizer
from diptych.errors import ConfigError

FORMS = get_args(Normalization)
NORMAL_FORMS = FORMS[1:]
KINDS = ("word", "character")
LOSSLESS = ("character", "jamo", "unigram", "bpe")
# Syllables with and without a last letter; conjoining letters, modern, old and fillers; compatibility and half-width
# letters; marks that join in (tone marks, accents); what has more than one way to be written.
HANGUL = "가각갛힣한글\u1100\u1112\u1113\u115f\u1160\u1161\u1175\u1176\u11a7\u11a8\u11c2\u11c3\ua960\ud7b0\ud7cb"
HANGUL += "ㄱㅏㆎ\uffa1\uffc2\uffdc\u302e\u302f\u0301\u0323 aéAÅ\u212b\u1e9bİſ中\uf900"
hangul = st.text(st.sampled_from(HANGUL))
texts = st.one_of(st.text(), hangul)


@given(st.text())
def test_characters_lose_nothing(text: str) -> None:
    tokenizer = make_tokenizer("character")
    assert tokenizer.detokenize(tokenizer.tokenize(text)) == text
    assert len(tokenizer.tokenize(text)) == len(text)


@given(st.sampled_from(LOSSLESS), st.sampled_from(NORMAL_FORMS), st.booleans(), texts)
def test_a_normalized_line_comes_back(kind: str, form: str, lowercase: bool, text: str) -> None:
    tokenizer = make_tokenizer(kind, lowercase, form)
    normalized = tokenizer.normalize(text)
    assert tokenizer.normalize(normalized) == normalized == unicodedata.normalize(form, normalized)
    tokens = tokenizer.tokenize(normalized)
    assert all(tokens)
    assert tokenizer.detokenize(tokens) == normalized
    assert tokenizer.tokenize(tokenizer.detokenize(tokens)) == tokens == tokenizer.tokenize(text)


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(text=texts)
def test_reversed_tokens_are_the_same_from_the_end_and_make_the_same_line(kind: str, text: str) -> None:
    forwards, backwards = (make_tokenizer(kind, normalization="NFC", reverse=reverse) for reverse in (False, True))
    tokens = backwards.tokenize(text)
    assert tokens == forwards.tokenize(text)[::-1]
    assert backwards.detokenize(iter(tokens)) == forwards.detokenize(iter(tokens[::-1]))


@given(hangul)
def test_jamo_are_what_syllables_are_made_of(text: str) -> None:
    tokens = make_tokenizer("jamo", normalization="NFC").tokenize(text)
    assert all(len(token) == 1 and not "가" <= token <= "힣" for token in tokens)
    assert unicodedata.normalize("NFC", "".join(tokens)) == unicodedata.normalize("NFC", text)


def test_a_syllable_is_two_or_three_jamo_and_everything_else_stays() -> None:
    tokenizer = make_tokenizer("jamo", normalization="NFC")
    assert tokenizer.tokenize("각 é가ㄱ") == ["\u1100", "\u1161", "\u11a8", " ", "é", "\u1100", "\u1161", "ㄱ"]
    assert tokenizer.detokenize(["\u1112", "\u1161", "\u11ab"]) == "한"  # as a model may say it
    assert make_tokenizer("jamo", normalization="NFD").detokenize(["\u1112", "\u1161"]) == "\u1112\u1161"


def test_jamo_need_a_normal_form() -> None:
    with pytest.raises(ConfigError, match="set normalization to NFC, NFD, NFKC or NFKD, got 'none'"):
        make_tokenizer("jamo")


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_equal_texts_have_equal_tokens_in_a_normal_form(kind: str) -> None:
    spellings = "Å 한", "\u212b 한", "A\u030a \u1112\u1161\u11ab"
    for form in NORMAL_FORMS:
        assert len({tuple(make_tokenizer(kind, False, form).tokenize(text)) for text in spellings}) == 1
    compatible = make_tokenizer(kind, False, "NFKC")
    assert compatible.tokenize("ﬁ①") == compatible.tokenize("fi1") != make_tokenizer(kind, False, "NFC").tokenize("ﬁ①")


@given(st.lists(st.text(min_size=1).filter(lambda word: word.split() == [word])))
def test_words_come_back_from_their_line(words: list[str]) -> None:
    tokenizer = make_tokenizer("word")
    assert tokenizer.tokenize(tokenizer.detokenize(words)) == words


@given(st.sampled_from(KINDS), st.booleans(), st.sampled_from(FORMS), texts)
def test_a_line_made_of_tokens_has_these_tokens(kind: str, lowercase: bool, form: str, text: str) -> None:
    tokenizer = make_tokenizer(kind, lowercase, form)
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
    # A capital J takes no caron into one code point, a small one does.
    assert make_tokenizer("character", True, "NFC").tokenize("J\u030c") == ["\u01f0"]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_tokenizer_knows_its_config(kind: str) -> None:
    tokenizer = make_tokenizer(kind, lowercase=True, normalization="NFD")
    assert (tokenizer.kind, tokenizer.lowercase, tokenizer.normalization) == (kind, True, "NFD")
    assert tokenizer == make_tokenizer(kind, True, "NFD") != make_tokenizer(kind, True, "NFC")


def test_an_unknown_kind_lists_the_choices() -> None:
    expected = r"unknown tokenizer 'syllable'; choose among: word, word_punctuation, character, jamo, unigram, bpe"
    with pytest.raises(ConfigError, match=expected):
        make_tokenizer("syllable")
