"""How wide predictions of usual care are beside how far studies of it differ, and their PITs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import kstest

from mesolung.calibration.between_studies import between_study_sd, mortalities
from mesolung.calibration.validation.lines import Line
from mesolung.calibration.validation.pooling import pooled
from mesolung.study.basis import error_of

Values = NDArray[np.float64]
# From 5 to 95 % of a normal distribution.
NORMAL_90 = 3.3
LEAST_STUDIES = 3
MORTALITY = "mortality"


def widths_of(lines: Sequence[Line]) -> dict[str, Any]:
    """Compare widths of predictions with the spread between studies.

    Arguments:
        lines: scored observations of usual care, each predicted from all other studies.

    Returns:
        "results", how many could be compared; "ratio", the median of the width from 5 to 95 % of the draws'
        expected values over 3.3 standard deviations between studies, on the logit of counts and the log of
        means; "endpoints", the same by endpoint, with the standard deviation and its number of studies (0:
        that of the table of mortalities); "pit_flat", the Kolmogorov-Smirnov chance of PITs as far from
        flat, which takes observations as independent and so is too small where they are not.
    """
    groups: dict[str, list[tuple[str, float, float, float]]] = {}
    for line in lines:
        found = _of_line(line)
        if found is not None:
            groups.setdefault(line.asked.key, []).append((line.trial, *found))
    by: dict[str, Any] = {}
    ratios: list[float] = []
    for key, own in sorted(groups.items()):
        studies = len({trial for trial, *_ in own})
        if studies >= LEAST_STUDIES:
            sd = float(np.sqrt(pooled([y for _, y, _, _ in own], [v for _, _, v, _ in own]).between))
        elif key.startswith(MORTALITY):
            sd, studies = between_study_sd(mortalities()), 0
        else:
            continue
        if sd <= 0.0:
            continue
        mine = [width / (NORMAL_90 * sd) for *_, width in own]
        ratios += mine
        by[key] = {"results": len(own), "between_sd": sd, "studies": studies, "ratio": float(np.median(mine))}
    pits = np.array([line.scored.pit for line in lines if line.scored.pit is not None], np.float64)
    return {
        "results": len(ratios),
        "ratio": float(np.median(ratios)) if ratios else None,
        "endpoints": by,
        "pits": int(pits.size),
        "pit_flat": float(kstest(pits, "uniform").pvalue) if pits.size else None,
    }


def _of_line(line: Line) -> tuple[float, float, float] | None:
    """Published value, its variance, and the width of what is expected of it, on one scale."""
    one, expected = line.one, line.basis.expected
    if one.as_ != "level" or one.versus is not None:
        return None
    if one.form == "events" and one.n:
        share = (float(one.events or 0) + 0.5) / (float(one.n) + 1.0)
        scaled: Values = logit(np.clip(expected, 1e-4, 1.0 - 1e-4))
        published, variance = float(logit(share)), 1.0 / (float(one.n) * share * (1.0 - share))
    elif one.form == "mean" and one.mean and one.mean > 0.0 and (error := error_of(one)) is not None:
        positive = expected[np.isfinite(expected) & (expected > 0.0)]
        if not positive.size:
            return None
        scaled = np.log(positive)
        published, variance = float(np.log(one.mean)), (error / one.mean) ** 2
    else:
        return None
    low, high = np.nanquantile(scaled, (0.05, 0.95))
    return published, variance, float(high - low)
