"""What was learnt, parameter by parameter: how much narrower, how far moved; and the draws for ArviZ."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from mesolung.biology.parameters import Parameters, read_parameters
from mesolung.population.posterior import Posterior
from mesolung.reading import Refusal

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Learnt:
    """One fitted parameter.

    Attributes:
        name, unit, grade, meaning: of its row.
        stage: the last that moved it.
        prior, posterior: 5, 50 and 95 % of the draws, in the unit.
        contraction: 1 - variance after over variance before, on the scale on which the prior is normal.
        moved: from the prior's mean to the posterior's, in the prior's standard deviations.
    """

    name: str
    unit: str
    grade: str
    meaning: str
    stage: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    contraction: float
    moved: float


def learnt(posterior: Posterior, table: Parameters | None = None) -> list[Learnt]:
    """Sum up every fitted parameter.

    Arguments:
        posterior: any.
        table: of parameters; None for the bundled one.

    Returns:
        a line a parameter, the most contracted first.
    """
    table = table or read_parameters()
    found = []
    for name in posterior.names:
        row = table[name]
        before, after = posterior.latent_prior(name), posterior.latent(name)
        spread = float(before.std()) or 1.0
        found.append(
            Learnt(
                name,
                row.unit,
                row.grade,
                row.meaning,
                posterior.stage_of(name),
                _quantiles(posterior.prior_of(name)),
                _quantiles(posterior.values_of(name)),
                posterior.contraction(name),
                float((np.average(after, weights=posterior.weights) - before.mean()) / spread),
            )
        )
    return sorted(found, key=lambda one: -one.contraction)


def inference_data(posterior: Posterior) -> Any:
    """The draws as ArviZ reads them, for its tables and plots.

    Arguments:
        posterior: any.

    Returns:
        ``arviz.InferenceData`` with groups "posterior" and "prior", one chain, a variable a fitted parameter.

    Raises:
        Refusal: where ArviZ is not installed.
    """
    try:
        arviz = import_module("arviz")
    except ImportError as error:
        raise Refusal(
            "arviz is not installed", found=str(error), allowed='pip install "mesolung[fit]"'
        ) from None
    return arviz.from_dict(
        posterior={name: posterior.values_of(name)[None, :] for name in posterior.names},
        prior={name: posterior.prior_of(name)[None, :] for name in posterior.names},
    )


def _quantiles(values) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, QUANTILES)
    return float(low), float(middle), float(high)
