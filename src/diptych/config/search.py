"""How a translation is searched for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from diptych.config.section import Natural, NaturalReal, Positive, Section


class SearchConfig(Section):
    """How a translation is searched for."""

    # 0: greedy. Above 0: sampling from softmax(logits / temperature).
    temperature: NaturalReal = 0.0
    seed: Natural = 1
    # Sampling draws from the so many most probable tokens alone (0: from all), and from the fewest most probable ones
    # that have so much probability together (1.0: from all; Holtzman et al., 2020).
    top_k: Natural = 0
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    # At most so many tokens, the end counted; 0: 2 times the source's tokens plus 10, or up to 16 times where the
    # target's tokens are smaller parts of words than the source's; and at least 11 more than minimum_length or than a
    # forced prefix.
    maximum_length: Natural = 0
    # At least so many tokens before a translation may end.
    minimum_length: Natural = 0
    # No so many tokens in a row come twice in a translation (0: they may).
    no_repeat_ngram: Natural = 0
    # Never say <unk>, but the next likeliest token.
    forbid_unknown: bool = False
    batch_size: Positive = 64
    # How many prefixes of each sentence are kept side by side (1: greedy or sampling), and how many of the
    # translations found are given.
    beam_size: Positive = 1
    n_best: Positive = 1
    # A beam ranks by log-probability / ((5 + tokens) / 6) ** length_penalty; 0: by log-probability alone.
    length_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = 0.6
    # And adds coverage_penalty times the sum, over the source's tokens, of log(min(attention it got in all, 1)) (Wu et
    # al., 2016, equation 14): what was hardly looked at was perhaps not translated.
    coverage_penalty: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0

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
