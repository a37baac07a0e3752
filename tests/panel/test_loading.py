"""The door to the frameworks: what it refuses, what it says, and that it imports nothing by itself."""

import importlib
import importlib.util
import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest

from diptych.errors import BackendError
from diptych.panel import BACKENDS, is_installed, load
from diptych.panel import loading as panels


@pytest.fixture
def panel(monkeypatch):
    """A panel in place of each, which notes how it was configured."""
    panel = ModuleType("panel")
    panel.calls = []
    panel.configure = lambda threads, device: panel.calls.append((threads, device))
    monkeypatch.setattr(panels.importlib, "import_module", lambda name: panel)
    monkeypatch.setattr(panels.importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in ("tensorflow", "keras", "torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return panel


@pytest.mark.parametrize("ask", [load, is_installed])
def test_an_unknown_backend_lists_the_choices(ask):
    with pytest.raises(BackendError, match="unknown backend 'jax'; choose among: tensorflow, pytorch, reference"):
        ask("jax")


@pytest.mark.parametrize(("backend", "module"), [("pytorch", "torch"), ("tensorflow", "tensorflow")])
def test_a_missing_framework_names_the_one_command(monkeypatch, backend, module):
    monkeypatch.setitem(sys.modules, module, None)  # what a module that cannot be imported looks like
    assert not is_installed(backend)
    with pytest.raises(BackendError) as caught:
        load(backend)
    assert f"needs {module}, not installed here: pip install 'diptych[{backend}]'" in str(caught.value)


@pytest.mark.parametrize("error", [ImportError("lib.so: failed to map segment"), OSError(12, "Cannot allocate memory")])
def test_a_framework_that_finds_no_room_is_not_to_be_installed_anew(panel, monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr(panels.importlib, "import_module", fail)
    with pytest.raises(BackendError, match="'pytorch' does not fit into memory: .*raise the limit") as caught:
        load("pytorch")
    assert "install" not in str(caught.value).lower()


def test_a_framework_without_a_temporary_folder_is_not_to_be_installed_anew(panel, monkeypatch):
    def fail(*given):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/']")

    monkeypatch.setattr(panels.importlib, "import_module", fail)
    monkeypatch.setattr(panels.tempfile, "gettempdir", fail)
    with pytest.raises(BackendError, match="'pytorch' needs a temporary folder, .*set TMPDIR") as caught:
        load("pytorch")
    assert "install" not in str(caught.value).lower()


def test_a_framework_that_cannot_be_imported_is_not_called_missing(panel, monkeypatch):
    def fail(name):
        raise ImportError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(panels.importlib, "import_module", fail)
    with pytest.raises(BackendError, match="installed but cannot be imported: libcudart.*--force-reinstall"):
        load("pytorch")


@pytest.mark.parametrize("threads", [0, -1])
def test_impossible_threads_are_refused(panel, threads):
    with pytest.raises(BackendError, match=f"threads = {threads}: give 1 to 4096"):
        load("pytorch", threads=threads)


def test_an_unknown_device_lists_the_choices(panel):
    with pytest.raises(BackendError, match="unknown device 'gpu'; choose among: auto, cpu, cuda"):
        load("pytorch", device="gpu")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_panel_is_told_threads_and_device(panel, backend):
    assert load(backend, threads=3, device="cpu") is panel
    assert panel.calls == [(3, "cpu")]
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_threads_are_left_alone_unless_given(panel):
    before = {name: value for name, value in os.environ.items() if "THREADS" in name}
    load("pytorch")
    assert {name: value for name, value in os.environ.items() if "THREADS" in name} == before


def test_what_a_loaded_framework_has_read_is_not_set_again(panel, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    os.environ["OMP_NUM_THREADS"] = "2"
    load("pytorch", threads=5)
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_tensorflow_finds_its_variables_set(panel):
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
    load("tensorflow")
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"


def test_a_user_s_log_level_stays(panel):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    load("tensorflow")
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


def test_keras_on_another_backend_is_refused(panel, monkeypatch):
    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    with pytest.raises(BackendError, match="already imported with its backend 'jax'.*KERAS_BACKEND=tensorflow"):
        load("tensorflow")


def test_asking_whether_a_framework_is_installed_imports_none():
    program = (
        "import sys; from diptych.panel import is_installed; import diptych.training.loop, diptych.runs.run;"
        "print([is_installed(b) for b in ('tensorflow', 'pytorch', 'reference')]);"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras', 'torch')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    found = [importlib.util.find_spec(name) is not None for name in ("tensorflow", "torch")]
    assert done.stdout.strip() == str([*found, True])


NOISY_PANEL = """
import os, sys, types
from diptych.panel import loading as panels

def import_panel(name):
    os.write(2, b"noise from a library\\n")
    if "fail" in sys.argv:
        raise ImportError("broken")
    return types.SimpleNamespace(configure=lambda threads, device: print("configured", file=sys.stderr))

panels._can_be_found = lambda module: True
panels.importlib.import_module = import_panel
panels.load(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("arguments", "level", "shown"),
    [
        (["tensorflow"], None, ["configured"]),
        (["tensorflow"], "0", ["noise from a library", "configured"]),
        (["pytorch"], None, ["noise from a library", "configured"]),
    ],
)
def test_what_tensorflow_says_about_itself_is_held_back_unless_asked_for(arguments, level, shown):
    done = _run_noisy(arguments, level)
    assert done.returncode == 0
    assert done.stderr.splitlines() == shown


def test_what_was_held_back_is_shown_where_the_import_fails():
    done = _run_noisy(["tensorflow", "fail"], None)
    assert done.returncode == 1
    assert done.stderr.startswith("noise from a library\n")
    assert "cannot be imported: broken" in done.stderr


def _run_noisy(arguments, level):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": level} if level else {}
    command = [sys.executable, "-c", NOISY_PANEL, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment)
