"""Study files of animals, lungs out of the body and assays: ``animal-*.csv`` and ``in-vitro.csv``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from evidence_assays import in_vitro_studies as in_vitro_studies
from evidence_ledger import Ledger, Row
from evidence_names import TABLES, Named, Names, source_of
from evidence_numbers import events_of, number, whole
from evidence_study import Arm, Observation, Study

SIGNS = {"+": "higher", "-": "lower", "0": "none"}
OPPOSITE = {"higher": "lower", "lower": "higher", "none": "none"}
POOLED = "pooled estimate: context only, never fit"
# How rows print a unit -> unit and factor.
UNITS = {
    "1e5 cells/ml": ("1e3/mL", 100.0), "mU/ml": ("mU/mL", 1.0), "ng/ml": ("ng/mL", 1.0), "ul": ("uL", 1.0),
    "mg/ml": ("mg/mL", 1.0), "g water/g dry": ("points", 1.0), "pg/ml": ("pg/mL", 1.0), "mmHg": ("mmHg", 1.0),
    "ml/cmH2O": ("mL/cmH2O", 1.0),
}  # fmt: skip
DAY = 24.0


def animal_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of animal experiments and of lungs out of the body.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    with (TABLES / "animals.toml").open("rb") as stream:
        designs = tomllib.load(stream)
    studies = {key: _study(key, d) for key, d in designs.items() if not d.get("skip")}
    for file, table in (
        ("animal-acute.csv", "names-animals.csv"), ("animal-chronic.csv", "names-animals-chronic.csv"),
    ):  # fmt: skip
        names = Names(table)
        for i, row in ledger.rows(file):
            _place(ledger, file, i, row, names, designs, studies)
        names.check()
    for key, study in studies.items():
        if not study.observations:
            raise ValueError(f"animals.toml: {key} has no observation")
        study.head["duration"] = designs[key].get("duration") or _duration(study)
        yield study


def _place(
    ledger: Ledger, file: str, i: int, row: Row, names: Names, designs: Any, studies: dict[str, Study]
) -> None:
    key = f"{row['study_key']} | {row.get('arm') or row.get('product')} | {row['endpoint']}"
    reason = ""
    if row.get("use"):
        reason = "several experiments pooled: context only"
    elif row["status"] != "seen":
        reason = "recalled, not seen"
    if reason:
        if file == "animal-chronic.csv":
            names.of(row["endpoint"], row["study_key"], "")
        ledger.leave(file, i, key, reason)
        return
    study = studies.get(row["study_key"])
    arm = "" if study is None else _arm(designs[row["study_key"]], row)
    named = names.of(row["endpoint"], row["study_key"], arm)
    if named.reason or study is None:
        ledger.leave(file, i, key, named.reason or "its design is not told in the row")
        return
    try:
        found = list(_observations(study, arm, named, row, ((file, i),)))
    except ValueError as problem:
        ledger.leave(file, i, key, str(problem))
        return
    for one in found:
        earlier = next((o for o in study.observations if o.key == one.key), None)
        if earlier is None:
            study.observations.append(one)
        else:
            earlier.rows += one.rows
        ledger.use(one.rows, study.stem, one.key)


def _study(key: str, design: Mapping[str, Any]) -> Study:
    stem = key.lower().replace("_", "-")
    kind = design.get("kind", "animal")
    head = {
        "schema": 1, "name": design["title"], "kind": kind, "disease": design["disease"],
        "species": design["species"], "duration": "", "origin": "injury",
    }  # fmt: skip
    study = Study("animals", stem, [design["about"]] if "about" in design else [], head)
    injury = design.get("injury", {})
    study.injury = [dict(one) for one in injury] if isinstance(injury, list) else dict(injury)
    for name, facts in design["arm"].items():
        arm = Arm(name, facts.get("size", "unknown"), facts.get("control"), injury=facts.get("injury"))
        if "treatment" in facts:
            given = dict(facts["treatment"])
            arm.treatments = [{"product": {"type": "cells", **given.pop("product")}, **given}]
        study.arms.append(arm)
    return study


def _arm(design: Mapping[str, Any], row: Row) -> str:
    """The arm whose conditions a row meets; "" when it meets none."""
    for name, facts in design["arm"].items():
        of = dict(facts.get("of", {}))
        unlike = of.pop("not", None)
        if not of:
            continue
        fits = all(row[c].startswith(t) if c != "product" else t in row[c] for c, t in of.items())
        if fits and (unlike is None or unlike not in row[next(iter(of))]):
            return name
    return ""


def _times(row: Row) -> list[str]:
    text = row.get("time_h", "")
    if "assessment_day" in row:
        text = row["assessment_day"]
        days = re.findall(r"\+?[0-9]+", text)
        if text.startswith("+"):  # a week after the treatment, which is on day 28
            return [f"{28 + int(text)} d"]
        return [f"{day} d" for day in days] or ["unknown"]
    if "memory" in text or not re.search("[0-9]", text):
        return ["unknown"]
    if text.startswith("P"):  # days after birth, from which the injury lasts
        return [f"{re.findall('[0-9]+', text)[0]} d"]
    return [f"{hour} h" for hour in re.findall("[0-9]+", text) if hour != "0"]


def _observations(study: Study, arm: str, named: Named, row: Row, rows: Any) -> Iterator[Observation]:
    source = source_of(row, doi="doi_pmid" if "doi_pmid" in row else "doi")
    derived = {**source, "status": "derived"}
    word, _, versus = named.how.partition(" ")
    if not arm:
        raise ValueError("no arm of which the design is known")
    # When the lungs were weighed is recalled in the row.
    for time in ["unknown"] if named.how == "time unknown" else _times(row):
        said: dict[str, Any] = {"arm": arm, "endpoint": named.endpoint, "time": time}
        if word == "sign":
            yield from _signs(said, named, row, source, rows, versus, time)
        elif word == "fold":
            value = 1 + float(row["value"]) / 100
            yield Observation(said | {"versus": versus, "contrast": "ratio", "value": value}, derived, rows)
        elif word == "died":
            said["endpoint"] = "mortality"
            yield Observation(said | {"value": 100, "unit": "percent"}, source, rows)
        elif word == "order":
            arms = [a.name for a in study.arms if a.treatments]
            best = arms if "inverse" in row.get("effect_value", "") else arms[::-1]
            yield Observation({"endpoint": named.endpoint, "time": time, "order": best}, source, rows)
        else:
            numbers, is_derived = _number(row, named.endpoint)
            yield Observation(said | numbers, derived if is_derived else source, rows)


def _signs(
    said: Any, named: Named, row: Row, source: Any, rows: Any, versus: str, time: str
) -> Iterator[Observation]:
    """Directions of all the endpoints of a row; a category of 0 says that there was none."""
    category = row.get("value", "1")
    for part in named.endpoint.split(" "):
        name, _, at = part.partition("@")
        if at and at not in time.split(" "):
            continue
        direction = SIGNS[name[-1]]
        direction = {"0": "none", "-1": OPPOSITE[direction]}.get(category, direction)
        known = {"endpoint": name[:-1], "direction": direction, "versus": versus}
        yield Observation({**said, **known}, source, rows)


def _number(row: Row, endpoint: str) -> tuple[dict[str, Any], bool]:
    value, n = number(row["value"]), whole(row["n"])
    if value is None:
        raise ValueError(f"no number but a range: {row['value']}")
    size = {"n": n} if n else {}
    if endpoint == "survival":
        events = events_of(row["value"], n) if n else None
        if events is None:
            return {"value": value, "unit": "percent", **size}, False
        return {"events": events, "n": n}, True
    unit, factor = UNITS[row["unit"]]
    spread = float(row["spread"]) * factor if number(row["spread"]) else 0.0
    key = {"SEM": "se", "SD": "sd"}.get(row["spread_type"], "")
    unit_of = {} if unit == "points" else {"unit": unit}
    if spread > 0 and key and (n or key == "se"):
        return {"mean": value * factor, key: spread, **unit_of, **size}, False
    return {"value": value * factor, **unit_of, **size}, False


def _duration(study: Study) -> str:
    """The last time of the file, observed or of a dose; a day where none is known."""
    hours = [DAY]
    for text in [
        *(one.said["time"] for one in study.observations),
        *(t for arm in study.arms for g in arm.treatments for t in _given(g["times"])),
    ]:
        found = re.fullmatch(r"([0-9.]+) (h|d)", text)
        if found:
            hours.append(float(found[1]) * (DAY if found[2] == "d" else 1.0))
    last = max(hours)
    return f"{last:g} h" if last % DAY else f"{last / DAY:g} d"


def _given(times: Any) -> list[str]:
    if isinstance(times, Mapping):
        return [f"{times['count']} d"]
    return [] if isinstance(times, str) else list(times)
