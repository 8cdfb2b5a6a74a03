"""From a treatment to what enters the body: doses of subjects, shares of a lot, states that receive them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.rows import PER_KG
from mesolung.biology.states import states
from mesolung.biology.tables import Route, routes
from mesolung.product.kinds import KINDS, LIVE
from mesolung.product.product import ProductType
from mesolung.product.received import CELLS_PER_GCELL, Profile
from mesolung.product.unstated import unknown_dose_unit
from mesolung.study.arm import UNKNOWN, Treatment
from mesolung.study.ways import Way

PER_KG_PBW = "/kg PBW"
SOONEST_H = 1e-3  # a capsule that lets go sooner does so at once


@dataclass(frozen=True)
class Entering:
    """What one administration brings to every subject.

    Attributes:
        amounts: state -> float64[n], in its unit.
        stages: "counted", "viable" and "delivered alive" -> float64[n], cells; empty for what is not alive.
    """

    amounts: Mapping[str, NDArray[np.float64]]
    stages: Mapping[str, NDArray[np.float64]]


def why_not_given(kind: ProductType, route: str | None) -> str | None:
    """Tell why a product cannot be given by a route: none of it comes to the lung, or no state takes it.

    Arguments:
        kind: type of the product.
        route: as the study says it; "unknown" is one of those that trials used.

    Returns:
        the reason, or None.
    """
    if kind not in KINDS or route in (None, UNKNOWN):
        return None
    state = getattr(routes()[str(route)], KINDS[kind].enters)
    if state is None:
        return f'product type "{kind}" given {route}: none of it comes to the lung as the model follows it'
    if state not in states():
        return f'product type "{kind}" given {route} is not in the model yet, which has no {state}'
    return None


def unit_of_dose(treatment: Treatment) -> str:
    """The unit of what a subject is given, "/kg" left out: the treatment's, or that of an unknown dose."""
    unit = treatment.dose_unit if treatment.dose is not None else unknown_dose_unit(treatment.product.type)
    return unit.removesuffix(PER_KG_PBW).removesuffix(PER_KG)


def administered(
    treatment: Treatment, way: Way, covariates: Mapping[str, NDArray[np.float64]], subjects: int
) -> NDArray[np.float64]:
    """Work out one administration to every subject.

    Arguments:
        treatment: validated.
        way: route, schedule and dose of each replicate.
        covariates: "weight" and "pbw" of the subjects, float64[S x M], kg.
        subjects: M.

    Returns:
        float64[S x M], in `unit_of_dose`.
    """
    unit = treatment.dose_unit if treatment.dose is not None else unknown_dose_unit(treatment.product.type)
    amount = np.repeat(way.dose, subjects)
    if unit.endswith(PER_KG_PBW):
        amount = amount * covariates["pbw"]
    elif unit.endswith(PER_KG):
        amount = amount * covariates["weight"]
    return amount if treatment.most is None else np.minimum(amount, treatment.most)


def entering(
    treatment: Treatment, profile: Profile, amount: NDArray[np.float64], route: Route, subjects: int
) -> Entering:
    """Part an administration into what the body receives.

    Arguments:
        treatment: validated.
        profile: of the lots by this route.
        amount: float64[S x M], from `administered`.
        route: row of ``routes.csv``.
        subjects: M.

    Returns:
        amounts by state, and the stages of a product that is given alive.
    """

    def of_subjects(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.repeat(value, subjects)

    counted = amount * of_subjects(profile.per_unit)
    share = of_subjects(profile.viable)
    if treatment.dose_basis == "viable":
        counted = counted / share
    viable = counted * share
    arriving = of_subjects(profile.delivered)
    live = viable * (1.0 - of_subjects(profile.lysed)) * arriving
    dying = (counted - viable) * of_subjects(profile.apoptotic) * arriving
    particles = counted * of_subjects(profile.particles)
    given = (
        (route.live_cells_enter, live),
        (route.apoptotic_cells_enter, dying),
        (route.particles_enter, particles),
    )
    amounts = {state: n / CELLS_PER_GCELL for state, n in given if state is not None and np.any(n > 0.0)}
    amounts |= {state: counted * of_subjects(rise) for state, rise in profile.soluble.items()}
    alive = KINDS[treatment.product.type].enters == LIVE
    stages = {"counted": counted, "viable": viable, "delivered alive": live} if alive else {}
    return Entering(amounts, stages)


def entering_over(
    profile: Profile, infusion_h: float | NDArray[np.float64], subjects: int
) -> float | NDArray[np.float64]:
    """Work out how long an administration takes to enter: what a capsule lets go of enters where it was put.

    Arguments:
        profile: of the lots.
        infusion_h: length of the infusion, h; of each subject where these differ.
        subjects: M.

    Returns:
        ``infusion_h``, or float64[S x M], h, where a capsule takes longer.
    """
    if profile.release is None:
        return infusion_h
    return np.maximum(np.maximum(infusion_h, np.repeat(profile.release, subjects)), SOONEST_H)
