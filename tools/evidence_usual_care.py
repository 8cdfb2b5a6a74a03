"""Study files of usual care and of drugs without cells in acute disease: ``usual-care-acute.csv``."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import TABLES, source_of
from evidence_numbers import events_of, number, pair, spread_of, whole
from evidence_study import Arm, Inline, Observation, Study

FILE = "usual-care-acute.csv"
# Columns of the map that choose rows -> columns of the evidence that have to begin with their words.
CHOOSE = {
    "population": "population", "arm": "arm_or_stratum", "treatment": "treatment", "variable": "variable",
    "time": "timepoint",
}  # fmt: skip
RATIO = re.compile(r"\bRR ([0-9.]+) \(([0-9.]+)-([0-9.]+)\)")
# Arms as rows name them -> as the files do, where a row names a drug or a stratum instead.
DRUGS = {"dexamethasone 6 mg x10 d": "dexamethasone"}


def usual_care_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of usual care in acute disease.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    with (TABLES / "usual-care.toml").open("rb") as stream:
        designs = tomllib.load(stream)
    with (TABLES / "map-usual-care.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    studies = {name: _study(name, design) for name, design in designs.items()}
    idle = set(range(len(lines)))
    for i, row in ledger.rows(FILE):
        place = next((k for k, line in enumerate(lines) if _fits(line, row)), None)
        if place is None:
            raise KeyError(f"map-usual-care.csv: no line of row {i}, {row['key']}")
        idle.discard(place)
        line = lines[place]
        if line["reason"]:
            key = f"{row['key']} | {row['arm_or_stratum']} | {row['variable']} | {row['timepoint']}"
            ledger.leave(FILE, i, key, line["reason"])
            continue
        study = studies[line["file"]]
        for one in _observations(study, line, row, i):
            ledger.use(((FILE, i),), study.stem, one.key)
    if idle:
        raise ValueError(f"map-usual-care.csv: lines of no row: {sorted(k + 2 for k in idle)}")
    yield from studies.values()


def _fits(line: Mapping[str, str], row: Row) -> bool:
    return line["key"] == row["key"] and all(
        row[theirs].startswith(line[ours]) for ours, theirs in CHOOSE.items() if line[ours]
    )


def _study(name: str, design: Mapping[str, Any]) -> Study:
    head = {"schema": 1, "name": design["title"], "kind": "trial", "disease": design["disease"]}
    head |= {"species": "human", "duration": design["duration"]}
    head |= {"randomised": True} if design.get("randomised") else {}
    study = Study(design.get("folder", "usual-care"), name, [], head)
    study.about = [design["about"]] if "about" in design else []
    for table in ("baseline", "background"):
        if table in design:
            study.population[table] = {k: _inline(v) for k, v in design[table].items()}
    for arm, facts in design["arm"].items():
        study.arms.append(
            Arm(
                arm, facts.get("size", "unknown"), facts.get("control"),
                baseline=dict(facts.get("baseline", {})), background=dict(facts.get("background", {})),
            )
        )  # fmt: skip
    return study


def _inline(value: Any) -> Any:
    return Inline(value) if isinstance(value, Mapping) else value


def _observations(study: Study, line: Mapping[str, str], row: Row, i: int) -> list[Observation]:
    """The observations that stand on a row; those of an earlier row are added to."""
    how = line["how"].split(" ")
    said: dict[str, Any] = {"arm": _arm(study, line, row), "endpoint": line["endpoint"], "time": line["at"]}
    said |= {"where": line["where"]} if line["where"] else {}
    source = source_of(row)
    rows = ((FILE, i),)
    found: list[Observation] = []
    value, n = number(row["value"]), whole(row["n"])
    if how[0] in ("total", "complement"):
        return [_together(study, said, source, rows, value or 0.0, n or 0, how)]
    if value is None:
        raise ValueError(f"row {i}: no number {row['value']}")
    if how[0] == "hazard":
        interval = pair(row["spread"])
        hazard = {"versus": how[1], "contrast": "hazard_ratio", "value": value, "ci95": list(interval or ())}
        found.append(Observation(said | hazard, source, rows))
        found += _hazard_of_notes(said, row, source, rows, how[1])
    elif how[0] == "fold":
        fold = {
            "versus": how[1],
            "contrast": "ratio",
            "value": value,
            "ci95": list(pair(row["spread"]) or ()),
        }
        found.append(Observation(said | fold | {"n": n}, source, rows))
    elif how[0] in ("level", "group"):
        n = int(how[1]) if how[0] == "group" else n
        found.append(Observation(said | _level(row, value, n), source, rows))
        found += _level_besides(said, row, source, rows, n)
    else:
        found += _shares(said, row, source, rows, how, value)
    found += _ratio(study, said, row, source, rows)
    for one in found:
        earlier = next((o for o in study.observations if o.key == one.key), None)
        if earlier is None:
            study.observations.append(one)
        else:
            earlier.rows += one.rows
    return found


def _arm(study: Study, line: Mapping[str, str], row: Row) -> str:
    names = [arm.name for arm in study.arms]
    drug = DRUGS.get(row["treatment"], row["treatment"])
    for name in (line["to"], row["arm_or_stratum"], drug):
        if name in names:
            return name
    raise KeyError(f"{study.stem}: no arm for {row['arm_or_stratum']!r}, {row['treatment']!r}")


def _arm_size(row: Row, how: list[str]) -> int | None:
    """Subjects of an arm: of a trial's two numbers the first is the drug's, the second usual care's."""
    both = re.fullmatch(r"([0-9]+) v ([0-9]+)", row["n"])
    if both:
        return int(both[2] if row["treatment"] == "usual care" else both[1])
    n = whole(row["n"])
    return round(n * float(how[1]) / 100) if n and how[0] == "class" else n


