"""One of our backends, measured by `ours_timed` in a process of its own."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contestant import Contestant, Setting

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.processes.call import call
from diptych.runs.run import Run

HERE = Path(__file__).parent
# Ours are timed by blocks of so many steps; the first block is warm-up.
STEPS_OF_A_BLOCK = 8
# As the peers: about one epoch of Multi30k.
STEPS_TO_LEARN = 450


@dataclass(frozen=True)
class Ours(Contestant):
    """One of our backends, with one kind of attention and one precision."""

    @property
    def model(self) -> Path:
        return Path(f"diptych-{self.attention}")  # one for both backends: the weights are the same in either

    def train(self, setting: Setting) -> dict[str, Any]:
        blocks = max(2, round(setting.seconds / 2))
        given = {"blocks": blocks, "steps": STEPS_OF_A_BLOCK}
        with self._temporary_run(setting) as folder:
            found = self._call("training_speed", {"folder": str(folder)} | given, setting)
        speeds = [block["target_tokens"] / block["seconds"] for block in found["blocks"]]
        training = {
            "target_tokens_per_second": speeds,
            "steps": blocks * STEPS_OF_A_BLOCK,
            "warmup_seconds": found["warm_up_seconds"],
        }
        bound = {"products": found["ceiling"]["products"], "target_tokens": found["blocks"][0]["target_tokens"]}
        return {
            "training": training,
            "ceiling": bound,
            **{key: found[key] for key in ("peak_rss_bytes", "versions", "choices")},
        }

    def decode(self, setting: Setting) -> dict[str, Any]:
        decoding: dict[str, Any] = {}
        peaks = []
        for search, size in (("greedy", 1), ("beam5", 5)):
            given = {"folder": str(setting.models / self.model), "beam_size": size, "blocks": 2}
            found = self._call("decoding_speed", given, setting)
            block = found["blocks"][0]
            decoding[search] = {
                "seconds": statistics.median(each["seconds"] for each in found["blocks"]),
                "sentences": block["sentences"],
                "target_tokens": block["target_tokens"],
            }
            peaks.append(found["peak_rss_bytes"])
        return {"decoding": decoding, "peak_rss_bytes": max(peaks), "versions": found["versions"]}

    def train_briefly(self, setting: Setting) -> None:
        config = setting.models / f"{self.model}.toml"
        config.write_text(self._config(setting).to_toml(), encoding="utf-8")
        command = [sys.executable, "-m", "diptych", "train", str(config), "--backend", self.name, "--quiet"]
        command += ["--run", str(setting.models / self.model), "--overwrite", "--threads", str(setting.threads)]
        self.run(command, "learn", setting, dict(os.environ))

    def _call(self, function: str, given: dict[str, Any], setting: Setting) -> dict[str, Any]:
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *([before] if before else [])])  # ours_timed is here
        try:
            return call(self.name, f"ours_timed:{function}", given, setting.threads, "cpu")
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before

    @contextmanager
    def _temporary_run(self, setting: Setting) -> Iterator[Path]:
        with TemporaryDirectory(prefix="diptych-") as name:
            yield Run.create(self._config(setting), Path(name) / "run").folder

    def _config(self, setting: Setting) -> RunConfig:
        """Our run of the workload of peers/peer.py."""
        train, test = (
            tuple(str(setting.folder / f"{part}.{side}") for side in ("source", "target")) for part in ("train", "test")
        )
        return RunConfig(
            name=f"bench-{self.attention}",
            data=DataConfig(
                corpus="files",
                train=train,
                validation=test,
                test=test,
                maximum_pairs=0,
                minimum_frequency=2,
                maximum_length=1000,
            ),
            model=ModelConfig(
                embedding_size=256, encoder_size=256, decoder_size=512, attention=self.attention, dropout=0.3
            ),
            training=TrainingConfig(
                batch_size=64,
                learning_rate=0.001,
                schedule="constant",
                epochs=1000,
                maximum_steps=STEPS_TO_LEARN,
                precision=self.precision,
            ),
        )
