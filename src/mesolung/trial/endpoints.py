"""Endpoints of subjects: one number per subject from its course and its death."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mesolung.trial.outcomes import Floats, Outcomes

DEATH_ENDPOINTS = ("mortality", "survival")
VENTILATED = 0.5  # the smooth output `ventilated` counts as ventilated from here on
HOURS_PER_DAY = 24.0


class EndpointRow(Protocol):
    """A row of the endpoint table, as far as trials need it; an absent number is None or nan."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def scale(self) -> str: ...
    @property
    def better(self) -> str: ...
    @property
    def value_at_death(self) -> float | None: ...
    @property
    def deaths(self) -> str | None: ...
    @property
    def lowest(self) -> float | None: ...
    @property
    def highest(self) -> float | None: ...
    @property
    def test(self) -> str | None: ...
    @property
    def default_contrast(self) -> str | None: ...
    @property
    def minimum_important(self) -> float | None: ...


def endpoint_values(
    outcomes: Outcomes,
    row: EndpointRow,
    time_h: float | None = None,
    as_: str = "level",
    deaths: str | None = None,
) -> Floats:
    """What a trial records for each subject.

    Mortality and survival are 1 or 0 at `time_h`. Ventilator-free days are 0 for the dead, else the days
    without ventilation since time 0 (fractions of a day, `ventilated` linear between outputs and crossing
    0.5). Ventilation and any other binary endpoint is 1 where its output is at least 0.5. Continuous
    endpoints are interpolated between outputs, on the log scale where the table says so.

    Args:
        outcomes: the subjects' courses.
        row: the endpoint.
        time_h: hours since enrolment; default the last output.
        as_: "level", "change" (level - baseline) or "percent_change" (100 (level / baseline - 1)); the first
            output is the baseline.
        deaths: what the dead count as: "survivors" (nan), "worst" (the table's value at death, else the worst
            bound), "zero"; default the table's rule, else "survivors". It replaces the level, and a change is
            then taken from it. Mortality, survival and ventilator-free days have their own rule.

    Returns:
        float64[n] in the endpoint's unit (percent for "percent_change"); nan is not evaluable: dead under
        "survivors", a failed course, or a percentage of a baseline of 0.

    Raises:
        KeyError: an output that the courses lack.
        ValueError: a time outside the outputs, an unknown `as_` or `deaths`, "worst" without a value or
            bound, a change of an endpoint that has no baseline.
    """
    time_h = float(outcomes.times[-1]) if time_h is None else time_h
    outcomes.segment(time_h)  # a death by day 60 cannot be read off a 28-day course
    unknown = np.isnan(outcomes.death_time) & np.isnan(outcomes.death_probability(time_h))
    dead = outcomes.death_time <= time_h
    if row.name in DEATH_ENDPOINTS:
        _refuse_change(row, as_)
        happened = dead if row.name == "mortality" else ~dead
        return np.where(unknown, np.nan, happened.astype(np.float64))
    alive_value, dead_value = _if_alive_if_dead(outcomes, row, time_h, as_, deaths)
    return np.where(unknown, np.nan, np.where(dead, dead_value, alive_value))


def expected_values(
    outcomes: Outcomes,
    row: EndpointRow,
    time_h: float | None = None,
    as_: str = "level",
    deaths: str | None = None,
    logarithm: bool = False,
) -> tuple[Floats, Floats]:
    """Each subject's expected endpoint over its own death or survival, and its weight in the arm's mean.

    With P = 1 - exp(-H): mortality P; an endpoint that gives the dead a value, (1 - P) alive + P dead; one of
    survivors, the value alive weighted by 1 - P. No death is drawn, so the arm's mean carries no sampling
    noise.

    Args:
        outcomes, row, time_h, as_, deaths: as in `endpoint_values`.
        logarithm: expect the natural logarithm instead, of which a geometric mean is made; values of 0 or
            less stand where `raised` puts them.

    Returns:
        float64[n] values and float64[n] weights (0 where not evaluable).

    Raises:
        KeyError, ValueError: as in `endpoint_values`.
    """
    time_h = float(outcomes.times[-1]) if time_h is None else time_h
    risk = outcomes.death_probability(time_h)
    if row.name in DEATH_ENDPOINTS:
        _refuse_change(row, as_)
        values, weights = (risk if row.name == "mortality" else 1.0 - risk), np.ones_like(risk)
    else:
        alive_value, dead_value = _if_alive_if_dead(outcomes, row, time_h, as_, deaths)
        if logarithm:
            alive_value, dead_value = (np.log(x) for x in raised((alive_value, dead_value), row))
        survivors = np.isnan(dead_value)
        values = np.where(survivors, alive_value, (1.0 - risk) * alive_value + risk * dead_value)
        weights = np.where(survivors, 1.0 - risk, 1.0)
    missing = np.isnan(values) | np.isnan(weights)
    return np.where(missing, np.nan, values), np.where(missing, 0.0, weights)


