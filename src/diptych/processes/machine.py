"""The machine and this process's memory, as Linux, macOS and Windows tell them; None where they do not."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

STATUS, CPUINFO, DEVICES = Path("/proc/self/status"), Path("/proc/cpuinfo"), Path("/dev")
CONTROL_GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container may use, in its second and its first version."""


def processor() -> str:
    """The processor's model, as far as the system tells it."""
    name = ""
    with suppress(AttributeError, ImportError, OSError, ValueError):
        if sys.platform == "darwin":
            name = _from_sysctl("machdep.cpu.brand_string")
        elif sys.platform == "win32":
            name = _from_registry(r"HARDWARE\DESCRIPTION\System\CentralProcessor\0", "ProcessorNameString")
        else:
            name = _field(CPUINFO, "model name")
    return name.strip() or platform.processor() or platform.machine()


def processor_family() -> str:
    """What tells processors of one name apart, "family 25 model 1": an AMD of the Zen 3 kind; empty if not told."""
    with suppress(OSError, ValueError):
        return f"family {_field(CPUINFO, 'cpu family')} model {_field(CPUINFO, 'model')}"
    return ""


def usable_processors() -> int:
    """How many processors this process may use, which may be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> int | None:
    """The most bytes of memory this process has held at once (its resident set)."""
    with suppress(AttributeError, ImportError, OSError, ValueError):
        if sys.platform == "win32":
            return _windows_peak()
        if STATUS.exists():  # elsewhere, and from `resource`, it may be that of the process that started this one
            return 1024 * int(_field(STATUS, "VmHWM").split()[0])
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    return None


def total_memory() -> int | None:
    """How many bytes this process could have at most: the machine's, or fewer in a container."""
    limits = []
    with suppress(AttributeError, OSError, ValueError):
        if sys.platform == "win32":
            limits.append(_windows_total())
        else:
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in CONTROL_GROUPS:
        with suppress(OSError, ValueError):  # not there, or "max": no limit
            limits.append(int(path.read_text(encoding="ascii")))
    return min(limits, default=None)


def may_have_gpu() -> bool:
    """Whether there is a sign of a GPU that a framework could use; nothing is loaded to find out."""
    if sys.platform == "win32":
        return ctypes.util.find_library("nvcuda") is not None
    return any(DEVICES.glob("nvidia[0-9]*")) or (DEVICES / "dxg").exists()  # dxg: Linux inside Windows


def _field(path: Path, name: str) -> str:
    """The value of the first line `name: value` of a file of the system's.

    Raises:
        ValueError: there is none.
    """
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    raise ValueError(f"{path} has no line {name!r}")


def _from_sysctl(name: str) -> str:
    """What macOS's kernel says under a name."""
    library = ctypes.CDLL(None)
    size = ctypes.c_size_t(0)
    if library.sysctlbyname(name.encode(), None, ctypes.byref(size), None, 0):
        raise OSError(f"no {name}")
    buffer = ctypes.create_string_buffer(size.value)
    if library.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0):
        raise OSError(f"no {name}")
    return buffer.value.decode("utf-8", errors="replace")


def _from_registry(key: str, name: str) -> str:
    """A text of Windows's registry about this machine."""
    winreg = importlib.import_module("winreg")
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
        return str(winreg.QueryValueEx(opened, name)[0])


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX, as Windows's GlobalMemoryStatusEx fills it."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 6),
    )


class _MemoryCounters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS, as Windows's GetProcessMemoryInfo fills it."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("faults", ctypes.c_uint32),
        ("peak", ctypes.c_size_t),
        ("others", ctypes.c_size_t * 7),
    )


def _windows_total() -> int:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    if not _kernel32().GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("Windows does not tell its memory")
    return int(status.total)


def _windows_peak() -> int:
    counters = _MemoryCounters(length=ctypes.sizeof(_MemoryCounters))
    kernel32 = _kernel32()
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    if not kernel32.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.length):
        raise OSError("Windows does not tell this process's memory")
    return int(counters.peak)


def _kernel32() -> Any:
    windows: Any = ctypes  # only there has it such libraries
    return windows.WinDLL("kernel32")
