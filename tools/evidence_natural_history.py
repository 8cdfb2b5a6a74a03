"""Study files of the course and the usual drugs of chronic disease: ``natural-history-chronic.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any

from evidence_ledger import Ledger, Row
from evidence_names import TABLES, Named, Names, source_of
from evidence_numbers import NUMBER, events_of, number, pair, spread_of, whole
from evidence_study import Arm, Observation, Study

FILE = "natural-history-chronic.csv"
DISEASES = {"COPD": "copd", "IPF": "ipf", "asthma": "asthma"}
HEALTHY = (
    "healthy",
    "normal",
    "control",
    "controls",
    "reference",
    "matched controls",
    "asymptomatic smokers",
)
# What rows call an arm -> its name in the files.
ARMS = {
    "tiotropium+usual care": "tiotropium", "control (usual care incl. ICS/LABA)": "control",
    "salmeterol+fluticasone": "SFC", "dupilumab 200 q2w vs placebo": "dupilumab 200 q2w",
    "mepolizumab / placebo": "mepolizumab SC",
}  # fmt: skip
# Arms that are given a drug -> its name; " + " joins two.
DRUGS = {
    "tiotropium": "tiotropium", "salmeterol": "salmeterol", "fluticasone": "fluticasone",
    "SFC": "salmeterol + fluticasone", "nintedanib": "nintedanib", "pirfenidone": "pirfenidone",
    "dupilumab 200 q2w": "dupilumab", "dupilumab 300 mg": "dupilumab", "tezepelumab": "tezepelumab",
    "mepolizumab": "mepolizumab", "mepolizumab SC": "mepolizumab", "mepolizumab >=3 y": "mepolizumab",
    "ICS": "inhaled_steroid", "budesonide 400": "budesonide", "budesonide 1600": "budesonide",
}  # fmt: skip
UNITS: Mapping[str, tuple[str, float]] = {
    "mL/yr": ("mL/year", 1), "/patient-yr": ("1/year", 1), "/yr": ("1/year", 1), "months": ("month", 1),
    "%": ("percent", 1), "% pred": ("percent", 1), "% pred points": ("percent", 1),
    "% points": ("percent", 1),
    "points": ("points", 1), "m": ("m", 1), "/1000 treatment-yr": ("1/year", 0.001),
    "/100 patient-yr": ("1/year", 0.01), "L": ("L", 1), "mL": ("mL", 1), "ng/mL": ("ng/mL", 1),
    "cells/mm2": ("1/mm2", 1), "mmol/min/kPa": ("mmol/min/kPa", 1), "mmHg": ("mmHg", 1), "Torr": ("mmHg", 1),
    "cells/uL": ("cells/uL", 1), "/mm3": ("cells/uL", 1), "10^9/L": ("1e9/L", 1), "ppb": ("ppb", 1),
    "IU/mL": ("IU/mL", 1), "U/mL": ("U/mL", 1), "U/L": ("U/L", 1), "mg/mL": ("mg/mL", 1),
    "10^6": ("cells", 1e6), "10^3/mL": ("1e3/mL", 1), "10^6/mL": ("1e3/mL", 1000), "nM": ("nM", 1),
    "units/mL": ("U/mL", 1), "mg/L": ("mg/L", 1), "pg/mL": ("pg/mL", 1),
}  # fmt: skip
# Endpoints that another unit makes another quantity.
BY_UNIT = {
    ("sputum_il8", "nM"): "sputum_il8_molar", ("sputum_mpo", "units/mL"): "sputum_mpo_activity",
}  # fmt: skip
CONTRASTS = ("hazard_ratio", "odds_ratio", "risk_ratio", "ratio", "difference")
TABLE_ONE = {
    "age": "year", "pack_years": "pack-year", "height": "cm", "weight": "kg",
    "fev1_percent_predicted": "percent", "fev1_post_percent_predicted": "percent",
    "fvc_percent_predicted": "percent", "dlco_percent_predicted": "percent",
}  # fmt: skip
# Lung function by which patients were taken or grouped: table 1, where its spread is printed.
SELECTED_BY = "fev1_percent_predicted"
STANDS = "stands in the study's table 1"
CONVENTION = "365 d"  # the length of a file whose times are not printed


def natural_history_studies(ledger: Ledger) -> Iterator[Study]:
    """Make the study files of chronic disease without cells.

    Arguments:
        ledger: takes the account of the rows.

    Yields:
        studies with observations.
    """
    with (TABLES / "natural-history.csv").open(encoding="utf-8", newline="") as stream:
        designs = {r["source"]: r for r in csv.DictReader(stream)}
    with (TABLES / "criteria-natural-history.csv").open(encoding="utf-8", newline="") as stream:
        criteria = list(csv.DictReader(stream))
    names = Names("names-natural-history.csv")
    studies: dict[str, Study] = {}
    for i, row in ledger.rows(FILE):
        key = f"{row['source_study']} | {row['arm_or_stage'] or row['population']} | {row['quantity']}"
        if row["status"] != "seen":
            ledger.leave(FILE, i, key, "recalled, not seen")
            continue
        design = designs[row["source_study"]]
        if design["reason"]:
            ledger.leave(FILE, i, key, design["reason"])
            continue
        named = names.of(row["quantity"], row["source_study"], row["arm_or_stage"])
        try:
            study, arms = _study(studies, design, row, named)
            _criteria(study, arms, row, criteria)
            if _selects(study, row, named):
                post = "fev1_post_percent_predicted" if "post-BD" in row["quantity"] else SELECTED_BY
                _table_one(study, arms, row, post)
                ledger.leave(FILE, i, key, STANDS)
                continue
            found = [] if named.reason else list(_observations(row, i, named, arms, study))
        except ValueError as problem:
            ledger.leave(FILE, i, key, str(problem))
            continue
        if named.reason:
            if named.how.startswith("table"):
                _table_one(study, arms, row, named.how.split(" ")[1])
            ledger.leave(FILE, i, key, named.reason)
            continue
        for one in found:
            ledger.use(one.rows, study.stem, one.key)
        study.observations += found
    names.check()
    for study in studies.values():
        if study.observations:
            _lengthen(study)
            yield study


def _study(studies: dict[str, Study], design: Row, row: Row, named: Named) -> tuple[Study, str | list[str]]:
    """The file of a row, made when it is new, and the row's arm."""
    arm = _arm_name(row)
    healthy = arm in HEALTHY and not design["control"]
    trial = re.search(r"INPULSIS-([12])", row["quantity"])
    stem = design["stem"] + (f"-{trial[1]}" if trial else "") + ("-healthy" if healthy else "")
    study = studies.get(stem)
    if study is None:
        title = design["title"] + (f", trial {trial[1]}" if trial else "") + (", healthy" if healthy else "")
        head = {"schema": 1, "name": title, "kind": "trial"}
        head |= {"disease": "healthy" if healthy else DISEASES[row["disease"]], "species": "human"}
        head |= {"randomised": True} if design["randomised"] else {}
        folder = "natural-history" if healthy else design["folder"]
        author = "" if "memory" in row["first_author"] else row["first_author"]
        about = " ".join(part for part in (author, row["year"], row["journal"]) if part)
        study = studies[stem] = Study(folder, stem, [f"{about}: {row['population']}."], head)
        if design["control"]:
            study.arms.append(Arm(design["control"], control=True))
    names = [a.name for a in study.arms]
    if arm in ("all", "both arms") and len(names) > 1:
        return study, names
    if arm == "salmeterol or fluticasone":
        return study, ["salmeterol", "fluticasone"]
    if arm not in names:
        new = Arm(arm)
        if arm in DRUGS:
            given = {"dose": "unknown", "route": "unknown", "times": "unknown"}
            for drug in DRUGS[arm].split(" + "):
                new.treatments.append({"product": {"type": "drug", "name": drug}, **given})
        study.arms.append(new)
    return study, arm


