"""Study files of where given cells go: the rows of fate in ``product-quantities.csv``."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import TABLES
from evidence_study import Arm, Observation, Study

FILE = "product-quantities.csv"


def fate_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of the fate of given cells.

    Arguments:
        ledger: takes the account of the rows of fate.

    Yields:
        studies with observations, as the table of facts beside this script states them row by row.
    """
    with (TABLES / "fate.toml").open("rb") as stream:
        designs: dict[str, Any] = tomllib.load(stream)
    with (TABLES / "reasons-products.csv").open(encoding="utf-8", newline="") as stream:
        reasons = {r["parameter"]: r["reason"] for r in csv.DictReader(stream)}
    rows = dict(ledger.rows(FILE))
    by_name = {row["parameter"]: i for i, row in rows.items()}
    used: set[int] = set()
    for stem, design in designs.items():
        study = _study(stem, design)
        for said in design["observation"]:
            stands = [by_name[name] for name in said["rows"]]
            source = _source(rows[stands[0]], said.get("derived", False))
            number = {k: v for k, v in said.items() if k not in ("rows", "derived")}
            _check(rows[stands[0]], number)
            one = Observation(number, source, tuple((FILE, i) for i in stands))
            study.observations.append(one)
            ledger.use(one.rows, study.stem, one.key)
            used |= set(stands)
        yield study
    for i, row in rows.items():
        if i not in used:
            ledger.leave(FILE, i, f"{row['domain']} | {row['parameter']}", _reason(row, reasons))
    idle = set(reasons) - {row["parameter"] for i, row in rows.items() if i not in used}
    if idle:
        raise ValueError(f"reasons-products.csv: lines of no row: {sorted(idle)}")


def _study(stem: str, design: dict[str, Any]) -> Study:
    head = {
        "schema": 1, "name": design["title"], "kind": design["kind"], "disease": design["disease"],
        "species": design["species"], "duration": design["duration"],
    }  # fmt: skip
    study = Study("fate", stem, [design["about"]] if "about" in design else [], head)
    study.injury = design.get("injury", {})
    for name, facts in design["arm"].items():
        arm = Arm(name, facts.get("size", "unknown"), facts.get("control"), injury=facts.get("injury"))
        if "treatment" in facts:
            given = dict(facts["treatment"])
            arm.treatments = [{"product": {"type": "cells", **given.pop("product")}, **given}]
        study.arms.append(arm)
    return study


def _source(row: Row, derived: bool) -> dict[str, str]:
    status = "derived" if derived or row["status"] == "derived" else "seen"
    if row["doi"].startswith("10.") and "memory" not in row["doi"]:
        return {"doi": row["doi"], "status": status}
    return {"url": row["url"], "status": status} if row["url"] else {"where": row["source"], "status": status}


def _check(row: Row, said: dict[str, Any]) -> None:
    if row["status"] == "memory":
        raise ValueError(f"fate.toml: {row['parameter']} was recalled")
    text = " ".join(row.values())
    for key in ("value", "mean", "sd", "events"):
        if key in said and f"{said[key]:g}" not in text and f"{100 * said[key]:g}" not in text:
            raise ValueError(f"fate.toml: {said[key]} does not stand in the row {row['parameter']!r}")


def _reason(row: Row, reasons: dict[str, str]) -> str:
    if row["use"]:
        return "a pooled estimate: context only"
    if row["status"] == "memory":
        return "recalled, not seen"
    if row["parameter"] in reasons:
        return reasons[row["parameter"]]
    return {
        "source": "a property of cells by tissue: a prior of products, not an observation of a study",
        "age": "a property of cells by the donor's age: a prior of products",
        "culture": "a property of cells in culture: a prior of products",
        "cryo": "a property of thawed cells: a prior of products",
        "release": "a specification of lots, not an observation",
        "potency": "a property of products that no endpoint names",
        "priming": "a comparison of primings without numbers by arm",
        "EV": "a property or the kinetics of vesicles, which no endpoint names yet",
        "safety": "a rate over many products, without one study's arms",
        "thrombosis": "clotting by product, which no endpoint of a study file measures yet",
        "model": "a statement about models",
        "fate": "a mechanism, a place or a time in words, or a size of cells: no endpoint names it",
    }[row["domain"]]
