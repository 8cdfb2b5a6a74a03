"""Study files of laboratory assays: ``in-vitro.csv``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import Named, Names, source_of
from evidence_study import Arm, Observation, Study

FILE = "in-vitro.csv"
LENGTH = "7 d"  # the length of a file; times of assays are mostly not printed
ALONE = "without MSC"
SIGNS = {"+": "higher", "-": "lower"}
OPPOSITE = {"higher": "lower", "lower": "higher"}
# What an effector's text has in it -> the tissue of its cells, the first that fits.
SOURCES = (
    ("UC", "umbilical cord"), ("adipose", "adipose"), ("amniotic", "amniotic membrane"),
    ("BM", "bone marrow"),
)  # fmt: skip
CONTACTS = {
    "yes": "contact", "contact": "contact", "contact required": "contact", "contact needed": "contact",
    "transwell": "transwell", "transwell works": "transwell", "contact not required": "transwell",
    "transwell/contact": "contact", "EV": "medium", "CM": "medium",
}  # fmt: skip


def in_vitro_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of assays.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    names = Names("names-in-vitro.csv")
    studies: dict[str, Study] = {}
    for i, row in ledger.rows(FILE):
        key = f"{row['study_key']} | {row['responder']} | {row['endpoint']}"
        if row["status"] != "seen":
            ledger.leave(FILE, i, key, "recalled, not seen")
            continue
        named = names.of(row["endpoint"], row["study_key"], row["responder"].split(" ")[0].split("+")[0])
        if named.reason:
            ledger.leave(FILE, i, key, named.reason)
            continue
        study = studies.setdefault(row["study_key"], _study(row))
        for one in _observations(study, _arm(study, row), named, row, ((FILE, i),)):
            study.observations.append(one)
            ledger.use(one.rows, study.stem, one.key)
    names.check()
    yield from studies.values()


def _study(row: Row) -> Study:
    stem = f"assay-{row['study_key'].replace('_', '-').lower()}"
    known = row["first_author"] not in ("", "NA") and "memory" not in row["first_author"]
    who = f"{row['first_author'] if known else 'unnamed'} {row['year']}".strip()
    head = {
        "schema": 1, "name": f"{row['assay'][:1].upper()}{row['assay'][1:]} ({who})", "kind": "in-vitro",
        "species": _species(row), "duration": LENGTH, "origin": "injury",
    }  # fmt: skip
    study = Study("in-vitro", stem, [f"{row['journal'] or 'source not told'}; times are not printed."], head)
    study.assay = {k: row[k] for k in ("responder", "stimulus") if row[k] and row[k] != "-"}
    study.arms.append(Arm(ALONE, control=True))
    return study


def _species(row: Row) -> str:
    words = f"{row['effector']} {row['responder']}"
    if "swine" in words or "pigs" in words:
        return "pig"
    return "mouse" if "mouse" in words else "human"


def _product(row: Row) -> dict[str, Any]:
    effector = row["effector"]
    product: dict[str, Any] = {"type": "cells"}
    if re.search(r"MSC-(EV|MV)", effector) and "MSC and" not in effector:
        product["type"] = "ev"
    elif "MSC-CM" in effector:
        product["type"] = "conditioned-medium"
    product["source"] = next((tissue for word, tissue in SOURCES if word in effector), "other")
    return product


def _arm(study: Study, row: Row) -> str:
    """The arm of a row: one for each effector, responder, priming, ratio and contact."""
    assay = {}
    if row["responder"] and row["responder"] != study.assay.get("responder", "-") and row["responder"] != "-":
        assay["responder"] = row["responder"]
    if row["stimulus"] and row["stimulus"] != study.assay.get("stimulus", ""):
        assay["stimulus"] = row["stimulus"]
    ratio = re.match(r"1:[0-9]+", row["ratio_or_dose"])
    if ratio:
        assay["ratio"] = ratio[0]
    if row["contact"] in CONTACTS:
        assay["contact"] = CONTACTS[row["contact"]]
    primed = row["priming_condition"] if row["priming_condition"] not in ("", "none") else ""
    dose = row["ratio_or_dose"] if not ratio else ratio[0]
    words = [row["effector"], *(assay.get(k, "") for k in ("responder", "stimulus")), primed, dose]
    words.append(assay.get("contact", ""))
    name = ", ".join(word for word in words if word)
    if name not in [arm.name for arm in study.arms]:
        arm = Arm(name, treatments=[{"product": _product(row)}])
        arm.assay = assay
        study.arms.append(arm)
    return name


def _observations(study: Study, arm: str, named: Named, row: Row, rows: Any) -> Iterator[Observation]:
    source = source_of(row)
    said: dict[str, Any] = {"arm": arm, "time": "unknown"}
    if named.how == "percent":
        number = {"endpoint": named.endpoint, "value": float(row["value"]), "unit": "percent"}
        yield Observation(said | number, source, rows)
        return
    if named.how == "fold":
        fold = {"endpoint": named.endpoint, "versus": _naive(study, row), "contrast": "ratio"}
        yield Observation(said | fold | {"value": float(row["value"])}, source, rows)
        return
    for part in named.endpoint.split(" "):
        direction = SIGNS[part[-1]]
        if named.how != "sign as told":
            direction = {"0": "none", "-1": OPPOSITE[direction]}.get(row["value"], direction)
        known = {"endpoint": part[:-1], "direction": direction, "versus": ALONE}
        yield Observation(said | known, source, rows)


def _naive(study: Study, row: Row) -> str:
    """An arm of cells that were not primed, which a fold compares with."""
    name = "naive MSC"
    if name not in [arm.name for arm in study.arms]:
        study.arms.append(Arm(name, treatments=[{"product": _product(row)}]))
    return name
