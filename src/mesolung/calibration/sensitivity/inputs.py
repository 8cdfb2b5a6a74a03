"""The uncertain inputs of a study, each as a function of its own quantile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameter
from mesolung.population.draws import PRIOR_NAME, Draws
from mesolung.reading import Refusal
from mesolung.streams import typical, uniforms

Values = NDArray[np.float64]
# The typical properties of products are drawn together; a quantile of this input picks one such draw.
PRODUCT = "product"
PRODUCT_MEANING = "typical properties of the product, all those of product/priors.csv together"
PRODUCT_DRAWS = 4096
MEDIAN = 0.5


@dataclass(frozen=True)
class Input:
    """An uncertain number of a study.

    Attributes:
        id: of the parameter, or "product".
        module, unit, grade, meaning: as in its table.
    """

    id: str
    module: str
    unit: str
    grade: str
    meaning: str


def inputs_of(draws: Draws, reached: Iterable[str], product: bool) -> list[Input]:
    """List what is uncertain and can act.

    Arguments:
        draws: gives the rows of parameters, and which of them differ between draws.
        reached: names that the study's outputs rest on.
        product: whether an arm is given a product.

    Returns:
        the inputs in the table's order, the product's last.
    """
    known = set(reached)
    found = [
        Input(row.id, row.module, row.unit, row.grade, row.meaning)
        for row in draws.parameters.values()
        if row.id in known and is_uncertain(draws, row)
    ]
    if product:
        found.append(Input(PRODUCT, "product", "1", "C", PRODUCT_MEANING))
    return found


def is_uncertain(draws: Draws, row: Parameter) -> bool:
    """Whether a parameter's typical value differs between draws.

    Arguments:
        draws: prior or posterior.
        row: of the parameter.
    """
    if draws.posterior.startswith(PRIOR_NAME):
        return row.distribution != "fixed" and any(float(x or 0.0) > 0 for x in row.uncertainty.split(";"))
    return bool(np.ptp(draws.values[row.id]) > 0)


def named(inputs: Sequence[Input], names: Sequence[str]) -> list[Input]:
    """Pick inputs by name.

    Arguments:
        inputs: from `inputs_of`.
        names: ids.

    Returns:
        those inputs, in the order of ``names``.

    Raises:
        Refusal: for a name that is no uncertain input of the study, or stands twice.
    """
    known = {one.id: one for one in inputs}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.6)
            meant = f"{' or '.join(near)}, or another of " if near else ""
            raise Refusal(
                "no uncertain parameter that can act on this study's endpoints",
                found=name,
                allowed=f"{meant}{len(known)} parameters; mesolung explain parameters lists them",
            )
    if len(set(names)) < len(names):
        raise Refusal("a parameter is named twice", found=",".join(names), allowed="each once")
    return [known[name] for name in names]


def value_at(draws: Draws, name: str, u: Values) -> Values:
    """Values of a parameter at quantiles of its own distribution.

    Arguments:
        draws: prior or posterior; of a posterior the stored draws are the distribution.
        name: of the parameter.
        u: float64[P], on (0, 1).

    Returns:
        float64[P], in the parameter's unit. A spike at 0 takes the lowest quantiles of a prior.
    """
    row = draws.parameters[name]
    if draws.posterior.startswith(PRIOR_NAME):
        return typical(row.distribution, row.value, row.uncertainty, u)
    return np.quantile(draws.values[name], u, method="inverted_cdf")


@dataclass(frozen=True)
class Moved:
    """Draws that all have the same typical values, one point after another.

    Attributes:
        draws: prior or posterior.
        columns: id -> float64[P], of the inputs that are moved.
        medians: id -> the value of every other uncertain parameter.
        product: float64[P], quantile of the product's draw.
    """

    draws: Draws
    columns: Mapping[str, Values]
    medians: Mapping[str, float]
    product: Values

    def at(self, point: int) -> Draws:
        """The draws of one point.

        Arguments:
            point: its number.
        """
        count = self.draws.count
        own = {name: np.broadcast_to(column[point], count) for name, column in self.columns.items()}
        rest = {name: np.broadcast_to(np.float64(value), count) for name, value in self.medians.items()}
        return replace(self.draws, values={**self.draws.values, **rest, **own})

    def given(self, point: int) -> Draws:
        """As `at`, with the key that the product's typical properties are drawn by at that point.

        Arguments:
            point: its number.
        """
        number = int(self.product[point] * PRODUCT_DRAWS)
        return replace(self.at(point), key=f"{self.draws.key}|product {number}")


def moved(draws: Draws, inputs: Sequence[Input], points: Values) -> Moved:
    """Move inputs to quantiles of their own.

    Arguments:
        draws: prior or posterior.
        inputs: k, that are moved; every other uncertain parameter is at its median.
        points: float64[P, k], quantiles.
    """
    columns = {
        one.id: value_at(draws, one.id, points[:, j]) for j, one in enumerate(inputs) if one.id != PRODUCT
    }
    middle = np.array([MEDIAN])
    medians = {
        name: float(value_at(draws, name, middle)[0])
        for name, row in draws.parameters.items()
        if name not in columns and is_uncertain(draws, row)
    }
    product = [points[:, j] for j, one in enumerate(inputs) if one.id == PRODUCT]
    return Moved(draws, columns, medians, product[0] if product else np.full(len(points), MEDIAN))


def drawn(draws: Draws, count: int, seed: int) -> Moved:
    """The first draws as they are, all their parameters together.

    Arguments:
        draws: prior or posterior.
        count: P; at most as many as there are.
        seed: keys the product's draws.
    """
    columns = {
        name: draws.values[name][:count] for name, row in draws.parameters.items() if is_uncertain(draws, row)
    }
    return Moved(draws, columns, {}, uniforms(seed, "sensitivity product", 0, count))
