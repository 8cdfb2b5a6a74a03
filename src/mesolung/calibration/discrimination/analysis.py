"""`mesolung discriminate`: feasible experiments, ranked by what they would tell of the carriers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesolung import __version__
from mesolung.calibration.discrimination.arms import (
    BLOCKED,
    SIZES,
    TIMES_H,
    VIABLE,
    WITHOUT,
    plan_of,
)
from mesolung.calibration.discrimination.gain import worth
from mesolung.calibration.discrimination.predictions import Predictions, predict
from mesolung.calibration.discrimination.variants import COMPETING, FLOOR, weights_of
from mesolung.population.posterior import Source
from mesolung.reading import Refusal
from mesolung.study.canonical import inputs_sha256
from mesolung.study.modelled import left_out
from mesolung.study.setting import Progress
from mesolung.study.study import Study

DRAWS, SUBJECTS, BOUND = 32, 8, 0.8
NOTHING = "nothing"
SAID = {
    "gain": "Gain is the expected information on which carrier is true, in bits: 0 where carriers would show "
    "the same. Shift is the expected change of their weights. Power is the probability that the true "
    "carrier's weight reaches the bound.",
    "decision": "Decision is the probability that what is best for the study's primary endpoint, one of the "
    "products or giving nothing, becomes another after the result; value is the benefit expected of that.",
    "rests": "Carriers compete one at a time, at sizes drawn from the prior or posterior; combinations of "
    "them are not among the variants. What a laboratory adds of its own is not in the noise: all gains are "
    "those of one laboratory whose subjects differ as the model's do.",
    "interval": "Intervals are 90 % of Monte-Carlo resamples of the draws.",
}


@dataclass(frozen=True)
class Candidate:
    """An experiment.

    Attributes:
        arms: places of its treated arms; an untreated one stands beside them.
        reading: place of what is measured.
        size: subjects of each arm.
    """

    arms: tuple[int, ...]
    reading: int
    size: int


def discriminate(
    study: Study,
    *,
    arms: Sequence[str] | None = None,
    blocked: Sequence[str] | None = None,
    times_h: Sequence[float] = TIMES_H,
    sizes: Sequence[int] = SIZES,
    bound: float = BOUND,
    draws: int = DRAWS,
    subjects: int = SUBJECTS,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    source: Source = "auto",
) -> dict[str, Any]:
    """Rank experiments like a study's.

    Arguments:
        study: validated; gives subjects, injury, cells, dose, route and endpoints.
        arms, blocked, times_h: as `plan_of`.
        sizes: subjects of each arm to consider.
        bound: weight that the true carrier is to reach.
        draws: parameter draws.
        subjects: of each draw.
        seed: of everything random.
        workers: threads.
        progress: called with (stage, done, total).
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        the object that `mesolung discriminate --json` prints, the experiment of most information first.

    Raises:
        Refusal: for an arm, mechanism, size or bound that cannot be, or a study that cannot be used.
    """
    if not 0.0 < bound < 1.0:
        raise Refusal("--bound is a weight", found=f"{bound:g}", allowed="above 0 and below 1")
    if not sizes or min(sizes) < 2:
        raise Refusal("an arm needs two subjects", found=",".join(map(str, sizes)), allowed="2 or more")
    plan = plan_of(study, arms=arms, blocked=blocked, times_h=times_h)
    shown = predict(
        plan, draws=draws, subjects=subjects, seed=seed, workers=workers, progress=progress, source=source
    )
    if not shown.readings:
        raise Refusal("no endpoint of the study compares arms", file=study.file)
    weights = weights_of(shown.setting.draws, study.kind == "trial")
    ranked = rank(shown, weights, len(plan.products), sizes, bound, seed)
    return {
        "schema": 1,
        "study": study.name,
        "version": __version__,
        "posterior": shown.setting.draws.posterior,
        "model_sha256": shown.setting.model_hash,
        "inputs_sha256": inputs_sha256(study),
        "draws": draws,
        "subjects": shown.setting.subjects,
        "seed": seed,
        "bound": bound,
        "sizes": list(sizes),
        "solved_subjects": shown.solved,
        "failed_subjects": shown.failed,
        "said": SAID,
        "warnings": [*left_out(study), *plan.left_out],
        "variants": [
            {"name": name, "weight": weights[name], "shows": _shows(shown, v)}
            for v, name in enumerate(COMPETING)
        ],
        "floor": FLOOR,
        "blocked": [off.id for off in plan.blocked],
        "actions": _actions(shown, weights, len(plan.products)),
        "experiments": ranked,
    }


def rank(
    shown: Predictions,
    weights: dict[str, float],
    products: int,
    sizes: Sequence[int],
    bound: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Judge every candidate.

    Arguments:
        shown: what arms show.
        weights: of the variants.
        products: how many of the arms are products; what is recommended is one of these.
        sizes, bound, seed: as `discriminate`.

    Returns:
        records, the most informative first, the smaller first where two tell the same.
    """
    prior = np.array([weights[name] for name in COMPETING])
    benefit = shown.effects[:, :, :products, 0]
    found = []
    everyone = list(candidates(shown, products, sizes))
    for done, one in enumerate(everyone):
        shown.setting.progress("experiments", done, len(everyone))
        mean = shown.effects[:, :, list(one.arms), one.reading]
        noise = shown.noise(one.arms, one.reading, one.size)
        if not np.isfinite(noise).all() or not np.all(np.diag(noise) > 0):
            continue
        try:
            made = worth(mean, noise, prior, benefit, bound=bound, seed=seed)
        except ValueError:
            # Too few draws in which the reading can be taken at all.
            continue
        reading = shown.readings[one.reading]
        found.append(
            {
                "arms": [shown.arms[a] for a in one.arms],
                "reading": reading.key,
                "measure": reading.measure,
                "size": one.size,
                "subjects": one.size * (len(one.arms) + 1),
                "gain": made.gain.record(),
                "changed": made.changed.record(),
                "decision": made.decision.record(),
                "value": made.value.record(),
                "power": made.power.record(),
                "power_of": {
                    name: one_power.record() for name, one_power in zip(COMPETING, made.power_of, strict=True)
                },
            }
        )
    return sorted(
        found, key=lambda e: (-round(e["gain"]["value"], 12), e["subjects"], e["arms"], e["reading"])
    )


