"""Study files of levels in health and disease, one a publication: ``baseline-levels.csv``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_numbers import number, whole
from evidence_study import Arm, Observation, Study

FILE = "baseline-levels.csv"
# kDa by which the extract turned pg/mL into pM: the ones at which its numbers are round again.
MASSES = {
    "IL6": 23.72, "TNFa": 25.64, "IL10": 20.52, "IL1b": 30.75, "TGFb": 44.34, "CCL2": 11.03, "MCP-1": 11.03,
    "CXCL10": 10.88, "IP-10": 10.88, "CCL22": 10.63, "MDC": 10.63, "IL23": 53.3,
}  # fmt: skip
NAMES = {
    "IL6": "il6", "TNFa": "tnf", "IL10": "il10", "IL1b": "il1b", "TGFb": "tgfb", "CCL2": "ccl2",
    "MCP-1": "ccl2", "CXCL10": "cxcl10", "IP-10": "cxcl10", "CCL22": "ccl22", "MDC": "ccl22", "IL23": "il23",
    "Peripheral blood monocytes": "monocyte_count",
}  # fmt: skip
# Rows whose number cannot be what the extract says -> why.
DOUBTFUL = {
    ("CCL22", "18845325"): "a hundred times the level of all others, and round in pM, which no paper prints",
}
BLOOD = ("Serum", "Plasma", "Blood")
ELSEWHERE = {
    ("IL6", "Sputum"): "sputum_il6", ("IL10", "Sputum"): "sputum_il10", ("TNFa", "Sputum"): "sputum_tnf",
    ("IL1b", "Sputum"): "sputum_il1b", ("IL6", "Broncho-alveolar lavage (BAL)"): "bal_il6",
    ("IL10", "Broncho-alveolar lavage (BAL)"): "bal_il10",
    ("TNFa", "Broncho-alveolar lavage (BAL)"): "bal_tnf",
    ("Macrophages", "Broncho-alveolar lavage (BAL)"): "bal_macrophage_count",
    ("Alveolar Macrophages", "Broncho-alveolar lavage (BAL)"): "bal_macrophage_count",
    ("Macrophages", "Sputum"): "sputum_macrophage_count",
    ("Macrophages", "Induced Sputum"): "sputum_macrophage_count",
    ("Alveolar Macrophages", "Sputum"): "sputum_macrophage_count",
}  # fmt: skip
DISEASES = {
    "Healthy control": "healthy", "COVID-2019": "covid19-ards", "Asthma": "asthma", "Atopic asthma": "asthma",
    "Neutrophilic asthma": "asthma", "Eosinophilic asthma": "asthma", "Paucigranulocytic asthma": "asthma",
    "Chronic bronchitis (COPD)": "copd", "Chronic obstructive pulmonary disease (COPD)": "copd",
}  # fmt: skip


def level_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of levels in health and disease.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies of one time with observations, one a publication and disease.
    """
    studies: dict[str, Study] = {}
    for i, row in ledger.rows(FILE):
        key = f"{row['id']} | {row['quantity']} | {row['tissue']} | {row['disease']}"
        endpoint = _endpoint(row)
        reason = ""
        if row["disease"] not in DISEASES:
            reason = f"no study file has the disease {row['disease']}"
        elif row["quantity"] == "IL12p70":
            reason = "pM by a mass that cannot be told: by 19 and by 57 kDa its numbers are round"
        elif (row["quantity"], row["id"]) in DOUBTFUL:
            reason = DOUBTFUL[row["quantity"], row["id"]]
        elif not endpoint:
            reason = f"no endpoint names {row['quantity']} in {row['tissue'].lower()}"
        elif not number(row["value"]):
            reason = "0 or no number: below detection"
        if reason:
            ledger.leave(FILE, i, key, reason)
            continue
        study = _study(studies, row)
        arm = row["disease"] if row["disease"] != "Healthy control" else "healthy"
        one = Observation(
            {"arm": _arm(study, arm, endpoint), "endpoint": endpoint, "time": "0 d", **_number(row)},
            {**_source(row), "status": "seen"}, ((FILE, i),),
        )  # fmt: skip
        study.observations.append(one)
        ledger.use(one.rows, study.stem, one.key)
    yield from studies.values()


def _endpoint(row: Row) -> str:
    if row["tissue"] in BLOOD and row["quantity"] in NAMES:
        return NAMES[row["quantity"]]
    return ELSEWHERE.get((row["quantity"], row["tissue"]), "")


def _source(row: Row) -> dict[str, str]:
    if row["id_type"] == "PMID":
        return {"where": f"PMID {row['id']}, Cytocon extract in insysbio/covid19-qsp-model (MIT)"}
    return {"url": row["id"]}


def _study(studies: dict[str, Study], row: Row) -> Study:
    disease = DISEASES[row["disease"]]
    name = re.sub(r"[^a-z0-9]+", "-", row["id"].removeprefix("https://doi.org/").lower()).strip("-")
    stem = f"levels-{name}" + ("" if disease == "healthy" else f"-{disease}")
    if stem not in studies:
        head = {
            "schema": 1, "name": f"Levels in {disease}, {row['id_type']} {row['id']}"[:200], "kind": "trial",
            "disease": disease, "species": "human", "duration": "1 d",
        }  # fmt: skip
        about = ["Levels of one visit; amounts are the extract's, pM turned back by the mass that it used."]
        studies[stem] = Study("natural-history", stem, about, head)
    return studies[stem]


def _arm(study: Study, name: str, endpoint: str) -> str:
    """An arm of the disease; a second one where the publication has the same level of another group."""
    taken = [one.said["arm"] for one in study.observations if one.said["endpoint"] == endpoint]
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}, group {count}"
    if found not in [arm.name for arm in study.arms]:
        study.arms.append(Arm(found))
    return found


def _number(row: Row) -> dict[str, Any]:
    if row["unit"] == "pM":
        # pM times kDa is pg/mL.
        factor, unit = MASSES[row["quantity"]], "pg/mL"
    else:
        factor, unit = 0.001, "1e3/mL"  # kcells/L
        if row["quantity"] == "Peripheral blood monocytes":
            factor, unit = 1e-6, "1e9/L"
    value = float(row["value"]) * factor
    n = whole(row["n"])
    size = {"n": n} if n else {}
    left, right = number(row["spread_left"]), number(row["spread_right"])
    kind, average = row["spread_type"], row["average"]
    if average == "Median" and kind == "IQR(Q1, Q3)" and left is not None and right is not None:
        low, high = left * factor, right * factor
        if 0 < low <= value <= high and low < high:
            return {"median": value, "iqr": [low, high], "unit": unit, **size}
    if average == "Mean" and kind in ("SD", "SEM", "SE") and left:
        key = "sd" if kind == "SD" else "se"
        if n or key == "se":
            return {"mean": value, key: left * factor, "unit": unit, **size}
    return {"value": value, "unit": unit, **size}
