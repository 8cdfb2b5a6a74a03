"""Study files of endotoxin given to volunteers: ``human-endotoxin.csv`` and the doses of ``timecourses``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from evidence_ledger import Ledger, Row
from evidence_study import Arm, Observation, Study

FILE = "human-endotoxin.csv"
DOSES = "timecourses/human-endotoxin-dose.csv"
CYTOKINES = {"TNF": "tnf", "IL6": "il6", "IL8": "il8", "IL10": "il10"}
DOSED = {
    "TNF": ("tnf", "pg/mL", ""), "IL-6": ("il6", "pg/mL", ""), "IL-10": ("il10", "pg/mL", ""),
    "IL-1b": ("il1b", "pg/mL", ""), "temperature": ("temperature", "degC", ""),
    "heart rate": ("heart_rate", "1/min", ""),
    "mean arterial pressure": ("mean_arterial_pressure", "mmHg", ""),
    "temperature change": ("temperature", "degC", "change"),
    "heart rate change": ("heart_rate", "1/min", "change"),
}  # fmt: skip
VOLUNTEERS = "10.1113/EP091552"
PAPERS = {
    "dillingh2014": "Endotoxin at three doses in volunteers (Dillingh 2014)",
    "kiers2017": "Endotoxin as a bolus and as an infusion in volunteers (Kiers 2017)",
    "taudorf2007": "A low dose of endotoxin in volunteers (Taudorf 2007)",
}
DIGITISED = "digitised by Computational-Biology-TUe/InflammationODE from the paper's figures"


def endotoxin_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of endotoxin in volunteers.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    yield _bolus(ledger)
    yield _infusion(ledger)
    yield from _doses(ledger)


def _study(stem: str, title: str, about: list[str], duration: str) -> Study:
    head = {
        "schema": 1, "name": title, "kind": "trial", "disease": "healthy", "species": "human",
        "duration": duration, "origin": "injury",
    }  # fmt: skip
    return Study("endotoxin", stem, about, head)


def _bolus(ledger: Ledger) -> Study:
    study = _study(
        "endotoxin-bolus", "Endotoxin, 2 ng/kg at once, in 20 volunteers",
        ["Quartiles over 20 volunteers, worked out from their own courses, which do not ship."], "",
    )  # fmt: skip
    study.injury = {"agent": "lps", "amount": "2 ng/kg", "route": "intravenous", "start": "0 h"}
    study.arms = [Arm("volunteers", 20)]
    groups: dict[tuple[str, float], list[tuple[int, float]]] = {}
    for i, row in ledger.rows(FILE):
        if "bolus" not in row["challenge"]:
            continue
        if row["subject"] == "mean":
            key = f"bolus mean | {row['plasma_cytokine']}"
            ledger.leave(FILE, i, key, "the mean of the individuals that are summarised here")
        elif row["value_pg_per_mL"]:
            at = (row["plasma_cytokine"], float(row["time_h"]))
            groups.setdefault(at, []).append((i, float(row["value_pg_per_mL"])))
        else:
            ledger.leave(FILE, i, f"bolus | {row['plasma_cytokine']}", "an empty cell")
    for (cytokine, time), values in sorted(groups.items()):
        low, middle, high = np.quantile([v for _, v in values], [0.25, 0.5, 0.75])
        said: dict[str, Any] = {
            "arm": "volunteers", "endpoint": CYTOKINES[cytokine], "time": f"{time:g} h",
            "median": float(middle), "iqr": [float(low), float(high)], "unit": "pg/mL", "n": len(values),
        }  # fmt: skip
        _add(study, said, {"doi": VOLUNTEERS, "status": "derived"}, [i for i, _ in values], FILE, ledger)
    study.head["duration"] = f"{max(time for _, time in groups):g} h"
    return study


def _infusion(ledger: Ledger) -> Study:
    study = _study(
        "endotoxin-infusion", "Endotoxin, 2 ng/kg over 4 h, in 9 volunteers",
        ["Means of about 9 volunteers less outliers; values at 0 h are the bolus group's and are left out."],
        "",
    )  # fmt: skip
    study.injury = {"agent": "lps", "amount": "2 ng/kg", "route": "intravenous", "start": "0 h", "end": "4 h"}
    study.arms = [Arm("volunteers", 9)]
    last = 0.0
    for i, row in ledger.rows(FILE):
        if "over 4 h" not in row["challenge"]:
            continue
        time = float(row["time_h"])
        if time == 0:
            key = f"infusion | {row['plasma_cytokine']} | 0 h"
            ledger.leave(FILE, i, key, "at 0 h the infusion's values are those of the bolus, printed again")
            continue
        last = max(last, time)
        said: dict[str, Any] = {
            "arm": "volunteers", "endpoint": CYTOKINES[row["plasma_cytokine"]], "time": f"{time:g} h",
            "mean": float(row["value_pg_per_mL"]), "sd": float(row["sd"]), "unit": "pg/mL", "n": 9,
        }  # fmt: skip
        _add(study, said, {"doi": VOLUNTEERS, "status": "seen"}, [i], FILE, ledger)
    study.head["duration"] = f"{last:g} h"
    return study


def _doses(ledger: Ledger) -> Iterator[Study]:
    studies: dict[str, Study] = {}
    for i, row in ledger.rows(DOSES):
        key = f"{row['dataset']} | {row['group']} | {row['quantity']}"
        endpoint, unit, as_ = DOSED[row["quantity"]]
        value, time = float(row["value"]), float(row["time"])
        if "below detection" in row["note"]:
            ledger.leave(DOSES, i, key, "at or below a detection limit that is not told")
            continue
        if time < 0:
            ledger.leave(DOSES, i, key, "before endotoxin was given, where health is")
            continue
        study, arm = _dosed(studies, row)
        said: dict[str, Any] = {"arm": arm, "endpoint": endpoint, "time": f"{time:g} h", "value": value}
        said |= {"as": as_} if as_ else {}
        said["unit"] = unit
        where = f"{PAPERS[row['dataset']].rsplit('(', 1)[1].rstrip(')')}, {DIGITISED}"
        _add(study, said, {"where": where, "status": "seen"}, [i], DOSES, ledger)
        study.head["duration"] = f"{max(time, float(study.head['duration'].split()[0])):g} h"
    yield from studies.values()


def _dosed(studies: dict[str, Study], row: Row) -> tuple[Study, str]:
    infused = "then" in row["group"]
    stem = f"endotoxin-{row['dataset']}" + ("-infusion" if infused else "")
    if stem not in studies:
        title = PAPERS[row["dataset"]] + (", infusion" if infused else "")
        study = studies[stem] = _study(stem, title, ["Means of groups whose size is not told."], "1 h")
        amount = row["group"].split(" bolus")[0]
        study.injury = {"agent": "lps", "amount": amount, "route": "intravenous", "start": "0 h"}
        if infused:
            then = {"agent": "lps", "amount": "3 ng/kg", "route": "intravenous", "start": "0 h", "end": "3 h"}
            study.injury = [study.injury, then]  # 1 ng/kg/h for 3 h
    study = studies[stem]
    arm = "bolus then infusion" if infused else row["group"].split(" bolus")[0]
    if arm not in [a.name for a in study.arms]:
        new = Arm(arm)
        if not infused:
            new.injury = {"agent": "lps", "amount": arm, "route": "intravenous", "start": "0 h"}
        study.arms.append(new)
    return study, arm


def _add(study: Study, said: Any, source: Any, rows: list[int], file: str, ledger: Ledger) -> None:
    one = Observation(said, source, tuple((file, i) for i in rows))
    ledger.use(one.rows, study.stem, one.key)
    study.observations.append(one)
