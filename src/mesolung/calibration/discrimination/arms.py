"""The arms and the readings that an experiment like a study's could have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesolung.biology.mechanisms import Knockout, knockouts
from mesolung.calibration.variants.decisions import CARRIERS
from mesolung.product.product import OF_CELLS, Product, ProductType
from mesolung.reading import Refusal
from mesolung.study.arm import Arm, Treatment
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.modelled import modelled_part, not_modelled, why_not_arm, why_not_asked
from mesolung.study.possible import IN_VITRO
from mesolung.study.study import Study

# As an experimenter says it -> type of product.
PRODUCTS: dict[str, ProductType] = {
    "viable": "cells",
    "apoptotic": "apoptotic-cells",
    "EV": "ev",
    "secretome": "conditioned-medium",
}
VIABLE, CONTROL = "viable", "untreated"
WITHOUT = "viable without "
# What a laboratory can block in an animal or a perfused lung; no drug or antibody is known to undo a niche.
BLOCKED = ("EV", "mito", "contact", "efferocytosis", "PGE2")
LAVAGE = ("bal_neutrophil_count", "bal_neutrophils", "bal_protein", "bal_il6", "bal_tnf", "bal_il10")
TIMES_H = (24.0, 48.0, 72.0)
SIZES = (6, 12, 24, 48)
EQUIVALENTS = {"cells": "cell-equivalents", "cells/kg": "cell-equivalents/kg"}
CARRIER_OF = {"niche": "niche", "EV": "vesicles", "mito": "mitochondria", "contact": "contact"} | {
    "efferocytosis": "efferocytosis"
}


@dataclass(frozen=True)
class Plan:
    """What can be run.

    Attributes:
        study: with an arm for each product, an untreated one, and a reading for each endpoint and time.
        products: names of arms, "viable" first.
        blocked: mechanisms that can be off in the viable arm.
        left_out: what cannot be run, and why.
    """

    study: Study
    products: tuple[str, ...]
    blocked: tuple[Knockout, ...]
    left_out: tuple[str, ...]


def plan_of(
    study: Study,
    *,
    arms: Sequence[str] | None = None,
    blocked: Sequence[str] | None = None,
    times_h: Sequence[float] = TIMES_H,
) -> Plan:
    """Lay out the arms and readings.

    Arguments:
        study: validated; its first arm that is given living cells is the pattern of all.
        arms: of `PRODUCTS`; None for all. The viable arm is always there, as the others are judged beside it.
        blocked: mechanisms; None for `BLOCKED` in experiments and none in people, where nobody does.
        times_h: when a lavage may be taken, h after the first dose; those beyond the study are left out.

    Returns:
        the plan.

    Raises:
        Refusal: for an unknown arm or mechanism, a study without living cells, or with nothing to read.
    """
    for name in arms or ():
        if name not in PRODUCTS:
            raise Refusal("no such arm", found=name, allowed=", ".join(PRODUCTS))
    if study.kind == IN_VITRO:
        raise Refusal(
            "cultures are not laid out yet",
            file=study.file,
            line=study.line("kind"),
            found=study.kind,
            allowed="trial, animal or ex-vivo",
        )
    pattern = next((arm for arm in study.arms if _living(arm)), None)
    if pattern is None:
        raise Refusal(
            "no arm is given living cells, which the other products are derived from",
            file=study.file,
            allowed='[[arm.treatment]] with product = { type = "cells" }',
        )
    wanted = [name for name in PRODUCTS if arms is None or name in arms or name == VIABLE]
    left: list[str] = []
    made = [_untreated(study, pattern)]
    for name in wanted:
        arm = _with_product(pattern, name)
        reason = why_not_arm(study, arm)
        if reason:
            left.append(f"{name}: {reason}")
        else:
            made.append(arm)
    lines = _readings(study, pattern, times_h, left)
    part = modelled_part(
        study.model_copy(update={"arms": tuple(made), "endpoints": tuple(lines), "observations": ()})
    )
    products = tuple(arm.name for arm in made[1:])
    if part is None or VIABLE not in products:
        reason = next(iter(not_modelled(study).values()), "") or "; ".join(left)
        raise Refusal("nothing of this study is modelled yet", file=study.file, found=reason)
    usual = BLOCKED if study.kind != "trial" else ()
    chosen = usual if blocked is None else tuple(blocked)
    return Plan(part, products, knockouts(chosen) if chosen else (), tuple(left))


def carrier_blocked(off: Knockout) -> str | None:
    """The carrier that a block switches off alone: without it the block changes nothing.

    Arguments:
        off: one mechanism or several.

    Returns:
        name of the variant, or None.
    """
    name = CARRIER_OF.get(off.id)
    return name if name in CARRIERS else None


def _living(arm: Arm) -> bool:
    return any(t.product.type == "cells" for t in arm.treatments)


def _untreated(study: Study, pattern: Arm) -> Arm:
    of = study.control or next((arm for arm in study.arms if not arm.treatments), pattern)
    update = {"name": CONTROL, "control": True, "treatments": (), "size": 1, "ratio": None}
    return of.model_copy(update={**_same_people(pattern), **update})


def _with_product(pattern: Arm, name: str) -> Arm:
    given = tuple(_changed(t, PRODUCTS[name]) for t in pattern.treatments if t.product.type == "cells")
    update = {"name": name, "control": False, "treatments": given, "size": 1, "ratio": None}
    return pattern.model_copy(update=update)


def _same_people(pattern: Arm) -> dict[str, object]:
    keys = ("baseline", "has_own_baseline", "background", "has_own_background", "injury", "has_own_injury")
    return {key: getattr(pattern, key) for key in keys}


def _changed(treatment: Treatment, kind: ProductType) -> Treatment:
    """The same cells, dose, route and times, as another product of them."""
    cells = treatment.product
    if kind == "cells":
        return treatment
    product = Product(type=kind, source=cells.source, species=cells.species, passage=cells.passage)
    unit = (
        treatment.dose_unit if kind in OF_CELLS else EQUIVALENTS.get(treatment.dose_unit, "cell-equivalents")
    )
    return treatment.model_copy(update={"product": product, "dose_unit": unit, "dose_basis": "counted"})


def _readings(study: Study, pattern: Arm, times_h: Sequence[float], left: list[str]) -> list[EndpointAsked]:
    first = min((t for one in pattern.treatments for t in one.times_h), default=0.0)
    found = [line for line in _planned(study) if why_not_asked(study, line) is None]
    moments = [first + t for t in times_h if 0.0 <= first + t <= study.duration_h]
    for name in LAVAGE:
        for time in moments:
            line = EndpointAsked(name=name, time_h=time)
            if _why_not(study, line) is None and not any(
                one.name == name and one.time_h == time for one in found
            ):
                found.append(line)
    if not moments:
        left.append("lavage: no time of it lies within the study")
    return found


def _planned(study: Study) -> list[EndpointAsked]:
    """The endpoints of a plan; of a file without one, those that it observed."""
    if study.endpoints:
        return list(study.endpoints)
    lines = [
        EndpointAsked(name=o.endpoint, time_h=o.time_h, as_=o.as_, deaths=o.deaths, where=o.where)
        for o in study.observations
        if o.form != "order" and not o.time_unknown
    ]
    return [line for k, line in enumerate(lines) if line not in lines[:k]]


def _why_not(study: Study, line: EndpointAsked) -> str | None:
    try:
        return why_not_asked(study, line)
    except KeyError:
        # A reading of animals alone, or of people alone.
        return "not a reading of this species"
