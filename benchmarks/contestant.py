"""A contestant, and what is the same for everybody; each turn is a fresh process, all with equal threads."""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Attention = Literal["general", "additive"]
Precision = Literal["float32", "bfloat16"]
# A process that hangs costs no more than that.
SECONDS_ALLOWED = 900.0


@dataclass(frozen=True)
class Setting:
    """What is the same for everybody in one benchmark.

    Attributes:
        folder: where the text is, and where models and logs are kept.
        seconds: how long training is measured in each turn, roughly.
        threads: processor threads.
    """

    folder: Path
    seconds: float
    threads: int

    @property
    def models(self) -> Path:
        """Where models are kept that learnt enough to be decoded with."""
        return self.folder / "models"


@dataclass(frozen=True)
class Contestant(ABC):
    """A program with one kind of attention.

    Attributes:
        name: what `--only` calls it: the script of a peer, or a backend of ours.
        title: what the table calls it.
        attention: the kind of attention.
        precision: of its numbers.
    """

    name: str
    title: str
    attention: Attention
    precision: Precision = "float32"

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.name}-{self.attention}-{self.precision}"

    @property
    @abstractmethod
    def model(self) -> Path:
        """Its model's place, in the folder of models."""

    @abstractmethod
    def train(self, setting: Setting) -> dict[str, Any]:
        """Measure training once.

        Returns:
            `training`: `target_tokens_per_second` of each block; `peak_rss_bytes`; `versions`; of ours also `choices`
            and the `ceiling`: its `products`, and the `target_tokens` that they are made for.

        Raises:
            RuntimeError: a process failed; the message names its log.
            DiptychError: one of ours failed.
        """

    @abstractmethod
    def decode(self, setting: Setting) -> dict[str, Any]:
        """Measure decoding once, with the model that `learn` left.

        Returns:
            `decoding`: `seconds`, `sentences` and `target_tokens` of "greedy" and "beam5", those that it has;
            `peak_rss_bytes`; `versions`.

        Raises:
            RuntimeError: a process failed; the message names its log.
            DiptychError: one of ours failed.
        """

    @abstractmethod
    def train_briefly(self, setting: Setting) -> None:
        """Train a model that can be decoded with, and keep it.

        Raises:
            RuntimeError: the process failed; the message names its log.
        """

    def learn(self, setting: Setting) -> None:
        """Train briefly unless that was done before: what has learnt nothing ends no sentence.

        Raises:
            RuntimeError: the process failed; the message names its log.
        """
        stamp = setting.models / self.model / "learnt"
        if not stamp.is_file():
            print(
                f"{self.title}, {self.attention}: learning, once, so that its decoding can be measured", file=sys.stderr
            )
            setting.models.mkdir(exist_ok=True)
            self.train_briefly(setting)
            stamp.touch()

    def run(self, command: list[str], task: str, setting: Setting, environment: dict[str, str]) -> str:
        """A command's standard output; what else it says goes into a log.

        Raises:
            RuntimeError: it failed or took too long; the message names the log.
        """
        log = setting.folder / "logs" / f"{self.key}-{task}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            try:
                done = subprocess.run(
                    command, stdout=subprocess.PIPE, stderr=file, stdin=subprocess.DEVNULL, env=environment,
                    timeout=SECONDS_ALLOWED, encoding="utf-8", check=True,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"not done after {SECONDS_ALLOWED:.0f} s; see {log}")
            except subprocess.CalledProcessError as error:
                raise RuntimeError(f"ended with exit status {error.returncode}; see {log}")
        return done.stdout
