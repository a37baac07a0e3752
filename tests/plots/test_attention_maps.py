"""Pictures: what they show, that Korean shows at all, and what they refuse."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import unicodedata
import warnings
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych import plots
from diptych.data.tokens.tokenizers import JamoTokenizer
from diptych.errors import UsageError
from diptych.plots import text

SOURCE = "I did not buy two red apples .".split()
TARGET = "나는 빨간 사과 두 개를 사지 않았습니다 .".split()


def weights(rows, columns, seed=0):
    """Random attention: (rows, columns), each row summing to 1."""
    return np.random.default_rng(seed).dirichlet(np.ones(columns), rows)


def size(path):
    """Width and height of a PNG in pixels."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def texts(labels):
    return [label.get_text() for label in labels]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_an_attention_map_has_the_source_along_the_top_and_the_hypothesis_down_the_side(tmp_path, figures, suffix):
    path = tmp_path / f"map{suffix}"
    attention = weights(len(TARGET) + 1, len(SOURCE))
    plots.attention_map(SOURCE, TARGET, attention, path, "나는 $배고프다$ <b>")
    panel = figures[0].axes[0]
    assert texts(panel.get_xticklabels()) == SOURCE
    assert texts(panel.get_yticklabels()) == [*TARGET, "<eos>"]
    assert panel.xaxis.get_ticks_position() == "top"
    assert panel.yaxis_inverted()
    np.testing.assert_array_equal(panel.collections[0].get_array(), attention)
    if suffix == ".svg":
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert b'href="http' not in path.read_bytes()  # nothing is fetched from anywhere
    else:
        assert min(size(path)) > 100


def test_without_an_end_there_is_no_eos_row(tmp_path, figures):
    plots.attention_map(SOURCE, TARGET, weights(len(TARGET), len(SOURCE)), tmp_path / "map.png")
    assert texts(figures[0].axes[0].get_yticklabels()) == TARGET


def test_two_backends_that_agree_share_their_labels_and_show_the_difference(tmp_path, figures):
    before = weights(len(TARGET) + 1, len(SOURCE))
    after = before.copy()
    after[2, 3] += 3e-7
    plots.attention_maps(SOURCE, {"tensorflow": (TARGET, before), "pytorch": (TARGET, after)}, tmp_path / "maps.png")
    first, second, _, difference, _ = figures[0].axes
    assert [panel.get_xlabel() for panel in (first, second)] == ["TensorFlow", "PyTorch"]
    assert texts(second.get_yticklabels()) == []
    assert "PyTorch \N{MINUS SIGN} TensorFlow" in difference.get_xlabel()
    assert "3.0e-07" in difference.get_xlabel()
    np.testing.assert_array_equal(difference.collections[0].get_array(), after - before)
    low, high = difference.collections[0].get_clim()
    assert low == -high  # white is no difference
    assert first.get_position().x1 < second.get_position().x0 < difference.get_position().x0


def test_two_backends_that_say_different_things_have_no_difference_panel(tmp_path, figures):
    said = {"tensorflow": (TARGET, weights(9, 8)), "pytorch": (TARGET[:3], weights(4, 8))}
    plots.attention_maps(SOURCE, said, tmp_path / "maps.png")
    first, second, _ = figures[0].axes
    assert texts(second.get_yticklabels()) == [*TARGET[:3], "<eos>"]
    assert first.get_position().x1 < second.get_position().x0


def test_maps_too_wide_to_stand_side_by_side_stand_one_below_the_other(tmp_path, figures):
    source, said = ["source"] * 30, ["said"] * 29
    maps = {"tensorflow": (said, weights(30, 30)), "pytorch": (said, weights(30, 30, seed=1))}
    plots.attention_maps(source, maps, tmp_path / "maps.png")
    first, scale, second, difference, _ = figures[0].axes
    for upper, lower in ((first, second), (second, difference)):
        assert upper.get_position().x0 == pytest.approx(lower.get_position().x0)
        assert upper.get_position().y0 > lower.get_position().y1
        assert len(lower.get_yticklabels()) == 30
        assert len(lower.get_xticklabels()) == 30
    assert scale.get_position().x0 > first.get_position().x1
    assert size(tmp_path / "maps.png")[0] < 2500


