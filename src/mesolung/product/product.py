"""A product as a study file or a lot file describes it."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

ProductType = Literal["cells", "vehicle"]
Source = Literal[
    "bone marrow",
    "umbilical cord",
    "Wharton's jelly",
    "amniotic membrane",
    "adipose",
    "placenta",
    "cord blood",
    "menstrual",
    "lung",
    "other",
]
PRODUCT_TYPES: tuple[ProductType, ...] = get_args(ProductType)
SOURCES: tuple[Source, ...] = get_args(Source)
PASSAGE_MAX = 100  # beyond the life of any culture; guards against a population doubling written as a passage
UNSTATED_SOURCE: Source = "other"


class Product(BaseModel):
    """What is known of a lot; what is not stated comes from the prior, given what is.

    Attributes:
        type: "cells", or "vehicle" for the carrier fluid without cells.
        source: tissue that the cells are from.
        passage: passage at which they were harvested for the lot; None when not stated.
        cryopreserved: whether they were given from frozen, without a culture rescue; None when not stated.
        viability: share of the counted cells that are alive at release, above 0 and up to 1; None when
            not stated.

    Raises:
        pydantic.ValidationError: for a key it does not know, another type of value (no number is read from
            a text), a value outside the bounds, or properties of cells on a vehicle.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    type: ProductType = "cells"
    source: Source = UNSTATED_SOURCE
    passage: Annotated[int, Field(ge=0, le=PASSAGE_MAX)] | None = None
    cryopreserved: bool | None = None
    viability: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _vehicle_has_no_cells(self) -> Product:
        stated = sorted(self.model_fields_set - {"type"})
        if self.type == "vehicle" and any(getattr(self, name) is not None for name in stated):
            raise ValueError(f"a vehicle has no cells, so it has no {stated[0]}")
        return self

    @property
    def unstated(self) -> tuple[str, ...]:
        """Keys whose values come from the prior; those of cells only, in the order of the fields."""
        if self.type == "vehicle":
            return ()
        return tuple(
            name
            for name in ("source", "passage", "cryopreserved", "viability")
            if name not in self.model_fields_set or getattr(self, name) is None
        )
