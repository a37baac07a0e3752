"""Measures, their intervals and the tests between systems."""

import random

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from diptych.errors import ConfigError
from diptych.evaluation.error_rates import edits
from diptych.evaluation.measures import MEASURES, chosen_measures
from diptych.evaluation.systems import measure

ALL = list(MEASURES)
REFERENCES = [f"this is the {i}th of all sentences in a short test" for i in range(60)]
SLIPS = [text.replace("sentences", "lines") if i % 3 == 0 else text for i, text in enumerate(REFERENCES)]
WORSE = [
    text.replace("short", "rather long") if i % 2 else slip for i, (text, slip) in enumerate(zip(REFERENCES, SLIPS))
]
WORDS = st.lists(st.sampled_from(["a", "b", "cc", "d\u00e9"]), max_size=6)


def test_of_words_wer_counts_whole_ones_and_per_phones():
    """Gorman et al. (2020): WER is the share of words with any error, PER the edits by the references' phones."""
    references = ["k a t", "d \u0254 g", "f \u026a \u0283", "o"]
    said = ["k a t", "d \u0254 k", "f \u026a", "o o"]
    of_words = measure({"x": said}, references, ["wer", "per"], line="word")["x"]
    assert (of_words["wer"].score, of_words["per"].score) == (75.0, pytest.approx(100.0 * 3 / 10))
    of_sentences = measure({"x": said}, references, ["wer", "per"])["x"]
    assert of_sentences["wer"].score == of_sentences["per"].score == of_words["per"].score
    assert "whole" not in of_words["per"].signature and "lines that are not" in of_words["wer"].signature
    assert 0.0 < of_words["wer"].low < 75.0 < of_words["wer"].high < 100.0  # Wilson's of 3 of 4


@pytest.fixture(scope="module")
def measured():
    return measure({"one": SLIPS, "two": WORSE, "perfect": REFERENCES}, REFERENCES, ALL)


def test_scores_are_those_of_sacrebleu(measured):
    expected = {
        "bleu": sacrebleu.corpus_bleu(SLIPS, [REFERENCES]),
        "chrf": sacrebleu.corpus_chrf(SLIPS, [REFERENCES]),
        "chrf++": sacrebleu.corpus_chrf(SLIPS, [REFERENCES], word_order=2),
        "ter": sacrebleu.corpus_ter(SLIPS, [REFERENCES]),
    }
    for name, score in expected.items():
        assert measured["one"][name].score == pytest.approx(score.score), name
        assert f"version:{sacrebleu.__version__}" in measured["one"][name].signature


@pytest.mark.parametrize("name", ALL)
def test_a_perfect_text_has_the_best_score_and_a_worse_one_a_worse(measured, name):
    best = 100.0 if MEASURES[name].higher_is_better else 0.0
    perfect, one, two = (measured[system][name] for system in ("perfect", "one", "two"))
    assert perfect.score == pytest.approx(best)
    assert abs(perfect.score - best) < abs(one.score - best) < abs(two.score - best)
    for each in (one, two):
        assert each.low < each.score < each.high
    assert one.p_value is None and two.p_value < 0.05 and perfect.p_value < 0.05


def with_slips(places):
    return [text.replace("all", "many") if i in places else text for i, text in enumerate(REFERENCES)]


@pytest.mark.parametrize("test", ["bs", "ar"])
@pytest.mark.parametrize("name", ALL)
def test_a_difference_of_a_sentence_or_two_may_be_chance_whichever_is_the_first(name, test):
    one, other = with_slips(range(0, 60, 6)), with_slips([1, 2, *range(3, 60, 6)])
    there = measure({"one": one, "other": other}, REFERENCES, [name], test=test)
    back = measure({"other": other, "one": one}, REFERENCES, [name], test=test)
    assert there["other"][name].p_value > 0.1
    assert back["one"][name].p_value == pytest.approx(there["other"][name].p_value, abs=0.1)
    for system in ("one", "other"):
        assert back[system][name].score == there[system][name].score


@pytest.mark.parametrize("test", ["bs", "ar"])
@pytest.mark.parametrize("name", ALL)
def test_equal_scores_of_different_texts_are_chance(name, test):
    found = measure(
        {"one": ["a b c d e", "a b c d"], "other": ["a b c d", "a b c d e"]}, ["a b c d e"] * 2, [name], test=test
    )
    assert found["one"][name].score == found["other"][name].score
    assert found["other"][name].p_value == 1.0


def test_a_system_against_itself_has_no_probability():
    found = measure({"a": SLIPS, "b": list(SLIPS)}, REFERENCES, ALL)
    assert all(found["b"][name].p_value is None for name in ALL)
    assert all(found["b"][name].score == found["a"][name].score for name in ALL)


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_the_sentences_does_not_matter(name):
    pairs = list(zip(SLIPS, REFERENCES, strict=True))
    random.Random(1).shuffle(pairs)
    texts, references = map(list, zip(*pairs, strict=True))
    shuffled = measure({"a": texts}, references, [name])["a"][name]
    assert shuffled.score == pytest.approx(measure({"a": SLIPS}, REFERENCES, [name])["a"][name].score)


def distance(one, other):
    """Levenshtein's distance by its recurrence."""
    row = list(range(len(other) + 1))
    for i, x in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(WORDS, WORDS)
def test_edits_are_levenshteins(said, meant):
    for words in (False, True):
        one, other = (said, meant) if words else (" ".join(said), " ".join(meant))
        found, length = edits([" ".join(said)], [" ".join(meant)], words)
        assert found[0] == distance(one, other)
        assert length[0] == max(1, len(other))


def test_normal_forms_and_runs_of_spaces_are_no_edits():
    assert edits(["\u1112\u1161\u11ab  e\u0301 "], ["\ud55c \u00e9"])[0].tolist() == [0.0]


def test_an_error_rate_counts_what_is_said_of_nothing():
    found = measure({"a": ["ab", "cd"]}, ["", "cd"], ["cer"])["a"]["cer"]
    assert found.score == pytest.approx(100.0 * 2 / 3)


def test_measures_are_chosen_by_name():
    assert chosen_measures("all") == ALL
    assert chosen_measures("TER, bleu,ter") == ["ter", "bleu"]
    for wrong in ("bleu,meteor", ","):
        with pytest.raises(ConfigError, match="unknown measure .*choose among: all, bleu"):
            chosen_measures(wrong)
