"""The card of a lot: what is known, what is assumed, whether it passes, what the body would receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.product.acts import stated_acts
from mesolung.product.assays import PROPERTIES, assays
from mesolung.product.attributes import attribute
from mesolung.product.card_dose import band, course, given_into_a_vein, waterfall
from mesolung.product.conditioning import reading
from mesolung.product.expansion import expand
from mesolung.product.growth import growth
from mesolung.product.kinds import KINDS, stated_priors
from mesolung.product.living import over_life
from mesolung.product.lot import Lot
from mesolung.product.priors import lots_hash, read_priors
from mesolung.product.product import ALIVE, OF_CELLS, WITHOUT_CELLS, Product
from mesolung.product.quantities import written
from mesolung.product.release import Decision, of_other_tissues
from mesolung.product.unknowns import unknowns
from mesolung.product.vesicles import CAPSULE
from mesolung.reading import Refusal

DRAWS = 2000
# What a radar shows: name, property, and whether more of it is wanted.
AXES = (
    ("secretion", "potency", True),
    ("licensing", "licensing", True),
    ("survival in the lung", "loss", False),
    ("engulfment", "efferocytosis", True),
    ("small size", "size", False),
    ("little clotting", "procoagulant", False),
    ("little foreign", "hla", False),
)
BEST = 10.0  # of an axis whose property a lot has nothing of, such as mismatch of a subject's own cells
IDENTITY = (
    "CD29",
    "CD44",
    "CD73",
    "CD90",
    "CD105",
    "CD34",
    "CD45",
    "CD14",
    "CD11b",
    "CD19",
    "CD79a",
    "HLA_DR",
)
Values = NDArray[np.float64]


def lot_card(
    product: Product,
    decisions: Sequence[Decision],
    *,
    key: str,
    earlier: Mapping[str, Product] | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> dict[str, Any]:
    """Make the card of a lot.

    Arguments:
        product: of a type that the model follows, cells or vesicles.
        decisions: of its release.
        key: of the parameter draws.
        earlier: other lots by name, to stand beside it.
        draws: R, lots that the intervals rest on.
        seed: of the lots.

    Returns:
        the object that `mesolung lot --json` prints.

    Raises:
        Refusal: for a product that is no lot: a vehicle or a drug.
    """
    if product.type not in (*OF_CELLS, *WITHOUT_CELLS):
        raise Refusal("no lot", found=product.type, allowed=", ".join((*OF_CELLS, *WITHOUT_CELLS)))
    lot = _lot(product, key, draws, seed)
    before = _lot(product.model_copy(update={"assay": ()}), key, draws, seed)
    anonymous = _lot(product.model_copy(update={"markers": None}), key, draws, seed)
    interesting = ("potency",) if product.type in WITHOUT_CELLS else tuple(dict.fromkeys(a[1] for a in AXES))
    after = _properties(lot)
    told = (assays()[one.name].about for one in product.assay if reading(one) is not None)
    interesting = tuple(n for n in dict.fromkeys((*interesting, *told)) if n in after and np.any(after[n]))
    prior = _properties(before)
    return {
        "schema": 1,
        "version": __version__,
        "tables": lots_hash(),
        "draws": draws,
        "seed": seed,
        "lot": product.lot or "unnamed lot",
        "product": written(product),
        "release": [_decision(one) for one in decisions],
        "growth": _growth(lot),
        "properties": {name: {"prior": band(prior[name]), "now": band(after[name])} for name in interesting},
        "identity": _identity(product, lot, anonymous),
        "dose": waterfall(lot),
        "course": course(lot),
        "acts": _acts(product),
        "assays": _assays(product),
        "assumed": assumed_of(product),
        "said": [
            *unknowns(product),
            *_ended(lot),
            *(of_other_tissues(product, decisions) if decisions else ()),
        ],
        "radar": _radar(product, earlier or {}, key, draws, seed),
    }


def _lot(product: Product, key: str, draws: int, seed: int) -> Lot:
    return Lot(product, key, np.arange(draws), seed)


def _properties(lot: Lot) -> dict[str, Values]:
    """The properties of a lot's cells, or of its vesicles, that the model has a parameter for."""
    found = over_life(lot, given_into_a_vein(lot).parameters)
    return {name: found[parameter] for name, parameter in PROPERTIES.items() if parameter in found}


def _width(values: Values) -> float:
    low, high = np.quantile(np.log(np.maximum(values, 1e-12)), (0.05, 0.95))
    return float(high - low)


def _decision(one: Decision) -> dict[str, Any]:
    lines = []
    for line in one.lines:
        found = line.found
        lines.append(
            {
                "what": line.name,
                "limit": line.limit.text,
                "found": None if found is None else found.value,
                "unit": "" if found is None else found.unit,
                "below": False if found is None else found.below,
                "sd": None if found is None else found.sd,
                "outcome": line.outcome,
                "probability": line.probability,
                "why": line.why,
            }
        )
    return {
        "id": one.spec.id,
        "name": one.spec.name,
        "source": one.spec.source,
        "tissues": list(one.spec.tissues),
        "outcome": one.outcome,
        "probability": one.probability,
        "lines": lines,
    }


