"""A training's numbers, attention maps and config, as Weights & Biases keeps them: offline, in RUN/wandb."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from diptych.config import RunConfig
from diptych.storage.place import replace_file
from diptych.training.tensorboard import SCALARS

PROJECT, WANDB = "diptych", "wandb"
NAMED = "run-{backend}.txt"
"""In the run's folder of that name: the id of a backend's training, to go on with."""


class WandbLog:
    """Tells Weights & Biases of one backend of a run; an earlier training of it is gone on with.

    `wandb sync RUN/wandb/offline-*` sends it, for those who have an account; with WANDB_MODE=online it goes at once.
    """

    def __init__(self, folder: Path, config: RunConfig, backend: str) -> None:
        """Begin, or go on.

        Args:
            folder: of the run.
            config: of the run.
            backend: which trains.
        """
        import wandb

        named = folder / WANDB / NAMED.format(backend=backend)
        if not named.is_file():
            replace_file(named, f"{uuid4().hex[:16]}\n")
        self._wandb = wandb
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=f"{config.name} {backend}",
            id=named.read_text("utf-8").strip(),
            resume="allow",
            mode=os.environ.get("WANDB_MODE", "offline"),
            dir=str(folder),
            config=config.model_dump(mode="json"),
        )

    def scalars(self, line: Mapping[str, Any]) -> None:
        """Take what a line of metrics.jsonl tells of its step."""
        self._run.log({tag: float(line[tag]) for tag in SCALARS if tag in line}, step=line["step"])

    def picture(self, tag: str, png: bytes, step: int) -> None:
        """Take a PNG."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture.png"
            path.write_bytes(png)
            self._run.log({tag: self._wandb.Image(str(path))}, step=step)

    def flush(self) -> None:
        """Make what was taken readable: it is once training ends."""

    def close(self) -> None:
        """Write what is left."""
        self._run.finish()
