"""Subword regularisation: each epoch divides a pair anew, and which way follows from its place alone."""

from dataclasses import replace

import numpy as np
import pytest

from diptych.config import DataConfig
from diptych.data.opening import open_corpus
from diptych.data.tokens.encoded import encode_pairs
from diptych.data.tokens.language import build_languages
from diptych.data.tokens.resampling import resampling
from diptych.data.tokens.vocabulary import UNK

KINDS = ("unigram", "bpe")


def a_config(kind, **changes):
    values = {"source_tokenizer": kind, "target_tokenizer": kind, "subword_size": 420, "subword_sampling": 0.2}
    return DataConfig(maximum_pairs=3000, validation_size=5, test_size=5, **(values | changes))


@pytest.fixture(scope="module", params=KINDS)
def prepared(request):
    """The config, the two languages and the encoded pairs, of which the first one's source has an unknown token."""
    config = a_config(request.param)
    pairs = list(open_corpus(config).train)
    languages = build_languages(config, pairs)
    pairs[0] = (pairs[0][0] + "🦊", pairs[0][1])
    return config, *languages, encode(languages, pairs)


def encode(languages, pairs, maximum_length=0):
    return encode_pairs(pairs, *languages, maximum_length)


def texts(language, sequences):
    return [language.tokenizer.detokenize(language.vocabulary.decode(ids.tolist())) for ids in sequences]


def ids(sequences):
    return [each.tolist() for each in sequences]


def test_the_texts_stay_and_their_division_changes_from_epoch_to_epoch(prepared):
    config, source, target, pairs = prepared
    resample, rows = resampling(config, source, target, seed=1), np.arange(200, dtype=np.int32)
    seen = [resample(pairs, rows, epoch) for epoch in range(3)]
    for language, side in ((source, "sources"), (target, "targets")):
        expected = texts(language, [getattr(pairs, side)[row] for row in rows])
        divisions = [ids(getattr(each, side)) for each in seen]
        assert all(texts(language, getattr(each, side)) == expected for each in seen)
        assert sum(one != other for one, other in zip(*divisions[:2], strict=True)) > 50
        assert UNK not in np.concatenate(divisions[1][1:])
    assert all(np.array_equal(each.corpus_rows, rows) for each in seen)


def test_a_sentence_with_an_unknown_token_stays_as_it_is(prepared):
    config, source, target, pairs = prepared
    found = resampling(config, source, target, seed=1)(pairs, np.array([0, 1], np.int32), 0)
    assert UNK in pairs.sources[0] and found.sources[0].tolist() == pairs.sources[0].tolist()


def test_a_division_follows_from_seed_epoch_side_and_row(prepared):
    config, source, target, pairs = prepared
    resample = resampling(config, source, target, seed=1)
    rows = np.array([5, 900, 17, 42, 300, 301, 302], np.int32)
    whole = resample(pairs, rows, 2)
    for place, row in enumerate(rows):
        alone = resample(pairs, np.array([row]), 2)
        assert alone.sources[0].tolist() == whole.sources[place].tolist()
        assert alone.targets[0].tolist() == whole.targets[place].tolist()
    assert ids(resampling(config, source, target, seed=2)(pairs, rows, 2).sources) != ids(whole.sources)
    twice = resampling(config, source, source, seed=1)(replace(pairs, targets=pairs.sources), rows, 2)
    assert ids(twice.sources) == ids(whole.sources) != ids(twice.targets)


def test_the_row_is_that_of_the_corpus_whatever_is_left_out(prepared):
    config, source, target, _ = prepared
    corpus = list(open_corpus(config).train)
    some = encode((source, target), corpus, maximum_length=9)
    everything = encode((source, target), corpus)
    resample, place = resampling(config, source, target, seed=1), len(some) - 1
    row = some.corpus_rows[place]
    assert row > place
    found, expected = resample(some, np.array([place]), 1), resample(everything, np.array([row]), 1)
    assert found.sources[0].tolist() == expected.sources[0].tolist()


def test_a_side_of_words_stays(prepared):
    config = a_config(prepared[0].source_tokenizer, target_tokenizer="word")
    pairs = list(open_corpus(config).train)
    languages = build_languages(config, pairs)
    encoded, rows = encode(languages, pairs), np.arange(50, dtype=np.int32)
    found = resampling(config, *languages, seed=1)(encoded, rows, 0)
    assert ids(found.targets) == [encoded.targets[row].tolist() for row in rows]
    assert ids(found.sources) != [encoded.sources[row].tolist() for row in rows]


def test_no_sampling_is_asked_for_by_default(prepared):
    config, source, target, _ = prepared
    assert resampling(config.model_copy(update={"subword_sampling": 0.0}), source, target, seed=1) is None
