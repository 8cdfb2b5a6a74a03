"""What a release may ask of a lot: each attribute with its value, its error and what kind of number it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log1p, sqrt
from typing import Literal

from mesolung.product.assays import assays
from mesolung.product.conditioning import shares
from mesolung.product.described import Markers
from mesolung.product.priors import read_priors
from mesolung.product.product import Product
from mesolung.product.quantities import MeasuredShare, measured

# A tetraspanin counts as found from this share of the particles on.
FOUND = 0.05
Scale = Literal["share", "positive", "count", "said"]


@dataclass(frozen=True)
class Attribute:
    """A measured attribute.

    Attributes:
        value: as measured; of a reading below the limit of its assay that limit.
        unit: of the value, empty for none.
        scale: "share" (0 to 1), "positive" (error in proportion), "count" or "said" (no error is known).
        sd: error: in the value's unit for a share, of the natural logarithm for a positive number.
        below: whether the value is only known to be below ``value``.
    """

    value: float | bool | str
    unit: str = ""
    scale: Scale = "said"
    sd: float | None = None
    below: bool = False


def attribute(product: Product, name: str) -> Attribute | None:
    """Look up an attribute of a lot.

    Arguments:
        product: validated.
        name: of `attribute_names`.

    Returns:
        the attribute; None when it was not measured.
    """
    return ATTRIBUTES[name](product)


def attribute_names() -> tuple[str, ...]:
    """Names that a specification may use."""
    return tuple(ATTRIBUTES)


def is_share(name: str) -> bool:
    """Tell whether an attribute is a share, to be shown in percent."""
    markers = {str(field.alias or key) for key, field in Markers.model_fields.items()}
    assay = assays().get(name)
    return name in {"viability", "CD9", "CD63", "CD81", *markers} or (
        assay is not None and assay.scale == "logit"
    )


def share_error(one: MeasuredShare, prior: str) -> float:
    """Error of a measured share.

    Arguments:
        one: the share.
        prior: row of the usual error, that of a half.

    Returns:
        SD; the counting error of its events is added where they are stated.
    """
    middle = sqrt(max(one.value * (1.0 - one.value), 1e-4))
    sd = one.sd if one.sd is not None else read_priors()[prior].value * 2.0 * middle
    return sqrt(sd**2 + (middle**2 / one.events if one.events else 0.0))


def _marker(key: str) -> Callable[[Product], Attribute | None]:
    def found(product: Product) -> Attribute | None:
        holder = product.markers if key in Markers.model_fields else product.vesicles
        value = getattr(holder, key, None)
        if value is None:
            return None
        one = measured(value)
        return Attribute(one.value, "fraction", "share", share_error(one, "marker_sd"))

    return found


def _viability(product: Product) -> Attribute | None:
    if product.viability is None:
        return None
    said = product.count
    one = MeasuredShare(
        value=product.viability,
        sd=said.viability_sd if said else None,
        events=said.viability_events if said else None,
    )
    return Attribute(one.value, "fraction", "share", share_error(one, "viability_sd"))


def _assay(name: str) -> Callable[[Product], Attribute | None]:
    def found(product: Product) -> Attribute | None:
        one = next((a for a in product.assay if a.name == name), None)
        if one is None or one.value is None:
            return None
        cv = (one.cv if one.cv is not None else read_priors()["assay_cv"].value) / sqrt(one.n)
        if assays()[name].scale == "logit":
            value = shares(one)[0]
            return Attribute(value, "fraction", "share", cv * value)
        return Attribute(one.value, one.unit, "positive", sqrt(log1p(cv**2)))

    return found


def _said(table: str, key: str) -> Callable[[Product], Attribute | None]:
    def found(product: Product) -> Attribute | None:
        holder = getattr(product, table)
        value = None if holder is None else getattr(holder, key)
        if value is None:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return Attribute(value, scale="count" if number else "said")

    return found


def _positive(table: str, key: str, unit: str, cv: str) -> Callable[[Product], Attribute | None]:
    def found(product: Product) -> Attribute | None:
        holder = getattr(product, table)
        value = None if holder is None else getattr(holder, key)
        error = read_priors()[cv].value
        return None if not value else Attribute(value, unit, "positive", sqrt(log1p(error**2)))

    return found


def _endotoxin(product: Product) -> Attribute | None:
    said = product.safety
    if said is None or said.endotoxin_below is None:
        return _positive("safety", "endotoxin", "EU/mL", "endotoxin_cv")(product)
    return Attribute(said.endotoxin_below, "EU/mL", "positive", None, below=True)


def _passage(product: Product) -> Attribute | None:
    return None if product.passage is None else Attribute(product.passage, "passage", "count")


def _per_ug(product: Product) -> Attribute | None:
    said = product.vesicles
    if said is None or not said.particles or not said.protein:
        return None
    rows = read_priors()
    counted = said.particles_cv if said.particles_cv is not None else rows["particle_cv"].value
    error = log1p(counted**2) + log1p(rows["protein_cv"].value ** 2)
    return Attribute(said.particles / said.protein, "1/ug", "positive", sqrt(error))


def _tetraspanins(product: Product) -> Attribute | None:
    said = product.vesicles
    found = [measured(v).value for v in (said.CD9, said.CD63, said.CD81) if v is not None] if said else []
    return Attribute(sum(v >= FOUND for v in found), scale="count") if found else None


ATTRIBUTES: Mapping[str, Callable[[Product], Attribute | None]] = {
    "viability": _viability,
    **{str(field.alias or key): _marker(key) for key, field in Markers.model_fields.items()},
    **{key: _marker(key) for key in ("CD9", "CD63", "CD81")},
    **{name: _assay(name) for name in assays() if name not in Markers.model_fields},
    "passage": _passage,
    "population_doublings": _said("culture", "population_doublings"),
    "cells": _positive("count", "cells", "cells", "count_cv"),
    **{
        key: _said("safety", key)
        for key in ("sterility", "mycoplasma", "karyotype", "differentiation", "plastic_adherent")
    },
    "endotoxin": _endotoxin,
    "particles": _positive("vesicles", "particles", "particles/mL", "particle_cv"),
    "particle_size": _positive("vesicles", "size", "nm", "size_cv"),
    "particles_per_ug": _per_ug,
    "tetraspanins": _tetraspanins,
    **{
        key: _said("vesicles", key)
        for key in ("cytosolic_marker", "purity_control", "single_particle_methods")
    },
}
