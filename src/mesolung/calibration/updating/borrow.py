"""How far what is stored is borrowed: draws between the prior's and the posterior's, as of a power prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.parameters import Parameter, Parameters, read_parameters
from mesolung.population.posterior import Posterior, latent_of, modules_digest, numbers_digest
from mesolung.streams import uniforms, vary

Values = NDArray[np.float64]
CARRIER, NOTHING_ON = "gain_", "none"


def prior_draws(count: int) -> Posterior:
    """The prior's numbered draws as a posterior from which nothing was learnt.

    Arguments:
        count: n.
    """
    manifest = {"parameters_numbers": numbers_digest(read_parameters()), "modules_sha256": modules_digest()}
    none = Posterior(np.empty((count, 0)), (), np.full(count, 1.0 / count), (NOTHING_ON,) * count, manifest)
    return replace(none, variants=_variants(none))


def first_draws(posterior: Posterior, count: int) -> Posterior:
    """The first draws of a posterior.

    Arguments:
        posterior: any.
        count: n, no more than it holds.
    """
    if count == posterior.count:
        return posterior
    weights = posterior.weights[:count]
    return replace(
        posterior,
        draws=posterior.draws[:count],
        weights=weights / weights.sum(),
        variants=posterior.variants[:count],
    )


def borrowed(posterior: Posterior, amount: float) -> Posterior:
    """Borrow a part of what a posterior has learnt.

    Arguments:
        posterior: whose draw d was carried from the prior's draw d.
        amount: 0 for the prior's draws, 1 for the posterior's as they are; the exponent of a power prior in
            between.

    Returns:
        n draws. On the scale on which a parameter's prior is normal, mean and variance are those of
        prior^(1 - amount) x posterior^amount as normal distributions, parameter by parameter; which draw
        stands where, and so what goes with what, is blended from both. What may be exactly 0 is on in the
        share of draws that the same rule gives, each draw with all of its carriers from one side where it
        can be.

    Source: power prior, Ibrahim and Chen 2000 Stat Sci 15:46, doi 10.1214/ss/1009212673; the product of
        powers of normal distributions in closed form.
    """
    if amount >= 1.0:
        return posterior
    if amount <= 0.0:
        return replace(
            posterior, draws=np.empty((posterior.count, 0)), names=(), variants=_prior_variants(posterior)
        )
    table = read_parameters()
    u = uniforms("borrow", "side", 0, posterior.count)
    columns = [_between(table[name], posterior, name, amount, u) for name in posterior.names]
    made = replace(posterior, draws=np.stack(columns, axis=1) if columns else posterior.draws)
    return replace(made, variants=_variants(made))


def _between(row: Parameter, posterior: Posterior, name: str, amount: float, u: Values) -> Values:
    before, after = posterior.prior_of(name), posterior.values_of(name)
    if not row.distribution.startswith("spike-"):
        return _moved(row, before, after, amount)
    on = (before != 0.0, after != 0.0)
    n = u.size
    share = np.clip([on[0].mean(), on[1].mean()], 0.5 / n, 1.0 - 0.5 / n)
    wanted = float(expit((1.0 - amount) * logit(share[0]) + amount * logit(share[1])))
    part = amount if share[0] == share[1] else float((wanted - share[0]) / (share[1] - share[0]))
    theirs = u < part
    both = on[0] & on[1]
    found = np.where(theirs, after, before)
    if both.sum() > 1:
        blend = np.zeros(n)
        blend[both] = _moved(row, before[both], after[both], amount)
        found = np.where((found != 0.0) & both, blend, found)
    return found


def _moved(row: Parameter, before: Values, after: Values, amount: float) -> Values:
    """Values whose scores have the mean and spread of the product of powers."""
    base = row.distribution.removeprefix("spike-")
    spread = float(row.uncertainty.split(";")[-1] or 0.0)
    if spread == 0.0 or base == "fixed":
        return after
    plain = replace(row, distribution=base, uncertainty=repr(spread))
    a, b = latent_of(plain, before), latent_of(plain, after)
    va, vb = float(a.var()), float(b.var())
    if va == 0.0 or vb == 0.0:
        return vary(base, row.value, spread, (1.0 - amount) * a + amount * b)
    precision = (1.0 - amount) / va + amount / vb
    middle = ((1.0 - amount) * a.mean() / va + amount * b.mean() / vb) / precision
    blend = (1.0 - amount) * (a - a.mean()) / np.sqrt(va) + amount * (b - b.mean()) / np.sqrt(vb)
    size = float(blend.std())
    if size < 1e-9:  # the two sides stand in opposite orders: the posterior's is kept
        blend, size = (b - b.mean()) / np.sqrt(vb), 1.0
    return vary(base, row.value, spread, middle + blend / size / np.sqrt(precision))


def whole(posterior: Posterior, picked: NDArray[np.intp]) -> Posterior:
    """Draws picked from a posterior, with every uncertain parameter of theirs, fitted or not.

    Arguments:
        posterior: any.
        picked: intp[n], numbers of draws.

    Returns:
        a posterior of equal weights. What was never fitted comes with its draw: private data may have
        told of it too.
    """
    table = read_parameters()
    names = tuple(row.id for row in table if uncertain(row) or row.id in posterior.names)
    draws = np.stack([posterior.values_of(name)[picked] for name in names], axis=1)
    made = replace(posterior, draws=draws, names=names, weights=np.full(picked.size, 1.0 / picked.size))
    return replace(made, variants=_variants(made))


def uncertain(row: Parameter) -> bool:
    """Whether a parameter's typical value is not known for certain.

    Arguments:
        row: of the table.
    """
    return row.distribution != "fixed" and float((row.uncertainty or "0").split(";")[-1]) > 0.0


def _variants(posterior: Posterior) -> tuple[str, ...]:
    return _labels(read_parameters(), {n: posterior.values_of(n) for n in _carriers()}, posterior.count)


def _prior_variants(posterior: Posterior) -> tuple[str, ...]:
    return _labels(read_parameters(), {n: posterior.prior_of(n) for n in _carriers()}, posterior.count)


def _carriers() -> Sequence[str]:
    return sorted(
        row.id
        for row in read_parameters()
        if row.id.startswith(CARRIER) and row.distribution.startswith("spike-")
    )


def _labels(table: Parameters, values: dict[str, Values], count: int) -> tuple[str, ...]:
    return tuple(
        "+".join(name for name, own in values.items() if own[d] != 0.0) or NOTHING_ON for d in range(count)
    )
