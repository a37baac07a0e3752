"""What a benchmark is asked to measure."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import dataclass

from diptych.config import RunConfig, parse_config

# What the standard workload is measured with if nothing is said.
ATTENTIONS = ("general", "additive")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Request:
    """What is to be measured; an empty choice is the config's own, or the standard one.

    Attributes:
        config: None for the standard workload.
        path: the config's, as it was given.
        backends: which.
        attentions: which.
        precisions: which.
        batch_sizes: sentences of a step and of a decoded batch.
        beam_sizes: of each search, 1 for greedy.
        seconds: measured time of each result in each round.
        rounds: how often each backend takes its turn; 0: as often as fits into five minutes.
        threads: how many each backend uses; 0: all the processors there are.
        device: "auto", "cpu" or "cuda".
    """

    config: RunConfig | None = None
    path: str = ""
    backends: tuple[str, ...] = ()
    attentions: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    beam_sizes: tuple[int, ...] = (1, 5)
    seconds: float = 1.5
    rounds: int = 0
    threads: int = 0
    device: str = "auto"

    def variants(self, config: RunConfig) -> list[RunConfig]:
        """This config with every combination of what was chosen.

        Raises:
            ConfigError: the model cannot have such an attention.
        """
        standard = self.config is None
        attentions = self.attentions or (ATTENTIONS if standard else (config.model.attention,))
        precisions = self.precisions or (PRECISIONS if standard else (config.training.precision,))
        configs = []
        for choice in itertools.product(attentions, precisions, self.batch_sizes or (config.training.batch_size,)):
            values = config.model_dump(mode="json")
            values["model"]["attention"], values["training"]["precision"] = choice[:2]
            values["training"]["batch_size"] = choice[2]
            if self.batch_sizes:
                values["training"]["batch_by"] = "sentences"
            if values["training"]["batch_by"] == "sentences":
                values["search"]["batch_size"] = choice[2]
            configs.append(parse_config(values, origin="benchmark"))
        return configs

    def command(self) -> str:
        """The command that measures the same again."""
        words = ["diptych", "benchmark", *([self.path] if self.path else [])]
        several = {
            "--backend": self.backends,
            "--attention": self.attentions,
            "--precision": self.precisions,
            "--batch-size": self.batch_sizes,
            "--beam": [size for size in self.beam_sizes if size > 1],
        }
        for option, values in several.items():
            words += [word for value in values for word in (option, str(value))]
        words += ["--seconds", f"{self.seconds:g}", "--threads", str(self.threads)]
        words += ["--rounds", str(self.rounds)] if self.rounds else []
        words += ["--device", self.device] if self.device != "auto" else []
        return shlex.join(words)
