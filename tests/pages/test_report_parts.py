"""The parts a page is made of: charts, words, code, glyphs, measures, rungs, and the differences that matter."""

import base64
import math
from html import unescape
from io import BytesIO
from itertools import pairwise

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from diptych.comparison.relevance import EVERY, REASONS, relevant
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.differences.catalogue import entries
from diptych.pages.report.charts import axis, path, thin
from diptych.pages.report.font import font_address
from diptych.pages.report.ladder import rungs
from diptych.pages.report.measures import quantities
from diptych.pages.report.sentences import map_data
from diptych.pages.report.words import Words, mark_words
from diptych.side_by_side.excerpts import PACKAGE, contents
from diptych.side_by_side.html import coloured, components

FINITE = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(FINITE, min_size=1, max_size=30), st.booleans())
def test_an_axis_has_a_place_for_every_number_in_order(values, logarithmic):
    found = axis(values, 400.0, 0.0, logarithmic)
    places = [found.place(value) for value in sorted(values)]
    assert all(0.0 <= place <= 400.0 for place in places)
    assert all(before >= after for before, after in pairwise(places))  # upwards
    ticks = found.ticks()
    assert 1 <= len(ticks) <= 12
    assert all(before.place >= after.place for before, after in pairwise(ticks))


def test_ticks_are_round_numbers():
    assert [tick.text for tick in axis([0.0, 1252.0], 0.0, 100.0).ticks(9)] == [
        "0", "200", "400", "600", "800", "1,000", "1,200",
    ]  # fmt: skip
    assert [tick.text for tick in axis([0.1, 0.3], 0.0, 100.0).ticks(5)] == ["0.10", "0.15", "0.20", "0.25", "0.30"]
    assert [tick.text for tick in axis([2e-3, 200.0], 0.0, 1.0, True).ticks()] == ["10⁻²", "0.1", "1", "10", "10²"]


def test_a_line_is_broken_where_a_number_is_missing():
    assert path([(0, 1.5), (1, 2), (2, math.nan), (3, 4)]) == "M0 1.5L1 2M3 4"


@given(st.lists(st.one_of(FINITE, st.just(math.nan)), max_size=500), st.integers(4, 60))
def test_thinning_keeps_the_extremes_and_the_order(values, most):
    kept = thin(values, most)
    assert all(values[i] == value or math.isnan(value) for i, value in kept)
    assert [i for i, _ in kept] == sorted({i for i, _ in kept})
    assert len(kept) <= max(most + 2, 3)
    real = [value for value in values if not math.isnan(value)]
    shown = [value for _, value in kept if not math.isnan(value)]
    if real:
        assert (min(shown), max(shown)) == (min(real), max(real))


def test_words_are_marked_where_the_other_or_the_reference_differs():
    found = mark_words("we eat green apples now", "we eat red apples now", "we ate green apples")
    assert found == [
        Words("we"),
        Words("eat", wrong=True),
        Words("green", differs=True),
        Words("apples"),
        Words("now", wrong=True),
    ]
    assert mark_words("", "a", "b") == []


WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=8).map(" ".join)


@given(WORDS, WORDS, WORDS)
def test_marking_loses_no_word(text, other, reference):
    assert " ".join(each.text for each in mark_words(text, other, reference)) == text
    assert not any(each.differs for each in mark_words(text, text, reference))
    assert not any(each.wrong for each in mark_words(text, other, text))


def test_coloured_code_is_the_same_code():
    for panel in ("tensorflow", "pytorch"):
        for file in (PACKAGE / panel).glob("*.py"):
            source = file.read_text(encoding="utf-8")
            lines = [unescape(line.striptags()) for line in coloured(source)]
            assert [" ".join(line.split()) for line in source.split("\n")] == lines
    assert str(coloured('x = "<b>"')[0]) == "x = <i class=s>&#34;&lt;b&gt;&#34;</i>"


def test_every_component_of_both_panels_is_there():
    found = components()
    for file, names in contents().items():
        if names:
            assert [part.name for part in found[f"{file}.py"]] == [name for name in names if "." not in name]
    rows = [row for parts in found.values() for part in parts for row in part.rows]
    assert any(same for *_, same in rows) and any(not same for *_, same in rows)
    assert all((left and right and left.text == right.text) or not same for left, right, same in rows)


def test_the_font_has_the_hangul_of_the_text_and_no_more():
    address = font_address("나는 hungry 나는")
    font = TTFont(BytesIO(base64.b64decode(address.partition(",")[2])))
    assert set(font.getBestCmap()) == set(map(ord, "나는"))
    assert len(address) < 4000
    assert font_address("Grüße") == ""


