"""The tables of a lot file: donor, culture, what was done, how it was kept, what was measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesolung.product.quantities import In, Measured, Part, Said, Share

YEAR_H = 365.25 * 24.0
Isolation = Literal["explant", "enzymatic", "density gradient", "direct plating", "other"]
Medium = Literal["FBS", "platelet lysate", "serum-free"]
Vessel = Literal["2D", "spheroid", "bioreactor"]
PrimingKind = Literal[
    "gene modification",
    "hypoxia",
    "inflammatory mediators",
    "bioactive compounds",
    "3D culture",
    "co-culture",
    "patient serum",
]
Change = Literal["overexpressed", "silenced", "knocked out"]
EngineeringKind = Literal["encapsulation", "coating", "targeting", "cargo"]
Thaw = Literal["direct", "diluted", "washed"]
EVIsolation = Literal["ultracentrifugation", "TFF", "SEC", "precipitation", "immunoaffinity"]
Outcome = Literal["negative", "positive"]
Hours = Annotated[float, In("h", 0.0, 100 * YEAR_H, "48 h")]
Celsius = Annotated[float, In("degC", 0.0, 45.0, "22 degC")]
Cells = Annotated[float, In("cells", 0.0, 1e15, "200e6 cells")]


class Donor(Part):
    """Whose cells they are."""

    id: Said | None = None
    age: Annotated[float, In("year", 0.0, 120.0, "29 year")] | None = None


class Culture(Part):
    """How they grew up to the harvest."""

    population_doublings: Annotated[float, Field(ge=0, le=200)] | None = None
    doubling_time: Annotated[float, In("h", 5.0, 2000.0, "30 h")] | None = None
    seeding_density: Annotated[float, In("cells/cm2", 1.0, 1e7, "4000 cells/cm2")] | None = None
    medium: Medium | None = None
    oxygen: Annotated[float, In("fraction", 0.001, 1.0, "21 %")] | None = None
    vessel: Vessel | None = None
    started: Cells | None = None
    harvested: Cells | None = None


class Priming(Part):
    """What the cells met before they were given."""

    kind: PrimingKind
    agent: Said | None = None
    dose: Said | None = None
    time: Hours | None = None


class Edit(Part):
    """A gene that was changed."""

    gene: Said
    change: Change


class Engineering(Part):
    """What was put around, on or into cells or vesicles."""

    kind: EngineeringKind
    agent: Said | None = None
    release: Annotated[float, In("h", 0.0, 10_000.0, "48 h")] | None = None


class Freezing(Part):
    """How they were frozen and thawed."""

    cryoprotectant: Said | None = None
    stored: Hours | None = None
    thaw: Thaw | None = None
    rescue: Hours | None = None


class Hold(Part):
    """How they waited from thaw or harvest to the body."""

    diluent: Said | None = None
    time: Hours | None = None
    temperature: Celsius | None = None


class Count(Part):
    """What a cell counter said."""

    cells: Cells | None = None
    method: Said | None = None
    cv: Annotated[float, Field(gt=0, le=2)] | None = None
    viability_sd: Annotated[float, Field(gt=0, le=0.5)] | None = None
    viability_events: Annotated[int, Field(gt=0, le=1_000_000_000)] | None = None


class Markers(Part):
    """Share of the cells that carry each marker; none of them moves an effect."""

    CD29: Measured | None = None
    CD44: Measured | None = None
    CD73: Measured | None = None
    CD90: Measured | None = None
    CD105: Measured | None = None
    CD34: Measured | None = None
    CD45: Measured | None = None
    CD14: Measured | None = None
    CD11b: Measured | None = None
    CD19: Measured | None = None
    CD79a: Measured | None = None
    HLA_DR: Annotated[Measured | None, Field(alias="HLA-DR")] = None
    CD31: Measured | None = None
    CD142: Measured | None = None
    CD146: Measured | None = None
    CD362: Measured | None = None


class Subpopulation(Part):
    """A part of the lot that somebody tells apart."""

    name: Said
    share: Share


class PotencyAssay(Part):
    """An assay of what the lot does, beside the laboratory's reference lot."""

    name: Said
    value: Annotated[float, Field(gt=0)] | None = None
    unit: Said
    reference: Annotated[float, Field(gt=0)] | None = None
    cv: Annotated[float, Field(gt=0, le=2)] | None = None
    n: Annotated[int, Field(gt=0, le=1000)] = 1


class Safety(Part):
    """Tests of contamination and of chromosomes."""

    sterility: Outcome | None = None
    mycoplasma: Outcome | None = None
    endotoxin: Annotated[float, In("EU/mL", 0.0, 1e6, "0.25 EU/mL")] | None = None
    endotoxin_below: Annotated[float, In("EU/mL", 0.0, 1e6, "0.05 EU/mL")] | None = None
    karyotype: Literal["normal", "abnormal"] | None = None
    differentiation: Annotated[int, Field(ge=0, le=3)] | None = None
    plastic_adherent: bool | None = None


class Vesicles(Part):
    """What is known of a vesicle product."""

    parent: Said | None = None
    isolation: EVIsolation | None = None
    particles: Annotated[float, In("particles/mL", 0.0, 1e16, "1e11 particles/mL")] | None = None
    particles_cv: Annotated[float, Field(gt=0, le=2)] | None = None
    size: Annotated[float, In("nm", 10.0, 2000.0, "120 nm")] | None = None
    size_sd: Annotated[float, In("nm", 0.0, 2000.0, "45 nm")] | None = None
    protein: Annotated[float, In("ug/mL", 0.0, 1e6, "40 ug/mL")] | None = None
    CD9: Measured | None = None
    CD63: Measured | None = None
    CD81: Measured | None = None
    cytosolic_marker: bool | None = None
    purity_control: bool | None = None
    single_particle_methods: Annotated[int, Field(ge=0, le=20)] | None = None
    stored: Hours | None = None
    storage_temperature: Annotated[float, In("degC", -200.0, 45.0, "-80 degC")] | None = None


def own_keys() -> dict[str, str]:
    """Key of each marker, by the name that a lot file writes."""
    return {own_name(key): key for key in Markers.model_fields}


def own_name(key: str) -> str:
    """The name of a marker's key as a lot file writes it."""
    return str(Markers.model_fields[key].alias or key)
