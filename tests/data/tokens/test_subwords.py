"""Subwords: sentencepiece finds them, every line comes back whole, and random divisions have the right chances."""

import io
import itertools
import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import DataConfig
from diptych.data.opening import open_corpus
from diptych.data.tokens.tokenizers import TOKENIZERS, make_tokenizer
from diptych.data.tokens.tokenizers.subword import LONGEST
from diptych.data.tokens.tokenizers.subword_training import RESERVED, train_subwords
from diptych.data.tokens.tokenizers.word_counts import WordCounts
from diptych.errors import DataError
from diptych.randomness import generator

KINDS = ("unigram", "bpe")
PHRASEBOOK = DataConfig(maximum_pairs=2000, validation_size=5, test_size=5)
STRANGE = (
    "\0\t\n\r\x0b\x1f\x7f\x85\xa0\xad\u1680\u2028\u2029\u2581\u2585\u3000\ufeff\ufffd\uffff\u200b\u200d\u202e\u2066"
)
STRANGE += "😀🏽\U000e0067👩\u200d👩\u200d👧 ⁇ <unk><s></s><pad>אبe\u0301각가"


def count(lines):
    return Counter(word for line in lines for word in line.split(" "))


def trained(kind, counts, size, coverage=1.0):
    pieces, scores = train_subwords(kind, counts, size, coverage)
    return TOKENIZERS[kind](pieces=pieces, scores=scores)


@pytest.fixture(scope="module")
def english():
    return [source for source, _ in open_corpus(PHRASEBOOK).train]


@pytest.fixture(scope="module")
def tokenizers(english):
    return {kind: trained(kind, count(english), 250) for kind in KINDS}


