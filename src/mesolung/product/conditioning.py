"""What assays say of a property of a lot: drawn lots move as a normal distribution does when it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, log1p

import numpy as np
from numpy.typing import NDArray

from mesolung.product.assays import assays
from mesolung.product.described import PotencyAssay
from mesolung.product.priors import read_priors
from mesolung.streams import normals

PERCENT = "%"
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """One assay as evidence on the natural logarithm of a property.

    Attributes:
        observed: the reading against the reference lot's, on the assay's scale.
        slope: of the reading on the logarithm of the property.
        variance: of the reading around that line: what the assay does not see, and its error.
    """

    observed: float
    slope: float
    variance: float


def prior_variance(name: str) -> float:
    """Variance of the logarithm of a property between lots, before anything but the source is known.

    Arguments:
        name: a key of `mesolung.product.assays.PROPERTIES`.
    """
    rows = read_priors()
    own = rows.get(f"{name}_lot")
    variance = 0.0 if own is None else own.between_lot**2
    source = rows.get(f"{name}_source")
    return variance if source is None else variance + float(source.uncertainty) ** 2


def reading(one: PotencyAssay) -> Reading | None:
    """Turn an assay into evidence.

    Arguments:
        one: as the lot file has it.

    Returns:
        the evidence; None without a reference lot, or where lots do not differ in the property.
    """
    row = assays()[one.name]
    spread = prior_variance(row.about) ** 0.5
    if one.value is None or one.reference is None or spread == 0.0:
        return None
    cv = one.cv if one.cv is not None else read_priors()["assay_cv"].value
    if row.scale == "logit":
        value, reference = shares(one)
        observed = log(value / (1.0 - value)) - log(reference / (1.0 - reference))
        error = (cv / (1.0 - value)) ** 2
    else:
        observed = log(one.value / one.reference)
        error = log1p(cv**2)
    unseen = row.spread**2 * (1.0 - row.link**2)
    return Reading(observed, row.sense * row.link * row.spread / spread, unseen + error / one.n)


def shares(one: PotencyAssay) -> tuple[float, float]:
    """Give value and reference of an assay whose reading is a share, as shares.

    Arguments:
        one: as the lot file has it, with a reference.
    """
    whole = 100.0 if one.unit == PERCENT else 1.0
    return (one.value or 0.0) / whole, (one.reference or 0.0) / whole


def conditioned(
    told: Sequence[PotencyAssay],
    *,
    about: str,
    log: Values,
    in_dish: Values,
    variance: Values,
    seed: int,
    identity: str,
) -> Values:
    """Move drawn lots towards what their assays read.

    Each lot is given the reading that it would have had, with an error of its own, and moves by a part of the
    difference to the real one: what results is distributed as the posterior, lot by lot from the prior's.

    Arguments:
        told: assays of one property, with a reference.
        about: the property.
        log: float64[R], natural logarithm of the property in the body.
        in_dish: float64[R], the same in a dish.
        variance: float64[R], of ``log`` before the assays.
        seed, identity: key the errors.

    Returns:
        float64[R], to be added to ``log``.

    Source: conditioning of a normal distribution draw by draw (Matheron's rule, Journel and Huijbregts 1978).
    """
    found = [(one, made) for one in told if (made := reading(one)) is not None]
    precision = 1.0 / np.maximum(variance, 1e-12) + sum(r.slope**2 / r.variance for _, r in found)
    moved = np.zeros(log.shape)
    for place, (one, r) in enumerate(found):
        error = normals(seed, f"lot assay:{about}:{one.name}:{place}:{identity}", 0, log.size)
        simulated = r.slope * in_dish + np.sqrt(r.variance) * error
        moved += r.slope / r.variance / precision * (r.observed - simulated)
    return moved
