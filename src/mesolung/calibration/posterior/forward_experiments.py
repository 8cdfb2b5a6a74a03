"""Forward models of experiments: where cells go, and what cells and vesicles do in cultures and animals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.experiments import laboratory_of, run_relations
from mesolung.calibration.posterior.forward import Work
from mesolung.calibration.posterior.likelihoods import OF_LEVELS, UNKNOWN_ERROR, by_laboratory
from mesolung.calibration.relations.listing import FIT, relations
from mesolung.calibration.relations.relation import EFFECT, FATE, Relation
from mesolung.calibration.verdict import NORMAL_95
from mesolung.study.catalogue import groups

Values = NDArray[np.float64]
LEAST = 1e-6
AT_ONCE = "@0d"


@dataclass(frozen=True)
class Fate:
    """Published amounts of cells, label and donor DNA by place and time."""

    @cached_property
    def found(self) -> list[Relation]:
        """Relations of cell fate that are a number above 0, but for the moment of the dose itself."""
        return [
            one
            for one in relations(FIT)
            if one.about == FATE
            and one.measure in ("level", "ratio")
            and not one.endpoint.endswith(AT_ONCE)
            and float(one.published) > 0.0  # type: ignore[arg-type]
        ]

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """On the log scale; a series is one endpoint of one study."""
        return admitted([datum_of_relation(one) for one in self.found], "fate")

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        out = np.full((ensemble.count, len(self.found)), np.nan)
        place = {one.key: k for k, one in enumerate(self.found)}
        for told in run_relations(self.found, ensemble, work):
            low = LEAST * float(told.relation.published)  # type: ignore[arg-type]
            out[:, place[told.relation.key]] = np.log(np.maximum(told.values, low))
        return out


@dataclass(frozen=True)
class Carriers:
    """Effects of cells and vesicles in cultures, animals and lungs out of the body.

    Attributes:
        discrepancy: of the model, on the natural-log scale.
    """

    discrepancy: float

    @cached_property
    def found(self) -> list[Relation]:
        """Relations that a product is part of."""
        return [one for one in relations(FIT) if one.about == EFFECT]

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """Sizes, orders and directions; a series is a laboratory."""
        return admitted([datum_of_relation(one) for one in self.found], "carriers")

    def log_likelihoods(self, ensemble: Ensemble, work: Work) -> dict[str, Values]:
        """As `mesolung.calibration.posterior.forward.Weighing`: of each laboratory."""
        return by_laboratory(run_relations(self.found, ensemble, work), self.discrepancy)


def datum_of_relation(one: Relation) -> Datum:
    """A published relation as a datum; a direction or an order is a number only to be told apart by.

    Arguments:
        one: the relation.
    """
    number = one.measure in ("level", "ratio") and float(one.published) > 0.0  # type: ignore[arg-type]
    value = float(one.published) if number else 0.0  # type: ignore[arg-type]
    error = 1.0
    if number:
        known = one.low is not None and one.high is not None and 0.0 < one.low < one.high
        error = math.log(one.high / one.low) / (2.0 * NORMAL_95) if known else UNKNOWN_ERROR  # type: ignore[operator]
        error = math.hypot(error, OF_LEVELS if one.measure == "level" else 0.0)
    return Datum(
        f"{one.key} {one.endpoint} {one.measure}",
        value,
        math.log(value) if number else 0.0,
        error,
        laboratory_of(one.study) if one.about == EFFECT else f"{one.study} {one.endpoint.split('@')[0]}",
        one.measure,
        one.study,
        one.status,
        _group(one),
    )


def _group(one: Relation) -> str:
    used = groups(one.study)
    return next((used[i] for i in (one.observation, *one.beside) if used[i] != FIT), FIT)