def raised(series: tuple[Floats, ...], row: EndpointRow) -> tuple[Floats, ...]:
    """Raise values of 0 or less to the least that can be told, so that a logarithm can be taken.

    That is the table's `lowest` where positive, else the smallest positive value of all the series.

    Args:
        series: float64 arrays of any length; nan stays.
        row: the endpoint.

    Returns:
        the series, positive or nan.
    """
    pooled = np.concatenate(series)
    bound = row.lowest
    floor = bound if bound is not None and bound > 0 else float(pooled[pooled > 0].min(initial=np.inf))
    floor = floor if np.isfinite(floor) else 1.0  # nothing is positive: all are equal on this scale
    return tuple(np.where(x <= 0, floor, x) for x in series)


def free_days(outcomes: Outcomes, time_h: float) -> Floats:
    """Days from time 0 to `time_h` without ventilation, were the subject alive throughout.

    `ventilated` is linear between outputs; a segment that crosses 0.5 counts up to its crossing.

    Args:
        outcomes: courses with the output `ventilated` (0 to 1), the first output at or before time 0.
        time_h: hours since enrolment.

    Returns:
        float64[n] in days, 0 to time_h / 24; nan for a course that failed before `time_h`.

    Raises:
        ValueError: outputs that start after time 0.
    """
    grid = outcomes.times
    if grid[0] > 0:
        raise ValueError(f"ventilator-free days count from time 0, but the outputs start at {grid[0]} h")
    inside = (grid > 0) & (grid < time_h)
    course = outcomes.output("ventilated")
    values = np.column_stack(
        [outcomes.output_at("ventilated", 0.0), course[:, inside], outcomes.output_at("ventilated", time_h)]
    )
    widths = np.diff(np.concatenate([[0.0], grid[inside], [time_h]]))
    left, right = VENTILATED - values[:, :-1], VENTILATED - values[:, 1:]  # positive = free
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = np.maximum(left, right) / np.abs(left - right)
    free = np.where((left > 0) & (right > 0), 1.0, np.where((left <= 0) & (right <= 0), 0.0, crossing))
    free = np.where(np.isnan(left) | np.isnan(right), np.nan, free)
    return (free * widths).sum(axis=1) / HOURS_PER_DAY


def value_of_death(row: EndpointRow, deaths: str | None = None) -> float:
    """The level that a dead subject counts as; nan when only survivors are evaluated.

    Args:
        row: the endpoint.
        deaths: "survivors", "worst" or "zero"; default the table's rule, else "survivors".

    Raises:
        ValueError: an unknown rule, or "worst" for an endpoint with neither a value at death nor a worst
            bound.
    """
    rule = deaths or row.deaths or "survivors"
    if rule == "survivors":
        return np.nan
    if rule == "zero":
        return 0.0
    if rule != "worst":
        raise ValueError(f"deaths = {rule!r}: expected survivors, worst or zero")
    bounds = (0.0, 1.0) if row.type == "binary" else (row.lowest, row.highest)
    for value in (row.value_at_death, bounds[1] if row.better == "lower" else bounds[0]):
        if value is not None and np.isfinite(value):
            return float(value)
    raise ValueError(f"{row.name} has no value at death and no worst bound, so deaths = 'worst' has no value")


def _if_alive_if_dead(
    outcomes: Outcomes, row: EndpointRow, time_h: float, as_: str, deaths: str | None
) -> tuple[Floats, Floats]:
    """The value of each subject if alive and if dead at `time_h`; a dead value of nan is not evaluable."""
    if row.name == "ventilator_free_days":
        _refuse_change(row, as_)
        return free_days(outcomes, time_h), np.zeros(outcomes.size)
    at_death = np.full(outcomes.size, value_of_death(row, deaths))
    if row.type == "binary":
        _refuse_change(row, as_)
        level = outcomes.output_at("ventilated" if row.name == "ventilation" else row.name, time_h)
        return np.where(np.isnan(level), np.nan, (level >= VENTILATED).astype(np.float64)), at_death
    level = outcomes.output_at(row.name, time_h, row.scale)
    if as_ == "level":
        return level, at_death
    baseline = outcomes.output(row.name)[:, 0]
    if as_ == "change":
        return level - baseline, at_death - baseline
    if as_ == "percent_change":
        base = np.where(baseline == 0, np.nan, baseline)
        return 100.0 * (level / base - 1.0), 100.0 * (at_death / base - 1.0)
    raise ValueError(f"as = {as_!r}: expected level, change or percent_change")


def _refuse_change(row: EndpointRow, as_: str) -> None:
    if as_ != "level":
        raise ValueError(f"{row.name} has no baseline, so it has a level only, not as = {as_!r}")
