"""What made the subjects of a cohort ill: the group of a disease that each belongs to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.calibration.cohort import Cohort
from mesolung.streams import normals


def cause_of(group: Cohort) -> NDArray[np.str_]:
    """Find each subject's group.

    Arguments:
        group: the cohort.

    Returns:
        names of the disease's groups; "" for a disease that has none.
    """
    names = [name for name, _ in group.disease.groups]
    if not names:
        return np.full(group.size, "")
    edges = np.cumsum([share for _, share in group.disease.groups])
    result = np.empty(group.size, dtype=f"<U{max(map(len, names))}")
    for d in np.unique(group.draw):
        rows = group.draw == d
        most = int(group.course[rows].max()) + 1
        z = normals(group.draws.key, "course:group", int(d), most)[group.course[rows]]
        result[rows] = np.array(names)[np.searchsorted(edges[:-1], ndtr(z), side="right")]
    return result
