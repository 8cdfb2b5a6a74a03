"""What is known of an untreated course at a moment: what the library keeps, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.phenotypes import Phenotype
from mesolung.biology.tables import output_of
from mesolung.population.draws import PRIOR_KEY
from mesolung.population.library import Library
from mesolung.population.past import Past, value_before
from mesolung.population.smoking import CURRENT_SMOKER, FROM_H, PACKS, UNTIL_H, smoking_at
from mesolung.population.traits import PACK_YEARS, PHYSIOLOGY, apache2

BMI = "bmi"
SMOKING = (PACK_YEARS, CURRENT_SMOKER)
Places = NDArray[np.intp] | None
VENTILATED = "ventilated"
# The smooth output counts as ventilated from here on.
ON = 0.5
DAYS_VENTILATED = "days_ventilated"
APACHE = "apache2"
# Years of a subject at a moment: where a course lasts for decades it is not the age that it began with.
AGE, AGE_NOW = "age", "age_now"
NEEDS = {DAYS_VENTILATED: (VENTILATED,), APACHE: ("sofa",)}


def observables_for(names: Iterable[str]) -> tuple[str, ...]:
    """List the model outputs that derived baseline names rest on.

    Arguments:
        names: of baselines.

    Returns:
        outputs, without repeats.
    """
    return tuple(dict.fromkeys(output for name in names for output in NEEDS.get(name, ())))


@dataclass(frozen=True)
class Seen:
    """Baseline values of a library's courses.

    Attributes:
        library: untreated courses.
        phenotypes: classes that are read from an output.
        past: names that are read from the year before a moment.
        key: of the parameter draws, keys when events of the past came.
    """

    library: Library
    phenotypes: tuple[Phenotype, ...] = ()
    past: Mapping[str, Past] = field(default_factory=dict)
    key: str = PRIOR_KEY

    def value(
        self, name: str, draw: Places = None, course: Places = None, step: Places = None
    ) -> NDArray[np.float64]:
        """Read a baseline value.

        Arguments:
            name: an output or covariate of the library, a phenotype (0 or 1), ``days_ventilated`` (d),
                ``apache2`` (points), or what ``past`` names.
            draw, course, step: intp[n] places; without them everything is returned.

        Returns:
            float64[n], or float64[D, C, T].

        Raises:
            KeyError: for a name that nothing gives.
        """
        place = (draw, course, step)
        name = output_of(name)
        if name == DAYS_VENTILATED and name not in self.library.names:
            return self._days_ventilated(place)
        if name in self.past and self.past[name].output in self.library.names:
            return value_before(self.library, self.past[name], self.key, *place)
        if name in SMOKING and PACKS in self.library.covariates:
            return self._smoking(name, place)
        if name == BMI:
            weight, height = (self.library.value(n, *place) for n in ("weight", "height"))
            return weight / (height / 100.0) ** 2
        if name == AGE and AGE_NOW in self.library.names:
            return self.library.value(AGE_NOW, *place)
        if name == APACHE:
            age, sofa, own = (self.library.value(n, *place) for n in ("age", "sofa", PHYSIOLOGY))
            return apache2(age, sofa, own)
        for phenotype in self.phenotypes:
            if phenotype.name == name:
                return (self.library.value(phenotype.observable, *place) > phenotype.threshold).astype(float)
        return self.library.value(name, *place)

    def _smoking(self, name: str, place: tuple[Places, Places, Places]) -> NDArray[np.float64]:
        """Pack-years by the moment, or whether the subject smokes then."""
        draw, course, step = place
        kept = {n: self.library.covariates[n] for n in (PACKS, FROM_H, UNTIL_H)}
        times = self.library.times
        if draw is None or course is None or step is None:
            return smoking_at(name, {n: v[:, :, None] for n, v in kept.items()}, times[None, None, :])
        return smoking_at(name, {n: v[draw, course] for n, v in kept.items()}, times[step])

    def _days_ventilated(self, place: tuple[Places, Places, Places]) -> NDArray[np.float64]:
        """Days since ventilation that goes on at the moment began, 0 for those who breathe by themselves.

        It began half an interval of the library's times before the first moment that shows it.
        """
        times = self.library.times
        off = self.library.value(VENTILATED) < ON
        last_off = np.where(off, np.arange(times.size, dtype=np.int16), np.int16(-1))
        last_off = np.maximum.accumulate(last_off, axis=2)
        interval = times[1] - times[0]
        draw, course, step = place
        if draw is None or course is None or step is None:
            run = np.arange(times.size) - last_off
        else:
            run = step - last_off[draw, course, step]
        return np.maximum(run - 0.5, 0.0) * interval / 24.0
