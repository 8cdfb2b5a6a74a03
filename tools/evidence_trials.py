"""Study files of the trials of cells and vesicles: ``trials-acute.csv`` and ``trials-chronic.csv``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import TABLES, Named, Names, source_of
from evidence_numbers import events_of, number, p_value, pair, spread_of, whole
from evidence_study import Arm, Inline, Observation, Study

REFUSED = {
    "memory": "recalled, not seen",
    "not found": "no text was found",
}
# Diseases that no study file can have: what a row's cell says -> its name in a reason.
NO_DISEASE = {
    "BPD": "bronchopulmonary dysplasia", "CLAD": "graft dysfunction of a transplanted lung",
    "BOS": "obliteration of bronchioles", "silicosis": "silicosis", "pneumoconiosis": "pneumoconiosis",
}  # fmt: skip
# Where a row says "hospital" or "discharge" no day is printed.
UNKNOWN_TIMES = ("hospital", "discharge", "", "after 2nd infusion", "36 wk PMA")


@dataclass(frozen=True)
class Line:
    """A row of a trials file in the words of both."""

    file: str
    number: int
    row: Row
    text: str
    day: str
    unit: str
    spread: str
    spread_kind: str
    n: str
    note: str


def trial_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of all trials of cells and vesicles.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    for stem, read in (("trials-acute", _acute), ("trials-chronic", _chronic)):
        with (TABLES / f"{stem}.toml").open("rb") as stream:
            designs = tomllib.load(stream)
        names = Names(f"names-{stem}.csv")
        lines: dict[str, list[Line]] = {}
        for i, row in ledger.rows(f"{stem}.csv"):
            lines.setdefault(row["trial_key"], []).append(read(f"{stem}.csv", i, row))
        unknown = set(designs) - set(lines)
        if unknown:
            raise KeyError(f"{stem}.toml: no rows of {sorted(unknown)}")
        for key, found in lines.items():
            study = _study(key, designs.get(key), found)
            _observe(study, found, names, ledger)
            if study.observations:
                yield study
            elif key in designs:
                raise ValueError(f"{stem}.toml: {key} has no observation")
        names.check()


def _acute(file: str, i: int, row: Row) -> Line:
    kind = row["value_type"] if row["value_type"] != "median difference" else "contrast"
    return Line(
        file, i, {**row, "kind": kind}, row["endpoint"], row["timepoint_day"], row["unit"], row["sd_or_ci"],
        "", row["denominator"], row["notes"],
    )  # fmt: skip


def _chronic(file: str, i: int, row: Row) -> Line:
    return Line(
        file, i, {**row, "kind": row["value_type"], "meta_from_memory": ""}, row["endpoint"],
        row["timepoint_days"], row["value_unit"], row["sd_or_ci"], row["spread_type"], row["n_arm"],
        row["note"],
    )  # fmt: skip


def _study(key: str, design: Mapping[str, Any] | None, lines: list[Line]) -> Study:
    """The file's design from its table of facts; a nameless one for a trial whose rows are all left out."""
    if design is None:
        return Study("trials", "", [], {})
    first = lines[0].row
    head = {"schema": 1, "name": design["title"]}
    if "registry" in design:
        head["registry"] = design["registry"]
    head |= {
        "kind": "trial",
        "disease": design["disease"],
        "species": "human",
        "duration": design["duration"],
    }
    head |= {name: design[name] for name in ("randomised", "blinded") if name in design}
    told = (first[column] for column in ("first_author", "year", "journal"))
    about = [" ".join(cell for cell in told if cell and "verify" not in cell) + "."]
    about += [design["about"]] if "about" in design else []
    study = Study("trials", design["file"], about, head)
    if "onset_to_enrolment" in design:
        study.population["onset_to_enrolment"] = Inline(design["onset_to_enrolment"])
    for table in ("baseline", "background"):
        if table in design:
            study.population[table] = dict(design[table])
    for name, facts in design["arm"].items():
        arm = Arm(name, facts["size"], facts.get("control"))
        if "treatment" in facts:
            given = dict(facts["treatment"])
            product = {"type": "cells", **given.pop("product")}
            arm.treatments = [{"product": product, **given}]
        arm.baseline = dict(facts.get("baseline", {}))
        arm.background = dict(facts.get("background", {}))
        study.about += [f"{name}: {facts['about']}"] if "about" in facts else []
        study.arms.append(arm)
    return study


