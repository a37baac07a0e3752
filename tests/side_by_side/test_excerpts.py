"""`diptych code`: what stands side by side is the live source, all of it, in order, equal lines facing each other."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from diptych.cli import main
from diptych.errors import UsageError
from diptych.side_by_side import excerpts as source
from diptych.side_by_side import table as source_table
from diptych.side_by_side.excerpts import align, contents, side_by_side
from diptych.side_by_side.table import fold

PACKAGE = Path(source.__file__).parents[1]
EVERY = [name for file, names in contents().items() for name in [f"{file}.py", *(f"{file}.{each}" for each in names)]]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("with_reference", [False, True])
def test_each_column_is_its_panel_s_source_line_by_line(name, with_reference):
    found = side_by_side(name, with_reference)
    assert [excerpt.panel for excerpt in found.excerpts] == ["tensorflow", "pytorch", "reference"][: 2 + with_reference]
    for column, excerpt in enumerate(found.excerpts):
        assert tuple(row[column] for row in found.rows if row[column]) == excerpt.lines
        if not excerpt.lines:
            continue
        texts = excerpt.path.read_text(encoding="utf-8").split("\n")
        numbers = [line.number for line in excerpt.lines]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        whole = [texts[number - 1] for number in numbers]
        indents = {text.removesuffix(line.text) for text, line in zip(whole, excerpt.lines, strict=True) if text}
        assert len(indents) == 1 and not indents.pop().strip()
        ast.parse("\n".join(line.text for line in excerpt.lines))  # whole, and readable by itself
    assert all(any(row) for row in found.rows)


def test_a_method_is_found_under_each_panel_s_name_for_it():
    names = ("Decoder.forward", "Decoder.call", "Decoder.__call__", "decoder.Decoder.call")
    assert len({side_by_side(name, True) for name in names}) == 1
    found = side_by_side("Decoder.call", True)
    first = [next(line.text for line in excerpt.lines) for excerpt in found.excerpts]
    assert first == ["def call(", "def forward(", "def __call__("]
    assert [line.text if line else None for line in found.rows[0]] == first


def test_decorators_and_comments_above_belong_to_what_they_are_above(tmp_path):
    found = side_by_side("TrainingStep.steps")
    assert found.pairs()[0] == ("@property", "@property")
    texts = ["import this", "# what follows", "# is a", "@cache", "def f():", "    # inside", "    pass", "# after"]
    path = tmp_path / "file.py"
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    assert [texts[number - 1] for number in source._definitions(path)["f"]] == texts[1:7]


def test_what_only_one_panel_has_faces_nothing():
    found = side_by_side("reorder_gates")
    assert found.excerpts[0].lines and not found.excerpts[1].lines
    assert all(right == "" for _, right in found.pairs())
    assert [row[2] for row in side_by_side("TrainingStep", True).rows if row[2]] == []


def test_the_pairs_are_equal_where_the_source_is():
    pairs = side_by_side("DecoderState").pairs()
    assert pairs and all(left == right for left, right in pairs)
    for name in EVERY:
        left, right = ([line.text for line in excerpt.lines] for excerpt in side_by_side(name).excerpts)
        if left == right:
            assert [pair[0] for pair in side_by_side(name).pairs()] == left


WORDS = {"tf.concat": "torch.cat", "axis=-1": "dim=-1", "tf.tanh": "torch.tanh"}


def test_a_line_in_one_framework_s_words_faces_the_same_line_in_the_other_s():
    pairs, translated = side_by_side("Decoder.step").pairs(), 0
    for left, right in pairs:
        said = left
        for word, other in WORDS.items():
            said = said.replace(word, other)
        if said != left and [line for _, line in pairs].count(said) == 1:
            assert right == said
            translated += 1
    assert translated > 1


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a b c", "a b c", "aa bb cc"),
        ("a c", "a b c", "aa -b cc"),
        ("a b c", "a c", "aa b- cc"),
        ("", "a", "-a"),
        ("a x1 b", "a x2 b", "aa x1x2 bb"),
    ],
)
def test_equal_lines_face_each_other_changed_ones_are_paired_and_gaps_filled(left, right, expected):
    left, right = left.split(), right.split()
    shown = [("-" if i is None else left[i]) + ("-" if j is None else right[j]) for i, j in align(left, right)]
    assert shown == expected.split()


def test_changed_lines_face_the_ones_most_like_them():
    left = ["x = tf.concat(parts)", "y = tf.reverse(x)", ""]
    right = ["z = 1", "x = torch.cat(parts)", "y = torch.flip(x)"]
    assert align(left, right) == [(None, 0), (0, 1), (1, 2), (2, None)]
    assert align(["    def call(self, x):"], ["    def forward(self, x):"]) == [(0, 0)]
    assert align([""], ["x"]) in ([(0, None), (None, 0)], [(None, 0), (0, None)])


texts = st.sampled_from(["", "a", "a = b", "  a = b", "call(x)", "forward(x)", "c", "b = c(a)", ")"])
lines = st.lists(texts, max_size=12)


@given(left=lines, right=lines)
def test_every_line_is_shown_once_and_in_order(left, right):
    rows = align(left, right)
    assert [i for i, _ in rows if i is not None] == list(range(len(left)))
    assert [j for _, j in rows if j is not None] == list(range(len(right)))
    assert all(row != (None, None) for row in rows)
    if left == right:
        assert all(i == j for i, j in rows)


def test_the_list_names_every_class_and_function_by_file():
    listed = contents()
    for panel in ("tensorflow", "pytorch"):
        for path in (PACKAGE / panel).glob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    assert panel in listed[path.stem][node.name]
    assert listed["weights"]["reorder_gates"] == ("tensorflow",)
    assert listed["decoder"]["Decoder.step"] == ("tensorflow", "pytorch")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Decodr", "did you mean Decoder,"),
        ("step", "did you mean "),
        ("STEP", "Decoder.step"),
        ("cross_entrpy", "did you mean cross_entropy"),
        ("recurent", "did you mean recurrent"),
        ("zzzzzz", "give a name such as Decoder"),
        ("", "give a name such as Decoder"),
        ("../config", "diptych code --list"),
    ],
)
def test_an_unknown_name_says_what_is_close(name, advice):
    with pytest.raises(UsageError) as raised:
        side_by_side(name)
    assert advice in str(raised.value)
    assert repr(name) in str(raised.value)
    assert "diptych code --list" in str(raised.value)


def test_a_name_in_two_files_asks_which(monkeypatch):
    monkeypatch.setattr(source, "contents", lambda panels=(): {"one": {"f": ("pytorch",)}, "two": {"f": ("pytorch",)}})
    with pytest.raises(UsageError, match="one.f, two.f"):
        side_by_side("f")


def test_the_command_shows_both_sides_and_marks_what_differs(capsys):
    assert main(["code", "Decoder.first_state"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "diptych/tensorflow/decoder.py:" in shown[0] and "diptych/pytorch/decoder.py:" in shown[0]
    assert "\x1b" not in "".join(shown)
    same = next(line for line in shown if "size = " in line)
    assert same.count("size = self.config.feature_size if self.config.input_feeding else 0") == 2 and "|" not in same
    changed = next(line for line in shown if "tf.zeros" in line)
    assert " | " in changed and "new_zeros" in changed
    assert main(["code", "reorder_gates"]) == 0
    shown = capsys.readouterr().out
    assert "diptych/pytorch/weights.py: not there" in shown
    assert " <" in shown and " |" not in shown.replace("| ", "")


def test_the_command_shows_the_reference_on_request(capsys):
    assert main(["code", "cross_entropy", "--reference"]) == 0
    shown = capsys.readouterr().out
    assert all(f"diptych/{panel}/loss.py" in shown for panel in ("tensorflow", "pytorch", "reference"))


def test_the_command_gives_the_rows_as_json(capsys):
    assert main(["code", "Decoder.step", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["panels"] == ["tensorflow", "pytorch"] and told["file"] == "decoder.py"
    assert [tuple(text or "" for text in row) for row in told["rows"]] == side_by_side("Decoder.step").pairs()


def test_the_command_lists_and_refuses(capsys):
    assert main(["code", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert "decoder.py" in listed and "  Decoder.step" in listed
    assert "  reorder_gates  (tensorflow only)" in listed
    assert main(["code", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["code"]["loss"]["cross_entropy"] == ["tensorflow", "pytorch"]
    assert main(["code", "Decodr"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal of so many columns shows."""

    def show(width, color=True):
        def console(**options):
            options["color_system"] = options["color_system"] and "standard"
            made.append(Console(**options, width=width, force_terminal=True, file=open_file))
            return made[-1]

        made, open_file = [], io.StringIO()
        monkeypatch.setattr(source_table, "Console", console)
        source_table.print_side_by_side(side_by_side("Attention.forward"), color)
        return open_file.getvalue()

    return show


