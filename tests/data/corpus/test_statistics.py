"""What is counted in a corpus is what is in it, by brute force; what is sampled follows from the seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.corpus import statistics
from diptych.data.corpus.samples import sample
from diptych.data.corpus.statistics import Lengths, text_statistics, token_statistics
from diptych.data.tokens.encoded import encode_pairs
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.data.tokens.vocabulary import UNK, Vocabulary

SIDES = st.lists(st.sampled_from(["a", "b", "한국", "ж", "1"]), min_size=1, max_size=6).map(" ".join)
PAIRS = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=30)


@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=200))
def test_so_many_sentences_are_no_longer(lengths: list[int]) -> None:
    found = Lengths.of(Counter(lengths))
    assert (found.shortest, found.longest) == (min(lengths), max(lengths))
    for share, length in ((0.5, found.median), (0.9, found.percentile_90), (0.99, found.percentile_99)):
        assert sum(each <= length for each in lengths) >= share * len(lengths)
        assert sum(each < length for each in lengths) < share * len(lengths)


@given(pairs=PAIRS)
def test_a_text_is_counted(pairs: list[tuple[str, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "BLOCK", 4)
        found = text_statistics(pairs, top=2)
    assert found is not None
    assert found.pairs == len(pairs)
    assert found.repeated_pairs == len(pairs) - len(set(pairs))
    assert found.repeated_sources == len(pairs) - len({source for source, _ in pairs})
    words = Counter(word for _, target in pairs for word in target.split())
    assert found.target.words == words.total() and found.target.different == len(words)
    assert sorted(found.target.top.values(), reverse=True) == sorted(words.values(), reverse=True)[:2]
    letters = Counter("".join(words.elements()))
    expected = {"Latin": letters["a"] + letters["b"], "Hangul": letters["한"] + letters["국"], "Cyrillic": letters["ж"]}
    assert found.target.scripts == {script: count for script, count in expected.items() if count}


def test_too_many_words_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "WORDS", 10)
    monkeypatch.setattr(statistics, "BLOCK", 50)
    found = text_statistics([(f"w{number} often", "x") for number in range(1000)], top=1)
    assert found is not None
    assert found.source.top == {"often": 1000}
    assert (found.source.different, found.target.different) == (None, 1)


@given(pairs=PAIRS)
def test_tokens_are_counted(pairs: list[tuple[str, str]]) -> None:
    language = Language(make_tokenizer("word"), Vocabulary(("a", "b", "1")))
    encoded = encode_pairs(pairs, language, language)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "ENCODED_BLOCK", 3)
        found = token_statistics(encoded)["target"]
    ids = [language.vocabulary.encode(target.split()) for _, target in pairs]
    assert found.tokens == sum(map(len, ids))
    assert found.unknown == sum(each.count(UNK) for each in ids)
    assert found.lengths == Lengths.of(Counter(map(len, ids)))


def test_nothing_has_no_statistics() -> None:
    assert text_statistics([]) is None


@given(size=st.integers(1, 50), count=st.integers(1, 60), seed=st.integers(0, 9))
def test_a_sample_is_some_of_the_pairs_in_their_order(size: int, count: int, seed: int) -> None:
    pairs = [(str(number), "x") for number in range(size)]
    found = sample(pairs, count, seed)
    assert found == sample(pairs, count, seed)
    assert len(found) == min(size, count)
    rows = [row for row, _ in found]
    assert rows == sorted(set(rows)) and all(pair == pairs[row] for row, pair in found)


def test_every_pair_may_be_drawn() -> None:
    pairs = [(str(number), "x") for number in range(10)]
    drawn = Counter(row for seed in range(1000) for row, _ in sample(pairs, 3, seed))
    assert all(200 < drawn[row] < 400 for row in range(10))
