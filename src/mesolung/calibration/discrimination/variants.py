"""The competing carriers, one on at a time, and what each weighs before the experiment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.variants.decisions import CARRIERS, HUMAN, NULL
from mesolung.population.draws import PRIOR_KEY, PRIOR_NAME, Draws
from mesolung.streams import typical, uniforms

Values = NDArray[np.float64]
COMPETING = (*CARRIERS, NULL)
# A carrier that nothing speaks for keeps this much.
FLOOR = 0.05


def weights_of(draws: Draws, in_people: bool) -> dict[str, float]:
    """What each variant weighs: how often it is on.

    Arguments:
        draws: prior or posterior.
        in_people: whether the study is of people, where the null is that nothing carries over from animals;
            elsewhere it is that no carrier acts.

    Returns:
        variant -> weight, summing to 1, none below `FLOOR` before that.
    """
    off = {name: _share_off(draws, name) for name in (*CARRIERS.values(), HUMAN)}
    on = {name: 1.0 - off[gain] for name, gain in CARRIERS.items()}
    null = off[HUMAN] if in_people else _all_off(draws, off)
    all_on = sum(on.values()) or 1.0
    shares = {name: (1.0 - null) * share / all_on for name, share in on.items()} | {NULL: null}
    raised = {name: max(share, FLOOR) for name, share in shares.items()}
    return {name: share / sum(raised.values()) for name, share in raised.items()}


def values_in(draws: Draws, variant: str, count: int) -> dict[str, Values]:
    """Parameters that a variant sets.

    Arguments:
        draws: prior or posterior.
        variant: of `COMPETING`.
        count: D, draws.

    Returns:
        parameter -> float64[D]: the gain of the one carrier that is on, at a size drawn from those that are
        not 0, all others 0; the human effect likewise, 0 in the null.
    """
    found = {
        gain: _sized(draws, gain, count) if variant == name else np.zeros(count)
        for name, gain in CARRIERS.items()
    }
    found[HUMAN] = np.zeros(count) if variant == NULL else _sized(draws, HUMAN, count)
    return found


def _share_off(draws: Draws, name: str) -> float:
    """How often a parameter is exactly 0: by its prior, or in the draws of a posterior."""
    if draws.posterior.startswith(PRIOR_NAME):
        return float(draws.parameters[name].uncertainty.partition(";")[0])
    return float((draws.values[name] == 0).mean())


def _all_off(draws: Draws, off: dict[str, float]) -> float:
    """How often no carrier is on; in a prior they are off independently."""
    if draws.posterior.startswith(PRIOR_NAME):
        return float(np.prod([off[gain] for gain in CARRIERS.values()]))
    return float(np.all([draws.values[gain] == 0 for gain in CARRIERS.values()], axis=0).mean())


def _sized(draws: Draws, name: str, count: int) -> Values:
    row = draws.parameters[name]
    if not draws.posterior.startswith(PRIOR_NAME):
        known = draws.values[name][draws.values[name] > 0]
        if known.size:
            return known[np.arange(count) % known.size]
    u = uniforms(PRIOR_KEY, f"draw:{name}", 0, count)
    return typical(row.distribution, row.value, f"0;{row.uncertainty.split(';')[-1]}", u)
