"""Names as a reader knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesolung.report.numbers import number
from mesolung.report.plan import key_parts, split_key

_MEASURES = {
    "risk_ratio": "risk ratio",
    "risk_difference": "risk difference",
    "odds_ratio": "odds ratio",
    "hazard_ratio": "hazard ratio",
    "win_ratio": "win ratio",
    "ratio": "ratio of means",
    "difference": "difference of means",
}
_DEATHS = {
    "survivors": "among survivors",
    "worst": "the dead at the worst value",
    "zero": "the dead at 0",
}
HOURS_OF_A_YEAR = 365.25 * 24
_AS = {"change": "change from baseline", "percent_change": "percent change from baseline"}


def is_ratio(measure: str | None) -> bool:
    """Whether a measure is read on a logarithmic axis, with 1 as no difference."""
    return bool(measure) and str(measure).endswith("ratio")


def measure_name(measure: Any) -> str:
    """A measure of effect in words, as "risk ratio"."""
    return _MEASURES.get(str(measure), str(measure).replace("_", " "))


def time_name(time_h: float | None) -> str:
    """A time since enrolment in words.

    Arguments:
        time_h: h, or None.

    Returns:
        Text as "28 d" or "6 h", empty for None.
    """
    if time_h is None:
        return ""
    if time_h % HOURS_OF_A_YEAR == 0 and time_h != 0:
        years = number(time_h / HOURS_OF_A_YEAR)
        return f"{years} year" if years == "1" else f"{years} years"
    return f"{number(time_h / 24)} d" if abs(time_h) >= 24 and time_h % 12 == 0 else f"{number(time_h)} h"


@dataclass(frozen=True)
class Words:
    """Labels and scales of endpoints.

    Attributes:
        labels: label by name.
        scales: "linear", "log" or "logit" by name.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """An endpoint or output in words, as "P/F ratio"."""
        return self.labels.get(name) or name.removeprefix("state:").replace("_", " ")

    def endpoint(self, key: str) -> str:
        """An endpoint with its time in words, and of whom it is.

        Arguments:
            key: as "mortality@28d" or "sofa@7d:change:where age < 65 year".

        Returns:
            Text as "mortality at 28 d" or "SOFA score at 7 d, change from baseline, where age < 65 year".
        """
        name, time = split_key(key)
        when = time_name(time) or key.partition("@")[2].partition(":")[0]
        when = "an unknown time" if when == "unknown" else when
        first = f"{self.name(name)} at {when}" if when else self.name(name)
        return ", ".join([first, *(_AS.get(part) or _DEATHS.get(part, part) for part in key_parts(key))])

    def measure(self, measure: Any, key: str) -> str:
        """A measure of effect at an endpoint in words; on the log scale a ratio is of geometric means.

        Arguments:
            measure: as "ratio".
            key: of the endpoint, as "il6@7d".
        """
        log = self.scales.get(split_key(key)[0]) == "log" and not set(_AS) & set(key_parts(key))
        return "ratio of geometric means" if measure == "ratio" and log else measure_name(measure)

    def observation(self, entry: Mapping[str, Any]) -> str:
        """What an observation is of: endpoint, form, filter and comparator.

        Arguments:
            entry: an entry of the result's ``observations``.
        """
        parts = [self.endpoint(str(entry.get("endpoint")))]
        if entry.get("as") in _AS:
            parts.append(_AS[entry["as"]])
        if entry.get("where"):
            parts.append(f"where {entry['where']}")
        return ", ".join(parts)


def words_of(band_rows: Iterable[Mapping[str, Any]]) -> Words:
    """Collect labels and scales, from the table of endpoints and from the table of bands.

    Arguments:
        band_rows: rows with ``output`` and ``label``.

    Returns:
        The labels.
    """
    rows = _endpoint_rows()
    labels = {row["name"]: row["label"] for row in rows if row.get("label")}
    labels |= {
        str(r["output"]): str(r["label"]) for r in band_rows if isinstance(r.get("label"), str) and r["label"]
    }
    return Words(labels, {row["name"]: row["scale"] for row in rows if row.get("scale")})


def _endpoint_rows() -> list[dict[str, str]]:
    """Rows of the tables of endpoints, those that the model has last."""
    import csv
    from importlib.resources import files

    rows: list[dict[str, str]] = []
    for name in ("planned_endpoints.csv", "endpoints.csv"):
        place = files("mesolung.biology") / name
        if place.is_file():
            with place.open(encoding="utf-8") as file:
                rows += csv.DictReader(file)
    return rows


def arm_name(arm: Any, versus: Any = None) -> str:
    """An arm, pooled arms, or an ordering of arms in words.

    Arguments:
        arm: a name or a list of names.
        versus: the comparator, if any.
    """
    text = (
        " + ".join(str(a) for a in arm)
        if isinstance(arm, (list, tuple))
        else str(arm if arm is not None else "")
    )
    return f"{text} vs {versus}" if versus else text
