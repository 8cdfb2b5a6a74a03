"""Products given alive: mesenchymal cells, and fibroblasts as their controls."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.acts import stated_acts
from mesolung.product.assays import PROPERTIES
from mesolung.product.lot import Lot
from mesolung.product.received import CELLS_PER_GCELL, Profile

MEDIATORS = "inflammatory mediators"  # priming by which leaves a memory of licensing
TUMOUR_PARTS = ("stroma", "vessels", "evasion", "survival", "spread")
USUAL_DMSO = 10.0  # percent
_DMSO = re.compile(r"(\d+(?:\.\d+)?)\s*% DMSO")
MIST = ("nebulised", "inhaled")  # routes on which cells pass a nebuliser


def cells(lot: Lot, route: Route, unit: str) -> Profile:
    """Give mesenchymal cells.

    Arguments:
        lot: the lots; a viability that the study states is the lot's, at its release, and what happens
            between release and body is drawn all the same.
        route: row of ``routes.csv``.
        unit: of the dose, "cells".

    Returns:
        the profile.
    """
    frozen = bool(lot.product.cryopreserved)
    viable = released(lot) * np.exp(-lot("hold_loss") * np.exp(lot.shift("hold_loss")) * hold_time(lot))
    if route.name in MIST:
        viable = viable * lot("nebulised_viability")
    odds = (np.log(lot("lysis_frozen_odds")) if frozen else 0.0) + lot.shift("complement_lysis")
    lysed = expit(logit(lot("complement_lysis")) + odds) if route.through_blood else lot.all(0.0)
    return Profile(
        per_unit=lot.all(1.0),
        viable=viable,
        lysed=lysed,
        apoptotic=lot("apoptotic_share"),
        delivered=lot.delivered(route),
        particles=lot.all(0.0),
        soluble=remembered(lot, route, viable * (1.0 - lysed)),
        parameters=cell_parameters(lot),
    )


def fibroblasts(lot: Lot, route: Route, unit: str) -> Profile:
    """Give fibroblasts: they come and die as mesenchymal cells do, are not licensed, and secrete little.

    Arguments and returns: as `cells`.
    """
    given = cells(lot, route, unit)
    little = lot("control_secretion")
    own = dict(given.parameters)
    for name in ("product_potency", "product_mito", "product_contact"):
        own[name] = own[name] * little
    own["product_efferocytosis"] = own["product_efferocytosis"] * lot("control_yield")
    own["product_licensing"] = lot.all(0.0)
    own["product_ido"] = lot.all(0.0)
    return Profile(
        given.per_unit,
        given.viable,
        given.lysed,
        given.apoptotic,
        given.delivered,
        given.particles,
        given.soluble,
        own,
    )


def released(lot: Lot) -> NDArray[np.float64]:
    """Share of the counted cells that are alive at release: float64[R], as stated or from the prior."""
    if lot.product.viability is not None:
        return lot.all(lot.product.viability)
    drawn = lot("viability_cryopreserved" if lot.product.cryopreserved else "viability_fresh")
    thawed = lot.shift("viability")
    return expit(logit(drawn) + thawed) if np.any(thawed) else drawn


def hold_time(lot: Lot) -> NDArray[np.float64]:
    """Time from thaw or harvest to the body, h: float64[R], what the lot file says or the prior."""
    stated = lot.product.hold.time if lot.product.hold else None
    return lot("hold_time") if stated is None else lot.all(stated)


def lag(lot: Lot) -> NDArray[np.float64]:
    """Mean time until a thawed cell answers cytokines again, h: float64[R], 0 of cells never frozen."""
    if not lot.product.cryopreserved:
        return lot.all(0.0)
    found = lot("licensing_frozen_lag") * np.exp(lot.shift("licensing_lag"))
    if lot.product.freezing and lot.product.freezing.rescue is not None:
        found = np.maximum(found - lot.product.freezing.rescue, 0.0)
    return found


def recovery(lot: Lot) -> dict[str, NDArray[np.float64]]:
    """Set what the cells regain in the body over hours, and how fast.

    Arguments:
        lot: the lots.

    Returns:
        parameter of module "product" -> float64[R].
    """
    waits = lag(lot)
    asleep = waits > 0.0
    return {
        "product_asleep": asleep.astype(float),
        "product_waking": 1.0 / np.where(asleep, waits, 1.0),
        "product_drift": lot.returning,
        "product_reverting": 1.0 / lot("reversion_time"),
    }


def over_life(lot: Lot, own: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Work out secretion and licensing on average over the life of a cell in the lung.

    Arguments:
        lot: the lots.
        own: parameters of module "product".

    Returns:
        the same parameters, "product_potency" and "product_licensing" as means over that life.
    """
    drift = own["product_drift"] * lot.over_life(own["product_reverting"])
    asleep = own["product_asleep"] * lot.over_life(own["product_waking"])
    return {
        **own,
        "product_potency": own["product_potency"] * np.exp(-drift),
        "product_licensing": own["product_licensing"] * (1.0 - asleep),
    }


