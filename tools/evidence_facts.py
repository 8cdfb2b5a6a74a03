"""Whether the tables of design facts say only what the rows of the evidence print."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import TABLES
from evidence_numbers import NUMBER

# Table of facts -> the files whose rows it is of, the column of its keys, and what is not checked.
FACTS = {
    "trials-acute.toml": (("trials-acute.csv",), "trial_key"),
    "trials-chronic.toml": (("trials-chronic.csv",), "trial_key"),
    "animals.toml": (("animal-acute.csv", "animal-chronic.csv"), "study_key"),
}
WORDS = ("title", "file", "registry", "duration", "about", "of", "kind", "disease", "species")
# Numbers that no row prints as they stand: middles, sums and conventions, each with its reason.
WORKED_OUT = {
    ("SHI2021", 0.225): "the middle of 20 to 25 %",
    **{("MEXCOVID", float(day)): "0-4 daily" for day in (1, 3)},
    **{("EXOCD24", float(day)): "daily x5" for day in (3, 4)},
    ("EXOCD24", 44.0): "a note corrects 43 to 44",
    ("SQUASSONI_2021", 5.0): "20 patients in 4 groups",
    ("SUN_2019", 500.0): "0.5 mg/kg in ug/kg",
    **{("ANTUNES_2014", float(day)): "weekly, the last on day 28" for day in (14, 21, 28)},
    **{("CHEN_CS_UCMSC_2021", float(day)): "of four months, day 0 in the last one" for day in (28, 92)},
    ("ADSC_EXO_CS_2022", 14.0): "half of four weeks",
    **{("RIDZUAN_2021", float(day)): "of twelve weeks, day 0 in the last month" for day in (28, 56)},
    ("BOLDRINI_2020", 21.0): "the challenge of the usual protocol is over on that day",
}


def unprinted(ledger: Ledger) -> list[str]:
    """Find the numbers of the tables of facts that no row of their study prints.

    Arguments:
        ledger: whose files are read.

    Returns:
        "table: study: number", empty when every fact stands in a row.
    """
    found = []
    for table, (files, column) in FACTS.items():
        with (TABLES / table).open("rb") as stream:
            designs = tomllib.load(stream)
        printed: dict[str, set[float]] = {}
        for file in files:
            for _, row in ledger.rows(file):
                printed.setdefault(row[column], set()).update(_printed(row))
        for key, design in designs.items():
            for number in sorted(set(_numbers(design, ""))):
                known = printed.get(key, set())
                near = any(abs(number - n * f) <= 1e-6 * abs(number) for n in known for f in (1, 0.01, 100))
                if number and not near and (key, number) not in WORKED_OUT:
                    found.append(f"{table}: {key}: {number:g}")
    return found


def _printed(row: Row) -> Iterator[float]:
    for cell in row.values():
        for text in re.findall(NUMBER, cell or ""):
            yield abs(float(text))


def _numbers(value: Any, key: str) -> Iterator[float]:
    """Every number of a design: doses, sizes, times, ages; "60 min" and the like among them."""
    if key in WORDS or isinstance(value, bool):
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)
    elif isinstance(value, int | float):
        # A share of all or none is a word: "ventilated", "not ventilated".
        yield from () if value in (0, 1) else (abs(float(value)),)
    elif isinstance(value, str):
        match = re.match(NUMBER, value)
        yield from () if match is None else (abs(float(match[0])),)
