"""What runs in a framework's process: one sentence at a time, within its time, as JSON."""

import numpy as np
import pytest

from diptych.config import SearchConfig
from diptych.translation.translation import Translation
from diptych.translation.translator import load
from diptych.web import bounded
from diptych.web.bounded import Sentences, TimeLimitError, to_json

GREEDY = SearchConfig()


def job(sentence="I feel hungry", row=0, seconds=20.0, **search):
    return {"sentence": sentence, "row": row, "search": GREEDY.model_dump() | search, "seconds": seconds}


@pytest.fixture(scope="module")
def sentences(run):
    return Sentences(str(run.folder), "reference", threads=None, device="auto")


@pytest.mark.parametrize("search", [{}, {"beam_size": 3, "n_best": 3}, {"temperature": 1.5, "seed": 3}])
def test_it_translates_as_the_command_line_does(run, sentences, search):
    lines = ["I feel hungry", "", "qux 나는", "Please close the window"]
    expected = load(run, "reference").translate(lines, SearchConfig(**search))
    for row, line in enumerate(lines):
        found = sentences.translate(**job(line, row, **search))
        assert found["text"] == expected[row].text
        assert found["tokens"] == list(expected[row].tokens)
        assert found["log_probability"] == pytest.approx(expected[row].log_probability, abs=1e-12)
        assert [each["text"] for each in found["alternatives"]] == [each.text for each in expected[row].alternatives]
        if line:
            np.testing.assert_allclose(found["attention"], expected[row].attention, atol=6e-7)


def test_the_score_is_what_the_search_ranks_by(sentences, endless_run):
    endless = Sentences(str(endless_run.folder), "reference", threads=None, device="auto")
    beam = endless.translate(**job(beam_size=3, n_best=3, maximum_length=7))
    assert beam["score"] == beam["alternatives"][0]["score"] > beam["log_probability"]
    greedy = sentences.translate(**job())
    assert greedy["score"] == greedy["log_probability"]
    assert greedy["alternatives"] == []


def test_time_that_is_over_ends_a_translation_and_nothing_else(endless_run):
    sentences = Sentences(str(endless_run.folder), "reference", threads=None, device="auto")
    translator = sentences.translator
    endless = SearchConfig(maximum_length=100_000)
    with pytest.raises(TimeLimitError):
        translator.translate_within("I feel hungry", 0, endless, 0.1)
    assert sentences.translate(**job(seconds=0.1, maximum_length=100_000)) == {}
    assert len(translator.translate_within("I feel hungry", 0, SearchConfig(maximum_length=5), 20.0).tokens) == 5
    assert len(translator.translate(["I feel hungry"], maximum_length=5)[0].tokens) == 5


def test_attention_is_rounded_and_left_out_where_it_is_none_or_too_large(monkeypatch):
    def convert(attention):
        return to_json(Translation(source="a", text="b", attention=np.array(attention, np.float32)), 1.23456789)

    found = convert([[1 / 3, 2 / 3]])
    assert found["attention"] == [[0.333333, 0.666667]]
    assert found["milliseconds"] == 1.235
    assert convert([[0.0, 0.0]])["attention"] is None
    assert convert(np.zeros((0, 0)))["attention"] is None
    monkeypatch.setattr(bounded, "LARGEST_MAP", 3)
    assert convert(np.full((2, 2), 0.5))["attention"] is None
    assert convert(np.full((1, 3), 0.5))["attention"] is not None


def test_a_process_tells_of_what_it_holds(sentences):
    facts = sentences.facts()
    assert list(facts.pop("versions")) == ["numpy"]
    assert facts == {"precision": "float64", "trained_in": "pytorch"}
