"""Write the tables of docs/study-file.md from the schema of the study file and the tables of the package.

    python tools/study_file_page.py            # write them
    python tools/study_file_page.py --check    # only say whether they are current

Only what stands between the two marks of a table is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from page_tables import Marked, table_text

from mesolung.biology.tables import backgrounds, covariates, reserved
from mesolung.product.product import MODELLED_TYPES, SOURCES
from mesolung.study.arm import Route
from mesolung.study.arms import DOSE_UNITS
from mesolung.study.injuries import agents
from mesolung.study.keys import keys
from mesolung.study.observations import FORMS
from mesolung.study.possible import animals, inclusions, known_diseases, planned_covariates
from mesolung.study.schema import study_schema
from mesolung.study.study import Kind, Origin

# Tables of keys: the mark's name -> the table's name in the schema.
OF_KEYS = {
    "top": "StudyFile",
    "population": "PopulationTable",
    "distribution": "DistributionTable",
    "background": "BackgroundTable",
    "injury": "InjuryTable",
    "assay": "AssayTable",
    "arm": "ArmTable",
    "treatment": "TreatmentTable",
    "times": "Repeats",
    "product": "Product",
    "donor": "Donor",
    "culture": "Culture",
    "priming": "Priming",
    "edit": "Edit",
    "engineering": "Engineering",
    "freezing": "Freezing",
    "hold": "Hold",
    "count": "Count",
    "markers": "Markers",
    "measured": "MeasuredShare",
    "subpopulation": "Subpopulation",
    "potency": "PotencyAssay",
    "safety": "Safety",
    "vesicles": "Vesicles",
    "endpoint": "EndpointTable",
    "observation": "ObservationTable",
    "source": "SourceTable",
}
TYPES = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}


def key_table(name: str) -> str:
    """A table of keys: what each may hold, what it means, and an example."""
    schema = study_schema()
    table = schema if name == "StudyFile" else schema["$defs"][name]
    needed = set(table.get("required", ()))
    rows = []
    for key, said in table["properties"].items():
        row = keys()[name, key]
        rows.append(
            (
                f"`{key}`" + (", required" if key in needed else ""),
                type_of(said),
                row.meaning,
                f"`{row.example}`",
            )
        )
    return table_text(("key", "holds", "meaning", "example"), rows)


def type_of(said: Mapping[str, Any]) -> str:
    """What a property of the schema may hold, in words."""
    if "$ref" in said:
        return "a table"
    if "enum" in said:
        names = [f"`{name}`" for name in said["enum"]]
        return ", ".join(names) if len(names) <= 12 else "a name, see below"
    if "const" in said:
        return f"`{said['const']}`"
    for key in ("anyOf", "oneOf"):
        if key in said:
            return " or ".join(dict.fromkeys(type_of(one) for one in said[key]))
    kind = said.get("type")
    if kind == "array":
        return "a list" if said["items"].get("type") not in TYPES else f"a list of {_many(said['items'])}"
    if kind == "object":
        return "a table"
    return TYPES.get(str(kind), "anything") + _bounds(said)


def _many(items: Mapping[str, Any]) -> str:
    return {"number": "numbers", "string": "texts"}.get(str(items.get("type")), "values")


def _bounds(said: Mapping[str, Any]) -> str:
    words = {
        "exclusiveMinimum": "> {:g}",
        "minimum": ">= {:g}",
        "exclusiveMaximum": "< {:g}",
        "maximum": "<= {:g}",
    }
    found = [form.format(said[key]) for key, form in words.items() if key in said]
    return f", {' and '.join(found)}" if found else ""


def form_table() -> str:
    """The forms of an observation: the key that makes it, what must and what may stand beside it."""
    rows = []
    for form, (beside, needed) in FORMS.items():
        may = [key for key in beside if key not in needed]
        rows.append((f"`{form}`", _names(needed), _names(may)))
    return table_text(("key", "must stand beside it", "may stand beside it"), rows)


def unit_table() -> str:
    """Types of products with the units of their doses."""
    waiting = {name: waits for (kind, name), waits in reserved().items() if kind == "product type"}
    rows = [
        (f"`{name}`", ", ".join(units), "" if name in MODELLED_TYPES else f"waits for {waiting[name]}")
        for name, units in DOSE_UNITS.items()
    ]
    return table_text(("type", "units of a dose", "in the model"), rows)


def agent_table() -> str:
    """Agents of injuries with the units of their amounts."""
    rows = [(f"`{a.name}`", a.label, ", ".join(a.units), a.meaning) for a in agents().values()]
    return table_text(("agent", "what", "units", "meaning"), rows)


def name_table() -> str:
    """Names that keys may hold, those that the model has first."""

    def waiting(kind: str, names: Sequence[str]) -> list[str]:
        return [name for name in names if (kind, name) in reserved()]

    def served(kind: str, names: Sequence[str]) -> list[str]:
        return [name for name in names if (kind, name) not in reserved()]

    traits = [*covariates(), *(n for n in planned_covariates() if n not in covariates())]
    care = [*backgrounds(), *(name for kind, name in reserved() if kind == "background")]
    lists: Sequence[tuple[str, str, Sequence[str]]] = (
        ("kind", "kind", get_args(Kind)),
        ("disease", "disease", known_diseases()),
        ("species", "species", ("human", *animals())),
        ("origin", "origin", get_args(Origin)),
        ("route", "route", get_args(Route)),
        ("source of a product", "", SOURCES),
        ("background", "background", care),
        ("baseline, beside endpoints at enrolment", "baseline", traits),
        ("rule of `population.include`, beside baseline names", "", tuple(inclusions())),
    )
    rows = [
        (
            what,
            _names(served(kind, names)),
            _names(waiting(kind, names)),
        )
        for what, kind, names in lists
    ]
    return table_text(("of", "in the model", "read, not modelled yet"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    **{mark: (lambda name=name: key_table(name)) for mark, name in OF_KEYS.items()},
    "forms": form_table,
    "units": unit_table,
    "agents": agent_table,
    "names": name_table,
}


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


PAGE = Marked(Path(__file__).resolve().parent.parent / "docs" / "study-file.md", "study_file_page.py", TABLES)


if __name__ == "__main__":
    raise SystemExit(PAGE.main(sys.argv[1:]))
