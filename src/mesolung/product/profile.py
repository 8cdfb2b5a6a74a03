"""What the body receives: from a product's description to live cells, dead cells and their properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.product.priors import lots, read_sources
from mesolung.product.product import Product


@dataclass(frozen=True)
class Profile:
    """One lot a replicate, as the body meets it.

    Attributes:
        viable: float64[R], share of the counted cells that are alive when they are given.
        lysed: float64[R], share of the viable cells that complement destroys on contact with blood.
        apoptotic: float64[R], share of the non-viable cells that arrive as apoptotic cells.
        parameters: model parameters of module "product", each float64[R], dimensionless.
    """

    viable: NDArray[np.float64]
    lysed: NDArray[np.float64]
    apoptotic: NDArray[np.float64]
    parameters: Mapping[str, NDArray[np.float64]]


def product_identity(product: Product) -> str:
    """Identify a product by what is stated of it, so that equal products share their lots.

    Arguments:
        product: the validated product.

    Returns:
        16 hexadecimal digits.
    """
    return blake2b(
        product.model_dump_json(exclude=None if product.species else {"species"}).encode(), digest_size=8
    ).hexdigest()


def lot_profile(product: Product, *, key: str, draws: NDArray[np.intp], seed: int, in_blood: bool) -> Profile:
    """Draw the lots that the replicates of a study give.

    Arguments:
        product: a product of type "cells".
        key: of the parameter draws, keys the typical values.
        draws: intp[R], parameter draw of each replicate.
        seed: the study's seed.
        in_blood: whether the route meets complement.

    Returns:
        the profile, arrays of length R. A viability that the study states is the lot's, at its release;
        what happens between release and vein is drawn all the same.

    Source: product-side laws in docs/product.md; numbers in ``priors.csv`` and ``sources.csv``.
    """
    identity = product_identity(product)
    traits = read_sources()[product.source]

    def lot(name: str, group: str = "") -> NDArray[np.float64]:
        return lots(name, key=key, draws=draws, seed=seed, product=identity, group=group)

    frozen = bool(product.cryopreserved)
    if product.viability is not None:
        released = np.full(draws.shape, product.viability)
    else:
        released = lot("viability_cryopreserved" if frozen else "viability_fresh")
    viable = released * np.exp(-lot("hold_loss") * lot("hold_time"))

    odds = np.log(lot("lysis_frozen_odds")) if frozen else 0.0
    lysed = expit(logit(lot("complement_lysis")) + odds) if in_blood else np.zeros(draws.shape)

    reference = lot("passage_reference")
    passage = lot("passage_unstated") if product.passage is None else np.full(draws.shape, product.passage)
    # Culture age moves potency through one latent state: none lost up to the reference passage, the
    # whole loss at senescence, and on in proportion.
    age = np.maximum(passage - reference, 0.0) / np.maximum(traits.senescence_passage - reference, 1.0)
    potency = (
        lot("potency_source", product.source) * lot("potency_lot") * np.exp(-lot("potency_senescence") * age)
    )

    lag = lot("licensing_frozen_lag") if frozen else np.zeros(draws.shape)
    life = lot("licensing_life")
    return Profile(
        viable=viable,
        lysed=lysed,
        apoptotic=lot("apoptotic_share"),
        parameters={
            "product_potency": potency,
            # A cell that answers only after a lag has that much less of its life in the lung to be licensed.
            "product_licensing": life / (life + lag),
            "product_procoagulant": traits.procoagulant * lot("procoagulant_lot"),
            "product_size": lot("size_lot"),
            "product_loss": lot("loss_lot"),
            "product_efferocytosis": lot("efferocytosis_lot"),
        },
    )
