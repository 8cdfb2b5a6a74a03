"""The virtual patients that targets of usual care are read from: cohorts, strata and their treated twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.biology.disease import diseases, read_disease
from mesolung.calibration.cohort import DAY, Cohort, cohort, keyed_normals, mostly_solved
from mesolung.calibration.enrolled import Enrolled, enrol
from mesolung.calibration.stays import VENTILATED, admission_of, onset_of
from mesolung.calibration.treated import with_dexamethasone, with_some_steroid, with_tocilizumab
from mesolung.engine import CompiledModel
from mesolung.population.draws import Draws

Flags = NDArray[np.bool_]

OUTPUTS = (
    "pf_ratio", "ventilated", "sofa", "evlw", "pvpi", "dead_space", "driving_pressure",
    "fluid_clearance_rate", "il6", "il8", "il10", "tnf", "il1b", "tnfr1", "crp", "ang2", "srage", "ddimer",
    "neutrophil_count", "lymphocyte_count", "bal_neutrophils", "bal_cells", "hyperinflammation",
    "vasopressor", "viral_load", "SEC",
)  # fmt: skip
LENGTH_H = {"ards": 95 * DAY, "covid19-ards": 66 * DAY, "pneumonia": 40 * DAY, "sepsis": 40 * DAY}
ARDS, COVID, PNEUMONIA, SEPSIS = "ards", "covid19-ards", "pneumonia", "sepsis"

ARDS_BELOW_MMHG = 300.0
# Oxygen at 6 L/min or more.
SEVERE_BELOW_MMHG = 200.0
CRP_AT_LEAST_MG_L = 75.0
STEROID_SHARE = 0.82
PRESSOR_SOFA = 2.0


def _hypoxaemic(group: Cohort) -> Flags:
    return group["pf_ratio"] <= ARDS_BELOW_MMHG


def _ventilated(group: Cohort) -> Flags:
    return group["ventilated"] >= VENTILATED


def _in_hospital(group: Cohort) -> Flags:
    admitted = admission_of(group, onset_of(group))
    return group.times[None, :] >= np.where(np.isfinite(admitted), admitted, np.inf)[:, None]


def _ill(group: Cohort) -> Flags:
    """The disease's own criteria; two points of SOFA where it has none."""
    holds = np.ones(group["pf_ratio"].shape, bool)
    known = [c for c in group.disease.criteria if c.name in group]
    for criterion in known:
        holds &= (group[criterion.name] >= criterion.lowest) & (group[criterion.name] <= criterion.highest)
    return holds if known else group["sofa"] >= PRESSOR_SOFA


# Name -> the disease, and when a course could be enrolled.
STRATA: dict[str, tuple[str, Callable[[Cohort], Flags]]] = {
    "ards ventilated": (ARDS, lambda g: _hypoxaemic(g) & _ventilated(g)),
    "ards hypoxaemic": (ARDS, _hypoxaemic),
    "covid ventilated": (COVID, lambda g: _hypoxaemic(g) & _ventilated(g)),
    "covid supported": (COVID, _hypoxaemic),
    "covid oxygen": (COVID, lambda g: _hypoxaemic(g) & ~_ventilated(g)),
    "covid no oxygen": (COVID, lambda g: _in_hospital(g) & ~_hypoxaemic(g) & ~_ventilated(g)),
    "covid inflamed": (COVID, lambda g: _hypoxaemic(g) & (g["crp"] >= CRP_AT_LEAST_MG_L)),
    "covid severe": (COVID, lambda g: g["pf_ratio"] <= SEVERE_BELOW_MMHG),
    "pneumonia": (PNEUMONIA, _in_hospital),
    "pneumonia severe": (PNEUMONIA, _hypoxaemic),
    "sepsis": (SEPSIS, _ill),
}
NEEDS = {"covid inflamed": ("crp",)}
DEXAMETHASONE, TOCILIZUMAB, SOME_STEROID = "dexamethasone", "tocilizumab", "some steroid"


class NotInTheModel(Exception):
    """Raised when a target asks for a disease, drug or output that the model has not."""


@dataclass
class Patients:
    """Cohorts, made when they are first asked for.

    Attributes:
        model: the compiled biology.
        draws: parameter draws.
        count: courses of each draw and disease.
        workers: threads.
    """

    model: CompiledModel
    draws: Draws
    count: int
    workers: int = 2
    _cohorts: dict[str, Cohort] = field(default_factory=dict, repr=False)
    _strata: dict[tuple[str, str], Enrolled] = field(default_factory=dict, repr=False)

    def cohort(self, disease: str) -> Cohort:
        """Give the untreated courses of a disease.

        Arguments:
            disease: its name.

        Returns:
            the cohort.

        Raises:
            NotInTheModel: when there is no such disease.
            RuntimeError: when more than 5 % of the courses could not be solved.
        """
        if disease not in diseases():
            raise NotInTheModel(f"no disease {disease}")
        if disease not in self._cohorts:
            kind = read_disease(disease)
            wanted = (*OUTPUTS, *(c.name for c in kind.criteria))
            wanted = (*wanted, kind.onset.observable) if kind.onset.observable else wanted
            made = cohort(
                self.model,
                kind,
                self.draws,
                self.count,
                wanted,
                length_h=max(LENGTH_H[disease], kind.length_h),
                workers=self.workers,
            )
            self._cohorts[disease] = mostly_solved(made)
        return self._cohorts[disease]

    def unsolved(self) -> list[str]:
        """Tell of the cohorts made so far from which subjects are missing, a line each."""
        missing = {name: int((~group.solved).sum()) for name, group in self._cohorts.items()}
        return [
            f"{name}: {count} of {self._cohorts[name].size} courses could not be solved and are left out"
            for name, count in missing.items()
            if count
        ]

    def enrolled(self, name: str, treatment: str = "") -> Enrolled:
        """Give the patients of a stratum, untreated or treated.

        Arguments:
            name: of a stratum.
            treatment: `DEXAMETHASONE`, `TOCILIZUMAB`, `SOME_STEROID` or nothing.

        Returns:
            the same subjects whatever the treatment.

        Raises:
            NotInTheModel: when the model lacks the disease, the drug or an output that enrolment needs.
        """
        key = (name, treatment)
        if key not in self._strata:
            self._strata[key] = self._treated(name, treatment) if treatment else self._untreated(name)
        return self._strata[key]

    def _untreated(self, name: str) -> Enrolled:
        disease, holds = STRATA[name]
        group = self.cohort(disease)
        for output in NEEDS.get(name, ()):
            if output not in group:
                raise NotInTheModel(f"no {output}")
        return enrol(group, holds(group), f"delay:{name}")

    def _treated(self, name: str, treatment: str) -> Enrolled:
        base = self.enrolled(name)
        if treatment == DEXAMETHASONE:
            result = with_dexamethasone(base, workers=self.workers)
        else:
            steroid = ndtr(keyed_normals(base.group, "steroid"))[base.rows] < STEROID_SHARE
            give = with_tocilizumab if treatment == TOCILIZUMAB else with_some_steroid
            result = give(base, steroid, workers=self.workers)
        if result is None:
            raise NotInTheModel(f"no {treatment}")
        return result
