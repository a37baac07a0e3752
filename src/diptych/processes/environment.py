"""Where a process runs: what a number needs beside it to mean something."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

COMPUTING = ("numpy", "tensorflow", "tensorflow-cpu", "keras", "torch")
"""The packages whose versions decide what is computed."""
PACKAGES = ("diptych", "safetensors", "sacrebleu", *COMPUTING)


def environment() -> dict[str, Any]:
    """Time, Python, platform, processors and installed packages; imports none of them."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "usable_processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": packages,
    }


def processor() -> str:
    """The processor's model, as far as the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.exists():  # Linux, where the platform module only knows the kind of instructions
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
