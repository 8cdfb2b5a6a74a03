"""What may be recommended of each decision: a point where data told its slope, else a range."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mesolung.calibration.contraction import recommend
from mesolung.calibration.enrolled import Enrolled
from mesolung.calibration.variants.contrasts import contrasts
from mesolung.calibration.variants.decisions import AS_DRAWN, Decision

DIGITS = 3


def recommendations(
    prior: Enrolled,
    posterior: Enrolled | None,
    decisions: Sequence[Decision],
    *,
    seed: int = 1,
    workers: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Work out what may be said of each decision.

    Arguments:
        prior: patients of the prior's draws.
        posterior: patients of the posterior's draws; None where nothing is stored: nothing was learnt.
        decisions: which.
        seed: of the lots.
        workers: threads.
        tell: called with each step.

    Returns:
        a record a decision and measure: contraction of the slope with its interval, the point or None, the
        range over draws, and the share of draws in which each choice is better.
    """

    def slopes(enrolled: Enrolled) -> Mapping[str, Mapping[str, Any]]:
        found = contrasts(enrolled, decisions, (AS_DRAWN,), {}, seed=seed, workers=workers, tell=tell)
        return {name: by_variant[AS_DRAWN] for name, by_variant in found.items()}

    before = slopes(prior)
    after = before if posterior is None else slopes(posterior)
    return [
        {"decision": name, "measure": measure, **_short(recommend(values, after[name][measure]).record())}
        for name, by_measure in before.items()
        for measure, values in by_measure.items()
    ]


def _short(record: Mapping[str, float | None]) -> dict[str, float | None]:
    return {k: None if v is None else float(f"{v:.{DIGITS}g}") + 0.0 for k, v in record.items()}