def test_the_bytes_of_a_picture_are_a_png_of_the_same_map():
    data = plots.attention_png(SOURCE, {"": (TARGET, weights(9, 8))}, "title")
    assert data.startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="no attention"):
        plots.attention_png(SOURCE, {"": (TARGET, np.zeros((9, 8)))})


def test_equal_maps_say_so(tmp_path, figures):
    attention = weights(9, 8)
    plots.attention_maps(SOURCE, {"a": (TARGET, attention), "b": (TARGET, attention)}, tmp_path / "maps.png")
    assert "no difference" in figures[0].axes[3].get_xlabel()


def test_numbers_that_are_not_finite_are_left_blank(tmp_path, figures):
    broken = np.full((9, 8), np.nan)
    said = {"tensorflow": (TARGET, weights(9, 8)), "pytorch": (TARGET, broken)}
    plots.attention_maps(SOURCE, said, tmp_path / "maps.png")
    assert "largest nan" in figures[0].axes[3].get_xlabel()


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 40), (40, 1), (45, 40), (210, 100)])
def test_labels_stay_legible_and_apart_whatever_the_length(tmp_path, figures, rows, columns):
    path = tmp_path / "map.png"
    plots.attention_map(["Überraschung"] * columns, ["배고프다"] * (rows - 1), weights(rows, columns), path)
    panel = figures[0].axes[0]
    renderer = figures[0].canvas.get_renderer()
    sides = [label.get_window_extent(renderer) for label in panel.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(sides))
    assert panel.get_yticklabels()[0].get_fontsize() >= 6
    assert max(size(path)) < 7000


