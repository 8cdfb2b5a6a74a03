"""The lots of one product that the replicates of a study give, and the traits that all cells share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.acts import pairs, stated_acts
from mesolung.product.assays import assays
from mesolung.product.conditioning import conditioned, prior_variance
from mesolung.product.growth import Growth, growth
from mesolung.product.priors import Laboratory, SourceTraits, lots, read_priors, read_sources
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
        laboratory: what the laboratory's own lots say of a property, beside the tables.
    """

    product: Product
    key: str
    draws: NDArray[np.intp]
    seed: int
    typical: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    laboratory: Laboratory = field(default_factory=dict)

    def __call__(self, name: str, group: str = "") -> NDArray[np.float64]:
        """Draw the property ``name`` of ``priors.csv``, in its unit: float64[R]; ``group`` as in `lots`."""
        return lots(
            name,
            key=self.key,
            draws=self.draws,
            seed=self.seed,
            product=product_identity(self.product),
            group=group,
            donor=self._donor if name.endswith("_lot") else None,
            laboratory=self.laboratory,
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
    def _donor(self) -> str | None:
        """Names the donor, where the lot file does."""
        known = self.product.donor.id if self.product.donor else None
        return None if known is None else f"{self.product.source}:{known}"

    def shift(self, on: str) -> NDArray[np.float64]:
        """float64[R], what all that is stated of the lot adds to ``on`` of ``acts.csv``, on its scale."""
        found = self.all(0.0)
        for act, times in stated_acts(self.product):
            if act.on == on:
                found = found + times * act.drawn(self.key, self.draws)
        return found

    def own(self, name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move a property by what is stated of the lot, and by the assays that tell of it.

        Arguments:
            name: a key of `PROPERTIES`.
            value: float64[R], as drawn from the prior.

        Returns:
            float64[R]; exactly ``value`` where nothing is stated.
        """
        return value * np.exp(self.shift(name)) * np.exp(self.learnt(name, value))

    def before(self, name: str) -> NDArray[np.float64]:
        """Draw a property before anything was done to the lot or measured of it.

        Tissue, donor and lot spread it, and the parts that the lot is a mixture of.

        Arguments:
            name: a key of `PROPERTIES` with a row ``name_lot`` of the priors.

        Returns:
            float64[R], against the reference.
        """
        value = self(f"{name}_lot")
        source = f"{name}_source"
        if source not in read_priors():
            return value
        return self.mixed(name, self(source, self.product.source) * value)

    def mixed(self, name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mix the subpopulations of the lot, each with a property of its own: float64[R]."""
        scale = subpopulation_scale(name)
        for one in self.product.subpopulation:
            # The stream of potency has no name of its own.
            stream = one.name if name == "potency" else f"{one.name}:{name}"
            value = value * (1.0 - one.share + one.share * np.exp(scale * self("subpopulation", stream)))
        return value

    def is_assayed(self, name: str) -> bool:
        """Tell whether an assay with its reference lot tells of a property."""
        return any(
            assays()[one.name].about == name and one.value and one.reference for one in self.product.assay
        )

    def learnt(self, name: str, value: NDArray[np.float64], lost: NDArray[np.float64] | None = None) -> Any:
        """Work out what the assays of a property move: float64[R], natural log; 0.0 without assays.

        Arguments:
            name: a key of `PROPERTIES`.
            value: float64[R], as drawn from the prior.
            lost: float64[R], loss of natural log with culture, of a property that has one.
        """
        told = [one for one in self.product.assay if assays()[one.name].about == name]
        told = [one for one in told if one.value and one.reference]
        if not told:
            return 0.0
        here = [(act, times) for act, times in stated_acts(self.product) if act.on == name]
        log = np.log(value) + self.shift(name)
        variance = self.all(prior_variance(name) + sum(times**2 * act.variance for act, times in here))
        if f"{name}_source" in read_priors():
            one_part = subpopulation_scale(name) * float(read_priors()["subpopulation"].uncertainty)
            variance = variance + one_part**2 * sum(part.share**2 for part in self.product.subpopulation)
        if name == "potency":
            one_pair = float(read_priors()["pair_unknown"].uncertainty)
            variance = variance + one_pair**2 * len(pairs(self.product))
        drift = self.all(0.0)
        if lost is not None:
            ages = self.culture_age
            sen = read_priors()["potency_senescence"]
            typical, spread = sen.value, float(sen.uncertainty)
            variance = variance + ages**2 * typical**2 * np.exp(spread**2) * np.expm1(spread**2)
            # In a dish the cells have not gone back yet, as part of them has in the body.
            drift = self._returning(lost) * (1.0 - self.over_life(1.0 / self("reversion_time")))
        return conditioned(
            told,
            about=name,
            log=log,
            in_dish=log - drift,
            variance=variance,
            seed=self.seed,
            identity=product_identity(self.product),
        )

    def over_life(self, rate: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the life of a cell in the lung of what falls with a rate from 1: float64[R].

        Arguments:
            rate: float64[R], 1/h.
        """
        return 1.0 / (1.0 + rate * self("licensing_life"))

    @property
    def returning(self) -> NDArray[np.float64]:
        """float64[R], natural log of potency that culture took and the body gives back over hours."""
        return self._returning(self("potency_senescence") * self.culture_age)

    def _returning(self, lost: NDArray[np.float64]) -> NDArray[np.float64]:
        share = self("culture_reversion")
        # What is lost on average over a cell's life in the lung is known; more of it is lost in the dish.
        return lost * share / (1.0 - share * (1.0 - self.over_life(1.0 / self("reversion_time"))))

    @property
    def culture_age(self) -> NDArray[np.float64]:
        """float64[R], 0 up to the reference passage, 1 at senescence, and on in proportion.

        Population doublings count as the passages in which cells of the source make as many; a donor's age
        brings senescence nearer, and how the cells were grown moves the state by itself.
        """
        reference = self("passage_reference")
        age = np.maximum(self.passage - reference, 0.0) / np.maximum(self.life - reference, 1.0)
        return np.maximum(age + self.shift("culture_state"), 0.0)

    @property
    def passage(self) -> NDArray[np.float64]:
        """float64[R], passages at harvest, by the population doublings where these are stated."""
        culture = self.product.culture
        if culture and culture.population_doublings is not None:
            return self.all(culture.population_doublings / self.growth.doublings_per_passage)
        stated = self.product.passage
        return self("passage_unstated") if stated is None else self.all(stated)

    @property
    def life(self) -> NDArray[np.float64]:
        """float64[R], passage at senescence; what was harvested had not ended before, beyond the usual."""
        usual = self.traits.senescence_passage
        return np.maximum(usual * np.exp(self.shift("life")), np.minimum(self.passage, usual))

    @property
    def growth(self) -> Growth:
        """How cells of the source grow."""
        return growth()[self.product.source]

    @property
    def potency(self) -> NDArray[np.float64]:
        """float64[R], what the factors or vesicles of the lot do against the reference.

        Of living cells the mean over their life in the lung, in which part of the drift goes back.
        Culture age moves it through one latent state: none lost up to the reference passage, the whole loss
        at senescence, and on in proportion.
        """
        lost = self("potency_senescence") * self.culture_age
        source = self("potency_source", self.product.source)
        value = self.mixed("potency", source * self("potency_lot") * np.exp(-lost))
        for first, second in pairs(self.product):
            value = value * np.exp(self("pair_unknown", f"{first}+{second}"))
        return value * np.exp(self.shift("potency")) * np.exp(self.learnt("potency", value, lost))

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


def subpopulation_scale(name: str) -> float:
    """Say how far subpopulations differ in a property, against potency: as far as lots do.

    Arguments:
        name: a key of `PROPERTIES` with a row ``name_lot`` of the priors.
    """
    rows = read_priors()
    return rows[f"{name}_lot"].between_lot / rows["potency_lot"].between_lot


def product_identity(product: Product) -> str:
    """Identify a product by what is stated of it, so that equal products share their lots.

    Arguments:
        product: the validated product.

    Returns:
        16 hexadecimal digits.
    """
    return blake2b(product.identity_text.encode(), digest_size=8).hexdigest()
