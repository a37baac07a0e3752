"""The standard workload has the shape that it says, wherever and whenever it is made."""

from __future__ import annotations

import pytest

from diptych.benchmark import standard
from diptych.benchmark.standard import SOURCE_VOCABULARY, TARGET_VOCABULARY, sentence_lengths, standard_config
from diptych.data.opening import load_corpus
from diptych.data.tokens.language import build_languages


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return standard_config(tmp_path_factory.mktemp("standard"))


@pytest.fixture(scope="module")
def corpus(config):
    return load_corpus(config.data)


def test_its_parts_and_vocabularies_have_their_sizes(config, corpus):
    assert {part: len(getattr(corpus, part)) for part in standard.PARTS} == standard.PARTS
    languages = build_languages(config.data, corpus.train)
    assert [len(language.vocabulary) for language in languages] == [SOURCE_VOCABULARY, TARGET_VOCABULARY]


def test_its_sentences_are_as_long_as_real_ones(corpus):
    source, target = sentence_lengths("train", standard.PARTS["train"])
    assert [len(pair[1].split()) for pair in corpus.train] == target.tolist()
    assert [len(pair[0].split()) for pair in corpus.train] == source.tolist()
    assert (source.mean(), target.mean()) == (pytest.approx(12.4, abs=0.1), pytest.approx(13.0, abs=0.1))
    assert (source.std(), target.std()) == (pytest.approx(4.3, abs=0.2), pytest.approx(4.0, abs=0.2))
    assert source.min() >= 2 and target.min() >= 4


def test_frequent_words_are_frequent(corpus):
    words = [word for _, target in corpus.train for word in target.split()]
    assert words.count("w0") > 1.8 * words.count("w1") > 3.2 * words.count("w3")


def test_it_is_the_same_each_time(config, corpus, tmp_path):
    again = load_corpus(standard_config(tmp_path).data)
    assert (again.train, again.test) == (corpus.train, corpus.test)
    assert again.train[:1000] != again.test
