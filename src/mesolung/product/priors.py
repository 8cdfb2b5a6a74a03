"""What is known of a product before its own quality file: priors, and the traits of tissue sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesolung.biology.columns import named_rows, number_of, one_of, required_of, text_of
from mesolung.biology.parameters import DISTRIBUTIONS, GRADES
from mesolung.reading import Row
from mesolung.streams import typical, uniforms, vary

PRIOR_COLUMNS = (
    "id",
    "value",
    "unit",
    "distribution",
    "uncertainty",
    "between_lot",
    "source",
    "grade",
    "meaning",
)
LOT_PRIORS = "lot_priors.csv"
SOURCE_COLUMNS = ("source", "senescence_passage", "procoagulant", "tlr4", "basis", "grade")


@dataclass(frozen=True)
class Prior:
    """One row of ``priors.csv``: a property of products, its typical value and how lots vary.

    Attributes:
        id, unit, source, grade, meaning: as in the table.
        table: the file that it stands in.
        value: typical value, in ``unit``.
        distribution: family, see `mesolung.streams.vary`.
        uncertainty: standard deviation of the typical value on the family's scale.
        between_lot: standard deviation between lots on the same scale.
    """

    id: str
    value: float
    unit: str
    distribution: str
    uncertainty: str
    between_lot: float
    source: str
    grade: str
    meaning: str
    table: str = "priors.csv"


@dataclass(frozen=True)
class SourceTraits:
    """One row of ``sources.csv``: what the tissue of origin sets.

    Attributes:
        senescence_passage: passage at which growth ends.
        procoagulant: procoagulant activity against umbilical cord.
        tlr4: toll-like receptor 4 against bone marrow.
        basis, grade: where the numbers come from.
    """

    senescence_passage: float
    procoagulant: float
    tlr4: float
    basis: str
    grade: str


@cache
def read_priors() -> Mapping[str, Prior]:
    """Read the tables of product priors: ``priors.csv``, and ``lot_priors.csv`` of what lot files bring in.

    Returns:
        rows by id, in the tables' order.

    Raises:
        Refusal: when the table is damaged.
    """
    found: dict[str, Prior] = {}
    for table in ("priors.csv", LOT_PRIORS):
        rows = named_rows(files("mesolung.product") / table, PRIOR_COLUMNS, _prior, "id")
        found |= {name: replace(row, table=table) for name, row in rows.items()}
    return MappingProxyType(found)


def _prior(row: Row) -> Prior:
    return Prior(
        row["id"],
        required_of(row, "value"),
        text_of(row, "unit"),
        one_of(row, "distribution", DISTRIBUTIONS),
        row["uncertainty"],
        number_of(row, "between_lot") or 0.0,
        text_of(row, "source"),
        one_of(row, "grade", GRADES),
        text_of(row, "meaning"),
    )


@cache
def read_sources() -> Mapping[str, SourceTraits]:
    """Read the table of tissue sources.

    Returns:
        traits by source name.

    Raises:
        Refusal: when the table is damaged.
    """
    return named_rows(files("mesolung.product") / "sources.csv", SOURCE_COLUMNS, _source, "source")


def _source(row: Row) -> SourceTraits:
    return SourceTraits(
        required_of(row, "senescence_passage"),
        required_of(row, "procoagulant"),
        required_of(row, "tlr4"),
        text_of(row, "basis"),
        one_of(row, "grade", GRADES),
    )


def priors_hash() -> str:
    """Identify the product tables that every study draws from by their text.

    Returns:
        16 hexadecimal digits.
    """
    return _hashed("priors.csv", "sources.csv", "factors.csv")


def lots_hash() -> str:
    """Identify all tables that a lot file is read with: 16 hexadecimal digits."""
    own = (LOT_PRIORS, "acts.csv", "assays.csv", "growth.csv")
    return _hashed("priors.csv", "sources.csv", "factors.csv", *own)


def _hashed(*names: str) -> str:
    digest = blake2b(digest_size=8)
    for name in names:
        digest.update((files("mesolung.product") / name).read_bytes())
    return digest.hexdigest()


# What a laboratory's own lots say of a property: the mean of its lots against the typical value, the error of
# that mean, and the spread of lots around it, on the scale of the prior's family.
Laboratory = Mapping[str, tuple[float, float, float]]


def lots(
    name: str,
    *,
    key: str,
    draws: NDArray[np.intp],
    seed: int,
    product: str,
    group: str = "",
    donor: str | None = None,
    laboratory: Laboratory | None = None,
) -> NDArray[np.float64]:
    """Draw a property of one lot a replicate: its typical value from the draw, then the lot around it.

    Arguments:
        name: id of the prior.
        key: of the parameter draws, keys the draws of typical values.
        draws: intp[R], parameter draw of each replicate.
        seed: the study's seed, which keys the lots.
        product: identity of the product; the same product has the same lot in every arm.
        group: adds a stream of typical values, for instance one for each tissue source.
        donor: names a donor, whose lots have a part of their variance in common; None for lots apart.
        laboratory: property -> what its own lots say of it; None for the table alone.

    Returns:
        float64[R], in the prior's unit.
    """
    prior = read_priors()[name]
    u = uniforms(key, f"draw:product:{name}:{group}", 0, int(draws.max()) + 1)[draws]
    between = prior.between_lot
    if laboratory and name in laboratory:
        shift, error, between = laboratory[name]
        centre = vary(prior.distribution, prior.value, 1.0, shift + error * ndtri(u))
    else:
        centre = typical(prior.distribution, prior.value, prior.uncertainty, u)
    z = ndtri(uniforms(seed, f"lot:{name}:{product}", 0, draws.size))
    if donor is not None:
        common = read_priors()["donor_share"].value
        of_donor = ndtri(uniforms(seed, f"donor:{name}:{donor}", 0, draws.size))
        z = np.sqrt(common) * of_donor + np.sqrt(1.0 - common) * z
    return vary(prior.distribution, centre, between, z)
