"""Where a process runs: what a number needs beside it to mean something."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

PACKAGES = ("diptych", "numpy", "safetensors", "sacrebleu", "tensorflow", "tensorflow-cpu", "keras", "torch")


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
        "processors": os.cpu_count(),
        "usable_processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": packages,
    }
