"""The options of a search reach the search: lengths, beams, samples, prefixes, constraints."""

from types import SimpleNamespace

import pytest

from diptych import panel as panels
from diptych.config import SearchConfig, parse_config
from diptych.data.tokens.vocabulary import EOS
from diptych.errors import ConfigError
from diptych.runs.run import Run
from diptych.translation.translator import load

WORDS = "a bird sees one small red fox".split()


def test_the_maximum_length_cuts_off(copier):
    (found,) = copier.translate(["one small fox"], maximum_length=2)
    assert found.tokens == ("one", "small")


def test_without_one_it_is_twice_the_source_and_ten(run, monkeypatch, copy_panel):
    class Babbler(copy_panel.Stepper):
        def step(self, state, tokens):
            table, attention, state = super().step(state, tokens)
            table[:, EOS] = -99.0
            return table, attention, state

    panel = SimpleNamespace(**vars(copy_panel) | {"Stepper": Babbler})
    monkeypatch.setattr(panels, "load", lambda *arguments: panel)
    found = load(run).translate(["fox", "one small fox"])
    assert [len(translation.tokens) for translation in found] == [12, 16]
    assert "<eos>" not in found[0].tokens


def test_a_beam_gives_its_n_best(copier):
    lines = ["one small fox", "a bird"]
    for found in copier.translate(lines, beam_size=4, n_best=3, length_penalty=1.0):
        assert len(found.alternatives) == 3
        texts, scores = zip(*((each.text, each.score) for each in found.alternatives), strict=True)
        assert texts[0] == found.text == found.source and len(set(texts)) > 1
        assert list(scores) == sorted(scores, reverse=True)
        assert scores[0] == pytest.approx(found.log_probability / ((5 + len(found.tokens)) / 6))


def test_a_beam_of_one_is_greedy_and_zero_temperature_too(reference):
    lines = ["one small fox", "a bird sees"]
    first, *others = (reference.translate(lines, **options) for options in ({}, {"beam_size": 1}, {"temperature": 0.0}))
    for other in others:
        assert [found.text for found in first] == [found.text for found in other]


def test_a_sample_belongs_to_its_line_however_the_text_is_cut(reference):
    lines = ["one small fox", "", "a bird sees one", "fox"] * 5
    whole = reference.translate(lines, temperature=1.5, seed=3)
    parts = reference.translate(lines[:7], temperature=1.5, seed=3, batch_size=2)
    parts += reference.translate(lines[7:], temperature=1.5, seed=3, first_row=7)
    assert [found.tokens for found in whole] == [found.tokens for found in parts]
    assert len({found.tokens for found in whole if found.source == "fox"}) > 1
    other = reference.translate(lines, temperature=1.5, seed=4)
    assert [found.tokens for found in whole] != [found.tokens for found in other]


def test_a_search_config_is_overridden_key_by_key(copier, batches):
    search = SearchConfig(maximum_length=1, batch_size=1)
    batches(copier)
    found = copier.translate(["one small", "a fox"], search)
    assert [translation.text for translation in found] == ["one", "a"] and len(batches(copier)) == 2
    found = copier.translate(["one small", "a fox"], search, maximum_length=7)
    assert [translation.text for translation in found] == ["one small", "a fox"] and len(batches(copier)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 5}, "unknown key 'beam' in .search.; choose among: temperature, .*beam_size"),
        ({"beam_size": 0}, "beam_size = 0"),
        ({"beam_size": 2, "temperature": 1.0}, "beam_size 2 and temperature 1.0 exclude each other"),
        ({"n_best": 2}, "n_best 2 needs a beam_size"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"length_penalty": float("nan")}, "length_penalty"),
        ({"top_k": 3}, r"top_k 3 and top_p 1.0 say what sampling draws from, but temperature 0.0"),
        ({"top_p": 0.9}, r"top_k 0 and top_p 0.9 .*: set temperature above 0"),
        ({"temperature": 1.0, "top_p": 0.0}, "top_p = 0.0"),
        ({"temperature": 1.0, "top_k": -1}, "top_k = -1"),
        ({"coverage_penalty": 0.2}, "coverage_penalty 0.2 ranks the hypotheses of a beam, but beam_size 1"),
        ({"minimum_length": 5, "maximum_length": 5}, "minimum_length 5 needs a maximum_length, .* at least 6, got 5"),
        ({"no_repeat_ngram": -1}, "no_repeat_ngram = -1"),
        ({"forbid_unknown": 1}, "forbid_unknown = 1"),
        (
            {"prefix": "a purple"},
            r"the prefix 'a purple' holds 'purple', which is not in the target's vocabulary of 11",
        ),
        ({"prefix": ["a", "one"]}, "one for each line: got 2 for 1 lines"),
        ({"prefix": "a a", "no_repeat_ngram": 1}, "a prefix and no_repeat_ngram = 1 exclude each other"),
        ({"prefix": "a fox", "maximum_length": 2}, "maximum_length 2 has no room for .* a prefix of 2 .*: set .* to 3"),
        (
            {"minimum_length": 9, "no_repeat_ngram": 1},
            "after 8 tokens nothing is left to say: minimum_length 9 .* lower",
        ),
    ],
)
def test_impossible_searches_are_refused(copier, options, message):
    with pytest.raises(ConfigError, match=message):
        copier.translate(["fox"], **options)


