"""The entries themselves: complete, stock code only, short, and runnable in any order."""

import ast
import sys

import pytest

from diptych.differences.catalogue import entries
from diptych.differences.entry import read_entry
from diptych.errors import ConfigError
from diptych.panel import BACKENDS

PROGRAMS = [(entry, framework) for entry in entries() for framework in BACKENDS]
ALLOWED = {"tensorflow": {"tensorflow", "keras", "numpy"}, "pytorch": {"torch", "numpy"}}
# What would change the result of a program that runs later in the same process.
LASTING = {"set_floatx", "set_default_dtype", "set_default_device", "use_deterministic_algorithms", "set_dtype_policy"}

by_name = pytest.mark.parametrize(
    ("entry", "framework"), PROGRAMS, ids=[f"{entry.name}-{framework}" for entry, framework in PROGRAMS]
)

COMPLETE = """
title = "t"
topic = "weights"
what = "w"
why = "y"
bridge = "b"
compare = "largest ratio"
unit = "u"
"""


def test_there_are_many_entries():
    names = [entry.name for entry in entries()]
    assert len(names) == len(set(names)) >= 22


@by_name
def test_programs_are_short_and_of_stock_code(entry, framework):
    source = entry.program(framework).read_text(encoding="utf-8")
    tree = ast.parse(source)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    assert imported - sys.stdlib_module_names <= ALLOWED[framework]
    assert len(source.splitlines()) <= 60
    assert ast.get_docstring(tree), "a program starts by saying what it shows"


@by_name
def test_programs_leave_no_settings_behind(entry, framework):
    names = {
        node.attr
        for node in ast.walk(ast.parse(entry.program(framework).read_text(encoding="utf-8")))
        if hasattr(node, "attr")
    }
    assert not names & LASTING


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_tensorflow_programs_choose_the_keras_backend_before_keras_is_imported(entry):
    source = entry.program("tensorflow").read_text(encoding="utf-8")
    assert source.index('os.environ["KERAS_BACKEND"] = "tensorflow"') < source.index("import keras")


@pytest.fixture
def folder(tmp_path):
    for framework in BACKENDS:
        (tmp_path / f"in_{framework}.py").write_text("print()\n", encoding="utf-8")
    return tmp_path


def test_reading_an_entry_joins_the_lines_of_its_texts(folder):
    (folder / "entry.toml").write_text(COMPLETE.replace('"w"', '"""\nfirst\nsecond\n"""'), encoding="utf-8")
    entry = read_entry(folder)
    assert entry.what == "first second"
    assert entry.tolerance == 1e-12


def test_the_digest_changes_with_a_program_and_with_the_tolerance_but_not_with_the_text(folder):
    digests = set()
    for change in ("", "tolerance = 0.5", "text"):
        (folder / "entry.toml").write_text(
            COMPLETE.replace('"w"', '"other"') if change == "text" else COMPLETE + change, encoding="utf-8"
        )
        digests.add(read_entry(folder).digest())
    assert len(digests) == 2
    (folder / "in_pytorch.py").write_text("print(1)\n", encoding="utf-8")
    assert read_entry(folder).digest() not in digests


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (COMPLETE + "tolerence = 1.0\n", "unknown keys ['tolerence']; choose among: bridge, compare, title"),
        (COMPLETE.replace('why = "y"\n', ""), "missing keys ['why']"),
        (
            COMPLETE.replace("largest ratio", "smallest ratio"),
            "compare = 'smallest ratio' does not exist; choose among",
        ),
        (COMPLETE.replace('"weights"', '"wheels"'), "topic = 'wheels' does not exist; choose among: weights, "),
    ],
)
def test_an_entry_that_is_not_complete_says_what_is_wrong(folder, text, message):
    (folder / "entry.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_entry(folder)
    assert message.split("; ")[0] in str(caught.value)


def test_an_entry_without_a_program_says_which(folder):
    (folder / "entry.toml").write_text(COMPLETE, encoding="utf-8")
    (folder / "in_tensorflow.py").unlink()
    with pytest.raises(ConfigError, match=r"no program in_tensorflow\.py"):
        read_entry(folder)
