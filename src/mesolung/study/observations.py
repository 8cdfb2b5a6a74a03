"""Reading what a published study observed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from mesolung.biology.tables import Endpoint
from mesolung.study.asking import About, check_asked, contrasts_of, endpoint_row
from mesolung.study.observation import BASELINE, Observation, Source, Statistic
from mesolung.study.place import Place, listed
from mesolung.study.written import ObservationTable
from mesolung.trial.contrasts import is_ratio

# The key that decides the form -> the keys that may, and that must, stand beside it.
FORMS: dict[Statistic, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "order": (("n",), ()),
    "direction": (("versus", "alpha", "n"), ("arm", "versus")),
    "contrast": (("versus", "value", "ci95", "p", "n"), ("arm", "versus", "value")),
    "event_count": (("n",), ("arm",)),
    "events": (("n",), ("arm", "n")),
    "mean": (("sd", "se", "ci95", "n"), ("arm",)),
    "median": (("iqr", "n"), ("arm", "iqr")),
    "value": (("n",), ("arm",)),
}
NUMBERS = (
    "arm", "n", "events", "event_count", "mean", "sd", "se", "median", "iqr", "value", "ci95", "p", "versus",
    "contrast", "direction", "alpha", "order",
)  # fmt: skip
IN_UNIT = ("mean", "sd", "se", "median", "value")
PERCENT = "percent"


def read_observations(
    written: list[ObservationTable],
    place: Place,
    about: About,
    arms: Collection[str],
) -> tuple[Observation, ...]:
    """Read all observations.

    Arguments:
        written: as written.
        place: of the list.
        about: the study.
        arms: names of its arms.

    Returns:
        the observations in the file's order, numbers in the endpoint's unit.

    Raises:
        Refusal: for one that the study cannot have, whose numbers do not fit together, or that stands there
            twice without being two versions of one result.
    """
    found: list[Observation] = []
    rules: dict[str, str] = {}
    for i, table in enumerate(written):
        at = place.at(i)
        row = endpoint_row(table.endpoint, at.at("endpoint"), about)
        checked = check_asked(table, row, at, about)
        form = _form(table, at)
        pooled = _arms(table, at, arms)
        _check_numbers(table, form, row, at)
        numbers = _converted(table, form, row, at)
        _check_possible(numbers, table, form, row, at)
        found.append(
            one := Observation(
                index=i,
                form=form,
                arm=pooled,
                endpoint=table.endpoint,
                time_h=checked.time_h,
                time_unknown=checked.time_unknown,
                as_=table.as_,
                deaths=table.deaths,
                where=checked.where,
                unit=table.unit,
                n=table.n,
                events=table.events,
                event_count=table.event_count,
                p=table.p,
                versus=table.versus,
                contrast=table.contrast,
                direction=table.direction,
                alpha=0.05 if table.alpha is None else table.alpha,
                order=tuple(table.order or ()),
                source=Source(**dict(table.source)),
                **numbers,
            )
        )
        rules[one.endpoint] = row.deaths
        _check_once(one, found[:-1], place, rules)
    return tuple(found)


def _check_once(one: Observation, earlier: list[Observation], place: Place, rules: Mapping[str, str]) -> None:
    for other in earlier:
        if not _same_result(one, other, rules):
            continue
        versions = (one.source.version, other.source.version)
        if None in versions or versions[0] == versions[1]:
            line, told = place.document.line(*place.at(other.index).path), _measured(other)
            raise place.at(one.index).refuse(
                "the same observation twice" if told == _measured(one) else "two versions of one result",
                told=f"also on line {line}" + ("" if told == _measured(one) else f", as {told}"),
                allowed="another arm, endpoint, time or number; or a version of its own in each source",
            )


def _same_result(one: Observation, other: Observation, rules: Mapping[str, str]) -> bool:
    """Whether two observations are of one result, told in one form or once as a bare number."""
    if one.form != other.form and not (_repeats(one, other) or _repeats(other, one)):
        return False
    return _what(one, rules) == _what(other, rules)


def _measured(one: Observation) -> str:
    """The form of an observation, of a comparison its measure."""
    return one.contrast or one.form


def _repeats(bare: Observation, full: Observation) -> bool:
    """Whether a bare number tells again what another form tells with its n or spread."""
    if bare.form != "value":
        return False
    # Beside a median a bare number may be the mean, and beside a mean the median, unless it is the same.
    same = full.form in ("mean", "median") and bare.value == getattr(full, full.form)
    return same or full.form in ("events", "event_count")


def _what(one: Observation, rules: Mapping[str, str]) -> tuple[Any, ...]:
    """What an observation is of, in whatever form or measure; two of the same are versions of one result."""
    where = (one.endpoint, one.time_h, one.as_, one.deaths or rules[one.endpoint], one.where)
    return (frozenset(one.arm), *where, one.versus, one.order)


def _of_ratio(table: ObservationTable) -> bool:
    return table.contrast is not None and is_ratio(table.contrast)


def _form(table: ObservationTable, at: Place) -> Statistic:
    stated = [key for key in NUMBERS if getattr(table, key) not in (None, [])]
    form: Statistic | None = next((key for key in FORMS if key in stated), None)
    if form is None:
        raise at.refuse("an observation without a number", allowed=listed(FORMS))
    beside, needed = FORMS[form]
    for key in stated:
        if key not in (form, *beside, *needed):
            raise at.at(key).refuse(
                f"{key} does not go with {form}", found=key, allowed=listed(dict.fromkeys([*needed, *beside]))
            )
    for key in needed:
        if key not in stated:
            raise at.refuse(f"{form}: {key} is missing", allowed=f"{key} beside {form}")
    if form == "mean" and not {"sd", "se", "ci95"} & set(stated):
        raise at.at("mean").refuse(
            "a mean without spread", allowed="sd, se or ci95 beside it; a bare number is `value`"
        )
    if form == "mean" and "sd" in stated and not {"se", "ci95", "n"} & set(stated):
        raise at.at("sd").refuse("an sd without n", allowed="n beside sd, or se or ci95")
    return form


def _arms(table: ObservationTable, at: Place, arms: Collection[str]) -> tuple[str, ...]:
    pooled = (table.arm,) if isinstance(table.arm, str) else tuple(table.arm)
    for key, names in (("arm", pooled), ("order", tuple(table.order or ()))):
        for name in names:
            if name not in arms:
                raise at.at(key).refuse("no such arm", found=name, allowed=listed(arms))
        if len(set(names)) < len(names):
            raise at.at(key).refuse("one arm twice", told=", ".join(names), allowed="each arm once")
    if table.versus is not None:
        allowed = [a for a in arms if a not in pooled] + [BASELINE] * (table.direction is not None)
        if table.versus not in allowed:
            raise at.at("versus").refuse(
                "no such arm to compare with", found=table.versus, allowed=listed(allowed)
            )
    return pooled


def _check_numbers(table: ObservationTable, form: str, row: Endpoint, at: Place) -> None:
    yes_or_no = row.type == "binary"
    if form == "events" and not yes_or_no:
        raise at.at("events").refuse(
            f"{row.name} ({row.type}) has no share of subjects", allowed="mean, median, value"
        )
    if form == "event_count" and row.type not in ("count", "rate"):
        raise at.at("event_count").refuse(
            f"{row.name} ({row.type}) has no events to count",
            allowed="events" if yes_or_no else "mean, median",
        )
    if form in ("mean", "median") and yes_or_no:
        raise at.at(form).refuse(f"{row.name} is a yes or no", found=form, allowed="events with n, or value")
    if form == "order" and row.better == "neither":
        raise at.at("order").refuse(
            f"{row.name} has no better direction", told=listed(table.order or ()), allowed="direction"
        )
    compared = len(table.order or ()) if form == "order" else 1 + (table.versus not in (None, BASELINE))
    if table.n is not None and form in ("order", "direction", "contrast") and table.n < 2 * compared:
        raise at.at("n").refuse(
            f"n of {form}: too few", found=table.n, allowed=f"at least {2 * compared}, of all arms together"
        )
    if table.events is not None and table.n is not None and table.events > table.n:
        raise at.at("events").refuse(
            "events > n", told=f"{table.events} of {table.n}", allowed=f"0 to {table.n}"
        )
    if table.contrast is not None:
        allowed = [m for m in contrasts_of(row, table.as_) if m != "none"]
        if table.contrast not in allowed:
            raise at.at("contrast").refuse(
                f"{row.name} ({row.type}) cannot have this contrast",
                found=table.contrast,
                allowed=listed(allowed),
            )
    if table.versus == BASELINE and not row.at_enrolment:
        raise at.at("versus").refuse(
            f"{row.name} has no value at enrolment", found=BASELINE, allowed="an arm"
        )


def _converted(table: ObservationTable, form: str, row: Endpoint, at: Place) -> dict[str, Any]:
    """The numbers that have a unit, in the endpoint's."""
    numbers: dict[str, Any] = {key: getattr(table, key) for key in (*IN_UNIT, "iqr", "ci95")}
    if table.unit is None:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items()}
    if form in ("order", "direction", "events", "event_count") or _of_ratio(table):
        raise at.at("unit").refuse("a unit where no number has one", found=table.unit, allowed="no unit")
    unit = PERCENT if table.as_ == "percent_change" else row.unit
    measured = None if unit == PERCENT else row

    def value(number: float | None) -> float | None:
        return (
            None if number is None else at.at("unit").converted(number, str(table.unit), unit, row=measured)
        )

    value(1.0)
    return {k: tuple(value(x) for x in v) if isinstance(v, list) else value(v) for k, v in numbers.items()}


