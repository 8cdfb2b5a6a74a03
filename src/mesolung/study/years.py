"""Whether a study is of a disease that lasts for years, which is seen at visits."""

from __future__ import annotations

from mesolung.biology.conduct import custom
from mesolung.study.study import Study


def lasts_for_years(study: Study) -> bool:
    """Whether the trials of a study's diseases have visits over years.

    Arguments:
        study: validated.
    """
    return study.kind == "trial" and all(custom(name, "visit_every") for name in study.disease_names)