def _growth(lot: Lot) -> dict[str, Any]:
    found, rows = expand(lot), read_priors()
    first, last = rows["window_first"].value, rows["window_last"].value
    passage = lot.product.passage
    made: dict[str, Any] = {
        "doublings": band(found.doublings),
        "doublings_to_senescence": band(found.ending),
        "culture_state": band(lot.culture_age),
        "senescent": band(found.senescent),
        "doubling_time_young_h": band(found.doubling_time),
        "doubling_time_at_harvest_h": band(found.at_harvest),
        "days_in_culture": band(found.time / 24.0),
        "cells_a_donor": band(found.donor_cells),
        "cells_a_batch": band(found.batch_cells),
        "doses_a_donor": band(found.donor_cells / found.dose_cells),
        "doses_a_batch": band(found.batch_cells / found.dose_cells),
        "dose_cells": found.dose_cells,
        "window": [first, last],
        "in_window": None if passage is None else first <= passage <= last,
        "particles_a_batch": band(found.batch_particles),
        "ev_doses_a_batch": band(found.batch_particles / found.dose_particles),
        "ev_doses_a_donor": band(found.donor_particles / found.dose_particles),
        "dose_particles": found.dose_particles,
    }
    return made


def _identity(product: Product, lot: Lot, anonymous: Lot) -> dict[str, Any]:
    stated = [n for n in IDENTITY if product.markers is not None and getattr(product.markers, n) is not None]
    with_, without = _width(lot.potency), _width(anonymous.potency)
    return {
        "markers": [n.replace("_", "-") for n in stated],
        "potency_width_without": without,
        "potency_width_with": with_,
        "narrowed": 1.0 - with_ / without if without > 0.0 else 0.0,
    }


def _acts(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "what": act.what,
            "agent": act.agent,
            "on": act.on,
            "parameter": PROPERTIES.get(act.on, ""),
            "times": times,
            "shift": act.mean * times,
            "sd": act.variance**0.5 * abs(times),
            "none": act.none,
            "source": act.source,
            "grade": act.grade,
            "meaning": act.meaning,
        }
        for act, times in stated_acts(product)
        if act.mean or act.variance
    ]


def _assays(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "about": assays()[one.name].about,
            "value": one.value,
            "unit": one.unit,
            "reference": one.reference,
            "link": assays()[one.name].link,
            "used": reading(one) is not None,
            "source": assays()[one.name].source,
            "grade": assays()[one.name].grade,
        }
        for one in product.assay
    ]


def assumed_of(product: Product) -> list[dict[str, Any]]:
    """List what the lot file does not say, with what stands in for it.

    Arguments:
        product: validated.

    Returns:
        name, value, unit, source, grade of each.
    """
    rows, kind, found = read_priors(), growth()[product.source], []

    def add(name: str, value: Any, unit: str, source: str, grade: str) -> None:
        found.append({"name": name, "value": value, "unit": unit, "source": source, "grade": grade})

    def prior(name: str, row: str) -> None:
        one = rows[row]
        add(name, one.value, one.unit, one.source, one.grade)

    if "source" in product.unstated:
        add("source", product.source, "", "assumed: middle of the known sources", "C")
    if product.type == "ev" and any(
        one.kind == CAPSULE and one.release is None for one in product.engineering
    ):
        prior("release from the capsule", "capsule_release")
    culture = product.culture
    doublings = culture is not None and culture.population_doublings is not None
    if product.passage is None and not doublings:
        prior("passage", "passage_unstated")
    if not doublings:
        add("doublings a passage", kind.doublings_per_passage, "", "assumed: usual of the source", "C")
    if product.type in ALIVE and product.cryopreserved is None:
        add("cryopreserved", False, "", "assumed: never frozen", "C")
    if product.type in ALIVE and product.viability is None:
        prior("viability", "viability_cryopreserved" if product.cryopreserved else "viability_fresh")
    if product.donor is None or product.donor.age is None:
        add("donor age", None, "year", "assumed: any adult; no slope is applied", "C")
    for name in KINDS[product.type].assumed:
        if name not in stated_priors(product):
            prior(name, name)
    if product.type in ALIVE and (product.hold is None or product.hold.temperature is None):
        prior("hold temperature", "hold_temperature")
    if culture is None or culture.doubling_time is None:
        add("doubling time", kind.doubling_time, "h", kind.basis, kind.grade)
    if attribute(product, "viability") is not None and not (product.count and product.count.viability_sd):
        prior("error of the viability", "viability_sd")
    return found


def _ended(lot: Lot) -> list[str]:
    """Say of a culture that it is past its doublings, where growth tells no more."""
    found = expand(lot)
    now, ending = float(np.median(found.doublings)), float(np.median(found.ending))
    if now < ending:
        return []
    return [
        f"At {now:.0f} doublings the culture is past the {ending:.0f} at which cells of this source and "
        "donor usually end: growth and senescence are those of the end."
    ]


def _radar(
    product: Product, earlier: Mapping[str, Product], key: str, draws: int, seed: int
) -> dict[str, Any]:
    """Median of each property against a fresh lot of the source at the reference passage; more is better."""
    usual = Product(
        type=product.type, source=product.source, passage=round(read_priors()["passage_reference"].value)
    )
    base = _medians(usual, key, draws, seed)
    names = [a for a in AXES if base.get(a[1])] if product.type not in WITHOUT_CELLS else [AXES[0]]
    lots = {product.lot or "this lot": product, **{n: p for n, p in earlier.items() if _alike(p, product)}}
    shown = {}
    for name, one in lots.items():
        own = _medians(one, key, draws, seed)
        ratios = [
            own[axis] / base[axis] if up else base[axis] / own[axis] if own[axis] else BEST
            for _, axis, up in names
        ]
        shown[name] = [float(r) for r in ratios]
    return {"axes": [a[0] for a in names], "reference": f"{product.source}, passage 4, fresh", "lots": shown}


def _alike(one: Product, other: Product) -> bool:
    return (one.type in WITHOUT_CELLS) == (other.type in WITHOUT_CELLS) and one.type in (
        *OF_CELLS,
        *WITHOUT_CELLS,
    )


def _medians(product: Product, key: str, draws: int, seed: int) -> dict[str, float]:
    return {n: float(np.median(v)) for n, v in _properties(_lot(product, key, draws, seed)).items()}
