"""A language is written and read without loss; what is damaged, foreign or hostile ends in one error."""

import json
import random

import numpy as np
import pytest

from diptych.config import DataConfig, RunConfig, parse_config
from diptych.data.opening import open_corpus
from diptych.data.tokens.language import Language, build_languages, check_languages
from diptych.data.tokens.tokenizers import TOKENIZERS
from diptych.errors import ConfigError, DataError, DiptychError, RunError
from diptych.runs.run import Run

SUBWORDS = ("unigram", "bpe")


def a_config(kind, **changes):
    values = {"source_tokenizer": kind, "target_tokenizer": kind, "subword_size": 420}
    return DataConfig(maximum_pairs=600, validation_size=5, test_size=5, **(values | changes))


@pytest.fixture(scope="module", params=TOKENIZERS)
def made(request):
    config = a_config(request.param)
    return config, build_languages(config, open_corpus(config).train)


@pytest.fixture(scope="module")
def bpe():
    config = a_config("bpe")
    return build_languages(config, open_corpus(config).train)[0]


def change(language, **changes):
    values = json.loads(language.to_json()) | changes
    return json.dumps({key: value for key, value in values.items() if value is not None})


def test_reading_gives_what_was_written(made):
    config, languages = made
    for language, pairs in zip(languages, zip(*open_corpus(config).train, strict=True), strict=True):
        found = Language.from_json(language.to_json(), "here")
        assert found == language and found.tokenizer.normalization == "NFC"
        for text in pairs:
            tokens = language.tokenizer.tokenize(text)
            assert found.tokenizer.tokenize(text) == tokens
            assert found.tokenizer.detokenize(found.vocabulary.decode(found.vocabulary.encode(tokens))) == text


def test_the_built_in_corpora_have_the_tokens_they_had_before_there_were_normal_forms(made):
    config, _ = made
    plain = config.model_copy(update={"normalization": "none"})
    if config.source_tokenizer != "jamo":
        corpus = open_corpus(config)
        assert corpus == open_corpus(plain)
        languages, before = (build_languages(each, corpus.train) for each in (config, plain))
        assert [each.vocabulary for each in languages] == [each.vocabulary for each in before]


@pytest.mark.parametrize("kind", SUBWORDS)
def test_the_vocabulary_of_subwords_is_their_pieces_and_as_large_as_asked_for(kind):
    config = a_config(kind)
    pairs = list(open_corpus(config).train)
    for language in build_languages(config, pairs):
        assert len(language.vocabulary) == 420
        assert language.vocabulary.entries == language.tokenizer.pieces
    source, target = build_languages(config, pairs)
    assert source.vocabulary != target.vocabulary


@pytest.mark.parametrize("kind", SUBWORDS)
def test_one_model_can_be_trained_on_both_sides(kind):
    config = a_config(kind, shared_vocabulary=True, lowercase_source=True)
    source, target = build_languages(config, list(open_corpus(config).train))
    assert source.vocabulary == target.vocabulary and len(source.vocabulary) == 420
    assert source.tokenizer.pieces == target.tokenizer.pieces
    assert (source.tokenizer.lowercase, target.tokenizer.lowercase) == (True, False)
    assert any("가" <= piece[-1] <= "힣" for piece in source.tokenizer.pieces)


def test_each_side_may_have_its_own_kind():
    config = a_config("bpe", source_tokenizer="word", minimum_frequency=3)
    pairs = list(open_corpus(config).train)
    source, target = build_languages(config, pairs)
    assert source == build_languages(a_config("word", minimum_frequency=3), pairs)[0]
    assert len(target.vocabulary) == 420


@pytest.mark.parametrize("kind", SUBWORDS)
def test_the_size_that_the_error_names_is_the_largest_one(kind):
    config = a_config(kind, subword_size=100_000)
    pairs = list(open_corpus(config).train)
    with pytest.raises(DataError, match="the source's subwords: subword_size = 100000 is more than") as caught:
        build_languages(config, pairs)
    largest = int(str(caught.value).partition("at most ")[2].partition(";")[0])
    words = a_config(kind, subword_size=largest, target_tokenizer="word")
    assert len(build_languages(words, pairs)[0].vocabulary) == largest
    with pytest.raises(DataError, match=f"at most {largest}"):
        build_languages(words.model_copy(update={"subword_size": largest + 1}), pairs)


def test_a_target_that_is_said_from_its_end_says_so_in_its_file_and_nowhere_else(made):
    config, (source, target) = made
    reversed_config = config.model_copy(update={"reverse_target": True})
    reversed_source, reversed_target = build_languages(reversed_config, open_corpus(reversed_config).train)
    assert reversed_source == source and reversed_target.vocabulary == target.vocabulary
    read = Language.from_json(reversed_target.to_json(), "here")
    assert read == reversed_target != target and "reverse" not in target.to_json()
    check_languages(reversed_config, reversed_source, read, "here")
    for wrong, right in ((config, read), (reversed_config, target)):
        with pytest.raises(RunError, match="the target tokenizer has reverse (True|False), but the config says"):
            check_languages(wrong, source, right, "here")


