"""One line with all that it takes to compute a comparison again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych import __version__
from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.processes.environment import COMPUTING
from diptych.runs.run import Run

# What is compared if nothing is said. While the loss falls fast, a difference in the last bit grows exponentially,
# whatever computes: in float32 to a tenth within some 300 steps, in float64 to a hundredth within some 500, after which
# two trainings are two models. Exact training erases it at every step.
DEFAULT = RunConfig(training=TrainingConfig(precision="exact"))
# What `compare --quick` compares: the same in small, some hundred steps of a model that learns a little.
QUICK = RunConfig(
    name="quick",
    data=DataConfig(maximum_pairs=2000, validation_size=50, test_size=50),
    model=ModelConfig(embedding_size=32, encoder_size=32, decoder_size=64, attention="general"),
    training=TrainingConfig(precision="exact", epochs=3, learning_rate=0.02),
)


def signature(run: Run, environment: Mapping[str, Any], threads: int, device: str, tokenize: str) -> str:
    """All that it takes to compute the same again, `name:value` for `name:value`; the command comes last."""
    parts = {
        "diptych": __version__,
        "task": run.config.name,
        "config": run.config.hash(),
        "seed": run.config.training.seed,
        "threads": threads,
        "device": device,
        "precision": run.config.training.precision,
        "python": environment["python"],
    }
    parts |= {name: environment["packages"][name] for name in COMPUTING if name in environment["packages"]}
    parts["command"] = _command(run, threads, device=device, tokenize=tokenize)
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def _command(run: Run, threads: int, device: str, tokenize: str) -> str:
    """The command that computes the same again, in the same folder."""
    here = Path.cwd()
    folder = run.folder.relative_to(here) if run.folder.is_relative_to(here) else run.folder
    words = ["diptych", "compare"]
    if run.config.hash() == QUICK.hash():
        words.append("--quick")
    elif run.config.hash() != DEFAULT.hash():
        words.append(str(folder / "config.toml"))
    words += ["--run", str(folder), "--overwrite", "--threads", str(threads)]
    words += ["--device", device] if device != "auto" else []
    words += ["--tokenize", tokenize] if tokenize != "13a" else []
    return shlex.join(words)
