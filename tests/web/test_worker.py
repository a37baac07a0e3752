"""What runs in a framework's process: one sentence at a time, within its time, as JSON."""

import io
import json

import numpy as np
import pytest

from diptych.config import SearchConfig
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator
from diptych.web import worker as worker_module
from diptych.web.worker import BoundedTranslator, TimeLimitError, answer, serve, to_json

GREEDY = SearchConfig()


def job(sentence="I feel hungry", row=0, seconds=20.0, **search):
    return {"sentence": sentence, "row": row, "search": GREEDY.model_dump() | search, "seconds": seconds}


@pytest.fixture(scope="module")
def translator(run):
    return BoundedTranslator(run, "reference")


@pytest.mark.parametrize("search", [{}, {"beam_size": 3, "n_best": 3}, {"temperature": 1.5, "seed": 3}])
def test_it_translates_as_the_command_line_does(run, translator, search):
    lines = ["I feel hungry", "", "qux 나는", "Please close the window"]
    expected = Translator(run, "reference").translate(lines, SearchConfig(**search))
    for row, line in enumerate(lines):
        found = answer(translator, job(line, row, **search))["translation"]
        assert found["text"] == expected[row].text
        assert found["tokens"] == list(expected[row].tokens)
        assert found["log_probability"] == pytest.approx(expected[row].log_probability, abs=1e-12)
        assert [each["text"] for each in found["alternatives"]] == [each.text for each in expected[row].alternatives]
        if line:
            np.testing.assert_allclose(found["attention"], expected[row].attention, atol=6e-7)


def test_the_score_is_what_the_search_ranks_by(translator, endless_run):
    endless = BoundedTranslator(endless_run, "reference")
    beam = answer(endless, job(beam_size=3, n_best=3, maximum_length=7))["translation"]
    assert beam["score"] == beam["alternatives"][0]["score"] > beam["log_probability"]
    greedy = answer(translator, job())["translation"]
    assert greedy["score"] == greedy["log_probability"]
    assert greedy["alternatives"] == []


def test_time_that_is_over_ends_a_translation_and_nothing_else(endless_run):
    translator = BoundedTranslator(endless_run, "reference")
    endless = SearchConfig(maximum_length=1_000_000)
    with pytest.raises(TimeLimitError):
        translator.translate_within("I feel hungry", 0, endless, 0.1)
    assert answer(translator, job(seconds=0.1, maximum_length=1_000_000))["error"]["kind"] == "TimeLimitError"
    assert len(translator.translate_within("I feel hungry", 0, SearchConfig(maximum_length=5), 20.0).tokens) == 5
    assert len(translator.translate(["I feel hungry"], maximum_length=5)[0].tokens) == 5


def test_attention_is_rounded_and_left_out_where_it_is_none_or_too_large(monkeypatch):
    def convert(attention):
        return to_json(Translation("a", "b", attention=np.array(attention, np.float32)), 1.23456789)

    found = convert([[1 / 3, 2 / 3]])
    assert found["attention"] == [[0.333333, 0.666667]]
    assert found["milliseconds"] == 1.235
    assert convert([[0.0, 0.0]])["attention"] is None
    assert convert(np.zeros((0, 0)))["attention"] is None
    monkeypatch.setattr(worker_module, "LARGEST_MAP", 3)
    assert convert(np.full((2, 2), 0.5))["attention"] is None
    assert convert(np.full((1, 3), 0.5))["attention"] is not None


def test_a_sentence_that_fails_is_an_answer(translator, monkeypatch):
    assert "ValidationError" in answer(translator, job(beam_size=0))["error"]["kind"]
    monkeypatch.setattr(translator, "translate", lambda *_, **__: 1 / 0)
    assert answer(translator, job())["error"]["message"] == "ZeroDivisionError: division by zero"


def lines_of(answers):
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_it_says_that_it_is_ready_and_then_answers_line_by_line(run):
    request = {"run": str(run.folder), "backend": "reference", "threads": None, "device": "auto"}
    questions = io.BytesIO(b"".join(json.dumps(job(text)).encode() + b"\n" for text in ("나", "I feel hungry")))
    answers = io.BytesIO()
    assert serve(request, questions, answers) == 0
    ready, *found = lines_of(answers)
    assert list(ready["ready"]["versions"]) == ["numpy"]
    assert len(found) == 2
    assert all("translation" in each for each in found)


def test_a_run_that_cannot_be_loaded_is_told(tmp_path):
    request = {"run": str(tmp_path / "none"), "backend": "reference", "threads": None, "device": "auto"}
    answers = io.BytesIO()
    assert serve(request, io.BytesIO(), answers) == 1
    [failed] = lines_of(answers)
    assert failed["failed"]["kind"] == "RunError"
    assert "no run at" in failed["failed"]["message"]
