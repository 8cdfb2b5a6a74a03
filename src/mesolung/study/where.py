"""A filter on the simulated subjects by what they are at enrolment: ``sofa >= 8 and age < 65 year``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import output_of
from mesolung.study.frozen import Frozen
from mesolung.trial.outcomes import Outcomes
from mesolung.trial.support import ON

Relation = Literal[">=", "<=", ">", "<", "="]
COMPARE: Mapping[Relation, Callable[[NDArray, float], NDArray[np.bool_]]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "=": np.equal,
}
# What trials divide their subjects by that is no line of table 1: name -> output that is on or off.
SUPPORTS: Mapping[str, str] = {"ventilation": "ventilated", "vasopressor": "vasopressor"}


class Condition(Frozen):
    """One comparison.

    Attributes:
        name: baseline name.
        relation: how the subject's value at enrolment stands to ``value``.
        value: in ``unit``.
        unit: base unit of the name.
    """

    name: str
    relation: Relation
    value: float
    unit: str

    @property
    def text(self) -> str:
        """The comparison in base units, as ``pf_ratio < 150 mmHg``."""
        unit = "" if self.unit in ("points", "fraction") else f" {self.unit}"
        return f"{self.name} {self.relation} {self.value:g}{unit}"


class Where(Frozen):
    """Conditions that a subject meets all of, sorted, so that equal filters are equal."""

    conditions: tuple[Condition, ...]

    @property
    def text(self) -> str:
        """The filter in base units."""
        return " and ".join(condition.text for condition in self.conditions)

    @property
    def names(self) -> tuple[str, ...]:
        """Baseline names that it reads, each once."""
        return tuple(dict.fromkeys(condition.name for condition in self.conditions))

    def keeps(self, outcomes: Outcomes, covariates: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Tell which subjects meet it.

        Arguments:
            outcomes: their courses, the first output at enrolment.
            covariates: name -> float64[n].

        Returns:
            bool[n]; a subject whose value is not known does not meet it.

        Raises:
            KeyError: for a name that neither has.
        """
        kept = np.ones(outcomes.size, np.bool_)
        for one in self.conditions:
            values = covariates[one.name] if one.name in covariates else _at_enrolment(outcomes, one.name)
            kept &= COMPARE[one.relation](values, one.value)
        return kept


def _at_enrolment(outcomes: Outcomes, name: str) -> NDArray[np.float64]:
    if name in SUPPORTS:
        values = outcomes.output(SUPPORTS[name])[:, 0]
        return np.where(np.isnan(values), np.nan, (values >= ON).astype(np.float64))
    return outcomes.output(output_of(name))[:, 0]
