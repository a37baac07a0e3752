"""The machine's figures, on this system and on the others as far as they can be played here."""

import ctypes
import sys
import types

import pytest

from diptych.processes import machine


def test_this_machine_tells_what_it_is():
    assert machine.processor()
    assert machine.usable_processors() >= 1
    assert machine.peak_memory() is None or machine.peak_memory() > 10**6
    assert machine.total_memory() is None or machine.total_memory() > 10**8


def test_the_peak_does_not_fall():
    before = machine.peak_memory()
    block = bytearray(50_000_000)
    block[::4096] = b"1" * len(block[::4096])
    assert machine.peak_memory() >= before
    del block
    assert machine.peak_memory() >= before


def test_a_container_may_have_less_than_the_machine(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "CONTROL_GROUPS", (limit, tmp_path / "none"))
    whole = machine.total_memory()
    limit.write_text("123456789\n", encoding="ascii")
    assert machine.total_memory() == 123456789
    limit.write_text("max\n", encoding="ascii")
    assert machine.total_memory() == whole


@pytest.mark.parametrize(
    ("text", "name"), [("processor\t: 0\nmodel name\t: A Processor: 3 GHz\n", "A Processor: 3 GHz"), ("", None)]
)
def test_a_processor_on_linux(tmp_path, monkeypatch, text, name):
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.platform, "processor", lambda: "")
    monkeypatch.setattr(machine.platform, "machine", lambda: "kind")
    assert machine.processor() == "kind"
    machine.CPUINFO.write_text(text, encoding="utf-8")
    assert machine.processor() == (name or "kind")


@pytest.fixture
def macos(monkeypatch, tmp_path):
    """A macOS as far as it is asked here."""

    def sysctlbyname(name, buffer, size, *_):
        text = {b"machdep.cpu.brand_string": b"Apple M7\0"}[name]
        if buffer is not None:
            buffer.raw = text
        size._obj.value = len(text)
        return 0

    usage = types.SimpleNamespace(ru_maxrss=5_000_000)
    resource = types.SimpleNamespace(getrusage=lambda who: usage, RUSAGE_SELF=0)
    monkeypatch.setitem(sys.modules, "resource", resource)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: types.SimpleNamespace(sysctlbyname=sysctlbyname))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(machine, "STATUS", tmp_path / "none")
    monkeypatch.delattr(machine.os, "sched_getaffinity", raising=False)


def test_macos(macos, monkeypatch):
    assert machine.processor() == "Apple M7"
    assert machine.peak_memory() == 5_000_000  # bytes there, kilobytes elsewhere
    assert machine.usable_processors() == machine.os.cpu_count()
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert machine.peak_memory() == 5_000_000 * 1024


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """A Windows as far as it is asked here."""

    class Kernel32:
        def __init__(self, name):
            assert name == "kernel32"
            self.GetCurrentProcess = type("Function", (), {"restype": None, "__call__": lambda self: 2**64 - 1})()

        def GlobalMemoryStatusEx(self, status):
            assert status._obj.length == ctypes.sizeof(status._obj) == 64
            status._obj.total = 16 * 10**9
            return 1

        def K32GetProcessMemoryInfo(self, process, counters, length):
            assert length == ctypes.sizeof(counters._obj) == 72
            counters._obj.peak = 7_000_000
            return 1

    class Key:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    winreg = types.ModuleType("winreg")
    winreg.HKEY_LOCAL_MACHINE = 0
    winreg.OpenKey = lambda hive, key: Key()
    winreg.QueryValueEx = lambda key, name: (f"A {name} ", 1)
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    monkeypatch.setattr(ctypes, "WinDLL", Kernel32, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(machine, "CONTROL_GROUPS", ())
    monkeypatch.setitem(sys.modules, "resource", None)  # there is none


def test_windows(windows, monkeypatch):
    assert machine.processor() == "A ProcessorNameString"
    assert machine.peak_memory() == 7_000_000
    assert machine.total_memory() == 16 * 10**9
    monkeypatch.setattr(machine.ctypes.util, "find_library", {"nvcuda": "nvcuda.dll"}.get)
    assert machine.may_have_gpu()


def test_a_system_that_tells_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(machine, "CONTROL_GROUPS", ())
    monkeypatch.delattr(ctypes, "WinDLL", raising=False)
    monkeypatch.setitem(sys.modules, "winreg", None)
    assert (machine.peak_memory(), machine.total_memory()) == (None, None)
    assert isinstance(machine.processor(), str)


def test_a_gpu_shows_by_its_device(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "DEVICES", tmp_path)
    assert not machine.may_have_gpu()
    (tmp_path / "nvidiactl").touch()
    assert not machine.may_have_gpu()
    (tmp_path / "nvidia0").touch()
    assert machine.may_have_gpu()
