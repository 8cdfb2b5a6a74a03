"""The tables of names that a study file may use: endpoints, covariates, backgrounds, routes, and reserved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import inf, isfinite
from types import MappingProxyType
from typing import TypeVar

from mesolung.biology.phenotypes import phenotypes
from mesolung.reading import Refusal, Row, read_table
from mesolung.units import convert, quantity, same_dimension

ENDPOINT_COLUMNS = (
    "name", "label", "unit", "accepted_units", "type", "scale", "lowest", "highest", "better", "needs_time",
    "at_enrolment", "value_at_death", "deaths", "matrix", "diseases", "species", "subjective",
    "minimum_important", "test", "default_contrast", "rule", "outputs",
)  # fmt: skip
DEFINITION_COLUMNS = ("endpoint", "disease", "output", "above", "unit", "source")
COVARIATE_COLUMNS = ("name", "label", "unit", "accepted_units", "scale", "lowest", "highest", "diseases")
BACKGROUND_COLUMNS = (
    "name", "label", "kind", "target", "how", "dose", "dose_unit", "most", "factor", "duration", "every",
    "meaning",
)  # fmt: skip
ROUTE_COLUMNS = ("name", "live_cells_enter", "apoptotic_cells_enter", "through_blood", "meaning")
RESERVED_COLUMNS = ("kind", "name", "waits_for")

TYPES = ("binary", "count", "continuous", "time", "rate")
SCALES = ("linear", "log", "logit", "binary")
BETTER = ("lower", "higher")
# How an endpoint is read off a course; `mesolung.trial.endpoints` says what each does.
RULES = (
    "level",
    "present",
    "occurred",
    "death",
    "alive",
    "discharged",
    "hospital_days",
    "days_off",
    "days_on",
)
WITHOUT_OUTPUT = ("death", "alive", "discharged", "hospital_days")
ON = 0.5  # an output between 0 and 1 counts as on from here
DEATHS = ("survivors", "worst", "zero")
TESTS = ("fisher", "welch", "negative-binomial", "log-rank", "mann-whitney")
CONTRASTS = (
    "risk_ratio", "risk_difference", "odds_ratio", "difference", "ratio", "hazard_ratio", "win_ratio", "none",
)  # fmt: skip
PER_KG = "/kg"
BACKGROUND_KINDS = ("drug", "support")
HOW = ("dose", "switch", "enrolment")
RESERVED_KINDS = (
    "kind", "disease", "species", "origin", "endpoint", "baseline", "background", "product type",
    "dose unit", "route", "key",
)  # fmt: skip

Named = TypeVar("Named")


@dataclass(frozen=True)
class Measured:
    """A quantity that subjects have.

    Attributes:
        name: as study files write it.
        label: as people write it.
        unit: base unit; numbers of the row are in it, and so is a number whose unit is not stated.
        accepted_units: units that a study file may use for it.
        scale: "linear", "log" or "logit", on which its spread is most even; "binary" for a trait
            that a subject has or has not.
        lowest, highest: bounds of what is possible, None where there is none.
        diseases: names of the diseases that have it.
    """

    name: str
    label: str
    unit: str
    accepted_units: tuple[str, ...]
    scale: str
    lowest: float | None
    highest: float | None
    diseases: tuple[str, ...]

    def accepts(self, unit: str) -> bool:
        """Tell whether a study file may use a unit for it, however the unit is spelled."""
        try:
            return unit in self.accepted_units or any(
                convert(1.0, unit, known) == 1.0 for known in self.accepted_units
            )
        except ValueError:
            return False

    def possible(self, value: float) -> bool:
        """Tell whether a value, in ``unit``, lies within the bounds."""
        low = -inf if self.lowest is None else self.lowest
        high = inf if self.highest is None else self.highest
        return low <= value <= high


@dataclass(frozen=True)
class Endpoint(Measured):
    """What a trial can measure.

    Attributes:
        type: "binary", "count", "continuous", "time" or "rate".
        better: "lower" or "higher"; "neither" for a state of the model, which no table lists.
        needs_time: whether a study must say when it is measured.
        at_enrolment: whether subjects have a value at enrolment, so that it can stand in table 1.
        value_at_death: what a death counts as, in ``unit``, where a rule asks for it; else None.
        deaths: the usual rule for the dead: "survivors", "worst" or "zero".
        matrix: where it is measured.
        species: species that have it.
        subjective: whether knowing the treatment can move it.
        minimum_important: least difference that matters to patients, in ``unit``, or None.
        test: the usual test, or None for that of the type.
        default_contrast: the usual measure of the difference between arms.
        rule: how it is read off a subject's course, one of `RULES`.
        outputs: model outputs that it is read from; empty where it is read off death or discharge.
        above: level of each output from which a yes or no is a yes; empty where there is none, or where it
            differs by disease (`endpoint_in` fills it in).
    """

    type: str
    better: str
    needs_time: bool
    at_enrolment: bool
    value_at_death: float | None
    deaths: str
    matrix: str
    species: tuple[str, ...]
    subjective: bool
    minimum_important: float | None
    test: str | None
    default_contrast: str
    rule: str = "level"
    outputs: tuple[str, ...] = ()
    above: tuple[float, ...] = ()


@dataclass(frozen=True)
class Threshold:
    """A part of the definition of a yes-or-no endpoint in one disease.

    Attributes:
        output: model output, with a row of its own in the endpoint table.
        above: level from which it counts, in that row's unit.
        source: publication, or "assumed: reason".
    """

    output: str
    above: float
    source: str


@dataclass(frozen=True)
class Covariate(Measured):
    """A trait of a subject that can stand in table 1 and is no endpoint."""


@dataclass(frozen=True)
class Background:
    """A drug or support of usual care.

    Attributes:
        name, label: as study files and as people write it.
        kind: "drug" or "support".
        target: what of the model it acts on.
        how: "dose", repeated amounts into the state ``target``; "switch", the parameter ``target`` is 1 while
            it is given; "enrolment", the share of subjects that have it at enrolment, read from ``target``.
        dose: the usual dose, in ``dose_unit``; None but for "dose".
        dose_unit: unit of a dose, a mass or activity, or that per kg of body weight; None but for "dose".
        most: largest single dose of one per kg, without the kilogram; None where there is none.
        factor: amount of the state that a unit of the drug is worth.
        duration_h: usual length of the course, h; inf where it has none.
        every_h: usual time between doses, h; None but for "dose".
        meaning: what it stands for.
    """

    name: str
    label: str
    kind: str
    target: str
    how: str
    dose: float | None
    dose_unit: str | None
    most: float | None
    factor: float
    duration_h: float
    every_h: float | None
    meaning: str

    @property
    def unit(self) -> str:
        """Unit of a dose, "" where there is none."""
        return self.dose_unit or ""

    @property
    def per_kg(self) -> bool:
        """Whether the usual dose is one per kg of body weight."""
        return self.unit.endswith(PER_KG)

    @property
    def amount_unit(self) -> str:
        """Unit of what one subject gets, a kilogram left out."""
        return self.unit.removesuffix(PER_KG)


@dataclass(frozen=True)
class Route:
    """A way of giving cells.

    Attributes:
        name: as study files write it.
        live_cells_enter, apoptotic_cells_enter: states that receive the cells.
        through_blood: whether the cells meet complement on their way.
        meaning: where they are put.
    """

    name: str
    live_cells_enter: str
    apoptotic_cells_enter: str
    through_blood: bool
    meaning: str


@cache
def endpoints() -> Mapping[str, Endpoint]:
    """Read the endpoints that the model serves.

    Returns:
        name -> row, in the order of ``endpoints.csv``.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return _read("endpoints.csv", ENDPOINT_COLUMNS, _endpoint)


