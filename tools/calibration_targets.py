"""Make the tables that the model is compared with from the evidence files, as summaries only.

    python tools/calibration_targets.py            writes src/mesolung/calibration/targets/
    python tools/calibration_targets.py --check    says whether the tables there are what the evidence gives

The evidence folder is $MESOLUNG_SHARED/evidence (default ../shared/evidence). Individual rows never leave it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from calibration_usual_care import usual_care, usual_care_unused
from evidence_rows import Row, rows_of, shown
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ROOT / "src" / "mesolung" / "calibration" / "targets"
CYTOKINES = {"TNF": "tnf", "IL6": "il6", "IL8": "il8", "IL10": "il10"}

VOLUNTEERS = "data behind doi 10.1113/EP091552"
DOSE_STUDIES = {
    "dillingh2014": ("fit", "Dillingh 2014, digitised by Computational-Biology-TUe/InflammationODE"),
    "kiers2017": ("fit", "Kiers 2017, digitised by Computational-Biology-TUe/InflammationODE"),
    "taudorf2007": ("fit", "Taudorf 2007, digitised by Computational-Biology-TUe/InflammationODE"),
}
DOSES = {
    "0.3 ng/kg bolus": ("0.3", "0", "0"),
    "0.5 ng/kg bolus": ("0.5", "0", "0"),
    "1 ng/kg bolus": ("1", "0", "0"),
    "2 ng/kg bolus": ("2", "0", "0"),
    "1 ng/kg bolus then 1 ng/kg/h for 3 h": ("1", "1", "3"),
}
DOSED = {"TNF": "tnf", "IL-6": "il6", "IL-10": "il10", "IL-1b": "il1b"}

COURSES = {
    "IL-6": "il6", "IL-8": "il8", "IL-10": "il10", "TNF": "tnf", "IL-1b": "il1b", "sTNFR1": "tnfr1",
    "sRAGE": "srage", "CRP": "crp", "neutrophils": "neutrophil_count", "lymphocytes": "lymphocyte_count",
    "D-dimer": "ddimer", "IL-1Ra": "", "IFN-g": "", "CCL2": "", "platelets": "",
}  # fmt: skip
GROUPS = {
    "COVID critical, survived": "critical-survived",
    "COVID critical, died": "critical-died",
    "COVID mild to severe, survived": "severe-survived",
    "COVID ICU, survived": "critical-survived",
    "COVID died": "died",
    "COVID ward, survived": "severe-survived",
}
COHORTS = {
    "brescia": (
        "fit",
        "Liu 2021 doi 10.1016/j.cell.2021.02.018, Abers 2021 doi 10.1172/jci.insight.144455",
    ),
    "yale": ("check", "Lucas 2020 doi 10.1038/s41586-020-2588-y"),
}

# Studies with copies per mL by day from onset; swabs and sputum are never pooled.
SHEDDING = {
    "woelfel2020virological": ("fit", "Woelfel 2020 doi 10.1038/s41586-020-2196-x"),
    "fajnzylber2020sars": ("check", "Fajnzylber 2020, shedding-hub key fajnzylber2020sars"),
    "vetter2020daily": ("check", "Vetter 2020, shedding-hub key vetter2020daily"),
    "kim2020viral": ("check", "Kim 2020, shedding-hub key kim2020viral"),
    "garciaknight2022infectious": (
        "check",
        "shedding-hub key garciaknight2022infectious",
    ),
    "ke2022daily": ("check", "Ke 2022, shedding-hub key ke2022daily"),
}
DAY_BINS = ((-4, 0), (0, 4), (4, 8), (8, 12), (12, 16), (16, 20), (20, 25), (25, 30))
LEAST_A_BIN = 5


def evidence() -> Path:
    """Find the evidence folder.

    Returns:
        its path, whether or not it exists.
    """
    return Path(os.environ.get("MESOLUNG_SHARED", ROOT.parent / "shared")) / "evidence"


def quartiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Take the quartiles of values.

    Arguments:
        values: float64[n].

    Returns:
        lower quartile, median, upper quartile.
    """
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def endotoxin(folder: Path) -> list[Row]:
    """Summarise endotoxin given to volunteers: quartiles of individuals, means of groups.

    Arguments:
        folder: of the evidence.

    Returns:
        rows of ``endotoxin.csv``.
    """
    rows = rows_of(folder / "human-endotoxin.csv")
    out: list[Row] = []
    single = [r for r in rows if r["n"] == "1" and r["value_pg_per_mL"]]
    for cytokine, observable in CYTOKINES.items():
        mine = [r for r in single if r["plasma_cytokine"] == cytokine]
        for time in sorted({float(r["time_h"]) for r in mine}):
            values = np.array([float(r["value_pg_per_mL"]) for r in mine if float(r["time_h"]) == time])
            low, middle, high = quartiles(values)
            out.append(
                _endotoxin(
                    "volunteers", "fit", ("2", "0", "0"), observable, time, str(values.size), VOLUNTEERS
                )
                | {"q25": shown(low), "median": shown(middle), "q75": shown(high)}
                | {"mean": shown(values.mean()), "sd_log": shown(np.log(values).std(ddof=1))}
            )
    for r in rows:
        # The infusion's values before it are those of the bolus, printed again.
        if r["subject"] == "mean" and "over 4 h" in r["challenge"] and float(r["time_h"]) > 0:
            out.append(
                _endotoxin(
                    "infusion", "fit", ("0", "0.5", "4"), CYTOKINES[r["plasma_cytokine"]],
                    float(r["time_h"]), "9", VOLUNTEERS,
                )
                | {"mean": shown(float(r["value_pg_per_mL"])), "sd": shown(float(r["sd"]))}
            )  # fmt: skip
    for r in rows_of(folder / "timecourses" / "human-endotoxin-dose.csv"):
        if r["quantity"] in DOSED:
            use, source = DOSE_STUDIES[r["dataset"]]
            value = float(r["value"])
            out.append(
                _endotoxin(
                    r["dataset"], use, DOSES[r["group"]], DOSED[r["quantity"]], float(r["time"]), "", source
                )
                | ({"mean": shown(value)} if value > 0 else {"censored": "1"})
            )
    return out


