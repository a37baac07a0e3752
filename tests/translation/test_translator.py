"""Text in, text out: order, unknown words, empty lines and line breaks, whatever model there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import panel as panels
from diptych.translation.translation import Alternative, Translation
from diptych.translation.translator import load

WORDS = "a bird sees one small red fox".split()


def test_a_translation_holds_all_there_is_to_know(copier, batches):
    (found,) = copier.translate(["  one small\tfox "])
    assert found.source == "  one small\tfox "
    assert found.text == "one small fox"
    assert found.source_tokens == ("one", "small", "fox")
    assert found.tokens == ("one", "small", "fox", "<eos>")
    assert found.token_log_probabilities == (-0.125,) * 4
    assert found.log_probability == -0.5
    assert np.array_equal(found.attention, np.eye(4, 3) + np.eye(4, 3, k=-1) * [0, 0, 1])
    assert found.alternatives == ()


@given(
    st.lists(st.lists(st.sampled_from([*WORDS, ""]), max_size=9).map(" ".join), max_size=12),
    st.integers(1, 5),
    st.sampled_from([{}, {"beam_size": 3}, {"temperature": 1e-6}]),
)
def test_lines_come_back_in_order_whatever_the_batches(copier, batches, lines, batch_size, options):
    batches(copier)
    found = copier.translate(lines, batch_size=batch_size, **options)
    assert [translation.source for translation in found] == lines
    assert [translation.text for translation in found] == [" ".join(line.split()) for line in lines]
    lengths = [len(line.split()) for line in lines if line.strip()]
    seen = batches(copier)
    assert [length for batch in seen for length in batch] == sorted(lengths, reverse=True)
    assert all(len(batch) == batch_size for batch in seen[:-1])


def test_an_unknown_word_is_read_and_said_as_unk(copier):
    (found,) = copier.translate(["a purple fox"])
    assert found.source_tokens == ("a", "purple", "fox")
    assert found.text == "a <unk> fox"


@pytest.mark.parametrize("line", ["", " ", "\t \r", "\u2028", "\u3000\n\x0b"])
def test_an_empty_line_gives_an_empty_translation_and_no_search(copier, line, batches):
    batches(copier)
    (found,) = copier.translate([line])
    assert (found.source, found.text, found.tokens, found.source_tokens) == (line, "", (), ())
    assert found.attention.shape == (0, 0) and found.log_probability == 0.0
    assert batches(copier) == []


def test_line_breaks_within_a_line_part_words(copier):
    texts = [found.text for found in copier.translate(["one\u2028small", "one\rsmall", "one\x85small\x0cfox"])]
    assert texts == ["one small", "one small", "one small fox"]


def test_no_text_ever_holds_a_line_break(tmp_path, monkeypatch, make_run, train, copy_panel):
    breaks = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    run = make_run(tmp_path / "characters", "character", [f"x{breaks}y"])
    train(run, "pytorch")
    monkeypatch.setattr(panels, "load", lambda *arguments: copy_panel)
    translator = load(run)
    line = "x" + "y".join(breaks)
    for options in ({}, {"beam_size": 2, "n_best": 2}):
        (found,) = translator.translate([line], **options)
        assert found.text == "x" + "y".join(" " * len(breaks))
        assert found.tokens == (*line, "<eos>"), "the tokens are told as they are"
        for text in [found.text, *(each.text for each in found.alternatives)]:
            assert len(f"{text}.".splitlines()) == 1
    (found,) = translator.translate([breaks])
    assert found.tokens == (), "whitespace alone is an empty line, though these are tokens here"


def test_one_string_is_no_list_of_lines(copier):
    with pytest.raises(TypeError, match="got the string 'one small fox': put it in a list"):
        copier.translate("one small fox")


def test_a_translation_shows_itself_in_a_notebook():
    hostile = "<img src=x onerror=alert(1)>"
    attention = np.eye(2, dtype=np.float32)
    found = Translation(
        source=hostile,
        text="b c",
        source_tokens=(hostile, "b"),
        tokens=("b", "c"),
        log_probability=-1.5,
        token_log_probabilities=(-1.0, -0.5),
        attention=attention,
        alternatives=(Alternative(text="b c", score=-0.75),),
    )
    page = found._repr_html_()
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    for part in ("b c", "-1.5", "-0.75", 'src="data:image/png;base64,'):
        assert part in page, part
    plain = Translation(source="a", text="b", source_tokens=("a",), tokens=("b",), attention=np.zeros((1, 1)))
    assert "<img" not in plain._repr_html_()
