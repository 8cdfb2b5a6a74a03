"""What a therapy is, draw by draw: balance, suppression, neither or worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.balance.challenge import PATHOGENS, RETURNED, Course
from mesolung.calibration.balance.therapies import NONE

Values = NDArray[np.float64]
BALANCE, SUPPRESSION, NEITHER, WORSE = "balance", "suppression", "no effect", "worse"
DEFENCE_GAINED = "defence gained"
CLASSES = (BALANCE, SUPPRESSION, NEITHER, DEFENCE_GAINED, WORSE)
# assumed: less than 2 % of the signal's area is no inflammation avoided; less than 10 % more bacteria (the
# geometric mean of their areas over challenges) is no defence lost.
MOVED, LOST = 0.02, float(np.log(1.1))
RULES = {
    BALANCE: "at least 2 % of the area under the signal of inflammation is avoided, and the area under the "
    "bacteria, geometric mean over patients, pathogens and days of the challenge, rises by less than 10 %",
    SUPPRESSION: "as much is avoided, and the area under the bacteria rises by 10 % or more",
    NEITHER: "less than 2 % of the signal either way, and less than 10 % of the bacteria either way",
    DEFENCE_GAINED: "no 2 % of the signal is avoided or added, and the bacteria fall by as much as 10 % more "
    "would be lost",
    WORSE: "all else: more inflammation, or no less of it and more bacteria",
}


def per_draw(
    found: Mapping[str, Course], draw: NDArray[np.intp], weight: Values
) -> dict[str, dict[str, Values]]:
    """Sum up each therapy against none, draw by draw.

    Arguments:
        found: from `mesolung.calibration.balance.challenge.courses`.
        draw: intp[m], of the subjects.
        weight: float64[m], of the subjects.

    Returns:
        therapy -> name -> float64[D]: "avoided" (share of the area), "lost" (log ratio of areas under
        bacteria, also by pathogen), "antibody" (ratio), "not_returned" (states further from rest than 5 % of
        their excursion, beyond those without therapy), and for each challenge "area PATHOGEN DAY" and
        "peak ..." (log ratios) and "clearance ..." (d); "killing DAY" (ratio of what phagocytes kill).
    """
    none = found[NONE]
    groups = [draw == d for d in np.unique(draw)]

    def mean(values: Values) -> Values:
        return np.array([_weighted(values[g], weight[g]) for g in groups])

    result: dict[str, dict[str, Values]] = {}
    for therapy, course in found.items():
        if therapy == NONE:
            continue
        line = {
            "avoided": 1.0 - mean(course.avoided) / mean(none.avoided),
            "antibody": mean(course.antibody) / mean(none.antibody),
            "not_returned": _not_returned(course, mean) - _not_returned(none, mean),
        }
        for day, values in course.killing.items():
            line[f"killing {day:g}"] = mean(values) / mean(none.killing[day])
        for (pathogen, day), values in course.area.items():
            key = (pathogen, day)
            line[f"area {pathogen} {day:g}"] = mean(values - none.area[key])
            line[f"peak {pathogen} {day:g}"] = mean(course.peak[key] - none.peak[key])
            line[f"clearance {pathogen} {day:g}"] = mean(course.clearance[key] - none.clearance[key])
        for pathogen in PATHOGENS:
            areas = [v for k, v in line.items() if k.startswith(f"area {pathogen} ")]
            line[f"lost {pathogen}"] = np.mean(areas, axis=0)
        line["lost"] = np.mean([line[f"lost {pathogen}"] for pathogen in PATHOGENS], axis=0)
        result[therapy] = line
    return result


def class_of(avoided: Values, lost: Values) -> list[str]:
    """What a therapy is in each draw, by `RULES`.

    Arguments:
        avoided, lost: float64[D].
    """
    found = []
    for a, b in zip(avoided, lost, strict=True):
        if not (np.isfinite(a) and np.isfinite(b)):
            continue
        if a >= MOVED:
            found.append(SUPPRESSION if b >= LOST else BALANCE)
        elif abs(a) < MOVED and abs(b) < LOST:
            found.append(NEITHER)
        elif a > -MOVED and b <= -LOST:
            found.append(DEFENCE_GAINED)
        else:
            found.append(WORSE)
    return found


def record_of(lines: Mapping[str, Mapping[str, Values]]) -> dict[str, Any]:
    """Put therapies into a form that is kept.

    Arguments:
        lines: from `per_draw`.

    Returns:
        therapy -> probabilities by class, and each number's median with its 90 % interval over draws.
    """
    found = {}
    for therapy, line in lines.items():
        of = {pathogen: line[f"lost {pathogen}"] for pathogen in PATHOGENS}
        found[therapy] = {
            "probability": _shares(line["avoided"], line["lost"]),
            **{f"probability {pathogen}": _shares(line["avoided"], lost) for pathogen, lost in of.items()},
            **{name: quantiles(values) for name, values in line.items()},
            "draws": [
                [round(float(x), 4) for x in values]
                for values in zip(line["avoided"], *of.values(), strict=True)
                if np.all(np.isfinite(values))
            ],
        }
    return found


def _shares(avoided: Values, lost: Values) -> dict[str, float]:
    classes = class_of(avoided, lost)
    return {name: classes.count(name) / max(len(classes), 1) for name in CLASSES}


def quantiles(values: Values) -> list[float]:
    """Median, 5 and 95 % over draws."""
    known = values[np.isfinite(values)]
    return [float(f"{q:.4g}") for q in np.quantile(known, (0.5, 0.05, 0.95))] if known.size else []


def _not_returned(course: Course, mean: Any) -> Values:
    away = [mean(values) > RETURNED for values in course.distance.values()]
    return np.sum(away, axis=0).astype(np.float64)


def furthest(course: Course, weight: Values, count: int = 5) -> list[tuple[str, float]]:
    """The states that are furthest from rest at the end.

    Arguments:
        course: of a therapy.
        weight: float64[m].
        count: how many.

    Returns:
        (state, mean distance relative to the illness's excursion), the furthest first.
    """
    means = {name: _weighted(values, weight) for name, values in course.distance.items()}
    return sorted(means.items(), key=lambda pair: -pair[1])[:count]


def _weighted(values: Sequence[float] | Values, weight: Values) -> float:
    v = np.asarray(values, np.float64)
    known = np.isfinite(v)
    total = weight[known].sum()
    return float((weight[known] * v[known]).sum() / total) if total > 0 else float("nan")
