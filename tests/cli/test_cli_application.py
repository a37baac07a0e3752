"""The command line itself: what it prints, how it ends, and that an error is one line."""

import inspect
import os
import signal
import subprocess
import sys
from typing import get_args

import pytest
import typer

import diptych
from diptych import config as configs
from diptych.cli import application, benchmark, options
from diptych.errors import DiptychError
from diptych.evaluation.measures import MEASURES
from diptych.panel import NAMES


def test_help_loads_nothing_but_what_draws_it(in_new_process):
    say = (
        "loaded = {name.partition('.')[0] for name, module in sys.modules.items() "
        "if 'site-packages' in str(getattr(module, '__file__', ''))}\n"
        "print(*sorted(loaded), file=sys.stderr)\n"
        "print(*sorted({name.split('.')[1] for name in sys.modules if name.startswith('diptych.')}), file=sys.stderr)"
    )
    finished = in_new_process("--help", after=say)
    assert finished.returncode == 0
    others, own = (set(line.split()) for line in finished.stderr.decode().splitlines())
    assert "typer" in others
    assert others <= {"typer", "click", "shellingham", "annotated_doc", "_distutils_hack"}  # the last is setuptools'
    assert own == {"cli"}
    for name in application.COMMANDS:
        assert name in finished.stdout.decode()


@pytest.mark.parametrize("command", application.COMMANDS)
def test_the_help_says_of_a_command_what_it_says_of_itself(command):
    loaded = application.load_command(command)
    own = loaded.info.help if isinstance(loaded, typer.Typer) else inspect.getdoc(loaded)
    assert " ".join(own.partition("\n\n")[0].split()) == application.COMMANDS[command]


@pytest.mark.parametrize("command", application.COMMANDS)
def test_every_command_explains_itself(diptych_command, command):
    code, out, error = diptych_command(command, "--help")
    assert (code, error) == (0, "")
    assert f"diptych {command}" in out


def test_no_command_is_wrong_usage_and_shows_the_help(diptych_command):
    code, out, _ = diptych_command()
    assert code == 2
    assert "translate" in out


def test_the_help_lists_every_measure(diptych_command):
    told = diptych_command("evaluate", "--help")[1]
    assert ",".join(MEASURES) in "".join(told.split())


def test_the_version(diptych_command):
    assert diptych_command("--version") == (0, f"diptych {diptych.__version__}\n", "")


def test_the_choices_are_those_of_the_library():
    def choices(name):
        return set(get_args(get_args(getattr(options, name))[0])) - {type(None)}

    assert choices("Backend") == set(get_args(configs.Backend))
    assert {each for part in choices("AnyBackend") for each in get_args(part)} == set(NAMES)
    assert {each.value for each in benchmark.Attention} == set(get_args(configs.Attention))
    assert {each.value for each in benchmark.Precision} == set(get_args(configs.TrainingPrecision))
    assert {each for part in choices("Precision") for each in get_args(part)} == set(
        get_args(configs.TrainingPrecision)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "No such command 'dance'"),
        (["train"], "Missing argument 'CONFIG|RUN'"),
        (["translate", "run", "--backend", "jax"], "'--backend'"),
        (["translate", "run", "--tempo", "1"], "No such option"),
        (["train", "run", "--threads", "0"], "'--threads'"),
        (["train", "run", "--resume", "--overwrite"], "give one of them"),
    ],
)
def test_wrong_usage_is_one_line_and_2(diptych_command, arguments, message):
    code, out, error = diptych_command(*arguments)
    assert (code, out) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_traceback_comes_only_with_debug(diptych_command):
    for arguments in (["--debug", "translate", "nowhere"], ["translate", "nowhere", "--debug"]):
        code, _, error = diptych_command(*arguments)
        assert code == 1
        assert "Traceback" in error and "no run at" in error
    code, _, error = diptych_command("translate", "nowhere")
    assert code == 1
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DiptychError("one\nand two"), 1, "error: one and two\n"),
        (PermissionError(13, "Permission denied", "/root/x"), 1, "error: Permission denied: /root/x\n"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/']"), 1, "found in ['/']: set TMPDIR to a"),
        (KeyError("x"), 1, "fault in Diptych"),
        (ImportError("lib.so: failed to map segment"), 1, "memory ran out (lib.so: failed to map segment): give"),
        (OSError(12, "Cannot allocate memory"), 1, "memory ran out"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_goes_wrong_is_at_most_one_line(diptych_command, monkeypatch, error, code, message):
    def fail(arguments):
        raise error

    monkeypatch.setattr("diptych.cli.differences.differences", lambda: fail(()))
    found = diptych_command("differences")
    assert found[0] == code
    assert message in found[2]
    assert found[2].count("\n") == (1 if message else 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_while_python_ends_is_no_traceback():
    program = (
        "import atexit, os, signal, sys; from diptych.cli import main; sys.argv = ['diptych', '--version']; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "atexit.register(os.kill, os.getpid(), signal.SIGINT); sys.exit(main())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")


def test_the_handler_of_sigterm_is_put_back(diptych_command):
    def own(number, frame):
        pass

    before = signal.signal(signal.SIGTERM, own)
    try:
        diptych_command("--version")
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("command", ["translate", "--version"])
def test_a_reader_that_stops_is_no_error(run, tmp_path, command):
    text = tmp_path / "lines.txt"
    text.write_bytes(b"I feel hungry\n" * 20_000)
    options = [str(run.folder), "--backend", "reference"] if command == "translate" else []
    with (
        text.open("rb") as lines,
        subprocess.Popen(
            [sys.executable, "-m", "diptych", command, *options],
            stdin=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        ) as process,
    ):
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


def test_interrupted_while_it_reads(run):
    with subprocess.Popen(
        [sys.executable, "-m", "diptych", "translate", run.folder, "--backend", "reference"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(b"I feel hungry\n")
        process.stdin.flush()
        assert process.stdout.readline().endswith(b"\n")  # answered although more may come
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert b"Traceback" not in process.stderr.read()


def test_load_is_there_and_imports_nothing_before_it_is_used():
    program = "import sys, diptych; print(sorted({'numpy', 'torch', 'keras'} & set(sys.modules))); diptych.load"
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert finished.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = diptych.lode
