"""What the page offers to try."""

from itertools import product

import pytest

from diptych.config import parse_config
from diptych.data.opening import load_corpus
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.web.service import examples

MADE = [("phrasebook", "english"), *product(["spacing", "numbers"], ["english", "korean"])]


@pytest.mark.parametrize(("corpus", "language"), MADE)
def test_examples_hold_nothing_that_the_model_has_not_seen(corpus: str, language: str) -> None:
    data = parse_config({"data": {"corpus": corpus, "language": language, "maximum_pairs": 5000}}).data
    tokenize = make_tokenizer("word" if corpus == "phrasebook" else "character").tokenize
    seen = {token for source, _ in load_corpus(data).train for token in tokenize(source)}
    assert examples(data)
    assert {token for line in examples(data) for token in tokenize(line)} <= seen