def candidates(shown: Predictions, products: int, sizes: Sequence[int]) -> Iterator[Candidate]:
    """List feasible experiments: a product alone, all together, and living cells beside themselves blocked.

    Arguments:
        shown: arms and readings.
        products: how many of the arms are products.
        sizes: subjects of each arm.
    """
    viable = shown.arms.index(VIABLE)
    sets: list[tuple[int, ...]] = [(a,) for a in range(products)]
    sets += [(viable, a) for a in range(len(shown.arms)) if a != viable]
    if products > 2:
        sets.append(tuple(range(products)))
    for arms in dict.fromkeys(sets):
        for reading in range(len(shown.readings)):
            for size in sizes:
                yield Candidate(arms, reading, size)


def _shows(shown: Predictions, variant: int) -> dict[str, dict[str, float]]:
    """The mean effect of each arm on each reading under a carrier."""
    with np.errstate(invalid="ignore"):
        return {
            arm: {
                reading.key: float(np.nanmean(values))
                for r, reading in enumerate(shown.readings)
                if np.isfinite(values := shown.effects[variant, :, a, r]).any()
            }
            for a, arm in enumerate(shown.arms)
        }


def _actions(shown: Predictions, weights: dict[str, float], products: int) -> dict[str, Any]:
    """What would be recommended before any experiment."""
    prior = np.array([weights[name] for name in COMPETING])
    benefit = shown.effects[:, :, :products, 0]
    whole = np.isfinite(benefit).all(axis=(0, 2))
    mean = np.einsum("v,va->a", prior, benefit[:, whole].mean(axis=1)) if whole.any() else np.zeros(products)
    expected = {NOTHING: 0.0, **dict(zip(shown.arms[:products], mean.tolist(), strict=True))}
    reading = shown.readings[0]
    return {
        "endpoint": reading.key,
        "measure": reading.measure,
        "unit": reading.unit,
        "expected": expected,
        "recommended": max(expected, key=lambda name: expected[name]),
    }


__all__ = ["BLOCKED", "BOUND", "DRAWS", "SIZES", "SUBJECTS", "WITHOUT", "Candidate", "discriminate", "rank"]
