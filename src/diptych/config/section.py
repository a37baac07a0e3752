"""What all sections of a config share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["float32", "float64", "bfloat16"]
Backend = Literal["tensorflow", "pytorch"]

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
PositiveReal = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NaturalReal = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Section(BaseModel):
    """What all sections share: they cannot be changed once made, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)