def _arm_name(row: Row) -> str:
    arm = row["arm_or_stage"]
    if arm == "dupilumab":
        return "dupilumab 300 mg" if "300 mg" in row["quantity"] else "dupilumab 200 q2w"
    if row["source_study"] == "Jatakanon":
        return "budesonide 1600" if "1600 ug/d" in row["quantity"] else "budesonide 400"
    if not arm or arm == "covariate effect":
        arm = re.sub(r" n=[0-9]+$", "", row["population"])
    return ARMS.get(arm, arm)


def _times(row: Row, named: Named) -> str:
    if named.how.startswith("at "):
        return named.how.removeprefix("at ")
    text = row["timepoint"]
    if not text or text == "0":
        return "unknown" if named.how.split(" ")[0] in CONTRASTS else "0 d"
    count, unit = text.split(" ")
    return f"{count} {({'y': 'year', 'wk': 'week', 'mo': 'month'})[unit]}"


def _observations(
    row: Row, i: int, named: Named, arm: str | list[str], study: Study
) -> Iterator[Observation]:
    rows, source = ((FILE, i),), _source(row)
    endpoint = BY_UNIT.get((named.endpoint, row["unit"]), named.endpoint)
    said: dict[str, Any] = {"arm": arm, "endpoint": endpoint, "time": _times(row, named)}
    said |= {"as": named.as_} if named.as_ else {}
    how, _, where = named.how.partition("where ")
    said |= {"where": where} if where else {}
    word = how.split(" ")[0]
    if word in CONTRASTS or word == "reduction":
        yield Observation(said | _contrast(row, how.strip()), _status(source, word == "reduction"), rows)
        return
    if word == "times":
        for time, value in zip(
            how.removeprefix("times ").split("; "), row["value"].split(" / "), strict=True
        ):
            level = {"time": time, "value": float(value), **_unit(row), **_size(row)}
            yield Observation(said | level, source, rows)
        return
    if word == "both":
        control = next(a.name for a in study.arms if a.control)
        for name, value in zip((arm, control), row["value"].split(" / "), strict=True):
            yield Observation(said | {"arm": name, "value": float(value), **_unit(row)}, source, rows)
        yield from _ratio_of_note(said, row, source, rows, control)
        return
    numbers = _number(row, how.strip())
    yield Observation(said | numbers, _status(source, "events" in numbers), rows)
    yield from _note(said, row, source, rows, study)


