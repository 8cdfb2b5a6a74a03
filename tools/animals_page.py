"""Write the tables of docs/animals.md from the species, injuries and endpoints of the package.

    python tools/animals_page.py            # write them
    python tools/animals_page.py --check    # only say whether they are current

Only what stands between the two marks of a table is touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

from page_tables import Marked, table_text

from mesolung.biology.animal_disease import AnimalDisease, InjuryDriver, animal_diseases, read_animal_disease
from mesolung.biology.cross_reactivity import cross_reactivities
from mesolung.biology.parameters import read_parameters
from mesolung.biology.species import HUMAN, PERFUSED, Change, all_changes, read_species, species_names
from mesolung.study.animal_endpoints import readings

WHOLE = {"factor": "x {:g}", "value": "{:g} {}", "extensive": "{:g} {} of the animal"}


def size_table() -> str:
    """Sizes: what a dose to an animal of the usual weight is multiplied by."""
    human = read_species(HUMAN)
    rows = []
    for name in species_names():
        one = read_species(name)
        ratio = human.lung_g / one.lung_g
        rows.append(
            (
                one.label,
                f"{one.weight_kg:g}",
                f"{one.lung_g:g}",
                f"{ratio:.4g}",
                f"{one.exponent_sd:g}",
                f"{one.spread:g}",
            )
        )
    return table_text(
        ("species", "weight, kg", "lung, g", "amounts x", "SD of the exponent", "spread between subjects"),
        rows,
    )


def change_table() -> str:
    """Parameters that species have of their own."""
    units = {row.id: row.unit for row in read_parameters()}
    rows = [
        (name, f"`{change.id}`", _changed(change, units[change.id]), change.grade, change.source)
        for name in (*(n for n in species_names() if n != HUMAN), PERFUSED)
        for change in all_changes()[name]
    ]
    return table_text(("species", "parameter", "instead of the human value", "grade", "source"), rows)


def injury_table() -> str:
    """Injuries: agent, units and what stands in for an amount that is not stated."""
    rows = []
    for name in animal_diseases():
        one = read_animal_disease(name)
        rows.append(
            (
                f"`{name}`",
                f"`{one.agent}`",
                ", ".join(one.units),
                _unstated(one),
                one.route or "any",
                f"{one.length_h:g} h" if one.length_h else "one moment",
            )
        )
    header = ("disease", "agent", "amount in", "amount not stated", "route not stated", "length not stated")
    return table_text(header, rows)


def driver_table() -> str:
    """What injuries do to the model."""
    rows = []
    for name in animal_diseases():
        one = read_animal_disease(name)
        for driver in one.drivers:
            rows.append(
                (
                    f"`{name}`",
                    f"`{driver.target}`",
                    _routes(driver),
                    _law(driver, one.base),
                    _when(driver),
                    driver.grade,
                    driver.source,
                )
            )
        for change in one.changes:
            rows.append(
                (f"`{name}`", f"`{change.id}`", "", f"x {change.value:g}", "", change.grade, change.source)
            )
    return table_text(("disease", "acts on", "route", "how much", "when", "grade", "source"), rows)


def endpoint_table() -> str:
    """Endpoints of experiments and the output that each is read from."""
    rows = [
        (f"`{name}`", ", ".join(one.kinds), ", ".join(f"`{n}`" for n in one.outputs) or one.rule, one.meaning)
        for name, one in readings().items()
    ]
    return table_text(("endpoint", "in", "read from", "what it is there"), rows)


def cross_table() -> str:
    """Which cytokines of the host act on the donor's cells."""
    rows = [
        (donor, host, ligand, f"{one.acts:g}", one.grade, one.source)
        for (donor, host, ligand), one in cross_reactivities().items()
    ]
    return table_text(("donor", "host", "ligand", "acts", "grade", "source"), rows)


TABLES = {
    "sizes": size_table,
    "injuries": injury_table,
    "drivers": driver_table,
    "endpoints": endpoint_table,
    "changes": change_table,
    "cross-reactivity": cross_table,
}


def _unstated(one: AnimalDisease) -> str:
    told = [
        f"{a.median:g} {a.unit} (SD of the logarithm {a.sd:g})"
        for a in dict.fromkeys((one.amount, one.perfused))
    ]
    return "; a perfused lung ".join(told)


def _changed(change: Change, unit: str) -> str:
    return WHOLE[change.how].format(change.value, "" if unit == "1" else unit).strip()


def _routes(driver: InjuryDriver) -> str:
    return ", ".join(driver.routes) or "any"


def _law(driver: InjuryDriver, base: str) -> str:
    dose = f"{base}/kg" if driver.basis == "kg" else base
    if driver.tolerance:
        dose += f", over the species' factor of `{driver.tolerance}`,"
    if driver.above:
        dose += f" above {driver.above:g}"
    if driver.per_unit is None:
        return f"up to {driver.most:g}, half of it at {driver.half:g} {dose}, steepness {driver.hill:g}"
    return f"{driver.per_unit:g} for each {dose}" + (
        "" if driver.total or driver.length_h is None else ", all the time"
    )


def _when(driver: InjuryDriver) -> str:
    begin = f"from {driver.start_h:g} h" if driver.start_h else "at once"
    if driver.length_h is None:
        return begin
    return f"{begin}, over " + ("the injury" if driver.length_h == float("inf") else f"{driver.length_h:g} h")


PAGE = Marked(Path(__file__).resolve().parent.parent / "docs" / "animals.md", "animals_page.py", TABLES)


if __name__ == "__main__":
    raise SystemExit(PAGE.main(sys.argv[1:]))
