"""Quantities of a lot file: a text with a number and a unit, kept as a number in one unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mesolung.units import quantity, same_dimension


@dataclass(frozen=True)
class In:
    """How a quantity is written and kept.

    Attributes:
        unit: in which it is kept.
        lowest, highest: what it may be, in that unit.
        example: of a text.
    """

    unit: str
    lowest: float
    highest: float
    example: str

    def read(self, value: Any) -> float:
        """Read a text.

        Arguments:
            value: as written.

        Returns:
            the number in ``unit``.

        Raises:
            PydanticCustomError: for no text, no number with a unit, another kind of unit, or out of range.
        """
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "a quantity")
        try:
            found = quantity(value)
            if not same_dimension(found.unit, self.unit):
                raise ValueError(found.unit)
        except ValueError:
            raise PydanticCustomError(
                "quantity",
                "not a number with a unit of {unit}, as {example}",
                {"unit": self.unit, "example": f'"{self.example}"'},
            ) from None
        number = found.to(self.unit)
        if not math.isfinite(number) or not self.lowest <= number <= self.highest:
            raise PydanticCustomError(
                "quantity_range",
                "impossible value, allowed from {lowest} to {highest} {unit}",
                {"lowest": f"{self.lowest:g}", "highest": f"{self.highest:g}", "unit": self.unit},
            )
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic reads it."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """How a JSON Schema describes it."""
        return {"type": "string", "description": "a number and a unit", "examples": [self.example]}


class Part(BaseModel):
    """A table of a lot file: types as written, unknown keys refused, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Share = Annotated[float, Field(ge=0, le=1)]
Said = Annotated[str, Field(min_length=1, max_length=200)]


class MeasuredShare(Part):
    """A share with what is known of its error.

    Attributes:
        value: share.
        sd: standard deviation of the measurement; None for the usual one.
        events: how many cells or particles were looked at; None when not stated.
    """

    value: Share
    sd: Annotated[float, Field(gt=0, le=0.5)] | None = None
    events: Annotated[int, Field(gt=0, le=1_000_000_000)] | None = None


def _form(value: Any) -> str | None:
    if isinstance(value, Mapping | BaseModel):
        return "table"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None


Measured = Annotated[
    Annotated[Share, Tag("number")] | Annotated[MeasuredShare, Tag("table")], Discriminator(_form)
]


def measured(value: float | MeasuredShare) -> MeasuredShare:
    """Make a measured share of either way of writing one."""
    return value if isinstance(value, MeasuredShare) else MeasuredShare(value=value)


def written(part: BaseModel) -> dict[str, Any]:
    """Write a table as a file would state it: only what is stated, quantities as texts with their unit.

    Arguments:
        part: a validated table.

    Returns:
        key -> text, number, table or list of tables.
    """
    found: dict[str, Any] = {}
    for key, field in type(part).model_fields.items():
        value = getattr(part, key)
        if key not in part.model_fields_set or value in (None, ()):
            continue
        unit = next((mark.unit for mark in _marks(field.annotation, field.metadata)), None)
        found[field.alias or key] = _plain(value) if unit is None else f"{_number(value)} {unit}"
    return found


def _marks(annotation: Any, metadata: Any) -> list[In]:
    inner = [mark for part in getattr(annotation, "__args__", ()) for mark in _marks(part, ())]
    own = [*metadata, *getattr(annotation, "__metadata__", ())]
    return [mark for mark in own if isinstance(mark, In)] + inner


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return written(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _number(value: float) -> str:
    """All digits of a number, without a point where it is whole."""
    return f"{int(value)}" if value.is_integer() and abs(value) < 1e15 else repr(value)