def _status(source: dict[str, str], worked_out: bool) -> dict[str, str]:
    return {**source, "status": "derived"} if worked_out else source


def _contrast(row: Row, how: str) -> dict[str, Any]:
    measure, versus = how.split(" ", 1)
    value, interval = float(row["value"]), pair(row["spread"])
    if measure == "reduction":
        measure, value, interval = "ratio", round(1 - value / 100, 6), None
    unit = _unit(row) if measure == "difference" else {}
    found = {"versus": versus, "contrast": measure, "value": value, **unit}
    found |= {"ci95": list(interval)} if interval else {}
    return found | _size(row)


def _size(row: Row) -> dict[str, int]:
    """Subjects of the row's group; a number of the whole trial is none."""
    n = whole(row["n"]) if "total" not in row["n"] else None
    inside = re.search(r" n=([0-9]+)$", row["population"])
    n = int(inside[1]) if inside else n
    return {"n": n} if n else {}


def _unit(row: Row) -> dict[str, str]:
    # Units of IgE are international ones, however they are printed.
    return {"unit": "IU/mL" if "IgE" in row["quantity"] else UNITS[row["unit"]][0]}


def _number(row: Row, how: str) -> dict[str, Any]:
    value = number(row["value"])
    if value is None:
        raise ValueError(f"no number but a limit or a range: {row['value']}")
    factor = UNITS[row["unit"]][1] * (-1 if how.startswith("minus") else 1)
    size, kind = _size(row), row["value_type"]
    if kind == "proportion" and size:
        events = events_of(row["value"], size["n"])
        if events is not None:
            return {"events": events, **size}
    if kind in ("proportion", "KM") or "bare" in how or "geometric" in kind:
        return {"value": value * factor, **_unit(row), **size}
    spread = spread_of(row["spread"], row["spread_type"].replace("between-patient ", ""))
    scaled = {
        k: [v * abs(factor) for v in s] if isinstance(s, list) else s * abs(factor) for k, s in spread.items()
    }
    if kind == "median":
        wide = "iqr" in scaled and scaled["iqr"][0] < scaled["iqr"][1]
        form = {"median": value * factor, **scaled} if wide else {"value": value * factor}
    elif "se" in scaled or "ci95" in scaled or ("sd" in scaled and size):
        form = {"mean": value * factor, **scaled}
    else:
        form = {"value": value * factor}
    return {**form, **_unit(row), **size}


