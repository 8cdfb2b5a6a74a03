"""Study files of hospital cohorts by day and of trials in ``timecourses``: bins with n, never a patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evidence_bins import BELOW, Sample, bins_of
from evidence_ledger import Ledger, Row
from evidence_study import Arm, Observation, Study

FOLDER = "timecourses/"
BINS = "timecourses/summary-bins.csv"
TRIALS = "timecourses/copd-exacerbation-trials.csv"
# Quantities that have another name in a study file than their own in small letters.
NAMES = {
    "IL-1Ra": "il1ra", "IFN-g": "ifng", "IFN-a2": "ifna", "IFN-a2a": "ifna", "IFN-l2": "ifnl",
    "TGF-a": "tgfa",
    "TNF": "tnf", "sTNFR1": "tnfr1", "sTNFR2": "tnfr2", "sST2": "st2", "sICAM-1": "icam1", "sVCAM-1": "vcam1",
    "sE-selectin": "e_selectin", "sPECAM-1": "pecam1", "sFlt-1": "flt1", "MMP-9": "mmp9", "sRAGE": "srage",
    "sCD163": "scd163", "sIL-2Ra": "sil2ra", "PDGF-AA": "pdgf_aa", "sCD40L": "scd40l", "IL-17A": "il17",
    "G-CSF": "gcsf", "GM-CSF": "gmcsf", "M-CSF": "mcsf", "CRP": "crp", "D-dimer": "ddimer", "LDH": "ldh",
    "platelets": "platelet_count", "white cells": "leukocyte_count", "eosinophils": "eosinophil_count",
    "neutrophils": "neutrophil_count", "monocytes": "monocyte_count", "lymphocytes": "lymphocyte_count",
    "troponin T": "troponin", "troponin": "troponin", "spike antibody": "spike_antibody",
    "nucleocapsid antibody": "nucleocapsid_antibody", "nasopharyngeal viral load": "viral_load_swab",
    "HLA-DR+ of cMono": "hla_dr_monocytes",
}  # fmt: skip
SAME = (
    "VEGF", "EGF", "TPO", "TSLP", "TRAIL", "LIF", "SCF", "CX3CL1", "MPO", "lactoferrin", "NGAL", "S100A8",
    "S100A9", "LBP", "REG3A", "creatinine", "bilirubin", "fibrinogen", "ferritin", "antithrombin",
)  # fmt: skip
UNITS = {"genome equivalents/mL": "copies/mL", "%": "percent"}
# From when a row counts its days -> what the file's name gets, its origin, words.
ORIGINS = {
    "d from onset": ("", "onset", "onset"),
    "d from admission": ("-admission", "enrolment", "admission, of patients whose onset is not filed"),
    "d from first positive swab": ("-swab", "enrolment", "the first positive swab"),
    "control": ("-healthy", "", ""),
}  # fmt: skip
CONTROL = "uninfected health worker"


@dataclass(frozen=True)
class Cohort:
    """A hospital whose patients' courses are summarised.

    Attributes:
        files: of the evidence.
        stem, title, about: of the study file.
        source: of its numbers.
        edges: bins of days from onset.
    """

    files: tuple[str, ...]
    stem: str
    title: str
    about: str
    source: dict[str, str]
    edges: tuple[tuple[float, float], ...]


WEEKS = ((0, 4), (4, 8), (8, 12), (12, 16), (16, 20), (20, 25), (25, 30), (30, 40), (40, 60))
COHORTS = (
    Cohort(
        ("timecourses/covid-brescia-proteins.csv", "timecourses/covid-brescia-clinical.csv"),
        "covid-brescia", "COVID-19 in hospital by day, Brescia (Liu 2021, Abers 2021)",
        "a sample enriched in critical illness; pg/mL inferred from the magnitudes; 13 had tocilizumab",
        {"doi": "10.1016/j.cell.2021.02.018"}, WEEKS,
    ),
    Cohort(
        ("timecourses/covid-yale-lucas.csv",), "covid-yale",
        "COVID-19 in hospital by day, Yale (Lucas 2020)",
        "values filed as log10, inferred from the magnitudes; tocilizumab was common",
        {"doi": "10.1038/s41586-020-2588-y"}, ((0, 7), (7, 12), (12, 17), (17, 25), (25, 60)),
    ),
    Cohort(
        ("timecourses/covid-dialysis-gisby-labs.csv",), "covid-dialysis-gisby",
        "COVID-19 of patients on dialysis by day (Gisby 2021)", "patients with end-stage kidney disease",
        {"doi": "10.7554/eLife.64827"}, WEEKS,
    ),
)  # fmt: skip
# Files whose licence lets nothing of the individuals ship, or whose numbers no study file can hold.
BARRED = {
    "cf-exacerbations-rhdnase.csv": "cystic fibrosis: no disease of a study file; a copyleft licence",
    "icu-eicu-demo-day1.csv": "individuals under ODbL 1.0: no table made from them ships here",
    "icu-mimic3-demo-daily.csv": "individuals under ODbL 1.0: no table made from them ships here",
    "lungtx-fev1-cleveland.csv": "transplanted lungs: no disease of a study file; a copyleft licence",
    "lungtx-fev1-papworth.csv": "transplanted lungs: no disease of a study file; a copyleft licence",
    "macaque-sarscov2-byrne.csv": "macaques: no species of a study file; no licence; points extrapolated",
    "mouse-cd8-subsets-crauste.csv": "T cells of no lung",
    "mouse-influenza-jhutty.csv": "individuals without a licence: no table of them ships here",
    "mouse-pneumococcus-schirm.csv": "neither units nor arm are told",
    "msc-wj-senescence-bobkov.csv": "cells of one donor far beyond the clinical window; no licence",
}  # fmt: skip
REASONS = (
    ("PBMC ", "a share of the low-density blood cells only, not of blood"),
    ("HLA-DR+ of Total", "the classical monocytes stand beside it"),
    ("ferritin (immunoassay)", "a second assay of ferritin beside the laboratory's"),
    ("IL-6 (clinical)", "a second assay of IL-6 beside the panel's"),
    ("treatment start", "the start of a drug or support of single patients"),
    ("clinical score", "an ordinal state of single patients"),
    ("WHO severity", "an ordinal state of single patients"),
    ("most aggressive oxygen", "the worst support of single patients, chosen by what came later"),
    ("ever in ICU", "chosen by what came later"),
    ("death", "a share of a sample enriched in critical illness is no mortality"),
    ("discharge alive", "a share of a sample enriched in critical illness"),
    ("hospital admission", "a date, not an outcome"),
    ("end of stay", "a date, not an outcome"),
)


def course_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of hospital cohorts by day, and of trials of COPD drugs.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    for cohort in COHORTS:
        yield from _cohort(cohort, ledger)
    yield from _trials(ledger)
    for i, row in ledger.rows(BINS):
        reason = "a stratum by severity or outcome to come; bins of all patients are made from their rows"
        if row["dataset"] == "jhutty":
            reason = BARRED["mouse-influenza-jhutty.csv"]
        elif row["group"] == "uninfected":
            reason = "stands in the healthy workers' file, made from their own rows"
        ledger.leave(BINS, i, f"{row['dataset']} | {row['group']}", reason)
    for name, reason in BARRED.items():
        for i, row in ledger.rows(FOLDER + name):
            ledger.leave(FOLDER + name, i, f"{row['dataset']} | {row['quantity']}", reason)


def _endpoint(quantity: str) -> str:
    if quantity in NAMES:
        return NAMES[quantity]
    if quantity in SAME:
        return quantity.lower()
    if re.fullmatch(r"(IL|CCL|CXCL)-?[0-9]+[ab]?(p70)?", quantity):
        return quantity.replace("-", "").lower()
    return ""


def _cohort(cohort: Cohort, ledger: Ledger) -> Iterator[Study]:
    found: dict[str, dict[str, list[tuple[str, int, Row]]]] = {}
    for file in cohort.files:
        for i, row in ledger.rows(file):
            key, reason = f"{row['dataset']} | {row['quantity']}", _reason(row)
            if reason:
                ledger.leave(file, i, key, reason)
            else:
                since = "control" if row["group"].startswith(CONTROL) else row["time_unit"]
                found.setdefault(since, {}).setdefault(row["quantity"], []).append((file, i, row))
    for since, of in found.items():
        study = _summary(cohort, of, ledger, since)
        if study.observations:
            yield study


def _reason(row: Row) -> str:
    """Why a row of a cohort cannot be summarised; "" when it can."""
    for start, reason in REASONS:
        if row["quantity"].startswith(start):
            return reason
    if row["group"].startswith("not COVID"):
        return "a patient without COVID-19"
    if not _endpoint(row["quantity"]):
        return f"no endpoint names {row['quantity']}"
    if row["group"].startswith(CONTROL):
        return ""
    if row["time_unit"] not in ORIGINS:
        return f"days are counted {row['time_unit'].removeprefix('d ')}, from which no study file counts"
    return ""


def _summary(cohort: Cohort, of: dict[str, list[tuple[str, int, Row]]], ledger: Ledger, since: str) -> Study:
    """One arm, all patients: who would become critical or die is not known when a study begins."""
    suffix, origin, words = ORIGINS[since]
    healthy = since == "control"
    head = {
        "schema": 1, "name": cohort.title + (f", {suffix[1:]}" if suffix else ""), "kind": "trial",
        "disease": "healthy" if healthy else "covid19-ards", "species": "human",
        "duration": "1 d" if healthy else "60 d",
    }  # fmt: skip
    head |= {} if healthy else {"origin": origin}
    about = ["Quartiles over patients by bins of days, a patient once a bin; individual courses do not ship."]
    about += [] if healthy else [f"days from {words}"]
    folder = "natural-history" if healthy else "usual-care"
    study = Study(folder, cohort.stem + suffix, [*about, cohort.about], head)
    arm = "healthy workers" if healthy else "patients"
    study.arms = [Arm(arm)]
    for quantity, rows in sorted(of.items()):
        place = {k: (file, i) for k, (file, i, _) in enumerate(rows)}
        samples = [
            Sample(
                row["subject"], float(row["time"]), float(row["value"]) or BELOW, k
            )  # 0 is below detection
            for k, (_, _, row) in enumerate(rows)
        ]
        unit = UNITS.get(rows[0][2]["unit"], rows[0][2]["unit"])
        for one in bins_of(samples, ((-1, 2),) if healthy else cohort.edges):
            low, middle, high = one.quartiles
            if middle == BELOW:
                for k in one.rows:
                    file, i = place[k]
                    key = f"{rows[0][2]['dataset']} | {quantity}"
                    ledger.leave(file, i, key, "the median of the bin is below detection")
                continue
            said: dict[str, Any] = {
                "arm": arm, "endpoint": _endpoint(quantity),
                "time": "0 d" if healthy else f"{one.middle:g} d",
            }  # fmt: skip
            spread = {"median": middle, "iqr": [low, high]} if BELOW < low < high else {"value": middle}
            observed = Observation(
                said | spread | {"unit": unit, "n": one.n}, {**cohort.source, "status": "derived"},
                tuple(place[k] for k in one.rows),
            )  # fmt: skip
            ledger.use(observed.rows, study.stem, observed.key)
            study.observations.append(observed)
        for file, i in place.values():
            if (file, i) not in ledger.used and (file, i) not in ledger.left:
                key = f"{rows[0][2]['dataset']} | {quantity}"
                ledger.leave(file, i, key, "fewer than 5 patients in the bin of days, or beyond the last bin")
    return study


EVENTS = {
    "patients with >= 1 COPD exacerbation": "exacerbation", "patients with >= 1 exacerbation": "exacerbation",
    "deaths": "mortality", "patients with >= 1 severe exacerbation": "severe_exacerbation",
    "patients with >= 1 hospital admission, any cause": "hospital_admission",
}  # fmt: skip


def _trials(ledger: Ledger) -> Iterator[Study]:
    """Trials of COPD drugs: events of patients by arm, as two reviews tabulate them."""
    studies: dict[str, Study] = {}
    both = {
        r["subject"] for _, r in ledger.rows(TRIALS) if r["dataset"] == "baker2009" and "iotrop" in r["group"]
    }
    for i, row in ledger.rows(TRIALS):
        if row["subject"] in both:
            reason = (
                "a tiotropium trial: stands in the other review's rows (karner2014), or overlaps with them"
            )
            ledger.leave(TRIALS, i, f"{row['dataset']} | {row['subject']}", reason)
            continue
        printed = re.match(r"([0-9]+)/([0-9]+)", row["note"])
        if printed is None:
            ledger.leave(TRIALS, i, f"{row['dataset']} | {row['subject']}", "no number of events is printed")
            continue
        study = studies.setdefault(row["subject"], _trial(row))
        arm = row["group"].lower()
        if arm not in [a.name for a in study.arms]:
            new = Arm(arm, int(printed[2]), True if arm == "placebo" else None)
            if arm != "placebo":
                given = {"dose": "unknown", "route": "unknown", "times": "unknown"}
                for drug in arm.split("+"):
                    new.treatments.append({"product": {"type": "drug", "name": drug}, **given})
            study.arms.append(new)
        said: dict[str, Any] = {
            "arm": arm, "endpoint": EVENTS[row["quantity"]], "time": "unknown",
            "events": int(printed[1]), "n": int(printed[2]),
        }  # fmt: skip
        doi = "10.1002/14651858.CD009285.pub3" if row["dataset"] == "karner2014" else "10.1592/phco.29.8.891"
        one = Observation(said, {"doi": doi, "where": row["subject"], "status": "seen"}, ((TRIALS, i),))
        if one.key in [o.key for o in study.observations]:
            ledger.leave(TRIALS, i, f"{row['dataset']} | {row['subject']}", "a second arm of the same drug")
            continue
        ledger.use(one.rows, study.stem, one.key)
        study.observations.append(one)
    yield from (study for study in studies.values() if study.observations)


def _trial(row: Row) -> Study:
    stem = "copd-trial-" + re.sub(r"[^a-z0-9]+", "-", row["subject"].lower()).strip("-")
    head = {
        "schema": 1, "name": f"A trial of inhaled drugs in COPD ({row['subject']})", "kind": "trial",
        "disease": "copd", "species": "human", "duration": "365 d", "randomised": True,
    }  # fmt: skip
    about = f"{row['time_unit']}: the file's length is a convention and times are unknown"
    return Study("drugs", stem, [about], head)
