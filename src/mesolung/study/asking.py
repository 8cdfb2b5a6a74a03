"""Reading endpoints: which the study may ask for, at which time, compared and tested how."""

from __future__ import annotations

from mesolung.biology.tables import Endpoint, endpoints
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.place import Place, listed
from mesolung.study.times import read_time
from mesolung.study.written import EndpointTable, ObservationTable
from mesolung.trial.endpoints import DEATH_ENDPOINTS

NO_BASELINE = (*DEATH_ENDPOINTS, "ventilator_free_days")
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


def contrasts_of(row: Endpoint, as_: str) -> tuple[str, ...]:
    """The measures that can compare arms at an endpoint.

    Arguments:
        row: of the endpoint table.
        as_: "level", "change" or "percent_change".

    Returns:
        names of measures. A change may be negative and has no ratio; a hazard ratio is of deaths.
    """
    allowed = CONTRASTS[row.type]
    if row.name in DEATH_ENDPOINTS:
        allowed = (*allowed[:-1], "win_ratio", "none")
    if row.name == "mortality":
        allowed = (*allowed[:-1], "hazard_ratio", "none")
    return tuple(m for m in allowed if m != "ratio") if as_ != "level" else allowed


def tests_of(row: Endpoint, as_: str) -> tuple[str, ...]:
    """The tests that can compare arms at an endpoint; arguments as `contrasts_of`."""
    allowed = TESTS[row.type] + (("log-rank",) if row.name in DEATH_ENDPOINTS else ())
    return tuple(t for t in allowed if t != "negative-binomial") if as_ != "level" else allowed


def endpoint_row(name: str, at: Place, disease: str, species: str) -> Endpoint:
    """Find an endpoint that a study can have.

    Arguments:
        name: as written.
        at: where it stands.
        disease, species: of the study.

    Returns:
        its row.

    Raises:
        Refusal: for an unknown name, or one that the disease or species cannot have.
    """
    usable = [n for n, r in endpoints().items() if disease in r.diseases and species in r.species]
    row = endpoints().get(name)
    if name.startswith("state:"):
        raise at.not_yet(f'endpoint "{name}"', listed(sorted(usable)))
    if row is None:
        raise at.unknown("endpoint", name, usable)
    if disease not in row.diseases:
        raise at.refuse(f"{disease} cannot have this endpoint", found=name, allowed=listed(sorted(usable)))
    if species not in row.species:
        raise at.refuse(f"{species} cannot have this endpoint", found=name, allowed=listed(sorted(usable)))
    return row


def check_asked(
    written: EndpointTable | ObservationTable, row: Endpoint, at: Place, duration_h: float
) -> float | None:
    """Check time, form and rule for the dead of an endpoint or observation.

    Arguments:
        written: as written.
        row: its endpoint.
        at: where it stands.
        duration_h: length of the study, h.

    Returns:
        its time, h since enrolment, or None.

    Raises:
        Refusal: when the endpoint cannot have them.
    """
    if written.time is None and row.needs_time:
        raise at.refuse(f"{row.name}: time is missing", allowed=f'as "28 d", 0 h to {duration_h:g} h')
    if written.as_ != "level" and (row.type == "binary" or row.name in NO_BASELINE or not row.at_enrolment):
        raise at.at("as").refuse(
            f"{row.name} has no value at enrolment to change from", found=written.as_, allowed="level"
        )
    if written.deaths is not None:
        _check_deaths(written.deaths, row, at.at("deaths"))
    return None if written.time is None else read_time(written.time, at.at("time"), duration_h)


def _check_deaths(deaths: str, row: Endpoint, at: Place) -> None:
    if row.name in NO_BASELINE:
        raise at.refuse(f"{row.name} has its own rule for the dead", found=deaths, allowed="no deaths key")
    worst = row.highest if row.better == "lower" else row.lowest
    if deaths == "worst" and row.type != "binary" and worst is None and row.value_at_death is None:
        raise at.refuse(f"{row.name} has no worst value", found=deaths, allowed="survivors, zero")


def read_endpoints(
    written: list[EndpointTable], place: Place, *, duration_h: float, disease: str, species: str
) -> tuple[EndpointAsked, ...]:
    """Read the plan's endpoints.

    Arguments:
        written: as written.
        place: of the list.
        duration_h: length of the study, h.
        disease, species: of the study.

    Returns:
        the endpoints, the first is primary.

    Raises:
        Refusal: for an endpoint that the study cannot have, or the same one twice.
    """
    found: list[EndpointAsked] = []
    for i, table in enumerate(written):
        at = place.at(i)
        row = endpoint_row(table.name, at.at("name"), disease, species)
        time = check_asked(table, row, at, duration_h)
        for key, allowed in (("contrast", contrasts_of(row, table.as_)), ("test", tests_of(row, table.as_))):
            stated = getattr(table, key)
            if stated is not None and stated not in allowed:
                form = row.type if table.as_ == "level" else f"{row.type}, as {table.as_}"
                raise at.at(key).refuse(
                    f"{table.name} ({form}) cannot have this {key}", found=stated, allowed=listed(allowed)
                )
        asked = EndpointAsked(
            name=table.name,
            time_h=time,
            as_=table.as_,
            deaths=table.deaths,
            contrast=table.contrast,
            test=table.test,
        )
        if any(_same(asked, other) for other in found):
            raise at.refuse("the same endpoint twice", found=table.name, allowed="another time, as or deaths")
        found.append(asked)
    return tuple(found)


def _same(a: EndpointAsked, b: EndpointAsked) -> bool:
    return (a.name, a.time_h, a.as_, a.deaths) == (b.name, b.time_h, b.as_, b.deaths)
