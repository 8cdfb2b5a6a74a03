"""What is known of picked subjects at enrolment beside their traits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.population.baseline import (
    AGE,
    AGE_NOW,
    APACHE,
    BMI,
    DAYS_VENTILATED,
    ON,
    SMOKING,
    VENTILATED,
    Seen,
)
from mesolung.population.smoking import PACKS
from mesolung.study.asked import ONSET_H

VASOPRESSOR = "vasopressor"


def known_at_enrolment(
    diseases: Sequence[Disease], seen: Sequence[Seen], places: NDArray[np.intp]
) -> dict[str, NDArray[np.float64]]:
    """Read what is not among the model's outputs, or is a yes or no there.

    Arguments:
        diseases, seen: of the study, in one order.
        places: intp[k, 4], rows (number of the disease, draw, course, step).

    Returns:
        name -> float64[k]: ``onset_h`` (h from the onset of symptoms to enrolment), ``days_ventilated`` (d),
        ``apache2`` (points), ``vasopressor`` and each phenotype (0 or 1), where every disease has them.
    """
    parts = []
    for k, (disease, one) in enumerate(zip(diseases, seen, strict=True)):
        place = tuple(places[places[:, 0] == k, 1:].T)
        values = {ONSET_H: one.library.times[place[2]] - _onset(disease, one, *place[:2])}
        names = one.library.names
        if VENTILATED in names:
            values[DAYS_VENTILATED] = one.value(DAYS_VENTILATED, *place)
        if "sofa" in names and "age" in one.library.covariates:
            values[APACHE] = one.value(APACHE, *place)
        if VASOPRESSOR in names:
            values[VASOPRESSOR] = (one.value(VASOPRESSOR, *place) >= ON).astype(float)
        if AGE_NOW in names:
            values[AGE] = one.value(AGE, *place)
            values[BMI] = one.value(BMI, *place)
        if PACKS in one.library.covariates:
            values |= {name: one.value(name, *place) for name in SMOKING}
        for name in one.past:
            if one.past[name].output in names:
                values[name] = one.value(name, *place)
        for phenotype in one.phenotypes:
            values[phenotype.name] = one.value(phenotype.name, *place)
        parts.append(values)
    found = {}
    for name in [n for n in parts[0] if all(n in part for part in parts)]:
        found[name] = np.empty(places.shape[0])
        for k, part in enumerate(parts):
            found[name][places[:, 0] == k] = part[name]
    return found


def _onset(
    disease: Disease, seen: Seen, draw: NDArray[np.intp], course: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Hours from the start of the course to symptoms, at the resolution of the library's times."""
    if disease.onset.observable is None:
        return np.full(draw.size, disease.onset.time_h)
    library = seen.library
    steps = np.arange(library.times.size)
    at = np.broadcast_arrays(draw[:, None], course[:, None], steps[None, :])
    ill = library.value(disease.onset.observable, *at) > disease.onset.above
    return library.times[ill.argmax(axis=1)]