def _check_possible(
    numbers: dict[str, Any], table: ObservationTable, form: str, row: Endpoint, at: Place
) -> None:
    low = -math.inf if row.lowest is None or table.as_ != "level" or form == "contrast" else row.lowest
    high = math.inf if row.highest is None or table.as_ != "level" or form == "contrast" else row.highest
    if form == "contrast" and _of_ratio(table):
        low = 0.0
    for key in ("mean", "median", "value", "iqr", "ci95"):
        if key == "ci95" and form == "mean":
            continue  # an interval of a mean is symmetric and may pass a bound that no subject does
        values = numbers[key] if isinstance(numbers[key], tuple) else (numbers[key],)
        for number in values:
            if number is not None and not low <= number <= high:
                raise at.at(key).refuse(
                    f"impossible {key} of {table.contrast or row.name}",
                    told=f"{number:g}",
                    allowed=f"{low:g} to {high:g}" + ("" if form == "contrast" else f" {row.unit}"),
                )
    for key, centre in (
        ("iqr", numbers["median"]),
        ("ci95", numbers["mean"] if form == "mean" else numbers["value"]),
    ):
        pair = numbers[key]
        if pair is None:
            continue
        if not pair[0] < pair[1] or not pair[0] <= centre <= pair[1]:
            raise at.at(key).refuse(
                f"{key} out of order",
                told=f"{pair[0]:g}, {centre:g}, {pair[1]:g}",
                allowed="lower limit, value, upper limit, increasing",
            )