def _note(said: Any, row: Row, source: Any, rows: Any, study: Study) -> Iterator[Observation]:
    """Contrasts that a row's note prints: a hazard ratio of deaths, a difference of FVC."""
    control = next((a.name for a in study.arms if a.control), None)
    if control is None or said["arm"] == control:
        return
    printed = re.search(rf"HR ({NUMBER}) \(({NUMBER})-({NUMBER})\)", row["note"])
    if printed and said["endpoint"] == "mortality":
        hazard = {"versus": control, "contrast": "hazard_ratio", "value": float(printed[1])}
        yield Observation(said | hazard | {"ci95": [float(printed[2]), float(printed[3])]}, source, rows)
    printed = re.search(rf"difference ({NUMBER}) mL \(95% CI ({NUMBER}) to ({NUMBER})\)", row["note"])
    if printed:
        found = {"versus": control, "contrast": "difference", "value": float(printed[1]), "unit": "mL"}
        yield Observation(said | found | {"ci95": [float(printed[2]), float(printed[3])]}, source, rows)


def _ratio_of_note(said: Any, row: Row, source: Any, rows: Any, control: str) -> Iterator[Observation]:
    printed = re.search(rf"(HR|RR) ({NUMBER}) \(({NUMBER})-({NUMBER})\)", row["note"])
    if printed:
        endpoint = "time_to_exacerbation" if printed[1] == "HR" else said["endpoint"]
        measure = "hazard_ratio" if printed[1] == "HR" else "ratio"
        found = {"endpoint": endpoint, "versus": control, "contrast": measure, "value": float(printed[2])}
        yield Observation(said | found | {"ci95": [float(printed[3]), float(printed[4])]}, source, rows)


def _source(row: Row) -> dict[str, str]:
    found = source_of(row, doi="doi_pmid_nct")
    return {**found, "doi": found["doi"].rstrip(";")} if "doi" in found else found


def _table_one(study: Study, arm: str | list[str], row: Row, name: str) -> None:
    """Put a line of table 1 where it belongs: to its arm, or to the population when it is of all arms."""
    value = number(row["value"])
    target = study.population.setdefault("baseline", {}) if isinstance(arm, list) else study.arm(arm).baseline
    if value is None or (isinstance(arm, str) and arm == "all"):
        target = study.population.setdefault("baseline", {})
    if value is None:
        return
    if name in ("male", "female"):
        target["female"] = round((value if name == "female" else 100 - value) / 100, 6)
        return
    line: dict[str, Any] = {"unit": TABLE_ONE[name]}
    spread = spread_of(row["spread"], row["spread_type"])
    if row["value_type"] == "mean":
        target[name] = {"mean": value, **({"sd": spread["sd"]} if "sd" in spread else {}), **line}
    elif "iqr" in spread:
        target[name] = {"median": value, "iqr": spread["iqr"], **line}


def _selects(study: Study, row: Row, named: Named) -> bool:
    """Whether a row tells the lung function that patients, not healthy subjects, were taken with."""
    at_start = row["timepoint"] in ("", "0") and not named.as_ and not named.how
    spread = row["value_type"] == "mean" and row["spread_type"] == "SD"
    return named.endpoint == SELECTED_BY and at_start and spread and study.head["disease"] != "healthy"


def _criteria(study: Study, arm: str | list[str], row: Row, criteria: list[Row]) -> None:
    """Put the bounds that a row's population or arm states into table 1, where no mean stands."""
    for line in criteria:
        if line["of"] == "population" and line["text"] == row["population"]:
            target = study.population.setdefault("baseline", {})
        elif line["of"] == "arm" and isinstance(arm, str) and line["text"] == arm:
            target = study.arm(arm).baseline
        else:
            continue
        told = {k: float(line[k]) for k in ("mean", "sd", "min", "max") if line[k]}
        target.setdefault(line["name"], {**told, "unit": TABLE_ONE[line["name"]]})


def _lengthen(study: Study) -> None:
    """Set the length of a file to its last time."""
    weight = {"d": 1.0, "week": 7.0, "month": 30.4, "year": 365.25}
    times = {one.said["time"] for one in study.observations if one.said["time"] != "unknown"}
    last = max(times, key=lambda t: float(t.split(" ")[0]) * weight[t.split(" ")[1]], default="0 d")
    known = last if last != "0 d" else "1 d"
    unknown = any(one.said["time"] == "unknown" for one in study.observations)
    study.head["duration"] = CONVENTION if unknown and known == "1 d" else known
    if study.head["duration"] == CONVENTION:
        study.about.append("no time is printed and the file's length is a convention")
