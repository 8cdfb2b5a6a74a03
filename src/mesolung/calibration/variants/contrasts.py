"""Contrasts of decisions, variant by variant, on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.balance.challenge import SIGNAL
from mesolung.calibration.balance.therapies import give
from mesolung.calibration.cohort import DAY, Cohort, chosen, with_doses
from mesolung.calibration.enrolled import Enrolled
from mesolung.calibration.given import give_product, nothing, with_values
from mesolung.calibration.variants.decisions import (
    ALL,
    AS_DRAWN,
    CARRIERS,
    CLEARANCE,
    EVERYBODY,
    GIVEN,
    HUMAN,
    LOUD,
    NONE,
    NULL,
    QUIET,
    Decision,
    Side,
)
from mesolung.population.events import joined

Values = NDArray[np.float64]
FOLLOWED_D, PF_D = 28.0, 14.0
STEP_H = 6.0
HAZARD, PF, IL6 = "HAZ", "pf_ratio", "il6"
DEATHS, OXYGEN, INFLAMMATION = "deaths", "P/F", "inflammation"
# Each towards benefit.
MEASURES = {
    DEATHS: "deaths avoided by day 28, percentage points",
    OXYGEN: "rise of the mean P/F over 14 d, mmHg",
    INFLAMMATION: "area under `drive_share` + `il6_response` avoided over 28 d, % of that of the untreated",
}
# assumed: less than this is no reason to prefer anything, however exactly it is known of the model.
SMALLEST = {DEATHS: 0.1, OXYGEN: 1.0, INFLAMMATION: 0.5}
ERRORS = 2.0
FIRST, SECOND, NEITHER = "first", "second", "no difference"


@dataclass(frozen=True)
class Shown:
    """What patients show under one treatment.

    Attributes:
        died: float64[m], chance of death by day 28.
        pf: float64[m], mean P/F over 14 d, mmHg.
        signal: float64[m], area under the signal of inflammation over 28 d, d.
    """

    died: Values
    pf: Values
    signal: Values


def variant_values(variant: str, typical: Mapping[str, float]) -> dict[str, float]:
    """Parameters that a variant sets for everybody.

    Arguments:
        variant: of `VARIANTS`, or `AS_DRAWN`, which sets none.
        typical: the carriers' gains by parameter.
    """
    if variant == AS_DRAWN:
        return {}
    on = {g: typical[g] * (variant in (name, ALL)) for name, g in CARRIERS.items()}
    return {**on, HUMAN: 0.0 if variant == NULL else 1.0, CLEARANCE: 0.0}


def contrasts(
    enrolled: Enrolled,
    decisions: Sequence[Decision],
    variants: Sequence[str],
    typical: Mapping[str, float],
    *,
    seed: int = 1,
    workers: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, dict[str, dict[str, Values]]]:
    """Contrast the two sides of each decision in each variant.

    Arguments:
        enrolled: patients; treatments count from enrolment.
        decisions, variants: which.
        typical: the carriers' gains by parameter.
        seed: of the lots.
        workers: threads.
        tell: called with each variant.

    Returns:
        decision -> variant -> measure -> float64[D], the second side's benefit minus the first's; nan for a
        draw in which one of them has nobody.
    """
    group = chosen(enrolled.group, enrolled.rows)
    start = enrolled.group.times[enrolled.step].astype(np.float64)
    groups = _whom(enrolled)
    plain: dict[tuple[str, bool], Shown] = {}
    found: dict[str, dict[str, dict[str, Values]]] = {d.name: {} for d in decisions}
    for variant in variants:
        tell(variant)
        own = with_values(group, variant_values(variant, typical))
        done: dict[tuple[str, bool], Shown] = {}

        def shown(
            given: str, steroid: bool, own: Cohort = own, done: dict[tuple[str, bool], Shown] = done
        ) -> Shown:
            # Who is given no cells is the same in every variant.
            store, key = plain if given == NONE else done, (given, steroid)
            if key not in store:
                store[key] = _shown(own, start, given, steroid, seed, workers)
            return store[key]

        def side(one: Side, shown: Any = shown) -> dict[str, Values]:
            with_it, without = shown(one.given, one.steroid), shown(one.against, one.steroid)
            return _benefit(with_it, without, groups[one.who], enrolled.draw, enrolled.weight)

        for decision in decisions:
            a, b = side(decision.a), side(decision.b)
            found[decision.name][variant] = {m: b[m] - a[m] for m in MEASURES}
    return found


def summed_up(values: Values, measure: str) -> dict[str, Any]:
    """Sum up a contrast over draws.

    Arguments:
        values: float64[D], towards the second side.
        measure: of `MEASURES`.

    Returns:
        mean, 5 and 95 % over draws, the Monte-Carlo error of the mean, and the answer: the first, the second,
        or no difference where the mean lies within two errors of 0 or is too small to matter.
    """
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (0.05, 0.95))
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else 0.0
    mean = float(known.mean())
    told = abs(mean) > max(ERRORS * error, SMALLEST[measure])
    return {
        "mean": _short(mean),
        "low": _short(float(low)),
        "high": _short(float(high)),
        "error": _short(error),
        "answer": NEITHER if not told else SECOND if mean > 0 else FIRST,
    }


def _short(value: float) -> float:
    # Beyond the solver's tolerance nothing is kept: the same on every machine.
    return round(float(f"{value:.3g}"), 3) + 0.0


def _whom(enrolled: Enrolled) -> dict[str, NDArray[np.bool_]]:
    """Halves by IL-6 at enrolment, within each draw."""
    il6 = enrolled.at(IL6, 0.0)
    loud = np.zeros(enrolled.size, bool)
    for d in np.unique(enrolled.draw):
        own = enrolled.draw == d
        loud[own] = il6[own] > np.median(il6[own])
    return {EVERYBODY: np.ones(enrolled.size, bool), LOUD: loud, QUIET: ~loud}


def _shown(own: Cohort, start: Values, given: str, steroid: bool, seed: int, workers: int) -> Shown:
    tables = [nothing()]
    if given != NONE:
        own, doses = give_product(own, GIVEN[given][0], start, seed)
        tables.append(doses)
    if steroid:
        tables.append(give(own, "dexamethasone", start, seed).doses)
    times = np.arange(0.0, float(start.max()) + FOLLOWED_D * DAY + STEP_H, STEP_H)
    asked = replace(own, times=times, values=dict.fromkeys((HAZARD, PF, *SIGNAL), np.empty(0)))
    solved = with_doses(asked, joined(tables), workers=workers)
    after = solved.times[None, :] - start[:, None]
    month, fortnight = ((after >= 0.0) & (after <= d * DAY) for d in (FOLLOWED_D, PF_D))
    at = np.arange(start.size)
    hazard = solved[HAZARD]
    first = hazard[at, np.searchsorted(solved.times, start)]
    last = hazard[at, np.searchsorted(solved.times, start + FOLLOWED_D * DAY)]
    signal = np.sum([solved[n] for n in SIGNAL], axis=0)
    return Shown(
        -np.expm1(first - last),
        np.where(fortnight, solved[PF], 0.0).sum(axis=1) / fortnight.sum(axis=1),
        STEP_H / DAY * np.where(month, signal, 0.0).sum(axis=1),
    )


def _benefit(
    with_it: Shown, without: Shown, who: NDArray[np.bool_], draw: NDArray[np.intp], weight: Values
) -> dict[str, Values]:
    found: dict[str, list[float]] = {m: [] for m in MEASURES}
    for d in np.unique(draw):
        rows = (draw == d) & who & np.isfinite(with_it.pf) & np.isfinite(without.pf)
        w = weight[rows]
        if not w.sum() > 0:
            for values in found.values():
                values.append(float("nan"))
            continue

        def mean(values: Values, rows: NDArray[np.bool_] = rows, w: Values = w) -> float:
            return float((w * values[rows]).sum() / w.sum())

        found[DEATHS].append(100.0 * (mean(without.died) - mean(with_it.died)))
        found[OXYGEN].append(mean(with_it.pf) - mean(without.pf))
        found[INFLAMMATION].append(100.0 * (1.0 - mean(with_it.signal) / mean(without.signal)))
    return {m: np.array(values) for m, values in found.items()}