def _endotoxin(
    study: str, use: str, dose: tuple[str, str, str], observable: str, time: float, n: str, source: str
) -> Row:
    bolus, rate, length = dose
    return {
        "study": study, "use": use, "bolus_ng_per_kg": bolus, "rate_ng_per_kg_h": rate, "length_h": length,
        "observable": observable, "time_h": f"{time:g}", "n": n, "q25": "", "median": "", "q75": "",
        "mean": "", "sd": "", "sd_log": "", "censored": "", "unit": "pg/mL", "source": source,
        "status": "derived" if study == "volunteers" else "seen",
    }  # fmt: skip


def covid_courses(folder: Path) -> list[Row]:
    """Take the medians by day and outcome of two hospitals.

    Arguments:
        folder: of the evidence.

    Returns:
        rows of ``covid-courses.csv``.
    """
    out = []
    for r in rows_of(folder / "timecourses" / "summary-bins.csv"):
        if r["dataset"] not in COHORTS or r["quantity"] not in COURSES or r["group"] not in GROUPS:
            continue
        use, source = COHORTS[r["dataset"]]
        low, high = r["note"].split("[")[1].split(")")[0].split(",")
        q25, q75 = r["spread"].removeprefix("IQR ").split(" to ")
        out.append(
            {
                "cohort": r["dataset"], "use": use, "group": GROUPS[r["group"]], "quantity": r["quantity"],
                "observable": COURSES[r["quantity"]], "low_d": low.strip(), "high_d": high.strip(),
                "n": r["n"], "q25": shown(float(q25)), "median": shown(float(r["value"])),
                "q75": shown(float(q75)), "unit": r["unit"], "source": source, "status": "derived",
            }
        )  # fmt: skip
    order = list(COURSES)
    return sorted(out, key=lambda r: (r["cohort"], order.index(r["quantity"]), r["group"], float(r["low_d"])))


def viral(folder: Path) -> list[Row]:
    """Summarise SARS-CoV-2 in the airways by study, sample and day from onset.

    Arguments:
        folder: of the evidence.

    Returns:
        rows of ``viral.csv``: log10 copies/mL by bin of days (a subject counts once, by its median; what was
        below detection counts as lowest), and how long virus was found.
    """
    rows = [
        r
        for r in rows_of(folder / "timecourses" / "viral-shedding-respiratory.csv")
        if r["unit"] == "gc/mL" and r["time_unit"] == "d from onset" and "SARS-CoV-2" in r["quantity"]
    ]
    out: list[Row] = []
    for study, (use, source) in SHEDDING.items():
        for quantity in sorted({r["quantity"] for r in rows if r["dataset"] == study}):
            mine = [r for r in rows if r["dataset"] == study and r["quantity"] == quantity]
            for group, members in _hospital_or_not(mine):
                sample = quantity.removeprefix("SARS-CoV-2 in ")
                head = {"study": study, "use": use, "sample": sample, "group": group}
                tail = {"source": source, "status": "derived"}
                out += [head | line | tail for line in _by_day(members)]
                duration = _last_positive_day(members)
                if duration:
                    out.append(head | duration | tail)
    return out