def some_scores(kind, scores):
    """A tokenizer whose pieces have these scores, and every single letter of them one."""
    letters = dict.fromkeys(sorted(set("".join(scores))), -9.0)
    found = letters | scores
    return TOKENIZERS[kind](pieces=tuple(found), scores=tuple(found.values()))


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.one_of(st.text(), st.text(st.sampled_from(STRANGE)), st.text(st.sampled_from("aehtw I"))))
def test_every_line_comes_back(tokenizers, kind, text):
    tokenizer = tokenizers[kind]
    tokens = tokenizer.tokenize(text)
    assert all(tokens)
    assert tokenizer.detokenize(tokens) == text
    assert tokenizer.tokenize(tokenizer.detokenize(tokens)) == tokens


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_of_any_length_comes_back(tokenizers, kind):
    for text in ("a" * 20_000, "the " * 5000, " " * 3000, "x" * LONGEST + "\n" + "é" * LONGEST):
        assert tokenizers[kind].detokenize(tokenizers[kind].tokenize(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_of_strange_characters_is_learnt_and_each_is_a_piece(kind):
    counts = count([STRANGE, *(f"{one}x{one} {one}" for one in STRANGE)])
    with pytest.raises(DataError, match="at most") as caught:
        train_subwords(kind, counts, 10**6)
    largest = int(str(caught.value).partition("at most ")[2].partition(";")[0])
    tokenizer = trained(kind, counts, largest)
    assert set("".join(counts)) | {" "} <= set(tokenizer.pieces)
    assert set(tokenizer.tokenize(STRANGE)) <= set(tokenizer.pieces)
    assert all(len(piece) == 1 or not set(piece) & set(RESERVED) for piece in tokenizer.pieces)
    assert len(tokenizer.pieces) + 4 == largest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("counts", [{"": 1}, {"a": 1}, {"\t": 3}, {"▁▅": 2, "b": 1}, {"a" * 9000: 1}, {"<unk>": 2}])
def test_a_tiny_text_has_as_many_pieces_as_the_error_says(kind, counts):
    with pytest.raises(DataError) as caught:
        train_subwords(kind, counts, 10**6)
    largest = int(str(caught.value).partition("at most ")[2].partition(";")[0])
    assert len(trained(kind, counts, largest).pieces) + 4 == largest


@pytest.mark.parametrize("kind", KINDS)
def test_a_size_below_the_alphabet_says_the_smallest_one(english, kind):
    with pytest.raises(DataError, match="at least") as caught:
        train_subwords(kind, count(english), 10)
    smallest = int(str(caught.value).partition("at least ")[2].partition(";")[0])
    assert len(trained(kind, count(english), smallest).pieces) + 4 == smallest


@pytest.mark.parametrize("kind", KINDS)
def test_rare_characters_can_be_left_to_be_unknown(kind):
    counts = {"abab": 1000, "abba": 1000, "z": 1}
    assert "z" in trained(kind, counts, 9).pieces
    without = trained(kind, counts, 9, coverage=0.99)
    assert "z" not in without.pieces and without.detokenize(without.tokenize("ab z")) == "ab z"


@pytest.fixture(scope="module")
def stock(english):
    """For each kind what sentencepiece makes of the lines by itself: its model, and the tokenizer of its pieces."""
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    found = {}
    for kind in KINDS:
        written = io.BytesIO()
        SentencePieceTrainer.train(
            sentence_iterator=iter(english), model_writer=written, model_type=kind, vocab_size=247, bos_id=-1,
            eos_id=-1, character_coverage=1.0, normalization_rule_name="identity", num_threads=1, minloglevel=4,
        )  # fmt: skip
        model = SentencePieceProcessor(model_proto=written.getvalue())
        pieces = {model.id_to_piece(each).replace("▁", " "): model.get_score(each) for each in range(1, 247)}
        found[kind] = model, TOKENIZERS[kind](pieces=tuple(pieces), scores=tuple(pieces.values()))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_divided_as_sentencepiece_would(stock, english, kind):
    model, tokenizer = stock[kind]
    for line in english:
        assert tokenizer.tokenize(line) == [piece.replace("▁", " ") for piece in model.encode(line, out_type=str)]


def test_bpe_pieces_are_those_of_the_lines(stock, tokenizers):
    _, expected = stock["bpe"]
    assert tokenizers["bpe"] == expected


def test_unigram_pieces_explain_a_text_better_than_those_of_the_lines(stock, tokenizers, english):
    def explained(tokenizer):
        value = dict(zip(tokenizer.pieces, tokenizer.scores, strict=True))
        return sum(value[piece] for line in english for piece in tokenizer.tokenize(line)) / len(english)

    assert explained(tokenizers["unigram"]) > explained(stock["unigram"][1]) + 5.0  # nats a line


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_follow_from_the_counts_alone(kind, english):
    first = train_subwords(kind, count(english), 250)
    assert train_subwords(kind, dict(reversed(count(english).items())), 250) == first
    assert train_subwords(kind, count(english[1:]), 250) != first


def test_sentencepiece_says_nothing():
    program = """
from diptych.data.tokens.tokenizers.subword_training import train_subwords
for kind in ("bpe", "unigram"):
    train_subwords(kind, {"abc": 5, "abd": 3, "b": 2}, 9)
    try:
        train_subwords(kind, {"abc": 5}, 900)
    except Exception:
        pass
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert finished.stdout == finished.stderr == ""


def segmentations(word):
    """Every way to cut a word."""
    for cuts in itertools.product([False, True], repeat=len(word) - 1):
        ends = [place + 1 for place, cut in enumerate(cuts) if cut] + [len(word)]
        yield tuple(word[start:end] for start, end in zip([0, *ends], ends, strict=False))


words = st.text(st.sampled_from("abc"), max_size=6)
scores = st.dictionaries(
    st.text(st.sampled_from("abc "), min_size=2, max_size=4), st.floats(-20.0, 0.0, allow_subnormal=False), max_size=12
)


@given(words, scores)
def test_unigram_takes_the_most_probable_division(word, scores):
    tokenizer = some_scores("unigram", scores | {" abc": -30.0})
    value = dict(zip(tokenizer.pieces, tokenizer.scores, strict=True))
    possible = [each for each in segmentations(" " + word) if set(each) <= value.keys()]
    best = max(sum(value[piece] for piece in each) for each in possible)
    found = tokenizer.divide(" " + word)
    assert sum(value[piece] for piece in found) == pytest.approx(best, abs=1e-9)
    assert "".join(found) == " " + word


@given(words, scores)
def test_bpe_merges_the_best_pair_until_there_is_none(word, scores):
    tokenizer = some_scores("bpe", scores)
    value = dict(zip(tokenizer.pieces, tokenizer.scores, strict=True))
    symbols = list(" " + word)
    while pairs := [(-value[a + b], n) for n, (a, b) in enumerate(itertools.pairwise(symbols)) if a + b in value]:
        place = min(pairs)[1]
        symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
    assert tokenizer.divide(" " + word) == symbols


def drawn(tokenizer, word, strength, times=4000):
    draws = iter(generator(1, "test").random, None)
    return Counter(tuple(tokenizer.divide_at_random(word, strength, draws)) for _ in range(times))


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_unigram_draws_every_division_as_often_as_it_should(strength):
    tokenizer = some_scores("unigram", {"ab": -3.0, "bc": -4.0, " a": -2.5, "abc": -5.0, "ca": -6.0})
    value = dict(zip(tokenizer.pieces, tokenizer.scores, strict=True))
    value[" "] = tokenizer.scores[tokenizer.pieces.index(" ")]
    possible = [each for each in segmentations(" abca") if set(each) <= value.keys()]
    weights = [math.exp(strength * sum(value[piece] for piece in each)) for each in possible]
    found = drawn(tokenizer, " abca", strength)
    assert set(found) <= set(possible)
    for each, weight in zip(possible, weights, strict=True):
        chance = weight / sum(weights)
        assert abs(found[each] - 4000 * chance) <= 5 * math.sqrt(4000 * chance * (1 - chance)) + 1, each


def test_bpe_dropout_leaves_out_merges_as_often_as_it_should():
    tokenizer = some_scores("bpe", {"ab": -1.0, "bc": -2.0})
    found = drawn(tokenizer, "abc", 0.3)
    expected = {("ab", "c"): 0.7, ("a", "bc"): 0.3 * 0.7, ("a", "b", "c"): 0.3 * 0.3}
    for each, chance in expected.items():
        assert abs(found[each] - 4000 * chance) <= 5 * math.sqrt(4000 * chance * (1 - chance)), each
    assert set(drawn(tokenizer, "abc", 0.0)) == {("ab", "c")} and set(drawn(tokenizer, "abc", 1.0)) == {("a", "b", "c")}


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(st.sampled_from(STRANGE + "aehtw I")), strength=st.sampled_from([0.1, 0.5, 1.0]))
def test_a_random_division_is_of_the_same_line(tokenizers, kind, text, strength):
    tokenizer = tokenizers[kind]
    draws = iter(generator(1, text).random, None)
    pieces = tokenizer.sample(text, strength, draws)
    assert all(pieces) and tokenizer.detokenize(pieces) == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": (-1.0,)}, "each piece has one score, got 2 pieces and 1 scores"),
        ({"scores": (-1.0, 0.5)}, "a piece's score is a number from -1e\\+09 to 0.0, got 0.5"),
        ({"scores": (-1.0, math.nan)}, "got nan"),
        ({"scores": (-1.0, -math.inf)}, "got -inf"),
        ({"scores": (-1.0, "0")}, "got '0'"),
        ({"scores": (-1.0, True)}, "got True"),
    ],
)
def test_scores_that_are_none_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        replace(TOKENIZERS["bpe"](pieces=("a", "b"), scores=(-1.0, -2.0)), **changes)


def test_without_pieces_a_line_is_characters():
    for kind in KINDS:
        assert make_tokenizer(kind, True, "NFC").tokenize("Ab c") == [" ", "a", "b", " ", "c"]


@given(st.lists(st.text(st.sampled_from("abc"), max_size=4), max_size=60), st.integers(1, 5))
def test_counts_are_exact_while_there_is_room(words, block):
    counts = WordCounts()
    for start in range(0, len(words), block):
        counts.update(words[start : start + block])
    assert counts.counts == Counter(words)


def test_where_there_is_no_room_common_words_are_kept_with_their_counts():
    counts = WordCounts(largest=300)
    for number in range(2000):
        counts.update(["the", f"r{number}", "fox"])
        assert 100 <= sum(map(len, counts.counts)) <= 310 or number < 40
    assert counts.counts["the"] == counts.counts["fox"] == 2000