def hla(lot: Lot) -> NDArray[np.float64]:
    """Mismatch that the host sees: float64[R], 0 of its own cells, 1 of foreign lots on average.

    An edit takes from it and adds nothing; an assay tells of lots on both sides of the typical one.
    """
    if lot.product.autologous:
        return lot.all(0.0)
    foreign = lot.before("hla")
    own = lot.own("hla", foreign)
    return own if lot.is_assayed("hla") else np.minimum(own, foreign)


def remembered(lot: Lot, route: Route, alive: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Count the cells that remember a licensing from before they were given, none without a mediator.

    Arguments:
        lot: the lots.
        route: row of ``routes.csv``.
        alive: float64[R], share of the counted cells that comes alive to where the route puts it.

    Returns:
        state -> float64[R], Gcell for one counted cell.
    """
    if not any(one.kind == MEDIATORS for one in lot.product.priming):
        return {}
    return {"MSC_memory": lot("memory") * alive * lot.delivered(route) / CELLS_PER_GCELL}


def transformation(lot: Lot) -> NDArray[np.float64]:
    """How far a lot's cells went of the passages in which those of its source end: float64[R], from 0 up."""
    return lot("transformation") * np.maximum(lot.passage, 0.0) / lot.traits.senescence_passage


def missing_self(lot: Lot) -> NDArray[np.float64]:
    """Share of HLA class I that the cells lack: float64[R], 0 where nothing is stated that takes it off."""
    return np.clip(lot.shift("missing_self"), 0.0, 1.0)


def dmso(lot: Lot) -> NDArray[np.float64]:
    """DMSO given with a cell, 1 = frozen in 10 % and not washed: float64[R].

    A product of which nothing is stated counts as such; one never frozen has none. A wash leaves
    ``dmso_washed`` of it, thinning takes none off the dose.
    """
    if lot.product.cryopreserved is False:
        return lot.all(0.0)
    freezing = lot.product.freezing
    said = freezing.cryoprotectant if freezing else None
    share = _DMSO.search(said) if said else None
    strength = 1.0 if said is None else float(share[1]) / USUAL_DMSO if share else float("DMSO" in said)
    left = lot("dmso_washed") if freezing and freezing.thaw == "washed" else lot.all(1.0)
    return strength * left


def pyrogen(lot: Lot) -> NDArray[np.float64]:
    """Endotoxin of the lot, 1 = usual: float64[R]; below the assay's limit half of the limit at most."""
    safety, usual = lot.product.safety, lot("endotoxin_usual")
    if safety is not None and safety.endotoxin is not None:
        return safety.endotoxin / usual
    if safety is not None and safety.endotoxin_below is not None:
        return np.minimum(1.0, 0.5 * safety.endotoxin_below / usual)
    return lot.all(1.0)


def in_the_lung(lot: Lot) -> dict[str, NDArray[np.float64]]:
    """Set parameters of fate that a donor's age or an intervention moves: none where nothing of it is stated.

    Arguments:
        lot: the lots; its typical values give the parameters.

    Returns:
        parameter -> float64[R], in its unit.
    """
    moved = {act.on for act, _ in stated_acts(lot.product)}
    return {
        PROPERTIES[name]: lot.own(name, lot.parameter(PROPERTIES[name]))
        for name in ("homing", "engraftment")
        if name in moved and PROPERTIES[name] in lot.typical
    }


def cell_parameters(lot: Lot) -> dict[str, NDArray[np.float64]]:
    """Set what the model knows of the cells of a lot.

    Arguments:
        lot: the lots.

    Returns:
        parameter of module "product" -> float64[R], dimensionless, 1 = reference but for shares and switches;
        and those of fate that what is stated moves.
    """
    now = recovery(lot)
    return {
        # The law takes off what has not gone back yet.
        "product_potency": lot.potency
        * np.exp(now["product_drift"] * lot.over_life(now["product_reverting"])),
        "product_licensing": lot.own("licensing", lot.before("licensing")),
        **now,
        "product_procoagulant": lot.traits.procoagulant * lot.own("procoagulant", lot.before("procoagulant")),
        "product_size": lot.own("size", lot.before("size")),
        "product_loss": lot.own("loss", lot.before("loss")),
        "product_efferocytosis": lot.own("efferocytosis", lot("efferocytosis_lot")),
        "product_ev": lot("ev_lot"),
        "product_ev_size": lot("ev_size_lot"),
        "product_mito": lot.own("mito", lot("mito_lot")),
        "product_contact": lot.own("contact", lot("contact_lot")),
        "product_aggregates": lot("aggregates"),
        "product_tumour": lot("tumour", lot.product.source),
        **{
            f"product_tumour_{one}": lot("tumour_part", f"{lot.product.source}:{one}") for one in TUMOUR_PARTS
        },
        "product_transformation": transformation(lot),
        "product_dmso": dmso(lot),
        "product_pyrogen": pyrogen(lot),
        "product_nk": missing_self(lot),
        "product_tlr4": lot.all(lot.traits.tlr4),
        "product_hla": hla(lot),
        # What a donor's cells sense of a host of another species is set with the host.
        "product_ido": lot.all(1.0),
        "product_cross_ifng": lot.all(1.0),
        "product_cross_tnf": lot.all(1.0),
        "product_cross_il1": lot.all(1.0),
        **in_the_lung(lot),
    }