def test_measures_carry_their_spread_and_ceiling():
    values = {
        "training": {"target_tokens_per_second": 1000.0, "speeds": [900.0, 1100.0]},
        "decoding": {"sentences_per_second": 50.0},
        "memory": {"peak_rss_bytes": 250_000_000},
        "startup_seconds": 1.5,
        "compile_seconds": 0.25,
    }
    ceilings = {"training": {"pytorch": {"value": 4000.0, "what": "its products alone"}}}
    training, decoding, memory, startup, compiling = quantities({"backends": {"pytorch": values}, "ceilings": ceilings})
    (found,) = training.measures
    assert (found.value, found.low, found.high) == ("1,000", "900", "1,100")
    assert found.note == "25% of 4,000: its products alone"
    assert found.spread[0] < found.bar < found.spread[1] < found.ceiling <= 240
    assert decoding.measures[0].spread is decoding.measures[0].ceiling is None
    assert [each.measures[0].value for each in (memory, startup, compiling)] == ["250", "1.50", "0.25"]


def test_a_rung_is_between_the_frameworks_and_holds_if_the_reference_agrees():
    def level(other, gap, holds, note=""):
        return {
            "name": "logits", "precision": "float64", "between": [other, "pytorch"], "tensor": "logits",
            "max_abs_difference": gap, "limit": 1e-12, "ulps": 2.0, "holds": holds, "note": note,
        }  # fmt: skip

    (rung,) = rungs([level("tensorflow", 1e-16, True), level("reference", 3e-11, False, "far")])
    found = (rung.gap, rung.limit, rung.reference, rung.holds, rung.note)
    assert found == (
        "1.0e-16",
        "1.0e-12",
        "3.0e-11",
        False,
        "far",
    )
    assert 0 < rung.places[0] < rung.places[1]
    (tokens,) = rungs([level("tensorflow", 2.0, False) | {"name": "greedy tokens", "limit": 0.0}])
    assert (tokens.gap, tokens.limit, tokens.ulps, tokens.places) == ("2", "0", "", None)


def test_every_entry_of_the_catalogue_has_its_reason():
    assert set(REASONS) == {entry.name for entry in entries()}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (RunConfig(model=ModelConfig(cell="lstm")), {"two_biases", "forget_gate_bias", "bidirectional_states"}),
        (RunConfig(model=ModelConfig(cell="rnn", bidirectional=False)), {"two_biases"}),
        (RunConfig(), {"gate_order", "reset_after", "epsilon_placement", "dropout_place", "clipping_formula"}),
        (RunConfig(model=ModelConfig(attention="dot")), {"attention_scale", "mask_polarity"}),
        (RunConfig(training=TrainingConfig(precision="float64")), {"rounded_constants", "silent_casts"}),
        (RunConfig(training=TrainingConfig(optimizer="sgd", momentum=0.9)), {"momentum_and_learning_rate"}),
        (
            RunConfig(training=TrainingConfig(label_smoothing=0.1, weight_decay=0.01)),
            {"label_smoothing", "weight_decay"},
        ),
        (RunConfig(search=SearchConfig(temperature=0.7)), {"sampling"}),
    ],
)
def test_what_a_config_brings_into_play_matters(config, expected):
    found = {each.entry.name: each.reason for each in relevant(config)}
    assert expected <= set(found)
    assert all(found[name] != EVERY for name in expected)
    absent = {
        "sampling": config.search.temperature == 0.0,
        "two_biases": config.model.cell == "gru",
        "epsilon_placement": config.training.optimizer == "sgd",
        "bidirectional_states": not config.model.bidirectional,
        "tensor_float_32": True,
    }
    assert not [name for name, is_absent in absent.items() if is_absent and name in found]


def test_tf32_matters_on_a_gpu_only():
    assert "tensor_float_32" in {each.entry.name for each in relevant(RunConfig(), "cuda")}
    exact = RunConfig(training=TrainingConfig(precision="float64"), data=DataConfig())
    assert "tensor_float_32" not in {each.entry.name for each in relevant(exact, "cuda")}


def test_the_map_of_jamo_shows_letters_that_stand_alone():
    translation = {
        "source_tokens": [" a", "\u1112"],
        "tokens": {"tensorflow": ["\u1161", "<eos>"], "pytorch": ["\u11ab", "<eos>"]},
        "attention": {"tensorflow": [[0.5, 0.5]] * 2, "pytorch": [[0.5, 0.5]] * 2},
    }
    found = map_data(translation)
    assert found["source"] == [" a", "ㅎ"] and found["tokens"] == [["ㅏ", "<eos>"], ["ㄴ", "<eos>"]]
