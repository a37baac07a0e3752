"""Scores: sacreBLEU's own numbers, with its signatures, and clear errors."""

import subprocess
import sys

import pytest
import sacrebleu

from diptych.errors import ConfigError, DataError
from diptych.evaluation import TOKENIZERS, score

REFERENCES = ["the cat sat on the mat .", "there is a dog in the garden", "I feel hungry"]
HYPOTHESES = ["the cat sat on a mat .", "there is a dog in the garden", "I am hungry"]


@pytest.mark.parametrize("tokenize", TOKENIZERS)
def test_scores_are_those_of_sacrebleu(tokenize):
    scores = score(HYPOTHESES, REFERENCES, tokenize)
    expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES], tokenize=tokenize, force=True)
    assert scores.bleu == expected.score
    assert scores.chrf == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert scores.exact_match == pytest.approx(100 / 3)
    assert scores.sentences == 3
    for part in ("nrefs:1", f"tok:{tokenize}", "eff:no", f"version:{sacrebleu.__version__}"):
        assert part in scores.signatures["bleu"].split("|")
    assert "nc:6" in scores.signatures["chrf"].split("|")


@pytest.mark.parametrize("texts", [REFERENCES, ["yes", "no"], ["I feel hungry"], ["나는 배고프다", "가자"]])
def test_a_perfect_text_scores_100(texts):
    scores = score(texts, texts)
    assert (scores.bleu, scores.chrf, scores.exact_match) == (pytest.approx(100), pytest.approx(100), 100)
    assert max(scores.bleu, scores.chrf) <= 100


def test_effective_order_only_where_no_reference_has_four_tokens():
    assert "eff:yes" in score(["a b"], ["a b c"]).signatures["bleu"]
    # Too short a translation of a long reference does not earn it.
    too_short = score(["a b"], ["a b c d"])
    assert "eff:no" in too_short.signatures["bleu"] and too_short.bleu == 0


def test_exact_match_takes_runs_of_whitespace_as_one_space():
    assert score([" a  b", "ab", "A b"], ["a b ", "a b", "a b"]).exact_match == pytest.approx(100 / 3)


def test_empty_translations_are_scored():
    scores = score(["", "a b"], ["a b", "a b"])
    assert 0 < scores.bleu < 100 and scores.exact_match == 50
    assert score([""], ["a"]).bleu == 0


def test_tokenized_text_raises_no_warning_where_it_is_meant(caplog):
    lines = ["a man in a blue shirt is standing ."] * 200
    score(lines, lines, "none")
    assert not caplog.records
    score(lines, lines, "13a")
    assert "forgot to detokenize" in caplog.text


@pytest.mark.parametrize(
    ("hypotheses", "references", "tokenize", "error", "message"),
    [
        ([], [], "13a", DataError, "no sentences to score: give at least one"),
        (["a"], ["a", "b"], "13a", DataError, "got 1 hypotheses and 2 references"),
        (["a"], ["a"], "14a", ConfigError, "unknown tokenizer '14a' for BLEU; choose among: 13a, none, char, intl, zh"),
        ("a", ["a"], "13a", TypeError, "list of hypotheses, got the string 'a'"),
        (["a"], "a", "13a", TypeError, "list of references, got the string 'a'"),
    ],
)
def test_what_cannot_be_scored_is_refused(hypotheses, references, tokenize, error, message):
    with pytest.raises(error, match=message):
        score(hypotheses, references, tokenize)


def test_sacrebleu_is_imported_only_to_score():
    program = "import sys, diptych.evaluation; sys.exit('sacrebleu' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
