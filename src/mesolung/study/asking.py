"""Reading endpoints: which the study may ask for, at which time, of whom, compared and tested how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesolung.biology.disease import diseases
from mesolung.biology.states import STATE, state_row, states
from mesolung.biology.tables import Endpoint, Measured, definitions, endpoint_in, endpoints
from mesolung.reading import Refusal
from mesolung.study.animal_endpoints import EXPERIMENTS, animal_endpoint
from mesolung.study.arm import UNKNOWN
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.filters import read_where
from mesolung.study.place import Place, listed
from mesolung.study.possible import (
    HUMAN,
    PLANNED,
    endpoint_where,
    planned_endpoints,
    possible_endpoints,
)
from mesolung.study.times import read_time
from mesolung.study.where import Where
from mesolung.study.written import EndpointTable, ObservationTable
from mesolung.trial.endpoints import DAYS, DEATH_ENDPOINTS

# Endpoints that say in their name what death counts as.
OWN_DEATHS = (*DEATH_ENDPOINTS, "ventilation_or_death")
CONTRASTS = {
    "binary": ("risk_ratio", "risk_difference", "odds_ratio", "difference", "ratio", "none"),
    "continuous": ("difference", "ratio", "win_ratio", "none"),
    "count": ("difference", "ratio", "win_ratio", "none"),
    "rate": ("difference", "ratio", "win_ratio", "none"),
    "time": ("difference", "ratio", "hazard_ratio", "win_ratio", "none"),
}
TESTS = {
    "binary": ("fisher",),
    "continuous": ("welch", "mann-whitney"),
    "count": ("negative-binomial", "welch", "mann-whitney"),
    "rate": ("negative-binomial", "welch", "mann-whitney"),
    "time": ("log-rank", "welch", "mann-whitney"),
}
FOLLOWED = (*DEATH_ENDPOINTS, "discharged")  # every subject has a time to it


@dataclass(frozen=True)
class About:
    """What of a study decides which endpoints it can have.

    Attributes:
        diseases: name of its disease, or names of its mixture.
        species: of the study.
        duration_h: length, h.
        origin: what its times count from.
        names: what may stand in its table 1.
        kind: of the study.
    """

    diseases: tuple[str, ...]
    species: str
    duration_h: float
    origin: str
    names: Mapping[str, Measured]
    kind: str = "trial"

    @property
    def served(self) -> bool:
        """Whether its kind, species and diseases are such as the model serves."""
        return self.kind == "trial" and all(d in diseases() for d in self.diseases)


def contrasts_of(row: Endpoint, as_: str) -> tuple[str, ...]:
    """The measures that can compare arms at an endpoint.

    Arguments:
        row: of the endpoint table.
        as_: "level", "change" or "percent_change".

    Returns:
        names of measures. A change may be negative and has no ratio; a hazard ratio is of deaths, or of
        discharges alive; a state of the model has no better direction to win by.
    """
    allowed = CONTRASTS[row.type]
    if row.name in DEATH_ENDPOINTS:
        allowed = (*allowed[:-1], "win_ratio", "none")
    if row.name in ("mortality", "discharged"):
        allowed = (*allowed[:-1], "hazard_ratio", "none")
    if row.better == "neither":
        allowed = tuple(m for m in allowed if m != "win_ratio")
    return tuple(m for m in allowed if m != "ratio") if as_ != "level" else allowed


def tests_of(row: Endpoint, as_: str) -> tuple[str, ...]:
    """The tests that can compare arms at an endpoint; arguments as `contrasts_of`."""
    allowed = TESTS[row.type] + (("log-rank",) if row.name in FOLLOWED else ())
    return tuple(t for t in allowed if t != "negative-binomial") if as_ != "level" else allowed


def endpoint_row(name: str, at: Place, about: About) -> Endpoint:
    """Find an endpoint that a study can have.

    Arguments:
        name: as written.
        at: where it stands.
        about: the study.

    Returns:
        its row; where the study can have it and the model does not serve it, the row of what is planned.

    Raises:
        Refusal: for an unknown name or state, or one that a disease or the species cannot have.
    """
    if name.startswith(STATE):
        if name.removeprefix(STATE) not in states():
            raise at.unknown("endpoint", name, (f"{STATE}{state}" for state in states()))
        return state_row(name)
    if about.kind in EXPERIMENTS:
        of_experiment = animal_endpoint(name, about.diseases, about.species, about.kind)
        if of_experiment is not None:
            return of_experiment
    row = endpoints().get(name)
    if row is None or not is_served(row, about):
        planned = endpoint_where(name, about.diseases, about.species, about.kind)
        if planned is None:
            raise _impossible(name, at, about)
        return replace(planned, rule=PLANNED)
    if len({definitions().get((name, disease)) for disease in about.diseases}) > 1:
        raise at.refuse(f"{name} is defined differently in the diseases of a mixture", found=name)
    return endpoint_in(name, about.diseases[0])


def is_served(row: Endpoint, about: About) -> bool:
    """Whether the model serves an endpoint in a study; arguments as `endpoint_row`, with the row."""
    of_them = set(about.diseases) <= set(row.diseases) and about.species in row.species
    return of_them and about.served


def _impossible(name: str, at: Place, about: About) -> Refusal:
    usable = possible_endpoints(about.diseases, about.species, about.kind)
    if name not in endpoints() and name not in planned_endpoints():
        return at.refuse_name("endpoint", name, usable)
    for disease in about.diseases:
        if endpoint_where(name, (disease,), about.species, about.kind) is None:
            who = disease if about.species == HUMAN else f"{disease} of the {about.species}"
            return at.refuse(f"{who} cannot have this endpoint", found=name, allowed=listed(usable))
    return at.refuse(f"{about.species} cannot have this endpoint", found=name, allowed=listed(usable))


@dataclass(frozen=True)
class Checked:
    """The time and the filter of an endpoint or observation.

    Attributes:
        time_h: h since the study's origin; None for an endpoint that has none, or where it is unknown.
        time_unknown: whether the file says so.
        where: the filter, or None.
    """

    time_h: float | None
    time_unknown: bool
    where: Where | None


def check_asked(written: EndpointTable | ObservationTable, row: Endpoint, at: Place, about: About) -> Checked:
    """Check time, form, filter and rule for the dead of an endpoint or observation.

    Arguments:
        written: as written.
        row: its endpoint.
        at: where it stands.
        about: the study.

    Returns:
        its time and filter.

    Raises:
        Refusal: when the endpoint cannot have them.
    """
    if written.time is None and row.needs_time:
        raise at.refuse(f"{row.name}: time is missing", allowed=f'as "28 d", 0 h to {about.duration_h:g} h')
    if written.as_ != "level" and (row.type in ("binary", "rate") or not row.at_enrolment):
        raise at.at("as").refuse(
            f"{row.name} has no value at enrolment to change from", found=written.as_, allowed="level"
        )
    if written.deaths is not None:
        _check_deaths(written.deaths, row, at.at("deaths"))
    if about.origin != "enrolment" and row.rule in DAYS:
        name = "name" if isinstance(written, EndpointTable) else "endpoint"
        raise at.at(name).refuse(
            f"{row.name} counts days from enrolment, the study its times from {about.origin}",
            found=row.name,
            allowed='origin = "enrolment"',
        )
    unknown = isinstance(written, ObservationTable) and written.time == UNKNOWN
    if unknown and row.rule in DAYS:
        raise at.at("time").refuse(f"{row.name} counts days up to a time", found=UNKNOWN, allowed='as "28 d"')
    no_time = written.time is None or unknown
    return Checked(
        None if no_time else read_time(str(written.time), at.at("time"), about.duration_h),
        unknown,
        None if written.where is None else read_where(written.where, at.at("where"), about.names),
    )


def _check_deaths(deaths: str, row: Endpoint, at: Place) -> None:
    if row.name in OWN_DEATHS:
        raise at.refuse(f"{row.name} has its own rule for the dead", found=deaths, allowed="no deaths key")
    worst = row.highest if row.better == "lower" else row.lowest
    bounded = row.type == "binary" or row.rule in DAYS or worst is not None or row.value_at_death is not None
    if deaths == "worst" and not bounded:
        raise at.refuse(f"{row.name} has no worst value", found=deaths, allowed="survivors, zero")


def read_endpoints(written: list[EndpointTable], place: Place, about: About) -> tuple[EndpointAsked, ...]:
    """Read the plan's endpoints.

    Arguments:
        written: as written.
        place: of the list.
        about: the study.

    Returns:
        the endpoints, the first is primary.

    Raises:
        Refusal: for an endpoint that the study cannot have, or the same one twice.
    """
    found: list[EndpointAsked] = []
    for i, table in enumerate(written):
        at = place.at(i)
        row = endpoint_row(table.name, at.at("name"), about)
        checked = check_asked(table, row, at, about)
        for key, allowed in (("contrast", contrasts_of(row, table.as_)), ("test", tests_of(row, table.as_))):
            stated = getattr(table, key)
            if stated is not None and stated not in allowed:
                form = row.type if table.as_ == "level" else f"{row.type}, as {table.as_}"
                raise at.at(key).refuse(
                    f"{table.name} ({form}) cannot have this {key}", found=stated, allowed=listed(allowed)
                )
        asked = EndpointAsked(
            name=table.name,
            time_h=checked.time_h,
            as_=table.as_,
            deaths=table.deaths,
            contrast=table.contrast,
            test=table.test,
            where=checked.where,
        )
        if any(_same(asked, other) for other in found):
            raise at.refuse(
                "the same endpoint twice", found=table.name, allowed="another time, as, deaths or where"
            )
        found.append(asked)
    return tuple(found)


def _same(a: EndpointAsked, b: EndpointAsked) -> bool:
    return (a.name, a.time_h, a.as_, a.deaths, a.where) == (b.name, b.time_h, b.as_, b.deaths, b.where)
