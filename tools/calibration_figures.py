"""Draw the figures of docs/calibration.md from the record of the comparison.

python tools/calibration_figures.py            writes docs/images/calibration-*.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from svg_panels import Panel, Series, figure, rows_figure, rows_panel

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "src" / "mesolung" / "calibration" / "checks.json"
IMAGES = ROOT / "docs" / "images"

PUBLISHED, MODEL, DIED = "#555555", "#1f5fa8", "#b2182b"
GROUPS = {
    "severe-survived": ("#1b7837", "mild to severe, survived"),
    "critical-survived": (MODEL, "critical, survived"),
    "critical-died": (DIED, "critical, died"),
}
# Groups seen on the same days stand beside one another.
ASIDE_D = {"severe-survived": -0.6, "critical-survived": 0.0, "critical-died": 0.6}
NAMES = {"tnf": "TNF", "il6": "IL-6", "il8": "IL-8", "il10": "IL-10", "il1b": "IL-1β"}
Target = dict[str, Any]


def endotoxin(record: Mapping[str, Any]) -> str:
    """Draw the volunteers' courses.

    Arguments:
        record: what ``checks.json`` holds.

    Returns:
        SVG text.
    """
    panels = []
    for target in record["targets"]:
        if not target["name"].endswith("median course") or "time_h" not in target["detail"]:
            continue
        d = target["detail"]
        name = NAMES[target["name"].split()[0]]
        inside = sum(d["inside"])
        top = 2.0 * max(*d["q75"], *d["fine_q75"])
        bottom = 0.5 * min(*d["q25"], *d["fine_q25"])
        keep = [k for k, t in enumerate(d["fine_time_h"]) if t <= 6.0]
        fine = [d["fine_time_h"][k] for k in keep]
        lines = {c: [d[c][k] for k in keep] for c in ("fine_q25", "fine_median", "fine_q75")}
        panels.append(
            Panel(
                f"{name}: {inside} of {len(d['inside'])} inside",
                "hours since 2 ng/kg endotoxin",
                "plasma, pg/mL",
                [
                    Series(d["time_h"], d["median"], d["q25"], d["q75"], PUBLISHED, "band"),
                    Series(d["time_h"], d["median"], colour=PUBLISHED, kind="points"),
                    Series(fine, lines["fine_q25"], colour=MODEL, kind="dashed"),
                    Series(fine, lines["fine_q75"], colour=MODEL, kind="dashed"),
                    Series(fine, lines["fine_median"], colour=MODEL),
                ],
                (0.0, 6.0),
                (bottom, top),
                y_log=True,
            )
        )
    legend = [
        ("points", PUBLISHED, "20 volunteers: median"),
        ("band", PUBLISHED, "20 volunteers: quartiles"),
        ("line", MODEL, "model: median"),
        ("dashed", MODEL, "model: quartiles of subjects and draws"),
    ]
    return figure(panels, 4, "Plasma cytokines after endotoxin, volunteers and model", legend)


def covid(record: Mapping[str, Any]) -> str:
    """Draw the courses of the fitted COVID-19 cohort by outcome, relative to critical survivors' first days.

    Arguments:
        record: what ``checks.json`` holds.

    Returns:
        SVG text.
    """
    points = _covid_points(record, "brescia")
    panels = []
    for quantity in dict.fromkeys(q for q, _ in points):
        reference = points.get((quantity, "critical-survived"))
        if not reference or reference[0]["model"] is None:
            continue
        base, model_base = reference[0]["published"][1], reference[0]["model"]
        series, values = [], [1.0]
        for group, (colour, _) in GROUPS.items():
            mine = points.get((quantity, group), [])
            day = [p["day"] for p in mine]
            aside = [d + ASIDE_D[group] for d in day]
            q25, middle, q75 = ([p["published"][k] / base for p in mine] for k in range(3))
            model = [None if p["model"] is None else p["model"] / model_base for p in mine]
            series.append(Series(aside, middle, q25, q75, colour, "points", hollow=True))
            series.append(Series(day, model, colour=colour))
            values += [v for v in (*middle, *model) if v is not None]
        panels.append(
            Panel(
                quantity,
                "days from onset",
                "median / first blue median",
                series,
                (0.0, 52.0),
                (0.5 * min(values), 2.0 * max(values)),
                y_log=True,
            )
        )
    legend = [("line", colour, words) for colour, words in GROUPS.values()]
    legend.append(("rings", PUBLISHED, "Brescia: median, quartiles (lines: model's medians)"))
    return figure(
        panels, 4, "COVID-19 in hospital by outcome: medians relative to critical survivors", legend
    )


def _covid_points(record: Mapping[str, Any], cohort: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], dict[float, dict[str, Any]]] = {}
    for target in record["targets"]:
        d = target["detail"]
        if d.get("kind") not in ("course", "outcome") or d["cohort"] != cohort:
            continue
        line = found.setdefault((d["quantity"], d["group"]), {})
        day = 0.5 * (d["low_d"] + d["high_d"])
        line[day] = {"day": day, "published": d["published"], "model": d["model"]}
        if d["kind"] == "course":
            first = 0.5 * (d["base_low_d"] + d["base_high_d"])
            line[first] = {"day": first, "published": d["published_base"], "model": d["model_base"]}
    return {key: [line[day] for day in sorted(line)] for key, line in found.items()}


def oxygenation(record: Mapping[str, Any]) -> str:
    """Draw P/F and ventilation after enrolment of ventilated ARDS, and days of ventilation.

    Arguments:
        record: what ``checks.json`` holds.

    Returns:
        SVG text.
    """
    days = record["shown"]["ards ventilated"]
    panels = []
    for output, label, top in (("pf_ratio", "P/F, mmHg", 450.0), ("ventilated", "share ventilated", 1.0)):
        series = []
        for outcome, colour in (("survivors", MODEL), ("non-survivors", DIED)):
            line = days[f"{outcome} {output}"]
            if output == "pf_ratio":
                series.append(Series(days["day"], line["median"], line["q25"], line["q75"], colour, "band"))
                series.append(Series(days["day"], line["median"], colour=colour))
            else:
                series.append(Series(days["day"], line["mean"], colour=colour))
        if output == "pf_ratio":
            series.append(_steroid_pf(record))
        name = {"pf_ratio": "oxygenation", "ventilated": "ventilation"}[output]
        panels.append(
            Panel(
                name, "days since enrolment", label, series, (-0.5, 14.0), (0.0, top), width=450, height=300
            )
        )
    legend = [
        ("line", MODEL, "model: survivors to day 30"),
        ("line", DIED, "model: non-survivors"),
        ("band", PUBLISHED, "quartiles of P/F"),
        ("points", PUBLISHED, "Yang 2021: all, mean and SD"),
    ]
    return figure(panels, 2, "Ventilated ARDS: P/F and ventilation by day", legend)


def _steroid_pf(record: Mapping[str, Any]) -> Series:
    def value(measure: str, day: int) -> float:
        name = f"{measure} with dexamethasone pf_ratio day {day}"
        own = [t for t in record["targets"] if t["name"] == f"PF_STEROID ards ventilated {name}"]
        return float(own[0]["published"])

    means = [value("mean", d) for d in (0, 7)]
    sds = [value("sd", d) for d in (0, 7)]
    low = [m - s for m, s in zip(means, sds, strict=True)]
    high = [m + s for m, s in zip(means, sds, strict=True)]
    return Series([0.0, 7.0], means, low, high, PUBLISHED, "points")


def mortality(record: Mapping[str, Any]) -> str:
    """Draw mortality by severity, phenotype and stratum, days of ventilation, and effects of drugs.

    Arguments:
        record: what ``checks.json`` holds.

    Returns:
        SVG text.
    """
    usual = [t for t in record["targets"] if t["family"] == "usual care" and t["use"] != "context"]

    def block(title: str, label: str, keep: Callable[[Target], bool], limits: tuple[float, float], log: bool):
        own = [t for t in usual if keep(t)]
        names = [_short(t) for t in own]
        place = list(range(len(own)))
        published = Series(
            place, [t["published"] for t in own], [t["low"] for t in own], [t["high"] for t in own], PUBLISHED
        )
        model = Series(
            place,
            [t["model"] for t in own],
            [t["model_low"] for t in own],
            [t["model_high"] for t in own],
            MODEL,
            absent="model: no value",
        )
        return rows_panel(title, label, names, [published, model], limits, x_log=log), len(own)

    blocks = [
        block(
            "Mortality",
            "share that died",
            lambda t: t["detail"]["measure"].startswith("mortality"),
            (0.0, 0.9),
            False,
        ),
        block(
            "Days of ventilation of survivors (published: half to double)",
            "days of ventilation, of the first 28",
            lambda t: t["detail"]["measure"] == "ventilation days of survivors",
            (0.0, 30.0),
            False,
        ),
        block(
            "Risk and rate ratios of drugs",
            "ratio, with the drug to without",
            lambda t: "ratio with " in t["detail"]["measure"],
            (0.3, 4.0),
            True,
        ),
    ]
    legend = [
        ("points", PUBLISHED, "published, with the interval that counts as met"),
        ("points", MODEL, "model, with 5 to 95 % of draws"),
    ]
    return rows_figure(blocks, "Usual care: mortality, ventilation and effects of drugs", legend)


STUDIES = {
    "BERLIN": "Berlin definition", "LUNGSAFE": "LUNG SAFE", "LUNGSAFE_MILD": "LUNG SAFE",
    "RECOVERY_DEX": "RECOVERY", "RECOVERY_TOCI": "RECOVERY", "ARMA_LCA": "ARMA", "FACTT_LCA": "FACTT",
    "MARS_CLUSTER": "MARS", "SINHA_COVID": "Sinha 2020", "BALN_GENOA": "Genoa 2021",
    "ISPY_COVID": "I-SPY COVID", "VAP_SCARAVILLI": "Lombardy 2022", "VAP_15ICU": "15 ICUs 2022",
}  # fmt: skip
SHORTER = (
    ("ards ventilated", "ARDS"), ("covid", "COVID-19"), ("ventilation or death", "ventilated or dead"),
    ("mortality", ""), ("ventilation days of survivors", ""), ("risk ratio", ""), ("ratio", ""),
    ("ventilated ventilated", "ventilated"), ("secondary infection rate", "infection rate"),
    ("COVID-19 inflamed", "COVID-19, CRP >= 75 mg/L"), ("with dexamethasone", "+ dexamethasone"),
    ("with some steroid", "+ steroid in 82 %"), ("with tocilizumab", "+ tocilizumab"),
    ("not ventilated ventilated or dead", "ventilated or dead"),
)  # fmt: skip


def _short(target: Target) -> str:
    d = target["detail"]
    words = f"{d['cohort']} {d['stratum']} {d['measure']}"
    for long, short in SHORTER:
        words = words.replace(long, short)
    day = target["name"].rsplit(" day ", 1)[1]
    return f"{STUDIES.get(d['key'], d['key'])}, {' '.join(words.split())}, day {day}"


FIGURES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "calibration-endotoxin.svg": endotoxin,
    "calibration-covid.svg": covid,
    "calibration-oxygenation.svg": oxygenation,
    "calibration-mortality.svg": mortality,
}


def main(arguments: Sequence[str] = ()) -> int:
    """Run the command.

    Arguments:
        arguments: none are known.

    Returns:
        0.
    """
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    for name, draw in FIGURES.items():
        (IMAGES / name).write_text(draw(record), encoding="utf-8")
        print(IMAGES / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