def test_a_file_from_before_there_were_normal_forms_is_read_as_it_was(made):
    config, (language, _) = made
    if config.source_tokenizer in ("word", "character"):
        found = Language.from_json(change(language, normalization=None), "here")
        assert found.vocabulary == language.vocabulary
        assert (found.tokenizer.kind, found.tokenizer.normalization) == (language.tokenizer.kind, "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "syllable"}, "unknown tokenizer 'syllable'; choose among: word"),
        ({"kind": "word"}, "only subwords have scores, not tokens of the kind 'word'"),
        ({"kind": ["bpe"]}, "has kind \\['bpe'\\]"),
        ({"kind": "jamo", "scores": None, "normalization": "none"}, "needs? a normal form|without a normal form"),
        ({"lowercase": 1}, "lowercase 1"),
        ({"reverse": 1}, "has reverse 1, expected a boolean"),
        ({"normalization": "NFX"}, "has normalization 'NFX', expected one of: none, NFC, NFD, NFKC, NFKD"),
        ({"normalization": ["NFC"]}, "has normalization \\['NFC'\\]"),
        ({"scores": None}, "subwords have a list of scores, got NoneType"),
        ({"scores": [-1.0]}, "416 pieces and 1 scores"),
        ({"scores": {"a": 1}}, "subwords have a list of scores, got dict"),
        ({"scores": [-1.0] * 415 + ["x"]}, "got 'x'"),
        ({"scores": [-1.0] * 415 + [float("nan")]}, "NaN is not JSON"),
        ({"scores": [-1.0] * 415 + [10**400]}, "got 1000"),
        ({"vocabulary": {"special": [], "tokens": []}}, "the special tokens are"),
        ({"model": "cGlja2xl"}, "is not an object with kind"),
        ({"vocabulary": None}, "is not an object with kind"),
    ],
)
def test_a_damaged_file_ends_in_one_error_that_names_it(bpe, changes, message):
    with pytest.raises((RunError, DataError), match=message) as caught:
        Language.from_json(change(bpe, **changes), "run/tokenizer/source.json")
    assert "run/tokenizer/source.json" in str(caught.value)


def test_whatever_is_changed_in_a_file_it_is_read_or_refused(bpe):
    text, dice, refused = bpe.to_json(), random.Random(1), []
    for _ in range(300):
        place, length = dice.randrange(len(text)), dice.choice([0, 1, 7, len(text)])
        damaged = text[:place] + dice.choice(["", "[", '"', "-1e999,", "9", "\0", "null"]) + text[place + length :]
        try:
            tokenizer = Language.from_json(damaged, "here").tokenizer
        except DiptychError as error:
            refused.append(str(error))
        else:
            assert tokenizer.detokenize(tokenizer.tokenize("The fox sees it")) == "The fox sees it"
    assert len(refused) > 100 and all(message.startswith("here") for message in refused)


def test_a_translation_into_shorter_tokens_may_have_more_of_them(tmp_path):
    lengths = np.array([1, 7], np.int32)
    for kinds, factor in {
        ("word", "word"): 1,
        ("bpe", "jamo"): 8,
        ("word", "character"): 5,
        ("jamo", "word"): 1,
    }.items():
        data = a_config(kinds[0], target_tokenizer=kinds[1])
        run = Run.create(RunConfig(data=data), tmp_path / "-".join(kinds))
        assert run.longest_translations(lengths).tolist() == [2 * factor + 10, 14 * factor + 10]
        pairs = [[len(side.tokenizer.tokenize(text)) for side, text in zip((run.source, run.target), pair, strict=True)]
                 for pair in run.corpus().test]  # fmt: skip
        assert all(target <= 2 * factor * source + 10 for source, target in pairs)


def test_a_tokenizer_of_another_run_is_refused(bpe):
    config = a_config("bpe")
    check_languages(config, bpe, bpe, "here")
    with pytest.raises(RunError, match="here: the target tokenizer has kind 'bpe' and lowercase False, but the config"):
        check_languages(config.model_copy(update={"target_tokenizer": "word"}), bpe, bpe, "here")
    with pytest.raises(RunError, match="the source tokenizer has"):
        check_languages(config.model_copy(update={"lowercase_source": True}), bpe, bpe, "here")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"source_tokenizer": "jamo", "normalization": "none"}, "'jamo' needs a normal form"),
        ({"subword_sampling": 0.1}, "subword_sampling 0.1 needs a tokenizer 'unigram' or 'bpe' on a side, got 'word'"),
        ({"source_tokenizer": "bpe", "shared_vocabulary": True}, "needs the same tokenizer on both sides"),
        ({"source_tokenizer": "bpe", "target_tokenizer": "unigram", "maximum_vocabulary": 99}, "set subword_size"),
        ({"source_tokenizer": "bpe", "target_tokenizer": "bpe", "minimum_frequency": 2}, "set subword_size"),
        ({"subword_size": 4}, "greater than or equal to 5"),
        ({"character_coverage": 0.5}, "greater than or equal to 0.98"),
        ({"subword_sampling": 1.5}, "less than or equal to 1"),
        ({"normalization": "NFX"}, "'none', 'NFC', 'NFD', 'NFKC' or 'NFKD'"),
        ({"target_tokenizer": "syllable"}, "'word', 'word_punctuation', 'character', 'jamo', 'unigram' or 'bpe'"),
    ],
)
def test_what_does_not_fit_together_is_refused(data, message):
    with pytest.raises(ConfigError, match=message):
        parse_config({"data": data})
