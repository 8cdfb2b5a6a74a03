"""Traits of subjects that every disease's population has and that no law of the model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.columns import named_rows, number_of, one_of, required_of, text_of
from mesolung.biology.course import Spread
from mesolung.biology.parameters import GRADES
from mesolung.biology.spreads import DISTRIBUTIONS
from mesolung.reading import Row

COLUMNS = (
    "name", "distribution", "value", "sd", "unit", "lowest", "highest", "source", "grade", "meaning",
)  # fmt: skip
SMOKER = "smoker"
PACK_YEARS = "pack_years"
# Standard normal number of a subject's acute physiology, constant over its course.
PHYSIOLOGY = "physiology"
SCORES = (SMOKER, PACK_YEARS, PHYSIOLOGY)
# Lower ends of the age bands of APACHE II, years, and their points: Knaus 1985,
# doi 10.1097/00003246-198510000-00009.
APACHE_AGES = (45.0, 55.0, 65.0, 75.0)
APACHE_AGE_POINTS = (0.0, 2.0, 3.0, 5.0, 6.0)
APACHE_HIGHEST = 71.0


@dataclass(frozen=True)
class Trait:
    """A row of ``traits.csv``.

    Attributes:
        spread: typical value and how it differs between subjects.
        source, grade, meaning: as in the table of parameters.
    """

    spread: Spread
    source: str
    grade: str
    meaning: str


@cache
def traits() -> Mapping[str, Trait]:
    """Read ``traits.csv``: name -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.biology") / "traits.csv", COLUMNS, _trait)


def _trait(row: Row) -> Trait:
    lowest, highest = number_of(row, "lowest"), number_of(row, "highest")
    spread = Spread(
        distribution=one_of(row, "distribution", DISTRIBUTIONS),
        value=required_of(row, "value"),
        sd=number_of(row, "sd") or 0.0,
        unit=text_of(row, "unit"),
        lowest=-np.inf if lowest is None else lowest,
        highest=np.inf if highest is None else highest,
    )
    return Trait(spread, text_of(row, "source"), one_of(row, "grade", GRADES), text_of(row, "meaning"))


@cache
def traits_hash() -> str:
    """Identify ``traits.csv`` by its text: 16 hexadecimal digits."""
    return blake2b((files("mesolung.biology") / "traits.csv").read_bytes(), digest_size=8).hexdigest()


def with_traits(
    drawn: Mapping[str, NDArray[np.float64]], z: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Add to the covariates of a disease's population those that follow from them or stand beside them.

    Arguments:
        drawn: covariates that the disease draws, name -> float64[n].
        z: standard normal numbers float64[n] by the names of `SCORES`.

    Returns:
        name -> float64[n]: what was drawn, ``pbw`` (kg) where height and sex are known, ``smoker`` (0 or 1),
        ``pack_years`` and ``physiology`` (standard normal) where the disease does not draw them itself.
    """
    result = dict(drawn)
    if "height" in drawn and "female" in drawn:
        result.setdefault("pbw", predicted_weight(drawn))
    smoker = result.setdefault(SMOKER, traits()[SMOKER].spread.at(z[SMOKER]))
    amount = traits()[PACK_YEARS].spread.at(z[PACK_YEARS])
    result.setdefault(PACK_YEARS, np.where(smoker > 0.5, amount, 0.0))
    result[PHYSIOLOGY] = z[PHYSIOLOGY]
    return result


def predicted_weight(covariates: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Predicted body weight from height and sex.

    Arguments:
        covariates: ``height`` in cm and ``female`` as 0 or 1.

    Returns:
        float64[n], kg.

    Source: ARDS Network 2000, doi 10.1056/NEJM200005043421801: 50 (women 45.5) + 0.91 (height - 152.4 cm).
    """
    return 50.0 - 4.5 * covariates["female"] + 0.91 * (covariates["height"] - 152.4)


def apache2(
    age: NDArray[np.float64], sofa: NDArray[np.float64], physiology: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Severity score APACHE II: its own age points, and acute physiology as an assumed line in SOFA.

    Arguments:
        age: years.
        sofa: points, oxygenation among them.
        physiology: standard normal number of the subject.

    Returns:
        float64, shape of the arguments, points from 0 to 71.

    Source of the age points: Knaus 1985, doi 10.1097/00003246-198510000-00009; the line is assumed
    (``traits.csv``). Chronic health points are in the intercept.
    """
    points = np.asarray(APACHE_AGE_POINTS)[np.searchsorted(APACHE_AGES, age, side="right")]
    table = traits()
    acute = (
        table["apache2_intercept"].spread.value
        + table["apache2_per_sofa"].spread.value * sofa
        + table["apache2_residual"].spread.value * physiology
    )
    return np.clip(points + np.maximum(acute, 0.0), 0.0, APACHE_HIGHEST)