@cache
def definitions() -> Mapping[tuple[str, str], tuple[Threshold, ...]]:
    """Read the endpoints whose definition differs by disease.

    Returns:
        (endpoint, disease) -> levels that its outputs reach at the same time.

    Raises:
        Refusal: for a table that cannot be used.
    """
    name = "definitions.csv"
    found: dict[tuple[str, str], tuple[Threshold, ...]] = {}
    for row in read_table(files("mesolung.biology") / name, DEFINITION_COLUMNS):
        output = endpoints()[_one_of(row, "output", tuple(endpoints()))]
        above = _number(row, "above")
        if above is None or not output.accepts(row["unit"]):
            raise _wrong(row, "above", f"is not a level in {', '.join(output.accepted_units)}")
        level = convert(above, row["unit"], output.unit)
        key = (_one_of(row, "endpoint", tuple(endpoints())), _text(row, "disease"))
        found[key] = (*found.get(key, ()), Threshold(output.name, level, _text(row, "source")))
    return MappingProxyType(found)


def endpoint_in(name: str, disease: str) -> Endpoint:
    """Find an endpoint as it is defined in a disease.

    Arguments:
        name: row of the endpoint table.
        disease: of the study.

    Returns:
        the row, with the outputs and levels of its definition there.

    Raises:
        KeyError: for a name that the table has not.
    """
    row = endpoints()[name]
    parts = definitions().get((name, disease), ())
    if name in phenotypes():
        phenotype = phenotypes()[name]
        return replace(row, outputs=(phenotype.observable,), above=(phenotype.threshold,))
    if not parts:
        return row
    return replace(row, outputs=tuple(p.output for p in parts), above=tuple(p.above for p in parts))


