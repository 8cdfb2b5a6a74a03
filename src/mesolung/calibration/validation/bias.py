"""Bias of published results: terms of the observation model, never of a predicted effect.

A term moves what a study would publish away from the truth, towards benefit. It is drawn once a trial, shared
by all its endpoints and arms, and enters scores alone: a result's arms, contrasts and effects are free of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesolung.calibration.validation.effect import Effect
from mesolung.calibration.validation.treatment import side_of
from mesolung.reading import Refusal
from mesolung.reading.table import read_table
from mesolung.streams import uniforms
from mesolung.study.observation import Observation
from mesolung.study.study import Study

Values = NDArray[np.float64]
NONE, ALL = "none", "all"
IN_ERRORS = "standard error of the comparison"
COLUMNS = ("name", "mean", "sd", "unit", "studies", "endpoints", "status", "source")


@dataclass(frozen=True)
class Bias:
    """One bias term.

    Attributes:
        name: of it.
        mean, sd: of its normal prior over trials; negative is towards benefit.
        unit: "log odds ratio" or "standard error of the comparison".
        studies: "all", "not blinded" or "not randomised": those that have it.
        endpoints: "all" or "subjective".
        status, source: where its size comes from.
    """

    name: str
    mean: float
    sd: float
    unit: str
    studies: str
    endpoints: str
    status: str
    source: str

    def of(self, study: Study, subjective: bool) -> bool:
        """Whether a result has it.

        Arguments:
            study: that published it.
            subjective: whether its endpoint is.
        """
        design = {"not blinded": not study.blinded, "not randomised": not study.randomised}
        return design.get(self.studies, True) and (subjective or self.endpoints == ALL)


@cache
def biases() -> dict[str, Bias]:
    """Read the table of bias terms.

    Returns:
        terms by name.
    """
    rows = read_table(files("mesolung.calibration.validation") / "bias.csv", COLUMNS)
    return {
        row["name"]: Bias(
            row["name"],
            float(row["mean"]),
            float(row["sd"]),
            row["unit"],
            row["studies"],
            row["endpoints"],
            row["status"],
            row["source"],
        )
        for row in rows
    }


def chosen(name: str) -> tuple[Bias, ...]:
    """The terms that a choice on the command line switches on.

    Arguments:
        name: "none", "all" or the name of a term.

    Raises:
        Refusal: for another word.
    """
    if name == ALL:
        return tuple(biases().values())
    if name == NONE:
        return ()
    if name not in biases():
        raise Refusal("unknown bias", found=name, allowed=", ".join([NONE, ALL, *biases()]))
    return (biases()[name],)


def bias_of(
    terms: Sequence[Bias], study: Study, one: Observation, subjective: bool, trial: str, draws: int
) -> Effect | None:
    """The bias of one observation.

    Arguments:
        terms: those that are switched on.
        study: that published it.
        one: the observation.
        subjective: whether its endpoint is.
        trial: whom it shares its bias with.
        draws: D.

    Returns:
        an effect to move its prediction by; None where it has no bias: of a control arm, of arms without any
        treatment, between two treated arms.
    """
    side = side_of(study, one)
    log_ratio, errors = np.zeros(draws), np.zeros(draws)
    found = False
    for term in terms:
        if side == 0 or not term.of(study, subjective):
            continue
        found = True
        drawn = side * (term.mean + term.sd * spread_out(f"bias:{term.name}:{trial}", draws))
        if term.unit == IN_ERRORS:
            errors = errors + drawn
        else:
            log_ratio = log_ratio + drawn
    return Effect(log_ratio, errors) if found else None


def spread_out(purpose: str, draws: int) -> Values:
    """Standard normal numbers, one a draw, evenly spread over their distribution and in an own order.

    Arguments:
        purpose: names the order.
        draws: how many.

    Returns:
        float64[D]; their mean and spread have hardly any Monte-Carlo error.
    """
    order = np.argsort(np.argsort(uniforms(0, purpose, 0, draws), kind="stable"), kind="stable")
    return ndtri((order + 0.5) / draws)
