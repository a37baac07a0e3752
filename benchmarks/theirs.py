"""A peer: a script under peers/, run by the Python of that peer's own virtual environment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contestant import Contestant, Setting
from environments import interpreter

from diptych.panel.memory import ENVIRONMENT

PEERS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Theirs(Contestant):
    """A peer.

    Attributes:
        environment: the name of its virtual environment.
    """

    environment: str = ""

    @property
    def model(self) -> Path:
        return Path(f"{self.name}-{self.attention}")

    def train(self, setting: Setting) -> dict[str, Any]:
        return self._run_script("train", setting)

    def decode(self, setting: Setting) -> dict[str, Any]:
        return self._run_script("decode", setting)

    def train_briefly(self, setting: Setting) -> None:
        self._run_script("learn", setting)

    def _run_script(self, task: str, setting: Setting) -> dict[str, Any]:
        """What the script printed last."""
        command = [str(interpreter(self.environment)), str(PEERS / f"{self.name}.py"), task]
        command += ["--folder", str(setting.folder), "--attention", self.attention]
        command += ["--seconds", str(setting.seconds), "--threads", str(setting.threads)]
        given = {"OMP_NUM_THREADS": str(setting.threads), "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "20000"}
        environment = os.environ | given | ENVIRONMENT  # threads wait and memory is kept as in ours
        environment.pop("PYTHONPATH", None)
        said = self.run(command, task, setting, environment)
        result: dict[str, Any] = json.loads(said.splitlines()[-1])
        return result
