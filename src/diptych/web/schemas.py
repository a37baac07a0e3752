"""What the API takes and gives, as types: they check requests and describe everything in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from diptych.translation.doubts import MEANINGS
from diptych.web.limits import Limits

Sentence = Annotated[str, Field(max_length=Limits.characters)]


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 4.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(_whole)]
BeamSize = Annotated[int, Field(ge=1, le=10), BeforeValidator(_whole)]
MaximumLength = Annotated[int, Field(ge=0, le=500), BeforeValidator(_whole)]
Temperature = Annotated[float, Field(ge=0.0, le=5.0, allow_inf_nan=False)]
TopK = Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(_whole)]
TopP = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
Penalty = Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)]
NoRepeatNgram = Annotated[int, Field(ge=0, le=500), BeforeValidator(_whole)]

ONE_SEARCH: dict[str, JsonValue] = {
    "anyOf": [
        {"properties": {"temperature": {"enum": [0, None]}}},
        {"properties": {"beam_size": {"enum": [1, None]}}},
    ]
}
"""Sampling and a beam exclude each other."""


class TranslationRequest(BaseModel):
    """Sentences to translate. A search option that is left out, or null, is the run's own."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra=ONE_SEARCH | {"example": {"sentences": ["I feel hungry"], "beam_size": 4}},
    )

    sentences: list[Sentence] = Field(
        min_length=1, max_length=Limits.sentences, description="An empty one gives an empty translation."
    )
    backends: list[str] | None = Field(
        None, min_length=1, max_length=8, description="Which frameworks translate; left out or null: all that serve."
    )
    temperature: Temperature | None = Field(None, description="Above 0: sample; the lower, the likelier.")
    seed: Seed | None = Field(None, description="Of sampling: the same seed, the same sample.")
    top_k: TopK | None = Field(None, description="Of sampling: from the so many likeliest tokens; 0: from all.")
    top_p: TopP | None = Field(
        None, description="Of sampling: from the fewest likeliest tokens that are so probable together; 1: from all."
    )
    beam_size: BeamSize | None = Field(None, description="Above 1: a beam of so many.")
    maximum_length: MaximumLength | None = Field(
        None, description="At most so many tokens, `<eos>` counted; 0: twice the source's and 10."
    )
    length_penalty: Penalty | None = Field(None, description="Of the beam; 0: rank by log-probability alone.")
    coverage_penalty: Penalty | None = Field(
        None, description="Of the beam: how much worse a translation is that did not look at all of the source."
    )
    no_repeat_ngram: NoRepeatNgram | None = Field(
        None, description="No so many tokens in a row come twice; 0: any may."
    )
    forbid_unknown: bool | None = Field(None, description="Never say `<unk>`.")

    @model_validator(mode="after")
    def _one_search(self) -> TranslationRequest:
        if (self.beam_size or 1) > 1 and (self.temperature or 0.0) > 0.0:
            raise ValueError(
                f"beam_size {self.beam_size} and temperature {self.temperature} exclude each other: "
                f"leave one of them out"
            )
        return self


def request_schema(backends: Collection[str]) -> dict[str, Any]:
    """The JSON schema of a request to a server of these backends."""
    schema = TranslationRequest.model_json_schema()
    schema["properties"]["backends"]["anyOf"][0]["items"]["enum"] = list(backends)
    return schema


class Alternative(BaseModel):
    """One of a beam's translations."""

    text: str
    score: float = Field(description="Log-probability, divided by the length penalty; the higher, the better.")


class BackendTranslation(BaseModel):
    """One sentence as one framework translates it, into T tokens from S source tokens."""

    text: str
    tokens: list[str] = Field(description='(T,) what the model said, "<eos>" last unless maximum_length cut it off.')
    score: float = Field(description="What the search ranks by.")
    log_probability: float = Field(description='Of the whole translation, "<eos>" included.')
    alternatives: list[Alternative] = Field(description="All that a beam found, best first; else empty.")
    doubts: list[str] = Field(
        default_factory=list, description=f"What speaks against it, some of: {', '.join(MEANINGS)}."
    )
    attention: list[list[float]] | None = Field(
        description=f"(T, S) where the model looked for each token, six decimals. null: it has no attention, "
        f"or T times S is above {Limits.attention_weights:,}."
    )
    milliseconds: float = Field(description="Wall time in the framework's process; the other may compute meanwhile.")


class SentenceAnswer(BaseModel):
    """One sentence and what each framework made of it: every backend is in `translations` or in `errors`."""

    source: str
    source_tokens: list[str] = Field(description="(S,) what the tokenizer made of it.")
    unknown: list[int] = Field(description="Which source tokens, from 0, the model reads as `<unk>`.")
    translations: dict[str, BackendTranslation]
    errors: dict[str, str]


class TranslationAnswer(BaseModel):
    """The sentences, in the order in which they were sent."""

    sentences: list[SentenceAnswer]


class BackendFacts(BaseModel):
    """One framework's process."""

    ready: bool
    trouble: str = Field(description="Why it does not answer now; empty if it does.")
    restarts: int
    versions: dict[str, str]
    precision: str | None
    trained_in: str | None = Field(description="Whose checkpoint it computes with.")


class ModelAnswer(BaseModel):
    """What is served."""

    run: str
    diptych: str = Field(description="The version.")
    config_hash: str
    corpus: str
    source_tokenizer: str
    target_tokenizer: str
    source_vocabulary: int
    target_vocabulary: int
    parameters: int
    model: dict[str, Any] = Field(description="The config's section.")
    search: dict[str, Any] = Field(description="What holds where a request says nothing.")
    limits: dict[str, float]
    examples: list[str]
    backends: dict[str, BackendFacts]


class HealthAnswer(BaseModel):
    """ok: every framework answers; degraded: one does not; down: none does."""

    status: Literal["ok", "degraded", "down"]
    backends: dict[str, bool]


class Problem(BaseModel):
    """What every answer from 400 on says."""

    detail: str
