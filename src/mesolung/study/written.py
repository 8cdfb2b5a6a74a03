"""The study file as it is written: which keys each table has and what type each value is of.

These models check structure and nothing else; they are also the JSON Schema of the study file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from mesolung.product.product import Product
from mesolung.study.arm import DoseBasis, Route
from mesolung.study.endpoint import Contrast, Deaths, Form, Test
from mesolung.study.observation import Direction
from mesolung.study.study import Kind, Origin, Species

MOST_SUBJECTS = 1_000_000
MOST_DOSES = 1_000


def _plain(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty", "an empty name")
    if not text.isprintable():
        raise PydanticCustomError("unprintable", "a name with line breaks or control characters")
    return text


Name = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_plain)]
QuantityText = Annotated[str, Field(description='a number and a unit, as "28 d"', examples=["28 d"])]
Filter = Annotated[str, Field(min_length=1, description="which subjects, by table 1", examples=["sofa >= 8"])]
Share = Annotated[float, Field(ge=0, le=1)]
Size = Annotated[int, Field(gt=0, le=MOST_SUBJECTS)]
Unknown = Literal["unknown"]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
Source = Annotated[str, Field(min_length=1)]


def _written_as(value: Any) -> str | None:
    if isinstance(value, Mapping | BaseModel):
        return "table"
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "text" if isinstance(value, str) else None


class Table(BaseModel):
    """A table of the study file: types are taken as written and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class DistributionTable(Table):
    """A line of table 1."""

    mean: float | None = None
    sd: Annotated[float, Field(gt=0)] | None = None
    median: float | None = None
    iqr: Pair | None = None
    share: Share | None = None
    min: float | None = None
    max: float | None = None
    unit: str | None = None


class BackgroundTable(Table):
    """A drug or support of usual care."""

    share: Share | None = None
    dose: QuantityText | None = None
    start: QuantityText | None = None
    duration: QuantityText | None = None
    every: QuantityText | None = None
    responder: Share | None = None


WrittenDistribution = Annotated[
    Annotated[DistributionTable, Tag("table")]
    | Annotated[float, Tag("number")]
    | Annotated[str, Tag("text")],
    Discriminator(_written_as),
]
WrittenBackground = Annotated[
    Annotated[BackgroundTable, Tag("table")] | Annotated[Share, Tag("number")], Discriminator(_written_as)
]


# A mixture of diseases says which share of the subjects has each.
WrittenDisease = Annotated[
    Annotated[str, Tag("text")] | Annotated[dict[str, Share], Tag("table")], Discriminator(_written_as)
]
Rho = Annotated[float, Field(gt=-1, lt=1)]


class PopulationTable(Table):
    """Who is studied."""

    size: Size | Unknown | None = None
    onset_to_enrolment: DistributionTable | None = None
    expected_mortality: Annotated[float, Field(gt=0, lt=1)] | None = None
    dropout: Literal["random", "informative", "none"] | None = None
    baseline: dict[str, WrittenDistribution] = {}
    correlation: dict[str, Rho] = {}
    phenotype: dict[str, Share] = {}
    background: dict[str, WrittenBackground] = {}
    include: dict[str, Annotated[str, Field(min_length=1, examples=["> 10 %"])]] = {}


class InjuryTable(Table):
    """What makes the subjects ill."""

    agent: Name
    amount: QuantityText | Unknown | None = None
    route: Route | None = None
    start: QuantityText | None = None
    end: QuantityText | None = None


# One injury, or several that come together.
WrittenInjury = Annotated[
    Annotated[InjuryTable, Tag("table")]
    | Annotated[list[InjuryTable], Field(min_length=1, max_length=10), Tag("list")],
    Discriminator(_written_as),
]
WrittenArmInjury = Annotated[
    Annotated[InjuryTable, Tag("table")]
    | Annotated[list[InjuryTable], Field(min_length=1, max_length=10), Tag("list")]
    | Annotated[Literal["none"], Tag("text")],
    Discriminator(_written_as),
]