def _hospital_or_not(rows: list[Row]) -> Iterable[tuple[str, list[Row]]]:
    for group in ("hospitalized True", "hospitalized False", ""):
        mine = [r for r in rows if (group in r["group"] if group else "hospitalized" not in r["group"])]
        if mine:
            yield (
                {"hospitalized True": "hospital", "hospitalized False": "outpatient", "": "all"}[group],
                mine,
            )


def _log10(row: Row) -> float:
    """-inf below detection."""
    if "negative" in row["note"] or row["value"] == "below detection":
        return -np.inf
    value = float(row["value"])
    # Values of a copy or so are where a figure's axis ends.
    return float(np.log10(value)) if value > 10.0 else -np.inf


def _by_day(rows: list[Row]) -> Iterable[Row]:
    for low, high in DAY_BINS:
        of: dict[str, list[float]] = {}
        for r in rows:
            if low <= float(r["time"]) < high:
                of.setdefault(r["subject"], []).append(_log10(r))
        if len(of) < LEAST_A_BIN:
            continue
        # The lower median of a subject's samples, so that -inf and a number have no mean.
        values = np.sort([sorted(v)[(len(v) - 1) // 2] for v in of.values()])
        low_q, middle, high_q = (float(values[round(p * (values.size - 1))]) for p in (0.25, 0.5, 0.75))
        yield {
            "measure": "log10 load", "low_d": str(low), "high_d": str(high), "n": str(values.size),
            "q25": _or_censored(low_q), "value": _or_censored(middle), "q75": _or_censored(high_q),
            "found": shown(float(np.isfinite(values).mean())), "unit": "log10 copies/mL",
        }  # fmt: skip


def _or_censored(value: float) -> str:
    return shown(value) if np.isfinite(value) else "censored"


def _last_positive_day(rows: list[Row]) -> Row | None:
    days = []
    for subject in sorted({r["subject"] for r in rows}):
        mine = sorted((float(r["time"]), _log10(r)) for r in rows if r["subject"] == subject)
        found = [day for day, value in mine if np.isfinite(value)]
        # Known only of those who were seen to be free of virus afterwards.
        if found and mine[-1][0] > found[-1]:
            days.append(found[-1])
    if len(days) < LEAST_A_BIN:
        return None
    low, middle, high = quartiles(np.array(days))
    return {
        "measure": "last day found", "low_d": "", "high_d": "", "n": str(len(days)), "q25": shown(low),
        "value": shown(middle), "q75": shown(high), "found": "", "unit": "d",
    }  # fmt: skip


TABLES: Mapping[str, tuple[Callable[[Path], list[Row]], tuple[str, ...]]] = {
    "endotoxin.csv": (endotoxin, ("human-endotoxin.csv", "timecourses/human-endotoxin-dose.csv")),
    "covid-courses.csv": (covid_courses, ("timecourses/summary-bins.csv",)),
    "usual-care.csv": (usual_care, ("usual-care-acute.csv", "physiology.csv")),
    "usual-care-unused.csv": (usual_care_unused, ("usual-care-acute.csv",)),
    "viral.csv": (viral, ("timecourses/viral-shedding-respiratory.csv",)),
}


def as_text(rows: Sequence[Row]) -> str:
    """Write a table.

    Arguments:
        rows: with the same columns each.

    Returns:
        CSV text.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def all_texts(folder: Path) -> dict[str, str]:
    """Make every table and the list of what they were made from.

    Arguments:
        folder: of the evidence.

    Returns:
        file name -> text.
    """
    texts, sources = {}, {}
    for name, (make, files) in TABLES.items():
        rows = make(folder)
        texts[name] = as_text(rows)
        for file in files:
            sources[file] = {
                "rows": len(rows_of(folder / file)),
                "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
            }
    made = {
        name: {"rows": text.count("\n") - 1, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for name, text in texts.items()
    }
    about = {"command": "python tools/calibration_targets.py", "evidence": sources, "tables": made}
    texts["sources.json"] = json.dumps(about, indent=1, sort_keys=True) + "\n"
    return texts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; 1 when a table differs from what the evidence gives; 2 without the evidence.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if not evidence().is_dir():
        print(f"no evidence at {evidence()}; set MESOLUNG_SHARED", file=sys.stderr)
        return 2
    different = 0
    for name, text in all_texts(evidence()).items():
        file = TARGETS / name
        same = file.exists() and file.read_text(encoding="utf-8") == text
        different += not same
        if not options.check:
            file.write_text(text, encoding="utf-8")
        print(f"{name}: {'as before' if same else 'differs' if options.check else 'written'}")
    return 1 if options.check and different else 0


if __name__ == "__main__":
    sys.exit(main())
