"""Weights of variants: what each predicts of a laboratory that it has not seen, held near the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
# assumed: the prior counts as so many laboratories; where data cannot tell variants apart, it decides.
PRIOR_COUNTS = 8.0
# No carrier is ever certain, present or absent.
FLOOR = 0.05
ROUNDS, CLOSE = 20_000, 1e-10


def left_out(log_likelihoods: Mapping[str, Values], variant: Sequence[str], power: float) -> Values:
    """What each variant predicts of each laboratory from all others.

    Arguments:
        log_likelihoods: laboratory -> float64[n]; members have learnt from all of them at the power.
        variant: of each member.
        power: how much of each log likelihood the members have learnt from, 0 to 1.

    Returns:
        float64[laboratories, variants], natural log of the predictive probability; variants sorted.

    Source: importance sampling leave-one-out, Gelfand et al. 1992, weights truncated as by Ionides 2008
        J Comput Graph Stat 17:295, doi 10.1198/106186008X320456.
    """
    names = sorted(set(variant))
    kind = np.array([names.index(v) for v in variant])
    found = np.empty((len(log_likelihoods), len(names)))
    for i, own in enumerate(log_likelihoods.values()):
        for k in range(len(names)):
            mine = own[kind == k]
            ratio = np.exp(-power * (mine - mine.min()))
            ratio = np.minimum(ratio, ratio.mean() * np.sqrt(ratio.size))
            top = mine.max()
            found[i, k] = top + np.log(np.average(np.exp(mine - top), weights=ratio))
    return found


def stacked(log_predictive: Values, prior: Values, counts: float = PRIOR_COUNTS) -> Values:
    """Weights with which variants together predict laboratories best.

    Arguments:
        log_predictive: float64[laboratories, variants], from `left_out`.
        prior: float64[variants], sum 1.
        counts: laboratories that the prior counts as.

    Returns:
        float64[variants], sum 1. Variants that predict alike keep their prior weights.

    Source: stacking of predictive distributions, Yao et al. 2018 Bayesian Anal 13:917, doi 10.1214/17-BA1091,
        with a Dirichlet prior; its maximum by expectation and maximisation.
    """
    chance = np.exp(log_predictive - log_predictive.max(axis=1, keepdims=True))
    weight = prior.copy()
    for _ in range(ROUNDS):
        share = weight * chance
        share = share / share.sum(axis=1, keepdims=True)
        fresh = (share.sum(axis=0) + counts * prior) / (len(chance) + counts)
        done = np.abs(fresh - weight).max() < CLOSE
        weight = fresh
        if done:
            break
    return weight / weight.sum()


def floored(weights: Values, on: Flags, floor: float = FLOOR) -> Values:
    """Keep every carrier possible, and its absence too.

    Arguments:
        weights: float64[variants], sum 1.
        on: bool[carriers, variants], which carriers each variant has on.
        floor: least weight of all variants with a carrier on, and of all with it off.

    Returns:
        float64[variants], sum 1: the nearest in relative entropy, by raking one carrier after the other.

    Raises:
        ValueError: for a carrier that no variant has on, or none has off.
    """
    if not (on.any(axis=1) & ~on.all(axis=1)).all():
        raise ValueError("a carrier is on in no variant, or in all of them")
    found = weights / weights.sum()
    for _ in range(ROUNDS):
        worst = 0.0
        for flags in on:
            inside = float(found[flags].sum())
            wanted = min(max(inside, floor), 1.0 - floor)
            worst = max(worst, abs(wanted - inside))
            if wanted != inside:
                found = np.where(
                    flags,
                    found * (wanted / inside if inside > 0 else 0.0),
                    found * ((1.0 - wanted) / (1.0 - inside) if inside < 1 else 0.0),
                )
        if worst < CLOSE:
            break
    return found / found.sum()


def prior_weights(on: Flags, prior_on: Values) -> Values:
    """The prior's weights of variants.

    Arguments:
        on: bool[carriers, variants].
        prior_on: float64[carriers], the prior's chance that each is on.

    Returns:
        float64[variants], sum 1, over those that stand in the table.
    """
    chance = np.where(on, prior_on[:, None], 1.0 - prior_on[:, None]).prod(axis=0)
    return chance / chance.sum()
