"""Weights of variants: what each predicts of a laboratory that it has not seen, held near the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
# assumed: the prior counts as so many laboratories; where data cannot tell variants apart, it decides.
PRIOR_COUNTS = 8.0
# No carrier is ever certain, present or absent.
FLOOR = 0.05
# A variant whose members all say the same has no error; divisions need one.
LEAST_ERROR = 1e-6
ROUNDS, CLOSE = 20_000, 1e-10


@dataclass(frozen=True, eq=False)
class Predictive:
    """What each variant predicts of each laboratory from all others.

    Attributes:
        log: float64[laboratories, variants], natural log of the predictive probability; variants sorted.
        error: float64[laboratories, variants], its Monte-Carlo standard error: a variant of few members is
            told by their luck.
    """

    log: Values
    error: Values


def left_out(log_likelihoods: Mapping[str, Values], variant: Sequence[str], power: float) -> Predictive:
    """What each variant predicts of each laboratory from all others.

    Arguments:
        log_likelihoods: laboratory -> float64[n]; members have learnt from all of them at the power.
        variant: of each member.
        power: how much of each log likelihood the members have learnt from, 0 to 1.

    Source: importance sampling leave-one-out, Gelfand et al. 1992, weights truncated as by Ionides 2008
        J Comput Graph Stat 17:295, doi 10.1198/106186008X320456. Errors rest on one spread of members about
        their variant a laboratory, as a few members tell theirs badly.
    """
    names = sorted(set(variant))
    kind = np.array([names.index(v) for v in variant])
    log, error = np.empty((2, len(log_likelihoods), len(names)))
    for i, own in enumerate(log_likelihoods.values()):
        squares, free = 0.0, 0
        for k in range(len(names)):
            mine = own[kind == k]
            ratio = np.exp(-power * (mine - mine.min()))
            ratio = np.minimum(ratio, ratio.mean() * np.sqrt(ratio.size))
            top = mine.max()
            share = ratio / ratio.sum()
            chance = np.exp(mine - top)
            middle = float(share @ chance)
            log[i, k] = top + np.log(middle)
            error[i, k] = np.sqrt((share**2).sum())
            squares += mine.size * float(share @ (chance / middle - 1.0) ** 2)
            free += mine.size - 1
        error[i] *= np.sqrt(squares / max(free, 1))
    return Predictive(log, error)


def steadied(found: Predictive, on: Flags) -> Values:
    """Draw predictions of variants with few members towards what their carriers do on average.

    Arguments:
        found: from `left_out`.
        on: bool[carriers, variants], which carriers each variant has on.

    Returns:
        float64[laboratories, variants], natural log: the mean of each variant's own number and of the main
        effects of its carriers, each by its precision. How far variants truly differ from main effects is
        taken from the numbers themselves, laboratory by laboratory: where their errors explain all of it,
        main effects are left.

    Source: empirical Bayes for means with known errors, Morris 1983 J Am Stat Assoc 78:47, doi
        10.1080/01621459.1983.10477920; the variance by moments as in random-effects meta-regression.
    """
    design = np.column_stack([np.ones(on.shape[1]), on.T.astype(np.float64)])
    out = np.empty(found.log.shape)
    for i, (own, error) in enumerate(zip(found.log, found.error, strict=True)):
        noise = np.maximum(error, LEAST_ERROR) ** 2
        weight = 1.0 / noise
        fit, leverage = _main_effects(design, own, weight)
        rank = int(np.linalg.matrix_rank(design))
        excess = float((weight * (own - fit) ** 2).sum()) - (own.size - rank)
        between = max(0.0, excess / max(float(weight.sum() - leverage), 1e-300)) if own.size > rank else 0.0
        fit, _ = _main_effects(design, own, 1.0 / (noise + between))
        out[i] = fit + between / (between + noise) * (own - fit)
    return out


def _main_effects(design: Values, own: Values, weight: Values) -> tuple[Values, float]:
    """Weighted least squares: float64[variants], and the trace that the moment estimate takes off."""
    root = np.sqrt(weight)[:, None]
    inverse = np.linalg.pinv((design * root).T @ (design * root))
    fit = design @ (inverse @ (design.T @ (weight * own)))
    return fit, float(np.trace(inverse @ (design.T @ (design * weight[:, None] ** 2))))


def stacked(log_predictive: Values, prior: Values, counts: float = PRIOR_COUNTS) -> Values:
    """Weights with which variants together predict laboratories best.

    Arguments:
        log_predictive: float64[laboratories, variants], from `steadied`.
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