def _shares(said: Any, row: Row, source: Any, rows: Any, how: list[str], value: float) -> list[Observation]:
    derived = {**source, "status": "derived"}
    n = _arm_size(row, how)
    printed = re.search(r"\(([0-9]+)/([0-9]+)\)", row["unit"]) or re.search(r"\(([0-9]+)\)", row["unit"])
    if how[0] == "printed" and printed:
        n = int(printed[2]) if printed.lastindex == 2 else n
        return [Observation(said | {"events": int(printed[1]), "n": n}, source, rows)]
    events = events_of(row["value"], n) if n and how[0] in ("share", "class") else None
    if events is not None:
        return [Observation(said | {"events": events, "n": n}, derived, rows)]
    unit = {"percent": "percent", "days": "d"}[row["unit"]]
    return [Observation(said | {"value": value, "unit": unit}, source, rows)]


def _level(row: Row, value: float, n: int | None) -> dict[str, Any]:
    unit, size = {"unit": row["unit"]}, {"n": n} if n else {}
    spread = spread_of(row["spread"])
    if "iqr" in spread:
        low, high = spread["iqr"]
        if low < value / 1000:  # "0.85-2.07e5": the power of ten stands once
            power = 10 ** int(re.findall(r"e([0-9]+)", row["spread"])[-1])
            low *= power
        return {"median": value, "iqr": [low, high], **unit, **size}
    if "sd" in spread:
        return {"mean": value, **spread, **unit, **size}
    return {"value": value, **unit, **size}


def _level_besides(said: Any, row: Row, source: Any, rows: Any, n: int | None) -> list[Observation]:
    """Shares of lavage cells and deaths that the row prints beside its level."""
    found = []
    share = re.search(r"^([0-9.]+)% \(([0-9.]+)-([0-9.]+)\) of cells", row["p_or_effect"])
    if share:
        median = {
            "median": float(share[1]),
            "iqr": [float(share[2]), float(share[3])],
            "unit": "percent",
            "n": n,
        }
        found.append(Observation(said | {"endpoint": "bal_neutrophils"} | median, source, rows))
    share = re.search(r"^neutrophils ([0-9.]+)%", row["spread"])
    if share:
        value = {"value": float(share[1]), "unit": "percent", "n": n}
        found.append(Observation(said | {"endpoint": "bal_neutrophils"} | value, source, rows))
    share = re.search(r"macrophages ([0-9.]+)% \(([0-9.]+)-([0-9.]+)\)", row["notes"])
    if share:
        median = {
            "median": float(share[1]),
            "iqr": [float(share[2]), float(share[3])],
            "unit": "percent",
            "n": n,
        }
        found.append(Observation(said | {"endpoint": "bal_macrophages"} | median, source, rows))
    deaths = re.search(r"ICU mortality ([0-9.]+)%", row["p_or_effect"])
    events = events_of(deaths[1], n) if deaths and n else None
    if events is not None:
        dead = {"endpoint": "mortality", "time": "unknown", "events": events, "n": n}
        found.append(Observation(said | dead, {**source, "status": "derived"}, rows))
    return found


def _together(
    study: Study, said: Any, source: Any, rows: Any, value: float, n: int, how: list[str]
) -> Observation:
    """Parts of a cohort added up, or the rest of a share that stands there already."""
    earlier = next(
        (o for o in study.observations if o.relation == f"{said['endpoint']}@{said['time']}"), None
    )
    if how[0] == "complement":
        if earlier is None or abs(100 * earlier.said["events"] / earlier.said["n"] + value - 100) > 0.1:
            raise ValueError(f"{study.stem}: {value} % is not the rest")
        earlier.rows += rows
        return earlier
    size = round(n * float(how[1]) / 100) if len(how) > 1 else n
    events = round(size * value / 100)
    if earlier is None:
        derived = {**source, "status": "derived"}
        study.observations.append(earlier := Observation(said | {"events": events, "n": size}, derived, rows))
        return earlier
    earlier.said["events"] += events
    earlier.said["n"] += size
    earlier.rows += rows
    return earlier


def _ratio(study: Study, said: Any, row: Row, source: Any, rows: Any) -> list[Observation]:
    """The printed risk ratio of the first arm against the control, which both arms' rows repeat."""
    printed = RATIO.search(row["p_or_effect"])
    control = next((a.name for a in study.arms if a.control), None)
    treated = next((a.name for a in study.arms if not a.control), None)
    if printed is None or control is None or treated is None:
        return []
    ratio = {
        "arm": treated, "versus": control, "contrast": "risk_ratio", "value": float(printed[1]),
        "ci95": [float(printed[2]), float(printed[3])],
    }  # fmt: skip
    return [Observation(said | ratio, source, rows)]


def _hazard_of_notes(said: Any, row: Row, source: Any, rows: Any, versus: str) -> list[Observation]:
    printed = re.search(r"90-d mortality .*\(aHR ([0-9.]+), ([0-9.]+)-([0-9.]+)\)", row["notes"])
    if printed is None:
        return []
    hazard = {
        "endpoint": "mortality", "time": "90 d", "versus": versus, "contrast": "hazard_ratio",
        "value": float(printed[1]), "ci95": [float(printed[2]), float(printed[3])],
    }  # fmt: skip
    return [Observation(said | hazard, source, rows)]