def _observe(study: Study, lines: list[Line], names: Names, ledger: Ledger) -> None:
    for line in lines:
        row, key = line.row, f"{line.row['trial_key']} | {line.row['arm']} | {line.text} | {line.day}"
        named = None
        reason = REFUSED.get(row["status"], "") or _disease_reason(row)
        if not reason:
            named = names.of(line.text, row["trial_key"], row["arm"])
            reason = _weightless(row) or named.reason
        if named is None or reason or not study.stem:
            ledger.leave(line.file, line.number, key, reason or "no design fact of this trial is in its row")
            continue
        if named.how == "control of ratio":
            one = next(o for o in study.observations if o.said.get("contrast") == "ratio")
            one.rows += ((line.file, line.number),)
            ledger.use(((line.file, line.number),), study.stem, one.key)
            continue
        try:
            found = list(_observations(study, line, named))
        except ValueError as problem:
            ledger.leave(line.file, line.number, key, str(problem))
            continue
        for one in found:
            study.observations.append(one)
            ledger.use(one.rows, study.stem, one.key)


def _disease_reason(row: Row) -> str:
    for word, name in NO_DISEASE.items():
        if row["disease"].startswith(word):
            return f"a study file has no disease {name}"
    return ""


def _weightless(row: Row) -> str:
    if row["trial_key"] == "MENSC_SECRETOME":
        return "weight zero: impossible counts (28 % of 15 patients) and another trial's sentence"
    if row["trial_key"] == "MUSTARDS" and row["value"] == "45":
        return "45 % of 10 patients is no whole number; the release's 40 %, 4 of 10, is used"
    return ""


def _observations(study: Study, line: Line, named: Named) -> Iterator[Observation]:
    row = line.row
    rows = ((line.file, line.number),)
    arm = _arm_of(study, row["arm"], named)
    for time in _times("" if re.search("time point .*memory", line.note) else line.day):
        for endpoint in named.endpoint.split("+"):
            said: dict[str, Any] = {"arm": arm, "endpoint": endpoint, "time": time}
            if named.as_:
                said["as"] = named.as_
            source = source_of(row, recalled=row["meta_from_memory"])
            numbers, derived = _numbers(line, named, study, arm)
            said |= numbers
            yield Observation(said, {**source, "status": "derived" if derived else source["status"]}, rows)
    yield from _besides(study, line, named, rows)


def _arm_of(study: Study, arm: str, named: Named) -> str | list[str]:
    """The arm of a row; "all", "all doses" are the treated arms together."""
    names = [a.name for a in study.arms]
    if arm in names:
        return arm
    if arm.startswith(("all", "three higher doses")):
        pooled = [a.name for a in study.arms if a.treatments]
        pooled = pooled[1:] if arm.startswith("three") else pooled
        return pooled if len(pooled) > 1 else pooled[0]
    raise ValueError(f"no arm {arm!r} of which the design is known")


def _times(day: str) -> list[str]:
    if day in UNKNOWN_TIMES:
        return ["unknown"]
    found = []
    for part in day.split("|"):
        if part.startswith("after 1st"):
            raise ValueError("the time after the first infusion is garbled")
        last = re.findall(r"(?:(?<=^)-)?[0-9.]+", part.lstrip("~"))
        if not last or re.search("[a-z]", part):
            raise ValueError(f"no day that could be told: {day}")
        found.append(f"{float(last[-1]):g} d")
    return found


