"""What a laboratory's own lots say of how its lots lie and differ: the priors of lots, updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from mesolung.product.assays import assays
from mesolung.product.conditioning import reading
from mesolung.product.priors import Prior, read_priors
from mesolung.product.product import ALIVE, Product
from mesolung.reading import Refusal
from mesolung.study.lots import read_lot

Values = NDArray[np.float64]
# assumed: of what lots of all laboratories vary by, half is between laboratories.
BETWEEN_LABORATORIES = 0.5
# assumed: the table's spread between lots is known as from so many lots.
AS_FROM_LOTS = 8.0
DIGITS = 8
MEANS, SPREADS = np.linspace(-4.0, 4.0, 161), np.exp(np.linspace(-2.5, 1.5, 121))
FROZEN, FRESH = "viability_cryopreserved", "viability_fresh"


@dataclass(frozen=True)
class Told:
    """A property of a laboratory's lots.

    Attributes:
        name: of its row among the priors of products.
        lots: how many told of it.
        prior_error, prior_between: standard deviation of the laboratory's mean against the table's typical
            value, and of lots around it, before; both on the scale of the row's family.
        shift, error: mean and standard deviation of the laboratory's mean against the typical value, after.
        between_lot: expected standard deviation of its lots around that, after.
    """

    name: str
    lots: int
    prior_error: float
    prior_between: float
    shift: float
    error: float
    between_lot: float


def read_lots(folder: Path) -> dict[str, Product]:
    """Read all lot files of a folder.

    Arguments:
        folder: where they lie; a single file is read alone.

    Returns:
        file name -> lot, sorted by name.

    Raises:
        Refusal: for a folder without a lot file, and for the first one that is refused.
    """
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.toml")) if folder.is_dir() else []
    if not paths:
        raise Refusal("holds no lot file", file=folder, allowed="files that end in .toml")
    root = folder.parent if folder.is_file() else folder
    return {path.relative_to(root).as_posix(): read_lot(path) for path in paths}


def told_by(lots: Sequence[Product]) -> list[Told]:
    """Learn a laboratory's distribution of each property that its lots tell of.

    Arguments:
        lots: of one laboratory.

    Returns:
        a line a property, sorted by name: assays beside a reference lot, as weakly linked to the body as the
        table of assays says, and the viability at release of living cells.

    Source: normal lots around a normal mean with a scaled inverse chi-squared variance (the conjugate
        family, Gelman et al. 2013, Bayesian Data Analysis, section 3.3), each lot seen with the error of its
        assays; summed over a grid, as that error takes the closed form away.
    """
    seen: dict[str, list[tuple[float, float]]] = {}
    for lot in lots:
        for name, found in _of_lot(lot).items():
            seen.setdefault(name, []).append(found)
    return [_learnt(name, pairs) for name, pairs in sorted(seen.items())]


def record_of(told: Sequence[Told]) -> dict[str, dict[str, float]]:
    """What was learnt, as a posterior's manifest keeps it and a run reads it.

    Arguments:
        told: from `told_by`.
    """
    return {one.name: {k: _printed(v) for k, v in asdict(one).items() if k != "name"} for one in told}


def _printed(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def _of_lot(lot: Product) -> dict[str, tuple[float, float]]:
    """Property -> (value against the typical one, variance of its error), on the scale of its family."""
    rows: Mapping[str, Prior] = read_priors()
    together: dict[str, list[tuple[float, float]]] = {}
    for one in lot.assay:
        name = f"{assays()[one.name].about}_lot"
        found = reading(one) if name in rows else None
        if found is not None and found.slope != 0.0:
            together.setdefault(name, []).append(
                (found.observed / found.slope, found.variance / found.slope**2)
            )
    if lot.viability is not None and 0.0 < lot.viability < 1.0 and lot.type in ALIVE:
        name = FRESH if lot.cryopreserved is False else FROZEN
        sd = lot.count.viability_sd if lot.count and lot.count.viability_sd else None
        error = rows["viability_sd"].value * 2.0 * np.sqrt(lot.viability * (1.0 - lot.viability))
        error = (sd if sd is not None else error) / (lot.viability * (1.0 - lot.viability))
        together[name] = [(float(logit(lot.viability) - logit(rows[name].value)), float(error) ** 2)]
    return {name: _pooled(pairs) for name, pairs in together.items()}


def _pooled(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    weights = np.array([1.0 / variance for _, variance in pairs])
    return float(weights @ np.array([v for v, _ in pairs]) / weights.sum()), float(1.0 / weights.sum())


def _learnt(name: str, pairs: Sequence[tuple[float, float]]) -> Told:
    row = read_priors()[name]
    lots = row.between_lot
    error = np.sqrt(float(row.uncertainty or 0.0) ** 2 + BETWEEN_LABORATORIES * lots**2)
    between = np.sqrt(1.0 - BETWEEN_LABORATORIES) * lots
    mean, spread = MEANS[:, None] * error, SPREADS[None, :] * between
    log = -0.5 * MEANS[:, None] ** 2 + np.zeros_like(spread)
    # On a grid of logarithms of the spread: the density of the variance times its derivative.
    log = log - AS_FROM_LOTS * (np.log(spread) + 0.5 * between**2 / spread**2)
    for value, variance in pairs:
        total = spread**2 + variance
        log = log - 0.5 * (np.log(total) + (value - mean) ** 2 / total)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    shift = float((weight * mean).sum())
    return Told(
        name, len(pairs), float(error), float(between), shift,
        float(np.sqrt((weight * (mean - shift) ** 2).sum())), float((weight * spread).sum()),
    )  # fmt: skip
