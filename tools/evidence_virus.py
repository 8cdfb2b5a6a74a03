"""Study files of virus over time: shedding in the airways, and the lungs of mice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from evidence_bins import Bin, Sample, bins_of
from evidence_ledger import Ledger, Row
from evidence_study import Arm, Observation, Study

SHEDDING = "timecourses/viral-shedding-respiratory.csv"
DIGITISED = "viral-load.csv"
MOUSE = "timecourses/mouse-influenza-cd8-titre.csv"
HAYDEN = "timecourses/human-influenza-challenge-hayden.csv"
# From when a row counts its days -> origin of the study file, what its name gets, and words.
ORIGINS = {
    "d from onset": ("onset", "", "onset"),
    "d from confirmation date": ("enrolment", "-confirmed", "the first positive test"),
    "d from enrollment": ("enrolment", "-enrolled", "enrolment"),
    "d from hospital admission": ("enrolment", "-admitted", "admission"),
}  # fmt: skip
DAYS = ((-4, 0), (0, 4), (4, 8), (8, 12), (12, 16), (16, 20), (20, 25), (25, 30))
# Where virus was looked for, in a unit -> endpoint of its load and of whether it was found.
KINDS = {
    ("swab", "gc/mL"): ("viral_load_swab", "copies/mL", "virus_found_swab"),
    ("swab", "pfu/mL"): ("viral_titre_swab", "PFU/mL", "infectious_virus_found_swab"),
    ("swab", "gc/swab"): ("viral_copies_swab", "copies", "virus_found_swab"),
    ("saliva", "gc/mL"): ("viral_load_saliva", "copies/mL", "virus_found_saliva"),
    ("sputum", "gc/mL"): ("viral_load_sputum", "copies/mL", "virus_found_sputum"),
    # A cycle threshold is no number of copies without the assay's curve: it tells whether virus was found.
    ("swab", "cycle threshold"): ("", "", "virus_found_swab"),
    ("sputum", "cycle threshold"): ("", "", "virus_found_sputum"),
}
LATEST_CYCLE = 38.0  # from here on a threshold is the assay's limit
END_OF_AXIS = 10.0  # copies or less are where a figure's axis ends: below detection
TREATED = {"gautret2020hydroxychloroquine": "hydroxychloroquine", "kondo2016influenza": "antivirals"}


def virus_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of virus over time.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations; bins of too few subjects leave their rows out.
    """
    for i, row in ledger.rows(DIGITISED):
        _leave_digitised(ledger, i, row)
    for i, row in ledger.rows(HAYDEN):
        key = f"{row['group']} | {row['quantity']}"
        ledger.leave(HAYDEN, i, key, "human influenza: no disease of a study file")
    groups: dict[tuple[str, str, str], list[tuple[int, Row]]] = {}
    copies = {(row["dataset"], row["quantity"]) for _, row in ledger.rows(SHEDDING) if "gc" in row["unit"]}
    for i, row in ledger.rows(SHEDDING):
        reason = _reason(row)
        if not reason and row["unit"] == "cycle threshold" and (row["dataset"], row["quantity"]) in copies:
            reason = "a cycle threshold of samples whose copies stand beside it"
        if reason:
            ledger.leave(SHEDDING, i, f"{row['dataset']} | {row['quantity']} | {row['unit']}", reason)
        else:
            sample = row["quantity"].removeprefix("SARS-CoV-2 in ")
            groups.setdefault((row["dataset"], f"{sample}|{row['unit']}", row["time_unit"]), []).append(
                (i, row)
            )
    for (dataset, what, since), rows in sorted(groups.items()):
        study = _shedding(dataset, what, ORIGINS[since], rows, ledger)
        if study.observations:
            yield study
    yield _mice(ledger)


def _leave_digitised(ledger: Ledger, i: int, row: Row) -> None:
    if row["panel_or_case"].startswith("Averaged"):
        reason = "an average of the panels, on days from seroconversion"
    elif "Woelfel" in row["source"]:
        reason = (
            "stands in timecourses/viral-shedding-respiratory.csv (woelfel2020virological), by kind of sample"
        )
    else:
        reason = "stands in timecourses/viral-shedding-respiratory.csv (young2020epidemiologic), as filed"
    ledger.leave(DIGITISED, i, row["source"].split(",")[0] + " | " + row["panel_or_case"][:40], reason)


def _kind(row: Row) -> str:
    place = row["quantity"].split(" in ")[1]
    for kind in ("saliva", "sputum"):
        if place == kind:
            return kind
    return "swab" if re.fullmatch(r"[a-z_]+_swab(\+[a-z_]+_swab)*", place) else place


def _reason(row: Row) -> str:
    """Why a row of shedding cannot be summarised; "" when it can."""
    if "SARS-CoV-2" not in row["quantity"]:
        return "influenza or SARS in humans: no disease of a study file"
    if row["time_unit"] not in ORIGINS:
        return f"days are counted {row['time_unit'].removeprefix('d ')}, from which no study file counts"
    if row["dataset"] in TREATED:
        return f"treated with {TREATED[row['dataset']]}"
    if (_kind(row), row["unit"]) not in KINDS:
        return "a sample or unit that no endpoint names"
    return ""


