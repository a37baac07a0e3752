"""Unknown words, replaced by what the model looked at."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import DataError
from diptych.translation.replacement import read_dictionary, with_words_of_source
from diptych.translation.translation import Translation

WORD = make_tokenizer("word")
LOOKED = np.array([[0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]], np.float32)


def said(*tokens, attention=LOOKED):
    text = " ".join(token for token in tokens if token != "<eos>")
    return Translation(
        source="Ann sees Bob", text=text, tokens=tokens, source_tokens=("Ann", "sees", "Bob"), attention=attention
    )


def test_an_unknown_word_is_the_one_that_was_looked_at_or_its_translation():
    one = with_words_of_source(said("<unk>", "<unk>", "<eos>"), WORD, {"Bob": "밥"})
    assert (one.text, one.tokens) == ("Ann 밥", ("Ann", "밥", "<eos>"))
    cut_off = with_words_of_source(said("x", "y", "<unk>"), WORD, {})
    assert cut_off.text == "x y sees"


@pytest.mark.parametrize("translation", [said("a", "b", "<eos>"), said("<unk>", "b", "c", attention=LOOKED * 0)])
def test_without_unknown_words_or_attention_nothing_changes(translation):
    assert with_words_of_source(translation, WORD, {"Ann": "x"}) is translation


def test_a_dictionary_is_read_and_a_bad_line_named(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("Bob\t밥\nBob\tnot this\n", encoding="utf-8")
    assert read_dictionary(path) == {"Bob": "밥"}
    path.write_text("Bob\t밥\nAnn\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: a line is a word, a tab"):
        read_dictionary(path)