@cache
def covariates() -> Mapping[str, Covariate]:
    """Read the baseline names that are not endpoints: name -> row of ``covariates.csv``; Refusal as above."""
    return _read("covariates.csv", COVARIATE_COLUMNS, _covariate)


@cache
def backgrounds() -> Mapping[str, Background]:
    """Read the drugs and supports of usual care: name -> row of ``backgrounds.csv``; Refusal as above."""
    return _read("backgrounds.csv", BACKGROUND_COLUMNS, _background)


@cache
def routes() -> Mapping[str, Route]:
    """Read the ways of giving cells: name -> row of ``routes.csv``; Refusal as above."""
    return _read("routes.csv", ROUTE_COLUMNS, _route)


@cache
def reserved() -> Mapping[tuple[str, str], str]:
    """Read the names that study files may hold and that are not served yet.

    Returns:
        (what it names: one of `RESERVED_KINDS`, name) -> what it waits for; a key's name has the tables that
        it stands in before it, as in "population.phenotype".

    Raises:
        Refusal: for a table that cannot be used.
    """
    table = files("mesolung.biology") / "reserved.csv"
    result: dict[tuple[str, str], str] = {}
    for row in read_table(table, RESERVED_COLUMNS):
        key = (_one_of(row, "kind", RESERVED_KINDS), _text(row, "name"))
        if key in result:
            raise _wrong(row, "name", "stands twice")
        result[key] = _text(row, "waits_for")
    return MappingProxyType(result)


def _read(name: str, columns: Sequence[str], build: Callable[[Row], Named]) -> Mapping[str, Named]:
    file = files("mesolung.biology") / name
    result: dict[str, Named] = {}
    for row in read_table(file, columns):
        try:
            if row["name"] in result:
                raise _wrong(row, "name", "stands twice")
            result[_text(row, "name")] = build(row)
        except Refusal as problem:
            raise Refusal(
                problem.problem, file=name, line=row.line, found=problem.found, allowed=problem.allowed
            ) from None
    return MappingProxyType(result)


def _endpoint(row: Row) -> Endpoint:
    unit = _text(row, "unit")
    lowest, highest = _bounds(row)
    rule = _one_of(row, "rule", RULES)
    outputs = _names(row, "outputs") if row["outputs"] else () if rule in WITHOUT_OUTPUT else (row["name"],)
    if rule in WITHOUT_OUTPUT and outputs:
        raise _wrong(row, "outputs", f"are none of a rule {rule}")
    return Endpoint(
        name=row["name"],
        label=_text(row, "label"),
        unit=unit,
        accepted_units=_units(row, unit),
        type=_one_of(row, "type", TYPES),
        scale=_one_of(row, "scale", SCALES),
        lowest=lowest,
        highest=highest,
        better=_one_of(row, "better", BETTER),
        needs_time=_yes(row, "needs_time"),
        at_enrolment=_yes(row, "at_enrolment"),
        value_at_death=_number(row, "value_at_death"),
        deaths=_one_of(row, "deaths", DEATHS),
        matrix=_text(row, "matrix"),
        diseases=_names(row, "diseases"),
        species=_names(row, "species"),
        subjective=_yes(row, "subjective"),
        minimum_important=_number(row, "minimum_important"),
        test=_one_of(row, "test", TESTS) if row["test"] else None,
        default_contrast=_one_of(row, "default_contrast", CONTRASTS),
        rule=rule,
        outputs=outputs,
        above=(ON,) * len(outputs) if rule in ("present", "occurred") else (),
    )


