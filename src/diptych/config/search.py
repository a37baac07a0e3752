"""How a translation is searched for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from diptych.config.section import Natural, NaturalReal, Positive, Section, Seed, key

BeamSize = Annotated[int, Field(gt=0, le=1000)]
Length = Annotated[int, Field(ge=0, le=100_000)]


class SearchConfig(Section):
    """How a translation is searched for."""

    temperature: NaturalReal = key(
        0.0, "0: always the most probable token. Above 0: tokens are drawn from softmax(logits / temperature)."
    )
    seed: Seed = key(1, "What is drawn follows from it.")
    top_k: Natural = key(0, "Draw from so many most probable tokens alone; 0: from all.", "tokens")
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = key(
        1.0,
        "Draw from the fewest most probable tokens that have so much probability together (Holtzman et al., 2020); "
        "1.0: from all.",
    )
    maximum_length: Length = key(
        0,
        "The most tokens of a translation, the end counted. 0: twice the source's plus 10, or up to 16 times where the "
        "target's tokens are smaller parts of words; and at least 11 more than minimum_length or a forced prefix.",
        "tokens",
    )
    minimum_length: Length = key(0, "The fewest tokens before a translation may end.", "tokens")
    no_repeat_ngram: Natural = key(0, "No so many tokens in a row come twice in a translation; 0: they may.", "tokens")
    forbid_unknown: bool = key(False, "Never say <unk>, but the next likeliest token.")
    batch_size: Positive = key(64, "How many sentences are translated side by side.", "sentences")
    beam_size: BeamSize = key(
        1, "How many beginnings of each translation are kept side by side; 1: greedy, or sampling.", "hypotheses"
    )
    n_best: BeamSize = key(1, "How many of the translations that a beam found are given.", "translations")
    length_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = key(
        0.6,
        "A beam ranks by log-probability / ((5 + tokens) / 6) ** length_penalty; 0: by log-probability alone.",
    )
    coverage_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = key(
        0.0,
        "And adds so many times the sum, over the source's tokens, of log(min(attention it got in all, 1)) (Wu et al., "
        "2016, equation 14): what was hardly looked at was perhaps not translated. 0: not.",
    )

    @model_validator(mode="after")
    def _choices_fit(self) -> SearchConfig:
        if self.beam_size > 1 and self.temperature > 0.0:
            raise ValueError(
                f"beam_size {self.beam_size} and temperature {self.temperature} exclude each other: "
                f"set beam_size = 1 to sample, or temperature = 0.0 for a beam"
            )
        if self.n_best > self.beam_size:
            raise ValueError(f"n_best {self.n_best} needs a beam_size of at least as much, got {self.beam_size}")
        if self.temperature == 0.0 and (self.top_k > 0 or self.top_p < 1.0):
            raise ValueError(
                f"top_k {self.top_k} and top_p {self.top_p} say what sampling draws from, but temperature 0.0 asks for "
                f"none: set temperature above 0, or top_k = 0 and top_p = 1.0"
            )
        if self.beam_size == 1 and self.coverage_penalty > 0.0:
            raise ValueError(
                f"coverage_penalty {self.coverage_penalty} ranks the hypotheses of a beam, but beam_size 1 asks for "
                f"none: set beam_size above 1, or coverage_penalty = 0.0"
            )
        if 0 < self.maximum_length <= self.minimum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} needs a maximum_length, the end counted, of at least "
                f"{self.minimum_length + 1}, got {self.maximum_length}: raise it, or set maximum_length = 0"
            )
        return self