@pytest.mark.parametrize("options", [{}, {"beam_size": 3}, {"temperature": 1e-6}])
def test_a_prefix_begins_every_translation_or_its_own(copier, options):
    lines = ["one small fox", "", "a bird"]
    found = copier.translate(lines, prefix=" red  bird", **options)
    assert [each.text for each in found] == ["red bird fox", "", "red bird"]
    found = copier.translate(lines, prefix=["one red", "fox", ""], **options)
    assert [each.text for each in found] == ["one red fox", "", "a bird"]
    assert found[0].tokens == ("one", "red", "fox", "<eos>")
    assert found[0].token_log_probabilities == (-0.125, -9.0, -0.125, -0.125), "the model's own"


def test_a_limit_that_nobody_set_has_room_for_a_prefix_and_the_minimum_length(copier):
    prefix = "red " * 30
    (found,) = copier.translate(["fox"], prefix=prefix)
    assert found.tokens[-1] == "<eos>" and found.text == prefix.strip()
    (found,) = copier.translate(["fox"], minimum_length=40)
    assert found.tokens[-1] == "<eos>" and len(found.tokens) == 41


def test_unk_is_not_said_where_it_is_forbidden(copier):
    (found,) = copier.translate(["a purple fox"], forbid_unknown=True)
    assert found.source_tokens[1] == "purple"
    assert found.tokens == ("a", "<eos>"), "of equally probable ones the lowest id, which is that of eos"


def test_coverage_needs_an_attention(tmp_path, make_run, train):
    run = make_run(tmp_path / "blind")
    config = run.config.model_copy(update={"model": run.config.model.model_copy(update={"attention": "none"})})
    blind = Run.create(config, tmp_path / "none")
    train(blind, "pytorch")
    with pytest.raises(ConfigError, match=r"coverage_penalty 0.5 needs an attention, but the model of .*none has none"):
        load(blind, "reference").translate([], beam_size=2, coverage_penalty=0.5)
    values = config.model_dump(mode="json") | {"search": {"beam_size": 2, "coverage_penalty": 0.5}}
    with pytest.raises(
        ConfigError, match=r"search.coverage_penalty 0.5 needs an attention, got model.attention 'none'"
    ):
        parse_config(values)


def test_alternatives_hold_what_a_translation_holds(reference):
    for found in reference.translate(["one small fox", "a bird"], beam_size=4, n_best=3):
        best, *others = found.alternatives
        assert (best.text, best.tokens, best.log_probability) == (found.text, found.tokens, found.log_probability)
        assert best.token_log_probabilities == found.token_log_probabilities and best.attention is found.attention
        assert len(others) == 2
        for each in (best, *others):
            assert each.log_probability == pytest.approx(sum(each.token_log_probabilities))
            assert each.attention.shape == (len(each.tokens), len(found.source_tokens))
            assert each.score == pytest.approx(each.log_probability / ((5 + len(each.tokens)) / 6) ** 0.6)
