"""Write the tables of docs/endpoints.md from the endpoint table of the package.

    python tools/endpoint_table.py            # write them
    python tools/endpoint_table.py --check    # only say whether they are current

Only what stands between the two marks of a table is touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

from page_tables import Marked, table_text

from mesolung.biology.conduct import conduct
from mesolung.biology.measurement import Measurement, measurements
from mesolung.biology.specimens import specimens
from mesolung.biology.tables import Endpoint, definitions, endpoints, reserved
from mesolung.study.possible import planned_endpoints
from mesolung.trial.decline import PROGRESSION
from mesolung.trial.follow_up import OF_FOLLOW_UP
from mesolung.trial.named_tests import TEST_OF_TYPE

READ = {
    "level": "level",
    "present": "on at the time",
    "occurred": "new since enrolment",
    "happened": "happened by chance by the time",
    "death": "dead by the time",
    "alive": "alive at the time",
    "discharged": "home alive by the time",
    "hospital_days": "days to discharge alive",
    "days_off": "days without it",
    "days_on": "days on it",
    "count": "events up to the time",
    "rate": "events a year of follow-up",
    "time_to": "days to the first event",
    "death_rate": "deaths over the years asked for",
    "slope": "line through the visits",
    "slope_below": "that line is below its limit",
    "slope_above": "that line is above its limit",
    "falls": "fell by its amount since enrolment",
    "holds": "did not fall by its amount",
    "progressed": "a fall by its amount at a visit, or death",
    "progression_free": "neither such a fall nor death",
    "progression_time": "days to such a fall or death",
}


def endpoint_table() -> str:
    """The table of endpoints: a row each, in the order of ``endpoints.csv``."""
    header = (
        "name", "what", "unit", "read as", "better", "dead", "matrix", "table 1", "subjective", "contrast",
        "test", "not in",
    )  # fmt: skip
    known = sorted({disease for row in endpoints().values() for disease in row.diseases})
    rows = [
        (
            f"`{row.name}`",
            row.label,
            row.unit,
            f"{READ[row.rule]}{_sample(row)}{', log scale' if row.scale == 'log' else ''}",
            row.better,
            _dead(row),
            row.matrix,
            "yes" if row.at_enrolment and row.name not in specimens() else "",
            "yes" if row.subjective else "",
            row.default_contrast,
            row.test or TEST_OF_TYPE[row.type],
            ", ".join(disease for disease in known if disease not in row.diseases),
        )
        for row in endpoints().values()
    ]
    return table_text(header, rows)


def definition_table() -> str:
    """The table of definitions that differ by disease."""
    rows = [
        (f"`{name}`", disease, part.output, f"{part.above:g} {endpoints()[part.output].unit}", part.source)
        for (name, disease), parts in definitions().items()
        for part in parts
    ]
    return table_text(("endpoint", "disease", "output", "at or above", "source"), rows)


def reserved_table() -> str:
    """The table of endpoints of the study file's format that the model does not have yet."""
    rows = [
        (
            f"`{name}`",
            planned.row.label,
            planned.row.unit,
            ", ".join(planned.kinds),
            reserved()["endpoint", name],
        )
        for name, planned in sorted(planned_endpoints().items())
        if name not in endpoints()
    ]
    return table_text(("name", "what", "unit", "in", "waits for"), rows)


def measurement_table() -> str:
    """The table of what visits add to endpoints of diseases of years."""
    found: dict[str, tuple[Measurement, list[str]]] = {}
    for (name, disease), row in measurements().items():
        found.setdefault(name, (row, []))[1].append(disease)
    rows = [
        (
            f"`{name}`",
            f"{row.error.sd:g} {row.unit}"
            if row.error.scale == "linear"
            else f"{row.error.sd:g} of the logarithm",
            f"`{row.error.per}`" if row.error.per else "",
            ", ".join(diseases),
            row.grade,
            row.source,
        )
        for name, (row, diseases) in found.items()
    ]
    return table_text(("endpoint", "standard deviation", "of", "in", "grade", "source"), rows)


def conduct_table() -> str:
    """The table of how trials of diseases of years are run."""
    rows = [
        (disease, row.meaning, f"{row.written:g} {row.unit}".removesuffix(" 1"), row.grade, row.source)
        for (disease, _), row in conduct().items()
    ]
    return table_text(("disease", "what", "value", "grade", "source"), rows)


TABLES = {
    "endpoints": endpoint_table,
    "definitions": definition_table,
    "measurement": measurement_table,
    "conduct": conduct_table,
    "reserved": reserved_table,
}


def _sample(row: Endpoint) -> str:
    """What share of an output the sample holds that an endpoint is measured in."""
    return f" of {row.share:g} x `{row.outputs[0]}`" if row.name in specimens() else ""


def _dead(row: Endpoint) -> str:
    if row.rule in ("death", "alive"):
        return "itself"
    if row.rule in OF_FOLLOW_UP:
        return "counts" if row.rule in ("death_rate", *PROGRESSION) else "ends follow-up"
    if row.deaths != "worst":
        return "left out" if row.deaths == "survivors" else row.deaths
    value = "the follow-up's length" if row.value_at_death is None else f"{row.value_at_death:g}"
    return f"worst: {value}"


PAGE = Marked(Path(__file__).resolve().parent.parent / "docs" / "endpoints.md", "endpoint_table.py", TABLES)


if __name__ == "__main__":
    raise SystemExit(PAGE.main(sys.argv[1:]))
