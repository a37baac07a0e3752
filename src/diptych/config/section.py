"""What all sections of a config share: their keys describe themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["float32", "float64", "bfloat16"]
TrainingPrecision = Literal["float32", "float64", "bfloat16", "exact"]
Backend = Literal["tensorflow", "pytorch"]

LARGEST = 2**31 - 1
"""Whatever is counted fits into 32 bits: larger numbers are mistakes, and are refused at once."""
Positive = Annotated[int, Field(gt=0, le=LARGEST)]
Natural = Annotated[int, Field(ge=0, le=LARGEST)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[int, Field(gt=0, le=65_536)]
Layers = Annotated[int, Field(gt=0, le=100)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
PositiveReal = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NaturalReal = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


def key(default: Any, meaning: str, unit: str = "", example: Any = None) -> Any:
    """A key of a section: its default, and what `help()` and `diptych config` say of it.

    Args:
        default: its value where a config leaves it out; `...` where it must be given.
        meaning: one or two sentences; what 0, "" or nothing stand for included.
        unit: what it counts or is measured in; "" where it is a choice or a bare number.
        example: a value, where the default does not show what one looks like.
    """
    return Field(
        default=default,
        description=meaning,
        examples=None if example is None else [example],
        json_schema_extra={"unit": unit} if unit else None,
    )


class Section(BaseModel):
    """What all sections share: they cannot be changed once made, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **others: Any) -> None:
        """Let `help()` say what each key means."""
        super().__pydantic_init_subclass__(**others)
        described = [f"    {name}: {field.description}" for name, field in cls.model_fields.items()]
        cls.__doc__ = "\n\n".join([cls.__doc__ or "", "Attributes:\n" + "\n".join(described)])