def _arm_of(row: Row) -> str:
    first = row["group"].split("; ")[0]
    return {
        "hospitalized True": "hospital", "hospitalized False": "outpatients", "vaccinated True": "vaccinated",
        "vaccinated False": "not vaccinated",
    }.get(first, "patients")  # fmt: skip


def _shedding(
    dataset: str, what: str, since: tuple[str, str, str], rows: list[tuple[int, Row]], ledger: Ledger
) -> Study:
    origin, suffix, words = since
    sample, unit = what.split("|")
    short = {"gc/mL": "", "pfu/mL": "-pfu", "gc/swab": "", "cycle threshold": "-found"}[unit]
    stem = f"virus-{dataset}-{sample.replace('_', '-').replace('+', '-')}{short}{suffix}"
    head = {
        "schema": 1, "name": f"SARS-CoV-2 in {sample.replace('_', ' ')} ({dataset})", "kind": "trial",
        "disease": "covid19-ards", "species": "human", "duration": "30 d", "origin": origin,
    }  # fmt: skip
    about = [
        f"shedding-hub data set {dataset} (CC BY 4.0), quartiles over patients by bins of days from {words}."
    ]
    study = Study("viral-load", stem, about, head)
    load, load_unit, found = KINDS[(_kind(rows[0][1]), unit)]
    where = {"where": f"shedding-hub/shedding-hub, data/{dataset}", "status": "derived"}
    for arm in sorted({_arm_of(row) for _, row in rows}):
        mine = [(i, row) for i, row in rows if _arm_of(row) == arm]
        samples = [Sample(row["subject"], float(row["time"]), _value(row), i) for i, row in mine]
        for one in bins_of(samples, DAYS):
            for said in _virus(arm, one, load, load_unit, found):
                observed = Observation(said, where, tuple((SHEDDING, i) for i in one.rows))
                ledger.use(observed.rows, study.stem, observed.key)
                study.observations.append(observed)
        if any(o.said["arm"] == arm for o in study.observations):
            study.arms.append(Arm(arm))
        for i, row in mine:
            if (SHEDDING, i) not in ledger.used:
                ledger.leave(
                    SHEDDING, i, f"{dataset} | {row['quantity']} | {unit}",
                    "fewer than 5 patients in the bin of days, or beyond 30 d",
                )  # fmt: skip
    return study


def _value(row: Row) -> float:
    if "negative" in row["note"] or row["value"] == "below detection":
        return -math.inf
    value = float(row["value"])
    if row["unit"] == "cycle threshold":
        return 1.0 if value < LATEST_CYCLE else -math.inf
    return value if value > END_OF_AXIS else -math.inf


def _virus(arm: str, one: Bin, load: str, unit: str, found: str) -> Iterator[dict[str, Any]]:
    """What a bin says: how many had virus, and the load where its quartiles are above detection."""
    at = {"arm": arm, "time": f"{one.middle:g} d"}
    yield {**at, "endpoint": found, "events": one.found, "n": one.n}
    low, middle, high = one.quartiles
    if not load:
        return
    if math.isfinite(low) and low < high:
        yield {**at, "endpoint": load, "median": middle, "iqr": [low, high], "unit": unit, "n": one.n}
    elif math.isfinite(middle):
        yield {**at, "endpoint": load, "value": middle, "unit": unit, "n": one.n}


def _mice(ledger: Ledger) -> Study:
    head = {
        "schema": 1, "name": "Influenza titre of the lung, adult and aged mice (whipple)", "kind": "animal",
        "disease": "influenza", "species": "mouse", "duration": "", "origin": "injury",
    }  # fmt: skip
    about = [
        "YetAnotherProfilePage/QuantifyingEffectsOfAging (MIT); each mouse was killed once; quartiles by day."
    ]
    study = Study("animals", "influenza-titre-age", about, head, injury={"agent": "influenza"})
    mine: dict[str, list[Sample]] = {}
    for i, row in ledger.rows(MOUSE):
        if row["unit"] == "PFU/mL":
            value = float(row["value"]) if float(row["value"]) > 0 else -math.inf
            mine.setdefault(row["group"], []).append(Sample(row["subject"], float(row["time"]), value, i))
            continue
        reason = "CD8 cells of the lung, which no endpoint names"
        if row["dataset"] == "crosslabfit":
            reason = "units that differ by laboratory, and the adult mice of the other set again"
        ledger.leave(MOUSE, i, f"{row['dataset']} | {row['quantity']}", reason)
    last = 1.0
    for arm, samples in sorted(mine.items()):
        study.arms.append(Arm(arm))
        days = sorted({s.time for s in samples})
        for one in bins_of(samples, [(day, day + 1e-6) for day in days]):
            last = max(last, one.low)
            for said in _virus(arm, one, "lung_virus_pfu", "PFU/mL", "lung_virus_found"):
                said["time"] = f"{one.low:g} d"
                where = "YetAnotherProfilePage/QuantifyingEffectsOfAging, Current Code/ExperimentalData"
                observed = Observation(
                    said, {"where": where, "status": "derived"}, tuple((MOUSE, i) for i in one.rows)
                )
                ledger.use(observed.rows, study.stem, observed.key)
                study.observations.append(observed)
        for s in samples:
            if (MOUSE, s.row) not in ledger.used:
                ledger.leave(MOUSE, s.row, f"titre | {arm}", "fewer than 5 mice on the day")
    study.head["duration"] = f"{last:g} d"
    return study