def _covariate(row: Row) -> Covariate:
    unit = _text(row, "unit")
    lowest, highest = _bounds(row)
    return Covariate(
        name=row["name"],
        label=_text(row, "label"),
        unit=unit,
        accepted_units=_units(row, unit),
        scale=_one_of(row, "scale", SCALES),
        lowest=lowest,
        highest=highest,
        diseases=_names(row, "diseases"),
    )


def _background(row: Row) -> Background:
    how = _one_of(row, "how", HOW)
    dose, every = _number(row, "dose"), _hours(row, "every")
    complete = dose is not None and dose > 0 and bool(row["dose_unit"]) and every is not None and every > 0
    if (how == "dose") != complete:
        raise _wrong(
            row,
            "dose",
            "with unit and interval is what a background given as doses has, and no other",
        )
    duration = _hours(row, "duration")
    return Background(
        name=row["name"],
        label=_text(row, "label"),
        kind=_one_of(row, "kind", BACKGROUND_KINDS),
        target=_text(row, "target"),
        how=how,
        dose=dose,
        dose_unit=row["dose_unit"] or None,
        most=_number(row, "most"),
        factor=_number(row, "factor") or 1.0,
        duration_h=inf if duration is None else duration,
        every_h=every,
        meaning=_text(row, "meaning"),
    )


def _route(row: Row) -> Route:
    return Route(
        name=row["name"],
        live_cells_enter=_text(row, "live_cells_enter"),
        apoptotic_cells_enter=_text(row, "apoptotic_cells_enter"),
        through_blood=_yes(row, "through_blood"),
        meaning=_text(row, "meaning"),
    )


def _text(row: Row, column: str) -> str:
    if not row[column]:
        raise _wrong(row, column, "is empty")
    return row[column]


def _names(row: Row, column: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in row[column].split(";"))
    if not all(names) or len(set(names)) < len(names):
        raise _wrong(row, column, "is not a list of names with ; between them")
    return names


def _one_of(row: Row, column: str, allowed: Sequence[str]) -> str:
    if row[column] not in allowed:
        raise Refusal(f"unknown {column}", line=row.line, found=row[column], allowed=", ".join(allowed))
    return row[column]


def _yes(row: Row, column: str) -> bool:
    return _one_of(row, column, ("yes", "no")) == "yes"


def _number(row: Row, column: str) -> float | None:
    if not row[column]:
        return None
    try:
        value = float(row[column])
    except ValueError:
        raise _wrong(row, column, "is not a number") from None
    if not isfinite(value):
        raise _wrong(row, column, "is not finite")
    return value


def _bounds(row: Row) -> tuple[float | None, float | None]:
    lowest, highest = _number(row, "lowest"), _number(row, "highest")
    if lowest is not None and highest is not None and lowest >= highest:
        raise _wrong(row, "highest", f"is not above lowest, {lowest:g}")
    if row["scale"] == "log" and not (lowest and lowest > 0):
        raise _wrong(row, "lowest", "must be positive on a log scale")
    return lowest, highest


def _units(row: Row, unit: str) -> tuple[str, ...]:
    units = _names(row, "accepted_units")
    if unit not in units or not all(same_dimension(one, unit) for one in units):
        raise _wrong(row, "accepted_units", f"are not the unit, {unit}, and others that convert to it")
    return units


def _hours(row: Row, column: str) -> float | None:
    if not row[column]:
        return None
    return quantity(row[column]).to("h")


def _wrong(row: Row, column: str, problem: str) -> Refusal:
    return Refusal(f"{column} {problem}", line=row.line, found=row[column] or "nothing")
