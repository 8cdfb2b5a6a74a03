"""What `mesolung explain` tells of diseases: drivers, groups, onset, enrolment, covariates."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from mesolung.cli.entry import Entry, Fact
from mesolung.cli.explain_parameters import deviation
from mesolung.cli.explain_uses import all_diseases, parameters

if TYPE_CHECKING:
    from mesolung.biology.disease import Disease, Driver, Spread

HEALTHY = "healthy"


def disease_entries() -> Iterator[Entry]:
    """Tell of every disease of the package."""
    for name, disease in all_diseases().items():
        others = [other for other in all_diseases() if other not in (name, HEALTHY)]
        facts: dict[str, Fact] = {
            "file": f"biology/diseases/{name}.toml",
            "course": f"{disease.length_h / 24:g} d, sampled every {disease.sampled_every_h:g} h",
            "onset": _onset(disease),
            "groups": ", ".join(f"{group} {share:g}" for group, share in disease.groups),
            "drivers": tuple(_driver(driver) for driver in disease.drivers),
            "enrolled": "; ".join(_bounds(c.name, c.lowest, c.highest) for c in disease.criteria),
            "delay": spread_in_words(disease.delay),
            "delay from onset": spread_in_words(disease.delay_from_onset),
            "covariates": tuple(
                f"{key} {_share(spread) or spread_in_words(spread)}"
                for key, spread in disease.covariates.items()
            ),
            "annotation": _annotation(name),
        }
        if name != HEALTHY and others:
            facts["in a mixture"] = (
                f"disease = {{ {name} = 0.7, {others[0]} = 0.3 }}, with any of {', '.join(others)}"
            )
        yield Entry(name, "disease", disease.label, facts)


def group_entries() -> Iterator[Entry]:
    """Tell of every group of a disease."""
    for name, disease in all_diseases().items():
        for group, share in disease.groups:
            facts: dict[str, Fact] = {
                "share": f"{share:g}",
                "drivers": tuple(_driver(d) for d in disease.drivers if d.group in ("", group)),
            }
            yield Entry(group, f"group of the disease {name}", disease.label, facts)


def spread_in_words(spread: Spread) -> str:
    """Say how a quantity differs between subjects, as "36 h (lognormal, SD 0.4 of its natural logarithm)"."""
    text = f"{spread.value:g}" + ("" if spread.unit == "1" else f" {spread.unit}")
    details = [deviation(spread.distribution, spread.sd)] if spread.sd else []
    limits = _bounds("", spread.lowest, spread.highest)
    details += [f"limits {limits}"] if limits else []
    details += [f"correlated with {key} {rho:g}" for key, rho in spread.correlation]
    return text + (f" ({'; '.join(details)})" if details else "")


def _share(spread: Spread) -> str:
    return f"in {spread.value:.0%} of subjects" if spread.distribution == "share" else ""


def _driver(driver: Driver) -> str:
    parts = [f"{driver.target} {spread_in_words(driver.amount)}"]
    if driver.time.value or driver.time.sd:
        parts.append(f"at {spread_in_words(driver.time)}")
    if driver.duration is not None:
        parts.append(f"over {spread_in_words(driver.duration)}")
    if driver.share < 1.0:
        parts.append(f"in {driver.share:.0%} of them")
    if driver.group:
        parts.append(f"group {driver.group}")
    meaning = _meaning(driver.target)
    return ", ".join(parts) + (f": {meaning}" if meaning else "")


def _meaning(target: str) -> str:
    from mesolung.biology.laws import read_laws

    table = parameters()
    return table[target].meaning if target in table else read_laws().meanings.get(target, "")


def _onset(disease: Disease) -> str:
    onset = disease.onset
    if onset.observable is None:
        return f"{onset.time_h:g} h after the start of the course"
    return f"when {onset.observable} exceeds {onset.above:g}"


def _bounds(name: str, lowest: float, highest: float) -> str:
    if lowest == -inf and highest == inf:
        return name
    if not name:
        ends = [f"{end:g}" if abs(end) < inf else "none" for end in (lowest, highest)]
        return " to ".join(ends)
    low = f"{lowest:g} <= " if lowest > -inf else ""
    high = f" <= {highest:g}" if highest < inf else ""
    return f"{low}{name}{high}"


def _annotation(name: str) -> tuple[str, ...]:
    from mesolung.biology.annotations import DISEASE
    from mesolung.cli.explain_model import annotation_lines

    return annotation_lines(DISEASE + name)