class AssayTable(Table):
    """What is measured in a culture."""

    responder: Name | None = None
    stimulus: Name | None = None
    ratio: (
        Annotated[
            Annotated[float, Tag("number")]
            | Annotated[str, Field(examples=["1:10", "unknown"]), Tag("text")],
            Discriminator(_written_as),
        ]
        | None
    ) = None
    contact: Literal["contact", "transwell", "medium"] | None = None
    readout: Name | None = None


class Repeats(Table):
    """Regular times."""

    start: QuantityText
    every: QuantityText
    count: Annotated[int, Field(gt=0, le=MOST_DOSES)]


class TreatmentTable(Table):
    """A product given to an arm."""

    product: Product
    dose: QuantityText | None = None
    max: QuantityText | None = None
    dose_basis: DoseBasis = "counted"
    route: Route | Unknown | None = None
    times: (
        Annotated[
            Annotated[Repeats, Tag("table")]
            | Annotated[list[QuantityText], Field(min_length=1, max_length=MOST_DOSES), Tag("list")]
            | Annotated[Unknown, Tag("text")],
            Discriminator(_written_as),
        ]
        | None
    ) = None
    infusion: (
        Annotated[
            Annotated[QuantityText, Tag("text")]
            | Annotated[list[QuantityText], Field(min_length=2, max_length=2), Tag("list")],
            Discriminator(_written_as),
        ]
        | None
    ) = None


class ArmTable(Table):
    """An arm."""

    name: Name
    size: Size | Unknown | None = None
    ratio: Annotated[float, Field(gt=0, le=1000)] | None = None
    control: bool | None = None
    treatment: list[TreatmentTable] = []
    baseline: dict[str, WrittenDistribution] = {}
    background: dict[str, WrittenBackground] = {}
    injury: WrittenArmInjury | None = None
    assay: AssayTable | None = None


class EndpointTable(Table):
    """An endpoint of the plan."""

    name: Name
    time: QuantityText | None = None
    as_: Annotated[Form, Field(alias="as")] = "level"
    deaths: Deaths | None = None
    where: Filter | None = None
    contrast: Contrast | None = None
    test: Test | None = None


class SourceTable(Table):
    """Where a number was read."""

    doi: Source | None = None
    url: Source | None = None
    where: Source | None = None
    status: Literal["seen", "derived", "memory"] | None = None
    version: Source | None = None


class ObservationTable(Table):
    """What was published."""

    arm: Annotated[
        Annotated[Name, Tag("text")] | Annotated[list[Name], Field(min_length=1), Tag("list")],
        Discriminator(_written_as),
    ] = []
    endpoint: Name
    time: QuantityText | None = None
    as_: Annotated[Form, Field(alias="as")] = "level"
    deaths: Deaths | None = None
    where: Filter | None = None
    unit: str | None = None
    n: Size | None = None
    events: Annotated[int, Field(ge=0, le=MOST_SUBJECTS)] | None = None
    event_count: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    mean: float | None = None
    sd: Annotated[float, Field(gt=0)] | None = None
    se: Annotated[float, Field(gt=0)] | None = None
    median: float | None = None
    iqr: Pair | None = None
    value: float | None = None
    ci95: Pair | None = None
    p: Annotated[float, Field(gt=0, le=1)] | None = None
    versus: Name | None = None
    contrast: Contrast | None = None
    direction: Direction | None = None
    alpha: Annotated[float, Field(gt=0, lt=1)] | None = None
    order: Annotated[list[Name], Field(min_length=2)] | None = None
    source: SourceTable = SourceTable()


class StudyFile(Table):
    """A study file, schema 1."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: Name
    registry: Name | None = None
    kind: Kind = "trial"
    disease: WrittenDisease | None = None
    species: Species = "human"
    duration: QuantityText
    origin: Origin = "enrolment"
    randomised: bool = False
    blinded: bool = False
    population: PopulationTable = PopulationTable()
    injury: WrittenInjury | None = None
    assay: AssayTable | None = None
    arm: Annotated[list[ArmTable], Field(min_length=1)]
    endpoint: list[EndpointTable] = []
    observation: list[ObservationTable] = []
