"""Where a process runs: what a number needs beside it to mean something."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from diptych.processes.machine import processor, processor_family, usable_processors

COMPUTING = ("numpy", "tensorflow", "tensorflow-cpu", "keras", "torch", "onnxruntime")
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
        "processor_family": processor_family(),
        "processors": os.cpu_count(),
        "usable_processors": usable_processors(),
        "packages": packages,
    }
