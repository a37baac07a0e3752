"""One run: all sections together."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import Field, model_validator

from diptych.config.data import DataConfig
from diptych.config.model import ModelConfig
from diptych.config.search import SearchConfig
from diptych.config.section import Section
from diptych.config.training import TrainingConfig


class RunConfig(Section):
    """One run: data, model, training and search together."""

    name: str = Field(default="phrasebook", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig = SearchConfig()

    @model_validator(mode="after")
    def _sections_fit(self) -> RunConfig:
        if self.model.tie_source_target and not self.data.shared_vocabulary:
            raise ValueError("model.tie_source_target needs data.shared_vocabulary = true")
        if self.search.coverage_penalty > 0.0 and self.model.attention == "none":
            raise ValueError(
                f"search.coverage_penalty {self.search.coverage_penalty} needs an attention, got model.attention "
                f"'none': set search.coverage_penalty = 0.0, or train with an attention"
            )
        return self

    def hash(self) -> str:
        """Twelve hexadecimal digits that name this config: the same config, the same digits."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:12]

    def to_toml(self) -> str:
        """This config as TOML, every key written out."""
        lines: list[str] = []
        tables: list[str] = []
        for key, value in self.model_dump(mode="json").items():
            if isinstance(value, dict):
                tables += ["", f"[{key}]"] + [f"{k} = {_toml(v)}" for k, v in value.items() if v is not None]
            else:
                lines.append(f"{key} = {_toml(value)}")
        return "\n".join(lines + tables) + "\n"


def _toml(value: Any) -> str:
    """A TOML value; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
