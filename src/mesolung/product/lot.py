"""The lots of one product that the replicates of a study give, and the traits that all cells share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.priors import SourceTraits, lots, read_sources
from mesolung.product.product import Product


@dataclass(frozen=True)
class Lot:
    """The lots of a product, one a replicate; a call draws one of their properties.

    Attributes:
        product: the validated product.
        key: of the parameter draws, keys the typical values.
        draws: intp[R], parameter draw of each replicate.
        seed: the study's seed, keys the lots.
        typical: parameter of the model -> float64[D], its typical value in each draw.
    """

    product: Product
    key: str
    draws: NDArray[np.intp]
    seed: int
    typical: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __call__(self, name: str, group: str = "") -> NDArray[np.float64]:
        """Draw the property ``name`` of ``priors.csv``, in its unit: float64[R]; ``group`` as in `lots`."""
        return lots(
            name,
            key=self.key,
            draws=self.draws,
            seed=self.seed,
            product=product_identity(self.product),
            group=group,
        )

    def parameter(self, name: str) -> NDArray[np.float64]:
        """The typical value of a parameter of the model in each replicate's draw: float64[R]."""
        return self.typical[name][self.draws]

    def all(self, value: float) -> NDArray[np.float64]:
        """The same value for every lot: float64[R]."""
        return np.full(self.draws.shape, value)

    @property
    def traits(self) -> SourceTraits:
        """What the tissue of origin sets."""
        return read_sources()[self.product.source]

    @property
    def culture_age(self) -> NDArray[np.float64]:
        """float64[R], 0 up to the reference passage, 1 at senescence, and on in proportion."""
        reference = self("passage_reference")
        stated = self.product.passage
        passage = self("passage_unstated") if stated is None else self.all(stated)
        return np.maximum(passage - reference, 0.0) / np.maximum(
            self.traits.senescence_passage - reference, 1.0
        )

    @property
    def potency(self) -> NDArray[np.float64]:
        """float64[R], what the factors or vesicles of the lot do against the reference.

        Culture age moves it through one latent state: none lost up to the reference passage, the whole loss
        at senescence, and on in proportion.
        """
        source = self("potency_source", self.product.source)
        return source * self("potency_lot") * np.exp(-self("potency_senescence") * self.culture_age)

    def delivered(self, route: Route) -> NDArray[np.float64]:
        """Share of what is given that arrives where the route puts it.

        Arguments:
            route: row of ``routes.csv``, which has the typical share.

        Returns:
            float64[R]; exactly 1 or 0 where the typical share is.
        """
        return self._moved(route.delivered, f"route:{route.name}")

    def absorbed(self, route: Route) -> NDArray[np.float64]:
        """Share of vesicles and factors that leaves where they were injected for the blood: float64[R]."""
        return self._moved(route.absorbed, f"absorbed:{route.name}")

    def _moved(self, share: float, group: str) -> NDArray[np.float64]:
        if share in (0.0, 1.0):
            return self.all(share)
        return expit(logit(share) + self("delivery", group))


def product_identity(product: Product) -> str:
    """Identify a product by what is stated of it, so that equal products share their lots.

    Arguments:
        product: the validated product.

    Returns:
        16 hexadecimal digits.
    """
    return blake2b(product.identity_text.encode(), digest_size=8).hexdigest()