@pytest.mark.parametrize("width", [60, 100, 101, 180, 400])
def test_on_a_terminal_every_line_fits_and_none_is_lost(terminal, width):
    shown = terminal(width, color=False).splitlines()
    assert max(map(len, shown)) <= width
    together = "".join("".join(shown).split())
    numbers = [line.number for line in side_by_side("Attention.forward").excerpts[0].lines]
    assert all(any(line.startswith(f"{number:2}") for line in shown) for number in numbers)
    assert "memory_mask" in together


def test_colours_can_be_had_or_not(terminal):
    assert "\x1b[" in terminal(120)
    assert "\x1b[" not in terminal(120, color=False)
    plain = Text.from_ansi(terminal(120)).plain
    assert [line.rstrip() for line in plain.splitlines()] == terminal(120, color=False).splitlines()


words = st.lists(st.text("ab(", max_size=20), max_size=6)


@given(text=words.map(" ".join).map(str.rstrip), width=st.integers(8, 40))
def test_folding_loses_nothing_but_spaces(text, width):
    pieces = [piece.plain for piece in fold(Text(text), width)]
    assert max(map(len, pieces)) <= width
    assert "".join("".join(pieces).split()) == "".join(text.split())
    if len(text) <= width:
        assert pieces == [text]


def test_nothing_of_this_imports_a_framework():
    program = "import sys; from diptych.cli import main; main(['code', 'Model', '--reference']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert not {"torch", "tensorflow", "keras"} & set(done.stdout.splitlines()[-1].split())
