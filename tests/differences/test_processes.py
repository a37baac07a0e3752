"""Running programs in processes of their own, whatever they do."""

import time

import pytest

from diptych.differences.processes import Outcome, parse_output, run_programs

GOOD = """print('{"versions": {"p": "1"}, "result": 3}')"""
OUTPUT = Outcome(output={"versions": {"p": "1"}, "result": 3})


@pytest.fixture
def write(tmp_path):
    def program(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return program


def test_programs_share_one_process_for_each_framework(write):
    one = """import json, os; print(json.dumps({"versions": {}, "result": os.getpid()}))"""
    a, b, c = (write(name, one) for name in "abc")
    found = run_programs({"tensorflow": [a, b], "pytorch": [c]}, timeout=30)
    processes = [found[path].output["result"] for path in (a, b, c)]
    assert processes[0] == processes[1] != processes[2]


def test_frameworks_run_at_the_same_time(write):
    # Each waits for a file that the other writes.
    wait = """
import json, pathlib, time
here = pathlib.Path(__file__).parent
(here / "{own}.ready").touch()
while not (here / "{other}.ready").exists():
    time.sleep(0.01)
print(json.dumps({{"versions": {{}}, "result": 1}}))
"""
    a, b = write("a", wait.format(own="a", other="b")), write("b", wait.format(own="b", other="a"))
    found = run_programs({"tensorflow": [a], "pytorch": [b]}, timeout=30)
    assert [outcome.error for outcome in found.values()] == [None, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise ValueError('too bad')", "ValueError: too bad"),
        ("import sys; sys.exit('no more')", "SystemExit: no more"),
        ("import os; os.write(2, b'last words'); os._exit(7)", "its process ended with status 7: last words"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its process ended with status -9"),
        ("print('hello')", "expected one JSON line, got 'hello'"),
        ("", "expected one JSON line, got 0 lines"),
    ],
)
def test_a_program_that_fails_is_reported_and_the_others_still_run(write, text, message):
    before, bad, after = write("before", GOOD), write("bad", text), write("after", GOOD)
    found = run_programs({"pytorch": [before, bad, after]}, timeout=30)
    assert found[before] == found[after] == OUTPUT
    assert found[bad].output is None
    assert found[bad].error.startswith(message)


def test_what_native_code_writes_to_standard_output_does_not_get_in_the_way(write):
    path = write("noisy", "import os; os.write(1, b'noise\\n')\n" + GOOD)
    assert run_programs({"pytorch": [path]}, timeout=30)[path] == OUTPUT


def test_no_file_of_the_catalogue_hides_a_package_from_a_program(write):
    path = write("importing", "import effects")
    assert run_programs({"pytorch": [path]}, timeout=30)[path].error.startswith("ModuleNotFoundError")


def test_the_deadline_holds_and_what_was_done_before_it_is_kept(write):
    before, slow, after = write("before", GOOD), write("slow", "import time; time.sleep(60)"), write("after", GOOD)
    start = time.monotonic()
    found = run_programs({"pytorch": [before, slow, after]}, timeout=2)
    assert time.monotonic() - start < 20
    assert found[before] == OUTPUT
    assert found[slow].error == found[after].error == "not finished within 2 seconds; allow more time"


def test_programs_see_no_accelerator_and_the_right_backend(write):
    path = write("environment", "import json, os; print(json.dumps({'versions': {}, 'result': dict(os.environ)}))")
    environment = run_programs({"tensorflow": [path]}, timeout=30)[path].output["result"]
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("printed", ['{"versions": {}, "result": NaN}', '{"versions": {}}', "[1]", "1\n2"])
def test_output_that_is_no_result_is_refused(printed):
    assert parse_output(printed).error.startswith("expected")


def test_output_may_be_surrounded_by_blank_lines():
    assert parse_output('\n{"versions": {"p": "1"}, "result": 3}\n\n') == OUTPUT
