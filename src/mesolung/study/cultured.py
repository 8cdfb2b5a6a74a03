"""Which part of a culture's study the model answers: who responds to what, and why not the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mesolung.biology.assays import Part, all_that_fit, assays, first_that_fits
from mesolung.product.product import WITHOUT_CELLS
from mesolung.study.arm import Arm
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.injury import Assay
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.study import Study

PRODUCT_CELLS = "product cells"
CONTACT = "contact"
NUMBERS = ("value", "contrast", "direction", "mean")
# Products that a well can hold; a vehicle leaves it as it is.
IN_A_WELL = (
    "cells", "ev", "conditioned-medium", "apoptotic-cells", "heat-killed-cells", "control-cells", "vehicle",
)  # fmt: skip


@dataclass(frozen=True)
class Well:
    """What is in the wells of an arm beside its product.

    Attributes:
        responder: who answers.
        stimulus: what excites them; None for nothing.
        conditions: what else is done.
        contact: "contact", "transwell" or "medium"; contact where the study does not say.
        ratio: product cells for each responder; None where the study does not say.
    """

    responder: Part
    stimulus: Part | None
    conditions: tuple[Part, ...]
    contact: Literal["contact", "transwell", "medium"]
    ratio: float | None


def well_of(study: Study, arm: Arm) -> Well:
    """Read what is in the wells of an arm from its assay and its name.

    Arguments:
        study: of kind in-vitro.
        arm: of the study.
    """
    table, assay = assays(), arm.assay or study.assay or Assay()
    texts = [assay.responder, study.name]
    usual = next(part for part in table.responders if part.name == PRODUCT_CELLS)
    responder = first_that_fits(table.responders, texts) or usual
    stimulus = first_that_fits(table.stimuli, [assay.stimulus, assay.responder])
    if stimulus is None and responder.stimulus and not _of_resting(study):
        stimulus = next(part for part in table.stimuli if part.name == responder.stimulus)
    conditions = all_that_fit(table.conditions, arm.name) if arm.treatments else ()
    ratio = assay.ratio
    for condition in conditions:
        ratio = condition.ratio if ratio is None and condition.ratio is not None else ratio
    without = [t for t in arm.treatments if t.product.type in WITHOUT_CELLS]
    contact = assay.contact or ("medium" if without else CONTACT)
    return Well(responder, stimulus, conditions, contact, ratio)


def _of_resting(study: Study) -> bool:
    """Whether all that is read of a study's wells is read of resting cells."""
    names = {line.name for line in study.endpoints} | {one.endpoint for one in study.observations}
    found = [assays().readouts.get(name) for name in names]
    return bool(found) and all(one is not None and one.resting for one in found)


def why_not_well(arm: Arm, study: Study) -> str | None:
    """Tell why an arm cannot be answered.

    Arguments:
        arm: of the study.
        study: of kind in-vitro.
    """
    for treatment in arm.treatments:
        if treatment.product.type not in IN_A_WELL:
            return f'a culture with product type "{treatment.product.type}"'
    return next((part.reason for part in well_of(study, arm).conditions if part.reason), None)


def why_not_reading(line: EndpointAsked | Observation) -> str | None:
    """Tell why a reading cannot be answered.

    Arguments:
        line: of the plan or the observations of a culture.
    """
    name = line.name if isinstance(line, EndpointAsked) else line.endpoint
    readout = assays().readouts.get(name)
    if readout is None:
        return f'no reading of "{name}" in a culture'
    if readout.reason:
        return readout.reason
    if line.as_ != "level":
        return "a change from the start of a culture"
    if isinstance(line, Observation) and line.form not in NUMBERS:
        return f"{line.form} of a culture"
    if isinstance(line, Observation) and line.versus == BASELINE:
        return "a culture against its start"
    return None


def why_not_cultures(study: Study) -> dict[int, str]:
    """Tell which observations of a culture's study are not modelled yet, and why.

    Arguments:
        study: of kind in-vitro.

    Returns:
        index of the observation -> reason.
    """
    arms = {arm.name: why_not_well(arm, study) for arm in study.arms}
    found = {}
    for one in study.observations:
        named = [*one.arm, *([one.versus] if one.versus else [])]
        of_arms = (f"arm {name}: {arms[name]}" for name in named if arms.get(name))
        reason = why_not_reading(one) or next(of_arms, None)
        if reason is not None:
            found[one.index] = reason
    return found


def cultures_of(study: Study) -> Study | None:
    """Cut a culture's study down to what is answered.

    Arguments:
        study: of kind in-vitro.

    Returns:
        the study without what is not modelled; None where nothing is left.
    """
    skipped = why_not_cultures(study)
    arms = tuple(arm for arm in study.arms if why_not_well(arm, study) is None)
    asked = tuple(line for line in study.endpoints if why_not_reading(line) is None)
    seen = tuple(one for one in study.observations if one.index not in skipped)
    if not arms or not (asked or seen):
        return None
    return study.model_copy(update={"arms": arms, "endpoints": asked, "observations": seen})


def said_of_cultures(study: Study) -> list[str]:
    """Say what of a culture's study is left out.

    Arguments:
        study: of kind in-vitro.

    Returns:
        sentences, each once.
    """
    lines: Sequence[tuple[str, str | None]] = [
        *((f"arm {arm.name}", why_not_well(arm, study)) for arm in study.arms),
        *((f"endpoint {line.name}", why_not_reading(line)) for line in study.endpoints),
    ]
    return list(dict.fromkeys(f"{what} is not modelled yet: {why}" for what, why in lines if why))
