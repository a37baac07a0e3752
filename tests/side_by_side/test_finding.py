"""Words of the field lead to code that is there, to equations that are numbered, and to keys of a config."""

import json
import re
from pathlib import Path

import pytest

from diptych.cli import main
from diptych.config.keys import keys
from diptych.errors import UsageError
from diptych.side_by_side.equations import PLACES, equations
from diptych.side_by_side.excerpts import PACKAGE, SideBySide
from diptych.side_by_side.finding import find_code, find_term, parts
from diptych.side_by_side.terms import TERMS

DOCUMENT = Path(__file__).parents[2] / "docs" / "equations.md"


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_each_term_leads_somewhere(term):
    found = list(parts(term))
    assert found, term.name
    for part in found:
        assert all(excerpt.lines for excerpt in part.code.excerpts), (term.name, part.title, part.code.name)
    assert set(term.equations) <= equations().keys()
    assert set(term.keys) <= keys().keys()
    if term.stock:
        assert [each.panel for each in found[-1].code.excerpts] == ["tensorflow", "pytorch"]


def test_no_word_means_two_things():
    words = [word.lower() for term in TERMS for word in (term.name, *term.also)]
    assert sorted(words) == sorted(set(words))


def test_every_stock_program_belongs_to_a_term():
    folders = {
        path.name for path in (PACKAGE / "side_by_side" / "stock").iterdir() if (path / "in_pytorch.py").is_file()
    }
    assert folders == {term.stock for term in TERMS if term.stock}


def test_every_equation_is_found_whole():
    text = DOCUMENT.read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^\*\*\((\d+)\)", text, re.M)]
    assert list(equations()) == numbers and DOCUMENT in PLACES
    assert "h′ = (1 - z) · n + z · h" in equations()[1] and "LSTM" not in equations()[1]
    assert "velocity.NAME" in equations()[18] and "##" not in "".join(equations().values())


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("GRU", "GRU"), ("gru", "GRU"), ("lstm", "LSTM"), ("attention", "attention"), ("translate", "translate"),
        ("sample", "sample"), ("beam", "beam"), ("Beam Search", "beam"), ("beam_search", "beam"), ("loss", "loss"),
        ("Adam", "Adam"), ("AdamW", "Adam"), ("teacher forcing", "teacher forcing"), ("dropout", "dropout"),
        ("teacher-forcing", "teacher forcing"), ("encoder", "encoder"), ("decoder", "decoder"),
        ("checkpoint", "checkpoint"), ("cross entropy", "loss"), ("top-k", "sample"), ("Bahdanau", "attention"),
    ],
)  # fmt: skip
def test_people_s_words_find_their_term(word, name):
    assert find_term(word).name == name
    assert find_code(word) == find_term(word)


@pytest.mark.parametrize(
    "name", ["Decoder", "Attention", "loss.py", "Decoder.step", "select_positions", "RecurrentLayer"]
)
def test_names_of_the_code_stay_what_they_are(name):
    assert isinstance(find_code(name), SideBySide)


@pytest.mark.parametrize(
    ("word", "near"), [("teacher forcin", "'teacher forcing'"), ("drpout", "dropout"), ("beems", "'beam'")]
)
def test_an_unknown_word_says_what_is_near(word, near):
    with pytest.raises(UsageError, match=f"did you mean .*{near}"):
        find_code(word)


def test_the_command_lists_the_terms_and_shows_one(capsys):
    assert main(["code"]) == 0
    listed = capsys.readouterr().out
    assert all(term.name in listed for term in TERMS) and "`diptych code --list`" in listed
    assert main(["code", "teacher", "forcing"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(
        "teacher forcing (scheduled sampling, exposure bias)\nin a config: training.teacher_forcing,"
    )
    assert "(22) Scheduled sampling" in shown and "diptych/training/scheduled_sampling.py:" in shown
    assert main(["code", "gru"]) == 0
    shown = capsys.readouterr().out
    assert "keras.layers.GRU(" in shown and "torch.nn.GRU(" in shown and "(1) GRU" in shown


def test_a_term_as_json(capsys):
    assert main(["code", "LSTM", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["term"] == "LSTM" and told["equations"][0].startswith("(2) LSTM")
    assert told["parts"][-1]["panels"] == ["tensorflow", "pytorch"] and len(told["parts"]) == 3
