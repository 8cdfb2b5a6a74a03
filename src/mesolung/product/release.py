"""The release of a lot: pass, fail or not tested, and the probability that it truly meets each limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, prod
from typing import Literal

from scipy.special import ndtr

from mesolung.product.attributes import Attribute, attribute
from mesolung.product.product import Product
from mesolung.product.specs import Limit, Spec, bundled, is_for

Outcome = Literal["pass", "fail", "not tested"]
PASS, FAIL, NOT_TESTED = "pass", "fail", "not tested"


@dataclass(frozen=True)
class Line:
    """One limit of a specification against one lot.

    Attributes:
        limit: the limit.
        name: the attribute that was looked at, the first of the limit's when none was measured.
        found: what was measured; None when nothing was.
        outcome: "pass", "fail" or "not tested".
        probability: that the lot truly meets the limit, given the error of measurement; None when it was not
            measured, or its test has no error that is known.
        why: of "not tested" where something was measured all the same.
    """

    limit: Limit
    name: str
    found: Attribute | None
    outcome: Outcome
    probability: float | None
    why: str = ""


@dataclass(frozen=True)
class Decision:
    """A specification against one lot.

    Attributes:
        spec: the specification.
        lines: its limits, in its order.
    """

    spec: Spec
    lines: tuple[Line, ...]

    @property
    def outcome(self) -> Outcome:
        """Fail for any limit that fails, else not tested for any that was not, else pass."""
        found = {line.outcome for line in self.lines}
        return FAIL if FAIL in found else NOT_TESTED if NOT_TESTED in found else PASS

    @property
    def probability(self) -> float | None:
        """That every limit is truly met, errors apart; None where no error is known and none is missed."""
        if any(line.outcome == FAIL and line.probability is None for line in self.lines):
            return 0.0
        known = [line.probability for line in self.lines if line.probability is not None]
        return prod(known) if known else None


def decide(product: Product, specs: Sequence[Spec]) -> tuple[Decision, ...]:
    """Hold a lot against specifications.

    Arguments:
        product: validated.
        specs: one or several definitions.

    Returns:
        a decision each.
    """
    return tuple(
        Decision(
            spec, tuple(_line(product, limit) for limit in spec.limits if is_for(limit.tissues, product))
        )
        for spec in specs
    )


def of_other_tissues(product: Product, decisions: Sequence[Decision]) -> list[str]:
    """Tell in sentences which specifications are for other tissues, those held and those left aside.

    Arguments:
        product: validated.
        decisions: of its release.
    """
    found, held = [], {one.spec.id for one in decisions}
    for spec in (one.spec for one in decisions):
        if not is_for(spec.tissues, product):
            tissues = ", ".join(spec.tissues)
            found.append(f"The specification {spec.id} is for {tissues}, and was asked for all the same.")
        left = [limit for limit in spec.limits if not is_for(limit.tissues, product)]
        if left:
            names = ", ".join(limit.what[0] for limit in left)
            found.append(f"Limits of {spec.id} that are for other tissues are left aside: {names}.")
    about = "ev" if product.type == "ev" else "cells"
    aside = [one for one in bundled().values() if one.about == about and one.id not in held]
    aside = [one for one in aside if not is_for(one.tissues, product)]
    if aside:
        names = "; ".join(f"{one.id} ({', '.join(one.tissues)})" for one in aside)
        found.append(f"Specifications for other tissues are not held against it: {names}.")
    return found


def _line(product: Product, limit: Limit) -> Line:
    name, found = limit.what[0], None
    for one in limit.what:
        found = attribute(product, one)
        if found is not None:
            name = one
            break
    if found is None:
        return Line(limit, name, None, NOT_TESTED, None)
    if limit.unit is not None and limit.unit != found.unit:
        return Line(limit, name, found, NOT_TESTED, None, f"measured in {found.unit or 'no unit'}")
    if limit.equals is not None:
        return Line(limit, name, found, PASS if found.value == limit.equals else FAIL, None)
    if isinstance(found.value, str | bool):
        return Line(limit, name, found, NOT_TESTED, None, "no number")
    low = limit.at_least is None or found.value >= limit.at_least
    high = limit.at_most is None or found.value <= limit.at_most
    if found.below:
        # Only an upper limit can be met by what lies below another.
        met = limit.at_least is None and high
        return Line(limit, name, found, PASS if met else NOT_TESTED, None, "" if met else "below its assay")
    return Line(limit, name, found, PASS if low and high else FAIL, probability(found, limit))


def probability(found: Attribute, limit: Limit) -> float | None:
    """Work out how likely the true value meets a limit, when nothing but the measurement is known of it.

    Arguments:
        found: what was measured, a number.
        limit: the limit.

    Returns:
        probability; None where no error is known.
    """
    if found.sd is None or isinstance(found.value, str | bool):
        return None
    if found.scale == "positive":
        middle, sd = log(found.value), found.sd
        low = float("-inf") if not limit.at_least else log(limit.at_least)
        high = float("inf") if limit.at_most is None else log(limit.at_most)
        return float(ndtr((high - middle) / sd) - ndtr((low - middle) / sd))
    # A share lies between 0 and 1, whatever its error.
    low = max(limit.at_least or 0.0, 0.0)
    high = min(1.0 if limit.at_most is None else limit.at_most, 1.0)
    a, b, zero, one = (ndtr((x - found.value) / found.sd) for x in (low, high, 0.0, 1.0))
    return float((b - a) / (one - zero))