def _numbers(line: Line, named: Named, study: Study, arm: Any) -> tuple[dict[str, Any], bool]:
    """The number as the study file states it, and whether it is worked out from what is printed."""
    row, how = line.row, named.how.split(" ")
    n = whole(line.n)
    if how[0] == "direction":
        versus = " ".join(how[2:])
        return {"direction": how[1], "versus": versus}, False
    value = number(row["value"])
    if value is None:
        raise ValueError(f"no number: {row['value']}")
    if how[0] in ("contrast", "inverse"):
        found: dict[str, Any] = {"versus": " ".join(how[2:]), "contrast": how[1], "value": value}
        if how[0] == "inverse":
            return found | {"value": 1 / value}, True
        interval = pair(line.spread)
        p = p_value(row["p_value"])
        found |= {"ci95": list(interval)} if interval else {}
        # An interval says more than its p value.
        return found | ({"p": p} if p and not interval else {}), False
    size = {"n": n} if n else {}
    if how[0] == "ratio":
        return {"versus": how[1], "contrast": "ratio", "value": value / float(how[2])}, True
    if how[0] == "none":  # no event in any dose is no event in any patient
        return {"events": 0, "n": study.arm(str(arm)).size}, True
    if how[0] == "count":
        return {"event_count": int(value), **size}, False
    if how[0] == "where":
        # The size of the subgroup is not printed.
        return {"where": " ".join(how[1:]), "median": value, **spread_of(line.spread)}, False
    if how[0] == "value":
        return {"value": value, **_unit(line), **size}, False
    return _read(line, value, n)


def _read(line: Line, value: float, n: int | None) -> tuple[dict[str, Any], bool]:
    """Read a number by what the row says it is."""
    row, size = line.row, {"n": n} if n else {}
    kind = row["kind"]
    if kind in ("events", "count") or kind.startswith("count"):
        if n is None:
            raise ValueError("events without the number of patients")
        return {"events": int(value), "n": n}, False
    if kind == "percent" or kind.startswith("proportion"):
        printed = re.search(r"([0-9]+)/([0-9]+)", kind)
        if printed:
            return {"events": int(printed[1]), "n": int(printed[2])}, False
        events = events_of(row["value"], n) if n and not line.n.startswith("~") else None
        if events is None:
            return {"value": value, "unit": "percent", **size}, False
        return {"events": events, "n": n}, True
    spread = spread_of(line.spread, line.spread_kind)
    unit = _unit(line)
    if kind == "median":
        if "iqr" in spread:
            return {"median": value, **spread, **unit, **size}, False
        return {"value": value, **unit, **size}, False
    if kind in ("mean", "mean change", "slope"):
        if spread and (n or "sd" not in spread):
            return {"mean": value, **spread, **unit, **size}, False
        return {"value": value, **unit, **size}, False
    raise ValueError(f"no way to read a {kind or 'value of no kind'}")


UNITS = {
    "days": "d", "mmHg": "mmHg", "cmH2O/kPa": "cmH2O/kPa", "mg/L": "mg/L", "1e9/L": "1e9/L", "m": "m",
    "percent": "percent", "% pred": "percent", "% pred points": "percent", "L": "L", "%": "percent",
    "mL/month": "mL/month", "U/mL": "U/mL", "percent increase": "percent",
}  # fmt: skip


def _unit(line: Line) -> dict[str, str]:
    return {"unit": UNITS[line.unit]} if line.unit in UNITS else {}


def _besides(study: Study, line: Line, named: Named, rows: Any) -> Iterator[Observation]:
    """What a row says besides its number: a ratio with its interval, patients behind a count of events."""
    row, source = line.row, source_of(line.row, recalled=line.row["meta_from_memory"])
    ratio = re.fullmatch(r"RR ([0-9.]+) \(([0-9.]+)-([0-9.]+)\)", line.spread)
    control = next((a.name for a in study.arms if a.control), None)
    if ratio and control and named.endpoint == "serious_adverse_event_count":
        said = {
            "arm": row["arm"], "endpoint": "serious_adverse_event", "time": _times(line.day)[0],
            "versus": control, "contrast": "risk_ratio", "value": float(ratio[1]),
            "ci95": [float(ratio[2]), float(ratio[3])],
        }  # fmt: skip
        yield Observation(said, source, rows)
    patients = re.search(r"AEs in ([0-9]+) of ([0-9]+)|AEs in ([0-9]+) of", line.note)
    if patients and named.endpoint == "adverse_event_count":
        said = {
            "arm": row["arm"], "endpoint": "adverse_event", "time": _times(line.day)[0],
            "events": int(patients[1]), "n": int(patients[2]),
        }  # fmt: skip
        yield Observation(said, source, rows)
