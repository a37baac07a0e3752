"""What a model thinks of a given translation is what it thought when it said it."""

from __future__ import annotations

import math

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.data.tokens.encoded import encode_pairs
from diptych.errors import DataError
from diptych.evaluation.forced import forced
from diptych.evaluation.pair_scores import score_pairs
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.translation.translator import load


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    config = RunConfig(
        name="tiny",
        data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
        model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
        training=TrainingConfig(precision="float64"),
        search=SearchConfig(batch_size=3),
    )
    run = Run.create(config, tmp_path_factory.mktemp("runs") / "tiny")
    run.record("pytorch").write_checkpoint(Checkpoint(run.initial_parameters(), {}, {"step": 1}))
    return load(run, "reference")


def test_what_was_said_scores_what_it_was_said_with(translator):
    sources = [source for source, _ in translator.run.corpus().test]
    said = translator.translate(sources, temperature=3.0) + translator.translate(sources, beam_size=3)
    ended = [each for each in said if each.tokens[-1] == "<eos>" and each.text]
    assert ended
    scores = score_pairs(translator, [(each.source, each.text) for each in ended])
    for one, other in zip(ended, scores, strict=True):
        assert other.tokens == one.tokens and other.source_tokens == one.source_tokens
        assert other.token_log_probabilities == pytest.approx(one.token_log_probabilities, abs=1e-5)
        assert other.attention == pytest.approx(one.attention, abs=1e-5)


def test_a_pair_scores_the_same_in_any_company_and_all_of_them_as_evaluate_says(translator):
    pairs = list(translator.run.corpus().test) + list(translator.run.corpus().validation)
    together = score_pairs(translator, pairs)
    for pair, score in zip(pairs, together, strict=True):
        [alone] = score_pairs(translator, [pair])
        assert (score.source, score.target) == pair
        assert score.log_probability == pytest.approx(alone.log_probability, rel=1e-9)
        assert score.perplexity == pytest.approx(math.exp(-score.log_probability / len(score.tokens)))
    whole = forced(translator.stepper, encode_pairs(pairs, translator.run.source, translator.run.target))
    tokens = sum(len(each.tokens) for each in together)
    assert whole.tokens == tokens
    assert whole.loss == pytest.approx(-sum(each.log_probability for each in together) / tokens, rel=1e-6)


@pytest.mark.parametrize(("pair", "side"), [((" ", "x"), "source"), (("x", ""), "target")])
def test_an_empty_side_is_named(translator, pair, side):
    with pytest.raises(DataError, match=f"pair 8 has an empty {side}"):
        score_pairs(translator, [("a", "b"), pair], first_line=7)
    assert score_pairs(translator, []) == []
