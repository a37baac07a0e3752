"""What the code must not do to run elsewhere: read text in the system's encoding, import what only POSIX has."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("src", "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py"))
POSIX = {"resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog", "readline", "curses"}
# Functions that open text unless they are told otherwise, and where their mode stands.
OPENING = {"open": 1, "fdopen": 1, "NamedTemporaryFile": 0, "TemporaryFile": 0, "SpooledTemporaryFile": 1}
TEXT = {"read_text": 0, "write_text": 1}
"""Where the encoding may stand without its name."""
RUNNING = {"run", "Popen", "check_output"}


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def unnamed_encodings(tree):
    """The lines on which a text is opened, or what a process says is read, in whatever encoding the system has."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        is_method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if is_method else node.func.id
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if {"encoding", None} & keywords.keys():  # or `**options`
            continue
        if name in TEXT and is_method and len(node.args) <= TEXT[name]:
            yield node.lineno
        if name in RUNNING and {"text", "universal_newlines"} & keywords.keys():
            yield node.lineno
        if name in OPENING:
            owner = node.func.value.id if is_method and isinstance(node.func.value, ast.Name) else ""
            if name == "open" and is_method and owner not in ("io", "codecs"):
                if owner in ("os", "webbrowser", "gzip", "bz2", "lzma", "zipfile", "tarfile") or owner[:1].isupper():
                    continue
                place = 0  # a path's
            else:
                place = OPENING[name]
            mode = keywords.get("mode") or (node.args[place] if len(node.args) > place else None)
            binary = "w+b" if "Temporary" in name else "r"
            value = mode.value if isinstance(mode, ast.Constant) else binary if mode is None else "b"
            if isinstance(value, str) and set(value) <= set("rwxabt+") and "b" not in value:
                yield node.lineno


def test_every_text_is_opened_with_its_encoding_named():
    found = [f"{path.relative_to(ROOT)}:{line}" for path in FILES for line in unnamed_encodings(parsed(path))]
    assert not found, "name the encoding"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("open(path)", True),
        ("open(path, 'rb')", False),
        ("open(path, 'w', encoding='utf-8')", False),
        ("path.open()", True),
        ("path.open('wb')", False),
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text)", True),
        ("os.open(path, os.O_RDONLY)", False),
        ("os.fdopen(1, 'w')", True),
        ("NamedTemporaryFile()", False),
        ("NamedTemporaryFile('w')", True),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, encoding='utf-8')", False),
        ("Run.open(folder)", False),
    ],
)
def test_the_check_sees_what_it_is_for(code, found):
    assert bool(list(unnamed_encodings(ast.parse(code)))) is found


def test_no_module_imports_what_only_posix_has():
    """Inside a function it may be tried."""
    found = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in parsed(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.split(".")[0] in POSIX]
    assert not found


def test_no_signal_is_named_that_windows_lacks():
    lacking = {"SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in lacking
    ]
    assert not found
