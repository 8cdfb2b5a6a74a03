"""Which arms of a study are treated, with what, and which trial a study belongs to."""

from __future__ import annotations

from mesolung.study.arm import Arm
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.study import Study

CELLS = "cells"


def treatment_of(study: Study, arm: Arm) -> str:
    """What an arm receives that the control does not.

    Arguments:
        study: of the arm.
        arm: of that study.

    Returns:
        types of its products ("cells"), else names of drugs and supports that it alone has; empty for none.
    """
    given = sorted({_product(t.product) for t in arm.treatments})
    if given:
        return " + ".join(given)
    control = study.control
    if control is None or arm.name == control.name:
        return ""
    return " + ".join(
        sorted(name for name, line in arm.background.items() if line != control.background.get(name))
    )


def is_treated(study: Study, name: str) -> bool:
    """Whether an arm is treated, and not the one that the others are compared with.

    Arguments:
        study: of the arm.
        name: of the arm.
    """
    arm = next((a for a in study.arms if a.name == name), None)
    return arm is not None and not arm.control and bool(treatment_of(study, arm))


def side_of(study: Study, one: Observation) -> int:
    """Which side of an observation is treated.

    Arguments:
        study: of the observation.
        one: the observation.

    Returns:
        1 for a treated arm, alone or against another; -1 for another arm against a treated one; 0 for none,
        for two treated arms, and for an order.
    """
    if one.form == "order" or not one.arm:
        return 0
    ours = all(is_treated(study, name) for name in one.arm)
    if one.versus in (None, BASELINE):
        return int(ours)
    theirs = is_treated(study, str(one.versus))
    return int(ours) - int(theirs)


def compared_treatment(study: Study, one: Observation) -> str:
    """The treatment whose effect an observation tells of; empty for none.

    Arguments:
        study: of the observation.
        one: the observation.
    """
    names = [*one.arm, *([one.versus] if one.versus else [])]
    arms = [a for a in study.arms if a.name in names and is_treated(study, a.name)]
    return " / ".join(sorted({treatment_of(study, a) for a in arms}))


def trial_of(study: Study) -> str:
    """The trial that a study is of: files of one registry number are one trial.

    Arguments:
        study: validated.
    """
    return study.registry or study.name


def _product(product: object) -> str:
    name = getattr(product, "name", None)
    kind = str(getattr(product, "type", CELLS))
    return str(name) if kind == "drug" and name else kind
