"""Alignments: tokens to words, attention to pairs of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.translation.alignment import NOWHERE, align, pharaoh, words_of


@pytest.mark.parametrize("kind", ["word", "character", "jamo"])
@pytest.mark.parametrize("reverse", [False, True])
@given(words=st.lists(st.text("abc가힣", min_size=1, max_size=4), min_size=1, max_size=6))
def test_every_token_is_of_the_word_that_it_is_in(kind, reverse, words):
    tokenizer = make_tokenizer(kind, normalization="NFC", reverse=reverse)
    tokens = tokenizer.tokenize(" ".join(words))
    numbers = words_of([*tokens, "<eos>"], tokenizer)
    assert numbers[-1] == NOWHERE
    for number, word in enumerate(words):
        inside = [token for token, of in zip(tokens, numbers, strict=False) if of == number]
        assert tokenizer.detokenize(inside) == word


def test_pieces_that_begin_with_a_space_begin_a_word():
    bpe = make_tokenizer("bpe", normalization="NFC")
    assert words_of([" I", " fe", "el", " hungry"], bpe).tolist() == [0, 1, 1, 2]


def test_the_word_with_the_most_attention_is_aligned():
    attention = np.array([[0.1, 0.2, 0.3, 0.4], [0.6, 0.1, 0.2, 0.1], [0.2, 0.1, 0.1, 0.6], [0.25] * 4])
    # Source words: tokens 0 and 1 are one. Target: the second and third token are one word, then the end.
    pairs = align(attention, np.array([0, 0, 1, 2]), np.array([0, 1, 1, NOWHERE]))
    assert pairs == [(2, 0), (0, 1)]
    assert pharaoh(pairs) == "2-0 0-1"


def test_what_has_no_words_has_no_alignment():
    assert align(np.zeros((1, 1)), np.array([NOWHERE]), np.array([0])) == []
    assert align(np.ones((1, 1)), np.array([0]), np.array([NOWHERE])) == []
