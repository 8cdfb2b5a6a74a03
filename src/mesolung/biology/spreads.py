"""How quantities differ between subjects, read from tables of a disease file."""

from __future__ import annotations

import re
from collections.abc import Collection

from mesolung.biology.course import Spread
from mesolung.biology.entries import Entry

YEAR_H = 8766.0
HOURS = {"min": 1.0 / 60.0, "h": 1.0, "d": 24.0, "week": 168.0, "y": YEAR_H}
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "share")
KEYS = ("distribution", "value", "sd", "unit", "min", "max", "correlation")
INF = float("inf")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s+(\S+)")


def hours(entry: Entry, key: str) -> float:
    """Read a length of time such as "40 d".

    Arguments:
        entry: the table.
        key: its key.

    Returns:
        hours.

    Raises:
        Refusal: for anything else than a number, not negative, with one of the units of time.
    """
    text = entry.text(key)
    found = _DURATION.fullmatch(text.strip())
    if found is None or found[2] not in HOURS:
        raise entry.refusal(
            f"{key} is no length of time", key, found=text, allowed=f"a number and {', '.join(HOURS)}"
        )
    return float(found[1]) * HOURS[found[2]]


def read_spread(
    entry: Entry, varying: Collection[str] = (), *, lowest: float = -INF, above: float = -INF
) -> Spread:
    """Read how a quantity differs between subjects.

    Arguments:
        entry: the table.
        varying: names that it may be correlated with.
        lowest: no subject may have less.
        above: every subject must have more.

    Returns:
        the spread, in the unit that the table states, "1" where it states none.

    Raises:
        Refusal: with file and line, for a key or number that cannot be used.
    """
    entry.only(*KEYS)
    distribution = entry.text("distribution", "fixed")
    if distribution not in DISTRIBUTIONS:
        raise entry.refusal(
            "unknown distribution", "distribution", found=distribution, allowed=", ".join(DISTRIBUTIONS)
        )
    value = entry.share("value") if distribution == "share" else entry.number("value")
    if distribution == "lognormal" and value <= 0.0:
        raise entry.refusal("a lognormal median must be above 0", "value", found=f"{value:g}")
    spread = Spread(
        distribution=distribution,
        value=value,
        sd=_sd(entry, distribution),
        unit=entry.text("unit", "1"),
        lowest=entry.number("min", -INF),
        highest=entry.number("max", INF),
        correlation=_correlation(entry, varying),
    )
    if spread.lowest > spread.highest:
        raise entry.refusal(
            "min is above max", "min", found=f"{spread.lowest:g}", allowed=f"up to {spread.highest:g}"
        )
    if not spread.lowest <= value <= spread.highest:
        raise entry.refusal(
            "the median lies beyond min or max",
            "value",
            found=f"{value:g}",
            allowed=f"{spread.lowest:g} to {spread.highest:g}",
        )
    _refuse_low(entry, spread, lowest, above)
    return spread


def read_time(
    entry: Entry, varying: Collection[str] = (), *, lowest: float = -INF, above: float = -INF
) -> Spread:
    """Read how a time differs between subjects.

    Arguments:
        entry, varying, lowest, above: as for `read_spread`; the table must state a unit of time.

    Returns:
        the spread, in hours.

    Raises:
        Refusal: as for `read_spread`.
    """
    spread = read_spread(entry, varying, lowest=lowest, above=above)
    unit = entry.text("unit")
    if unit not in HOURS:
        raise entry.refusal("not a unit of time", "unit", found=unit, allowed=", ".join(HOURS))
    if spread.distribution == "share":
        raise entry.refusal("a time cannot be a share", "distribution")
    factor = HOURS[unit]
    return Spread(
        distribution=spread.distribution,
        value=spread.value * factor,
        sd=spread.sd if spread.distribution == "lognormal" else spread.sd * factor,
        unit="h",
        lowest=spread.lowest * factor,
        highest=spread.highest * factor,
        correlation=spread.correlation,
    )


def read_rate(entry: Entry, varying: Collection[str] = ()) -> Spread:
    """Read how a rate of events differs between subjects.

    Arguments:
        entry, varying: as for `read_spread`; the table must state a unit such as "1/y", and a largest rate
            where it has a spread.

    Returns:
        the spread, an hour.

    Raises:
        Refusal: as for `read_spread`.
    """
    spread = read_spread(entry, varying, above=0.0)
    unit = entry.text("unit")
    if unit.removeprefix("1/") not in HOURS or not unit.startswith("1/"):
        allowed = ", ".join(f"1/{one}" for one in HOURS)
        raise entry.refusal("not a unit of a rate", "unit", found=unit, allowed=allowed)
    if spread.distribution == "share":
        raise entry.refusal("a rate cannot be a share", "distribution")
    if spread.distribution != "fixed" and spread.highest == INF:
        raise entry.refusal("a rate that differs between subjects needs a largest one", allowed="max")
    factor = 1.0 / HOURS[unit.removeprefix("1/")]
    return Spread(
        distribution=spread.distribution,
        value=spread.value * factor,
        sd=spread.sd if spread.distribution == "lognormal" else spread.sd * factor,
        unit="1/h",
        lowest=spread.lowest * factor,
        highest=spread.highest * factor,
        correlation=spread.correlation,
    )


def _sd(entry: Entry, distribution: str) -> float:
    if distribution in ("fixed", "share"):
        if "sd" in entry.values:
            raise entry.refusal(f"what is {distribution} has no sd", "sd", allowed="normal or lognormal")
        return 0.0
    sd = entry.number("sd")
    if sd < 0.0:
        raise entry.refusal("sd is negative", "sd", found=f"{sd:g}", allowed="0 or more")
    return sd


def _correlation(entry: Entry, varying: Collection[str]) -> tuple[tuple[str, float], ...]:
    table = entry.table("correlation", required=False)
    found = []
    for name in table.values:
        if name not in varying:
            raise table.refusal(
                "correlated with what does not differ between subjects",
                name,
                found=name,
                allowed="a parameter with a between-subject spread",
            )
        found.append((name, table.number(name)))
    if sum(rho * rho for _, rho in found) > 1.0:
        raise entry.refusal("the squares of the correlations add up to more than 1", "correlation")
    return tuple(found)


def _refuse_low(entry: Entry, spread: Spread, lowest: float, above: float) -> None:
    """Refuse a spread that reaches lower than it may."""
    least = spread.lowest
    if spread.distribution == "fixed":
        least = spread.value
    elif spread.distribution in ("lognormal", "share"):
        least = max(least, 0.0)
    positive = spread.distribution == "lognormal" and spread.value > 0.0
    if least < lowest or (least <= above and not (positive and above == 0.0)):
        limit = f"{lowest:g} or more" if above == -INF else f"above {above:g}"
        raise entry.refusal(
            "some subjects would have too little",
            "value" if spread.distribution == "fixed" else "min",
            found=f"{least:g}",
            allowed=limit,
        )
