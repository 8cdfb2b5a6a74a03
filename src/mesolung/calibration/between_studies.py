"""How much mortality differs between studies of like patients, beyond the numbers of patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from mesolung.calibration.target_table import rows_of

STUDIES = ("BERLIN", "LUNGSAFE", "ARMA_LCA", "FACTT_LCA", "MARS_CLUSTER")


@dataclass(frozen=True)
class Mortality:
    """Mortality of one study of ARDS.

    Attributes:
        study: its key.
        share: deaths over patients.
        n: patients.
    """

    study: str
    share: float
    n: float


def mortalities() -> list[Mortality]:
    """Read the five studies' mortality of all their patients.

    Returns:
        one a study. Of BERLIN only the classes are printed: they count equally; the two classes of the others
        count by their printed shares.
    """
    rows = [r for r in rows_of("usual-care.csv") if r["measure"] == "mortality"]
    found = []
    for study in STUDIES:
        own = [r for r in rows if r["key"] == study]
        whole = [r for r in own if not r["stratum"]]
        parts = whole or own
        n = np.array([float(r["n"]) for r in parts])
        share = np.array([float(r["value"]) for r in parts])
        found.append(Mortality(study, float((share * n).sum() / n.sum()), float(n.sum())))
    return found


def between_study_sd(studies: Sequence[Mortality]) -> float:
    """Estimate the standard deviation between studies.

    Arguments:
        studies: mortalities.

    Returns:
        standard deviation of logit mortality beyond what chance gives.

    Source: DerSimonian and Laird 1986 Control Clin Trials 7:177.
    """
    y = logit(np.array([s.share for s in studies]))
    w = np.array([s.n * s.share * (1.0 - s.share) for s in studies])
    q = float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())
    scale = float(w.sum() - (w * w).sum() / w.sum())
    return float(np.sqrt(max(0.0, (q - (len(studies) - 1)) / scale)))
