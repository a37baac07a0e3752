import os
import platform
import subprocess
import sys

import pytest

from diptych.panel.memory import ENVIRONMENT

# Pages fetched from the system while 40 MB, less than glibc's limit of 64 MB for a thread's own store, are asked for,
# filled and freed ten times, by another thread as well.
FAULTS = """
import ctypes, resource, sys, threading
if "keep" in sys.argv:
    from diptych.panel.memory import keep_freed_memory
    keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
def use(times):
    for _ in range(times):
        block = library.malloc(40_000_000)
        ctypes.memset(block, 1, 40_000_000)
        library.free(block)
def use_in_thread(times):
    thread = threading.Thread(target=use, args=(times,))
    thread.start()
    thread.join()
use(1)
use_in_thread(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use(5)
use_in_thread(5)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-c", FAULTS, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=True, encoding="utf-8")
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")
def test_freed_memory_is_not_fetched_again():
    assert faults() > 5_000  # what there is to be saved: pages of 4 kB
    assert faults("keep") < 100
    assert faults(**ENVIRONMENT) < 100