@pytest.mark.parametrize(
    "words",
    [
        "나는 배가 고픕니다",
        "뷁 쀍 ㅋㅋ",
        "Größe, Überraschung, ÄÖÜ ẞ „so“ – …",
        "don't, £5 and 100 %",
        "₩1,000 가〜나、다。",
    ],
)
def test_korean_german_and_english_have_glyphs(tmp_path, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.attention_map(list(words), [words], weights(2, len(words)), tmp_path / "map.png", words)
    assert text.printable(words) == words


def test_every_hangul_syllable_has_a_glyph():
    syllables = "".join(map(chr, range(0xAC00, 0xD7A4)))
    assert text.printable(syllables) == syllables


def test_hangul_comes_from_the_font_that_is_shipped(tmp_path, figures):
    plots.attention_map(["a"], ["가"], [[1.0]], tmp_path / "map.png")
    label = figures[0].axes[0].get_yticklabels()[0]
    assert label.get_fontfamily() == ["DejaVu Sans", "Diptych Hangul"]
    assert text.fonts()[1].fname == str(text.HANGUL_FONT)


def test_a_missing_glyph_is_shown_as_such_with_a_warning(tmp_path, figures):
    with pytest.warns(UserWarning, match=r"no glyph for U\+4E2D, U\+6587"):
        plots.attention_map(["中a文"], ["x"], [[1.0]], tmp_path / "map.png")
    assert texts(figures[0].axes[0].get_xticklabels()) == ["\ufffda\ufffd"]


def test_a_missing_glyph_is_an_error_in_tests(tmp_path):
    with pytest.raises(UserWarning, match="no glyph"):
        plots.attention_map(["中"], ["x"], [[1.0]], tmp_path / "map.png")


def test_dollar_signs_are_text_not_mathematics(tmp_path, figures):
    plots.attention_map(["$x^2$"], ["$5"], weights(2, 1), tmp_path / "map.png", "$a_1$")
    panel = figures[0].axes[0]
    labels = [*panel.get_xticklabels(), *panel.get_yticklabels(), *figures[0].texts]
    assert texts(labels) == ["$x^2$", "$5", "<eos>", "$a_1$"]
    assert not any(label.get_parse_math() for label in labels)


def test_every_conjoining_letter_of_modern_hangul_has_a_glyph_by_itself():
    """The tokens of the jamo tokenizer; a font has pictures of the letters that stand alone."""
    tokens = JamoTokenizer(normalization="NFC").tokenize("".join(map(chr, range(ord("가"), ord("힣") + 1))))
    assert len(set(tokens)) == 19 + 21 + 27
    letters = {token: text.label(token) for token in tokens}
    assert all("ㄱ" <= letter <= "ㅣ" for letter in letters.values())
    assert [letters[token] for token in "\u1100\u1175\u11a8\u11aa\u11c2"] == list("ㄱㅣㄱㄳㅎ")


def test_the_served_page_shows_the_same_letters():
    script = (Path(text.__file__).parents[1] / "pages" / "svg.js").read_text(encoding="utf-8")
    table = {int(first, 16): letters for first, letters in re.findall(r'\[0x(\w+), "(\w+)"\]', script)}
    assert [len(letters) for letters in table.values()] == [19, 21, 27]
    for first, letters in table.items():
        assert text.stand_alone("".join(chr(first + place) for place in range(len(letters)))) == letters


def test_hangul_spelt_in_single_letters_becomes_syllables():
    assert text.printable(unicodedata.normalize("NFD", "배고프다")) == "배고프다"


@settings(max_examples=25)
@given(tokens=st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4))
def test_no_token_stops_a_picture(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("any") / "map.svg"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        plots.attention_map(tokens, tokens, weights(len(tokens), len(tokens)), path, " ".join(tokens))
    ElementTree.parse(path)


@pytest.mark.parametrize(
    ("token", "label"),
    [(" ", "␣"), ("￭.", "▪."), ("a\u2028\tb", "a␣␣b"), ("$x^2$", "$x^2$"), ("x" * 30, "x" * 23 + "…")],
)
def test_labels_show_white_space_and_are_short(token, label):
    assert text.label(token) == label


@pytest.mark.parametrize(("shape", "tokens"), [((3, 2), 1), ((1, 2), 2), ((2, 3), 2), ((2,), 2)])
def test_attention_must_fit_the_tokens(tmp_path, shape, tokens):
    with pytest.raises(ValueError, match="one row per token"):
        plots.attention_map(["a", "b"], ["x"] * tokens, np.ones(shape), tmp_path / "map.png")


@pytest.mark.parametrize(("source", "said", "shape"), [(["a"], ["x"], (1, 1)), ([], [], (0, 0)), ([], [], (1, 0))])
def test_there_must_be_attention_to_draw(tmp_path, source, said, shape):
    with pytest.raises(UsageError, match="no attention to draw"):
        plots.attention_map(source, said, np.zeros(shape), tmp_path / "map.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["map.pdf", "map", "map.png.txt", ".png"])
def test_only_png_and_svg(tmp_path, name):
    for draw in (
        lambda path: plots.attention_map(["a"], ["x"], [[1.0]], path),
        lambda path: plots.loss_curves({"pytorch": [1.0]}, path),
        lambda path: plots.length_and_quality([(1, 2)], [3], {}, path),
        lambda path: plots.speed_bars({"a": {"pytorch": [1.0]}}, path),
        plots.picture_path,
    ):
        with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
            draw(tmp_path / name)


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        plots.picture_path(tmp_path / "nowhere" / "map.png")


def test_a_path_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "map.png").mkdir()
    with pytest.raises(UsageError, match="cannot write the picture"):
        plots.attention_map(["a"], ["x"], [[1.0]], tmp_path / "map.png")


def test_equal_arguments_give_equal_pictures(tmp_path):
    for name in ("a.png", "b.png"):
        plots.attention_map(SOURCE, TARGET, weights(9, 8), tmp_path / name, "same")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_threads_may_draw_at_the_same_time(tmp_path):
    def draw(number):
        path = tmp_path / f"{number}.png"
        plots.attention_map(SOURCE, TARGET, weights(9, 8), path)
        return path.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, range(8)))) == 1


def test_pyplot_is_never_imported(tmp_path):
    program = (
        "import sys; from diptych import plots; plots.attention_map(['a'], ['x'], [[1.0]], sys.argv[1]); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "map.png")], check=True, timeout=120)


def test_a_difference_that_is_given_is_the_one_that_is_drawn(tmp_path, figures):
    """Rounded maps may be equal where the attention was not."""
    attention, gaps = weights(9, 8), np.zeros((9, 8))
    gaps[2, 3] = -7.2e-7
    both = {"a": (TARGET, attention), "b": (TARGET, attention)}
    plots.attention_maps(SOURCE, both, tmp_path / "maps.png", difference=gaps)
    assert "largest 7.2e-07" in figures[0].axes[3].get_xlabel()
