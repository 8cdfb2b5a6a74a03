"""A product as a study file or a lot file describes it."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesolung.product.assays import assays
from mesolung.product.described import (
    Count,
    Culture,
    Donor,
    Edit,
    Engineering,
    Freezing,
    Hold,
    Isolation,
    Markers,
    PotencyAssay,
    Priming,
    Safety,
    Subpopulation,
    Vesicles,
)
from mesolung.product.quantities import Said

ProductType = Literal[
    "cells",
    "ev",
    "conditioned-medium",
    "apoptotic-cells",
    "heat-killed-cells",
    "control-cells",
    "drug",
    "vehicle",
]
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
DonorSpecies = Literal["human", "mouse", "rat", "rabbit", "pig", "sheep"]
PRODUCT_TYPES: tuple[ProductType, ...] = get_args(ProductType)
SOURCES: tuple[Source, ...] = get_args(Source)
PASSAGE_MAX = 100  # beyond the life of any culture; guards against a population doubling written as a passage
UNSTATED_SOURCE: Source = "other"
# What the model follows in the body; the others are read, and whatever rests on them waits.
MODELLED_TYPES: tuple[ProductType, ...] = (
    "cells",
    "ev",
    "conditioned-medium",
    "apoptotic-cells",
    "heat-killed-cells",
    "control-cells",
    "vehicle",
)
OF_CELLS: tuple[ProductType, ...] = ("cells", "apoptotic-cells", "heat-killed-cells", "control-cells")
# Products whose cells are given alive; only they have a viability, and only their dose may count the living.
ALIVE: tuple[ProductType, ...] = ("cells", "control-cells")
# Products that were made by cells and hold none.
WITHOUT_CELLS: tuple[ProductType, ...] = ("ev", "conditioned-medium")
# Keys that products had not at first: one that does not use them keeps its lot and its study's hash.
GAINED_FIRST = ("species", "autologous")
# Units of an assay that reads a share, and the whole in each.
WHOLE = {"%": 100.0, "fraction": 1.0}
# Tables of a lot file. They move the values of a lot and not which numbers are drawn for it, so that a lot
# with an assay, or primed, stands beside the same lot without.
OF_LIVING = ("freezing", "hold", "count", "markers", "subpopulation")
TABLES = (
    "donor",
    "isolation",
    "culture",
    "priming",
    "edit",
    "engineering",
    *OF_LIVING,
    "assay",
    "safety",
    "vesicles",
)
GAINED = (*GAINED_FIRST, "lot", *TABLES)


class Product(BaseModel):
    """What is known of a lot; what is not stated comes from the prior, given what is.

    Attributes:
        type: "cells"; "ev" and "conditioned-medium" made by them; "apoptotic-cells", "heat-killed-cells" and
            "control-cells" (fibroblasts) as controls; a "drug"; or "vehicle", the carrier fluid alone.
        source: tissue that the cells are from.
        passage: passage at which they were harvested for the lot; None when not stated.
        cryopreserved: whether they were given from frozen, without a culture rescue; None when not stated.
        viability: share of the counted cells that are alive at release, above 0 and up to 1; None when
            not stated, and of products that are not given alive.
        name: of a drug, as the table of backgrounds writes it; None for all others.
        species: of the donor of cells, or of the cells that made the product; None for human.
        autologous: whether the cells are the subject's own; None when not stated.
        lot: number of the lot; the same lot is the same wherever it is given.
        donor, isolation, culture: whose cells they are, and how they grew.
        priming, edit, engineering: what was done to them.
        freezing, hold: how they were kept.
        count, markers, subpopulation, assay, safety: what was measured.
        vesicles: what is known of a vesicle product; its other tables are those of the cells that made it.

    Raises:
        pydantic.ValidationError: for a key it does not know, another type of value (no number is read from
            a text), a value outside the bounds, properties of cells on what has none, or a drug without name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    type: ProductType = "cells"
    source: Source = UNSTATED_SOURCE
    passage: Annotated[int, Field(ge=0, le=PASSAGE_MAX)] | None = None
    cryopreserved: bool | None = None
    viability: Annotated[float, Field(gt=0, le=1)] | None = None

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    species: DonorSpecies | None = None
    autologous: bool | None = None

    lot: Said | None = None
    donor: Donor | None = None
    isolation: Isolation | None = None
    culture: Culture | None = None
    priming: Annotated[tuple[Priming, ...], Field(strict=False, max_length=20)] = ()
    edit: Annotated[tuple[Edit, ...], Field(strict=False, max_length=20)] = ()
    engineering: Annotated[tuple[Engineering, ...], Field(strict=False, max_length=20)] = ()
    freezing: Freezing | None = None
    hold: Hold | None = None
    count: Count | None = None
    markers: Markers | None = None
    subpopulation: Annotated[tuple[Subpopulation, ...], Field(strict=False, max_length=20)] = ()
    assay: Annotated[tuple[PotencyAssay, ...], Field(strict=False, max_length=100)] = ()
    safety: Safety | None = None
    vesicles: Vesicles | None = None

    @model_validator(mode="after")
    def _only_what_it_has(self) -> Product:
        stated = [n for n in sorted(self.model_fields_set - {"type"}) if getattr(self, n) not in (None, ())]
        if self.type == "vehicle" and stated:
            raise ValueError(f"a vehicle has no cells, so it has no {stated[0]}")
        if self.type == "drug":
            if self.name is None:
                raise ValueError('a drug has a name, as name = "dexamethasone"')
            if others := [n for n in stated if n != "name"]:
                raise ValueError(f"a drug has no cells, so it has no {others[0]}")
        elif self.name is not None:
            raise ValueError("only a drug has a name")
        if self.type in WITHOUT_CELLS and self.viability is not None:
            raise ValueError(f"{self.type} holds no cells, so it has no viability")
        if self.type in OF_CELLS and self.type not in ALIVE and self.viability is not None:
            raise ValueError(f"{self.type} are dead when they are given, so they have no viability")
        if self.type not in OF_CELLS and (others := [n for n in OF_LIVING if getattr(self, n)]):
            raise ValueError(f"{self.type} holds no cells, so it has no {others[0]}")
        if self.vesicles is not None and self.type != "ev":
            raise ValueError("only a product of type ev has vesicles")
        if self.freezing is not None and self.cryopreserved is False:
            raise ValueError("a product that was never frozen has no freezing")
        if sum(part.share for part in self.subpopulation) > 1.0 + 1e-9:
            raise ValueError("the shares of the subpopulations add up to more than 1")
        if len({part.name for part in self.subpopulation}) < len(self.subpopulation):
            raise ValueError("a subpopulation stands twice")
        if self.safety and self.safety.endotoxin is not None and self.safety.endotoxin_below is not None:
            raise ValueError("endotoxin is a number or below a limit of the assay, not both")
        if unknown := [one.name for one in self.assay if one.name not in assays()]:
            raise ValueError(f"unknown assay {unknown[0]}; known are {', '.join(assays())}")
        for one in self.assay:
            if assays()[one.name].scale == "logit":
                if one.unit not in WHOLE:
                    raise ValueError(f"the assay {one.name} is a share, in {' or '.join(WHOLE)}")
                if max(one.value or 0.0, one.reference or 0.0) >= WHOLE[one.unit]:
                    raise ValueError(f"the assay {one.name} is a share below {WHOLE[one.unit]:g} {one.unit}")
        return self

    @property
    def unstated(self) -> tuple[str, ...]:
        """Keys whose values come from the prior; those of cells only, in the order of the fields."""
        if self.type not in (*OF_CELLS, *WITHOUT_CELLS):
            return ()
        keys = ("source", "passage", "cryopreserved", "viability")
        return tuple(
            name
            for name in (keys if self.type in ALIVE else keys[:-1])
            if name not in self.model_fields_set or getattr(self, name) is None
        )

    @property
    def identity_text(self) -> str:
        """What its random numbers are keyed by: its lot, or what is stated of it beside the tables of a lot.

        Keys that the format gained later are left out where they are not used.
        """
        if self.lot is not None:
            return f"lot|{self.type}|{self.lot}"
        gained = {name for name in GAINED_FIRST if getattr(self, name) is None}
        return self.model_dump_json(exclude={*gained, "lot", *TABLES})
