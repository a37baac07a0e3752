"""One run: all sections together."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import Field, model_validator

from diptych.config.data import DataConfig
from diptych.config.model import ModelConfig
from diptych.config.search import SearchConfig
from diptych.config.section import Section, key
from diptych.config.toml import to_toml
from diptych.config.training import TrainingConfig


class RunConfig(Section):
    """One run: data, model, training and search together."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = key(
        "phrasebook", "What the run is called, and so its folder: runs/NAME. Letters, digits, dots and dashes."
    )
    data: DataConfig = key(DataConfig(), "Where the sentence pairs come from and how they become tokens.")
    model: ModelConfig = key(ModelConfig(), "The shape of the model.")
    training: TrainingConfig = key(TrainingConfig(), "How the model is trained.")
    search: SearchConfig = key(SearchConfig(), "How a translation is searched for.")

    @model_validator(mode="after")
    def _sections_fit(self) -> RunConfig:
        if self.model.tie_source_target and not self.data.shared_vocabulary:
            raise ValueError("model.tie_source_target needs data.shared_vocabulary = true")
        if self.model.copies:
            self._copies_fit()
        if self.model.factors > len(self.data.source_tags):
            raise ValueError(
                f"model.factors = {self.model.factors} needs as many data.source_tags, got {len(self.data.source_tags)}"
            )
        if self.search.coverage_penalty > 0.0 and self.model.attention == "none":
            raise ValueError(
                f"search.coverage_penalty {self.search.coverage_penalty} needs an attention, got model.attention "
                f"'none': set search.coverage_penalty = 0.0, or train with an attention"
            )
        return self

    def _copies_fit(self) -> None:
        if not self.data.shared_vocabulary:
            raise ValueError(
                "model.copies needs data.shared_vocabulary = true: what is copied is a token of both sides"
            )
        if self.data.subword_sampling:
            raise ValueError("model.copies copies tokens that are divided once: set data.subword_sampling = 0.0")
        if self.training.teacher_forcing < 1.0:
            raise ValueError(
                "model.copies reads the reference's tokens in training: set training.teacher_forcing = 1.0"
            )

    def hash(self) -> str:
        """Twelve hexadecimal digits that name this config: the same config, the same digits."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:12]

    def to_toml(self) -> str:
        """This config as TOML, every key written out."""
        lines: list[str] = []
        tables: list[str] = []
        for name, value in self.model_dump(mode="json").items():
            if isinstance(value, dict):
                tables += ["", f"[{name}]"] + [f"{k} = {to_toml(v)}" for k, v in value.items() if v is not None]
            else:
                lines.append(f"{name} = {to_toml(value)}")
        return "\n".join(lines + tables) + "\n"
