"""What the parts of a study have in common: they are checked once and never change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer

Key = TypeVar("Key")
Value = TypeVar("Value")


class Frozen(BaseModel):
    """A part of a validated study: immutable, numbers finite, no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null")


def _proxy(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(value))


# A mapping that nobody can write to; it compares and dumps as a dict.
FrozenMapping = Annotated[
    Mapping[Key, Value], AfterValidator(_proxy), PlainSerializer(dict, return_type=dict)
]
