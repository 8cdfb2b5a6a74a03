"""Every subject under every arm: background care and doses as events, solved to the end of the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import backgrounds, routes
from mesolung.engine import ADD_PARAMETER, CompiledModel, EventTable
from mesolung.population.events import joined, same_events
from mesolung.product.kinds import KINDS
from mesolung.product.priors import Laboratory, read_priors
from mesolung.product.profile import lot_profile
from mesolung.product.unstated import TRIAL
from mesolung.streams import uniforms
from mesolung.study.arm import Arm, Treatment
from mesolung.study.challenged import challenge_events, watched_times
from mesolung.study.dosing import administered, entering, entering_over, unit_of_dose
from mesolung.study.followed import Followed
from mesolung.study.occupancy import Occupied, occupancy_events, occupied
from mesolung.study.population import Background
from mesolung.study.ways import ways_of
from mesolung.trial.doses import RATE, drug_doses, product_doses
from mesolung.trial.potential import ArmCourses, solve_arm

WEEK_H = 168.0
MOST_DOSES = 100  # of a drug into a state, one by one
SOON_H = 12 * WEEK_H
EVERY_WEEKS = 4
EARLY_TIMES_H = (0.0, 6.0, 12.0)
AFTER_DOSE_H = 1.0


@dataclass(frozen=True)
class Given:
    """What the subjects of an arm are given.

    Attributes:
        events: doses and background drugs of S x M subjects.
        parameters: model parameters that the product sets, float64[S x M] each.
        same: intp[S x M]; equal numbers mean the same course, draw and drugs, and no treatment.
        doses: effective dose by stage ("counted", "viable", "delivered alive") -> float64[S x M], cells;
            empty where no living cells are given.
        ends_h: ends of the administrations, hours since enrolment.
        watched_h: when the courses are kept because of what makes the subjects ill, hours since enrolment.
    """

    events: EventTable
    parameters: Mapping[str, NDArray[np.float64]]
    same: NDArray[np.intp]
    doses: Mapping[str, NDArray[np.float64]]
    ends_h: tuple[float, ...]
    watched_h: tuple[float, ...] = ()


def give(
    model: CompiledModel,
    arm: Arm,
    panel: Followed,
    *,
    key: str,
    draw_of_slot: NDArray[np.intp],
    subjects: int,
    seed: int,
    duration_h: float,
    typical: Mapping[str, NDArray[np.float64]] | None = None,
    unstated_of: str = TRIAL,
    before_h: float = 0.0,
    laboratory: Laboratory | None = None,
) -> Given:
    """Work out doses and drugs of an arm for every subject of a panel.

    Arguments:
        model: gives the places of states and parameters.
        arm: treatments and background.
        panel: the subjects.
        key: of the parameter draws, keys what is known of products.
        draw_of_slot: intp[S], parameter draw of each replicate.
        subjects: M.
        seed: keys lots, and who has which background drug.
        duration_h: end of the study.
        typical: parameter of the model -> float64[D], its typical value in each draw, of which dissolved
            factors are made; without it a product has none.
        unstated_of: whose habits stand in for what is unknown of a treatment.
        before_h: hours from the start of the courses to the time that treatments count from; the events count
            from the start.
        laboratory: what the laboratory's own lots say of a property; None for the tables alone.

    Returns:
        what is given.
    """
    slots = draw_of_slot.size
    n = slots * subjects
    parts: list[EventTable] = []
    # A borrowed course is followed by subjects of several draws, whose drugs act by their own draw.
    drugs: list[Occupied] = []
    identity = [panel.enrolled.course, np.repeat(draw_of_slot, subjects)]
    for name, background in sorted(arm.background.items()):
        if backgrounds()[name].how == "enrolment":
            continue
        u = np.concatenate([uniforms(seed, f"background:{name}", s, subjects) for s in range(slots)])
        has = u < background.share
        identity.append(has.astype(np.intp))
        weight = panel.covariates["weight"]
        later = background.model_copy(update={"start_h": background.start_h + before_h})
        if backgrounds()[name].how == "occupancy":
            drugs.append(occupied(name, later, has, weight, duration_h + before_h))
            continue
        parts.append(_drug(model, name, later, np.flatnonzero(has), weight, duration_h + before_h))
    parts.append(occupancy_events(model, panel.enrolled.parameters, drugs))
    parameters: dict[str, NDArray[np.float64]] = {}
    doses: dict[str, NDArray[np.float64]] = {}
    ends: list[float] = []
    treated = False
    for treatment in arm.treatments:
        if treatment.product.type not in KINDS:
            continue
        length = _infusion(treatment, seed, slots, subjects)
        longest = treatment.longest_infusion_h or float(np.max(length))
        for way in ways_of(treatment, f"{arm.name}:{len(ends)}", seed, slots, duration_h, unstated_of):
            route = routes()[way.route]
            profile = lot_profile(
                treatment.product,
                key=key,
                draws=draw_of_slot,
                seed=seed,
                route=route,
                unit=unit_of_dose(treatment),
                typical=typical,
                laboratory=laboratory,
            )
            treated = True
            parameters = {
                name: np.repeat(value, subjects)
                for name, value in profile.parameters.items()
                if name in model.parameters
            }
            amount = administered(treatment, way, panel.covariates, subjects)
            brought = entering(treatment, profile, amount, route, subjects)
            parts.append(
                product_doses(
                    model,
                    amounts=brought.amounts,
                    times_h=tuple(t + before_h for t in way.times_h),
                    infusion_h=entering_over(profile, length, subjects),
                )
            )
            for stage, cells in brought.stages.items():
                doses[stage] = doses.get(stage, 0.0) + cells * len(way.times_h)
            ends += [t + longest for t in way.times_h]
    same = (
        np.arange(n) if treated else np.unique(np.stack(identity), axis=1, return_inverse=True)[1].reshape(-1)
    )
    return Given(joined(parts), parameters, same, doses, tuple(sorted(set(ends))))


def challenged(model: CompiledModel, arm: Arm, panel: Followed, given: Given) -> Given:
    """Add to what an arm is given what makes its subjects ill.

    Arguments:
        model: gives the places of states and parameters.
        arm: whose injuries the model serves in people, if it has any.
        panel: the subjects.
        given: from `give`.

    Returns:
        what is given, its events after those of the injury.
    """
    if not arm.injury:
        return given
    events = challenge_events(model, arm, panel.covariates["weight"])
    return replace(given, events=joined([events, given.events]), watched_h=watched_times(arm))


def solve_given(
    model: CompiledModel,
    panel: Followed,
    given: Given,
    *,
    duration_h: float,
    outputs: tuple[str, ...],
    workers: int,
    chunk: int,
    progress: Callable[[int, int], None] | None,
    of_years: bool = False,
) -> ArmCourses:
    """Solve a panel under an arm.

    Arguments:
        model: the compiled biology.
        panel: the subjects.
        given: from `give`.
        duration_h: end of the study.
        outputs: model outputs to keep.
        workers, chunk: threads, and subjects that one takes at a time.
        progress: called with (done, total).
        of_years: as `output_times`.

    Returns:
        the courses at the arm's own output times.
    """
    return solve_arm(
        model,
        panel.enrolled,
        times_h=output_times(duration_h, given.ends_h, given.watched_h, of_years=of_years),
        outputs=outputs,
        parameters=given.parameters,
        events=given.events,
        same=given.same,
        workers=workers,
        chunk=chunk,
        progress=progress,
    )


def output_times(
    duration_h: float, ends_h: Sequence[float], watched_h: Sequence[float] = (), *, of_years: bool = False
) -> NDArray[np.float64]:
    """When the courses of an arm are kept: early, each day, after each dose or challenge, and at the end.

    The times depend on the arm alone. Endpoints are read between them, so that asking for one more
    endpoint changes no other number.

    Arguments:
        duration_h: end of the study.
        ends_h: ends of administrations.
        watched_h: further times that the arm asks for.
        of_years: whether the disease lasts for years, so that days are of no interest: weekly for twelve
            weeks and every four weeks then.

    Returns:
        float64[T], increasing, hours since enrolment.
    """
    daily = np.arange(0.0, duration_h, 24.0)
    if of_years:
        daily = np.concatenate(
            [np.arange(0.0, SOON_H, WEEK_H), np.arange(SOON_H, duration_h, EVERY_WEEKS * WEEK_H)]
        )
    after = [t + AFTER_DOSE_H for t in ends_h]
    times = np.unique(np.concatenate([daily, EARLY_TIMES_H, after, watched_h, [duration_h]]))
    return times[times <= duration_h]


def _infusion(treatment: Treatment, seed: int, slots: int, subjects: int) -> float | NDArray[np.float64]:
    """Length of an administration, h: one for all, or float64[S x M], even between the bounds of a range."""
    if treatment.infusion_h is None:
        return read_priors()["infusion_unstated"].value
    if treatment.longest_infusion_h is None:
        return treatment.infusion_h
    u = np.concatenate([uniforms(seed, "infusion", s, subjects) for s in range(slots)])
    return treatment.infusion_h + (treatment.longest_infusion_h - treatment.infusion_h) * u


def _drug(
    model: CompiledModel,
    name: str,
    background: Background,
    who: NDArray[np.intp],
    weight: NDArray[np.float64],
    duration_h: float,
) -> EventTable:
    row = backgrounds()[name]
    usual = background.dose is None
    dose = (row.dose or 0.0 if background.dose is None else background.dose) * row.factor * np.ones(who.size)
    if row.per_kg if usual else background.per_kg:
        dose = np.minimum(dose * weight[who], np.inf if row.most is None else row.most * row.factor)
    length = background.duration_h if background.duration_h is not None else row.duration_h
    length = min(length, duration_h - background.start_h)
    every = float(background.every_h if background.every_h is not None else row.every_h or length)
    if length / every > MOST_DOSES and RATE + row.target in model.parameters:
        # Months of tablets are given as the steady rate that they amount to.
        place = model.parameters.index(RATE + row.target)
        times = ((background.start_h, dose / every), (background.start_h + length, -dose / every))
        return joined([same_events(ADD_PARAMETER, place, who, t, rate) for t, rate in times])
    return drug_doses(
        model,
        target=row.target,
        subjects=who,
        dose=dose,
        start_h=background.start_h,
        duration_h=length,
        every_h=every,
    )
