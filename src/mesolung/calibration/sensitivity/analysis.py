"""`mesolung sensitivity`: screening of all uncertain inputs, then shares of the variance of the strongest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.calibration.contraction import RULE, Contraction, parameter_contractions, recommend
from mesolung.calibration.sensitivity import morris, sobol
from mesolung.calibration.sensitivity.inputs import Input, drawn, moved, named
from mesolung.calibration.sensitivity.points import EFFECT, Answers, Laboratory, Quantity, laboratory
from mesolung.population.draws import PRIOR_NAME, draw_prior
from mesolung.population.posterior import Source
from mesolung.product.priors import priors_hash
from mesolung.reading import Refusal
from mesolung.study.canonical import inputs_sha256
from mesolung.study.modelled import left_out
from mesolung.study.setting import Progress
from mesolung.study.study import Study

Values = NDArray[np.float64]
METHODS = ("morris", "sobol", "both")
TRAJECTORIES, SAMPLES, TOP, SUBJECTS = 10, 256, 10, 32
# Draws that show how far everything together spreads a quantity.
SPREAD = 64
LEVELS = (0.05, 0.5, 0.95)
SAID = {
    "subjects": "The same subjects, exposed to the same, with the same lots and the same chances at every "
    "point: only the biology is another. Each is brought from health to enrolment, or to injury, anew, so "
    "that a trial's table 1 holds over the draws that its patients were picked from and is not met again "
    "at every point.",
    "morris": "Each input is moved over half of its own distribution, from one of the lower two quarters to "
    "the quarter two above, at random places of all others. Size is the mean absolute change; spread its "
    "standard deviation, large where the input acts differently with others.",
    "sobol": "Shares of the variance over the inputs listed, all others at their medians: first alone, total "
    "with everything that it does together with others. Shares are of what is listed, not of all that is "
    "unknown.",
    "interval": "Intervals are 90 % of bootstrap samples: they fall with more trajectories or samples. The "
    "range over draws does not.",
    "contraction": RULE,
}


def analyse(
    study: Study,
    *,
    endpoint: str | None = None,
    method: str = "both",
    trajectories: int = TRAJECTORIES,
    samples: int = SAMPLES,
    top: int = TOP,
    parameters: Sequence[str] | None = None,
    subjects: int = SUBJECTS,
    spread: int = SPREAD,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    source: Source = "auto",
) -> dict[str, Any]:
    """Find what moves a study's endpoints and effect.

    Arguments:
        study: validated.
        endpoint: the one to look at; None for all of the plan.
        method: "morris" screens, "sobol" shares out the variance, "both" does so for what screening found.
        trajectories: paths of the screening.
        samples: of the Sobol indices, a power of two.
        top: how many inputs the indices are of, after a screening.
        parameters: inputs to look at; None for all that can act.
        subjects: of a point.
        spread: draws that show the range of each quantity.
        seed: of everything random.
        workers: threads.
        progress: called with (stage, done, total).
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        the object that `mesolung sensitivity --json` prints.

    Raises:
        Refusal: for an option that cannot be, or a study of which nothing is modelled.
    """
    _check(method, samples, parameters)
    lab = laboratory(
        study,
        endpoint=endpoint,
        subjects=subjects,
        seed=seed,
        workers=workers,
        progress=progress,
        source=source,
    )
    chosen = list(lab.inputs) if parameters is None else named(lab.inputs, parameters)
    if not chosen:
        raise Refusal("nothing uncertain can act on this study's endpoints", file=study.file)
    parts: list[Answers] = []
    draws = lab.setting.draws
    count = min(spread, draws.count)
    ranges = lab.ask(drawn(draws, count, seed), workers=workers, stage="draws")
    parts.append(ranges)
    before = ranges
    if not draws.posterior.startswith(PRIOR_NAME):
        prior = draw_prior(draws.count, priors_hash())
        before = lab.ask(drawn(prior, count, seed), workers=workers, stage="draws of the prior")
        parts.append(before)
    contracted = parameter_contractions(draws)
    screened: list[dict[str, Any]] | None = None
    strongest = chosen
    if method in ("morris", "both"):
        screened, answers, order = _screen(lab, chosen, trajectories, seed, workers)
        parts.append(answers)
        strongest = [chosen[i] for i in order[:top]]
    shared: list[dict[str, Any]] | None = None
    if method in ("sobol", "both"):
        shared, answers = _share(lab, strongest, samples, seed, workers)
        parts.append(answers)
    entries = [
        _entry(quantity, ranges.values[:, q], before.values[:, q], screened, shared, q, seed)
        for q, quantity in enumerate(lab.quantities)
    ]
    return {
        "schema": 1,
        "study": study.name,
        "version": __version__,
        "posterior": draws.posterior,
        "model_sha256": lab.setting.model_hash,
        "inputs_sha256": inputs_sha256(study),
        "method": method,
        "trajectories": trajectories if method != "sobol" else None,
        "samples": samples if method != "morris" else None,
        "subjects": lab.setting.slots * lab.setting.subjects,
        "points": int(sum(len(part.values) for part in parts)),
        "seed": seed,
        "solved_subjects": sum(part.solved for part in parts),
        "failed_subjects": sum(part.failed for part in parts),
        "unreached": lab.left_out,
        "said": SAID,
        "warnings": left_out(study),
        "inputs": [_input(one, contracted.get(one.id)) for one in chosen],
        "strongest": [one.id for one in strongest] if method != "morris" else [],
        "quantities": entries,
    }


def _check(method: str, samples: int, parameters: Sequence[str] | None) -> None:
    if method not in METHODS:
        raise Refusal("no such method", found=method, allowed=", ".join(METHODS))
    if method != "morris" and (samples < 2 or samples & (samples - 1)):
        raise Refusal(
            "--samples must be a power of two, so that the sequence is balanced",
            found=str(samples),
            allowed="64, 128, 256, 512, ...",
        )
    if method == "sobol" and parameters is None:
        raise Refusal(
            "Sobol indices of every uncertain parameter would take too many runs",
            allowed="--method both, which screens first, or --parameters A,B,C",
        )


def _screen(
    lab: Laboratory, chosen: Sequence[Input], trajectories: int, seed: int, workers: int
) -> tuple[list[dict[str, Any]], Answers, list[int]]:
    made = morris.paths(trajectories, len(chosen), seed)
    points = made.points.reshape(-1, len(chosen))
    answers = lab.ask(moved(lab.setting.draws, chosen, points), workers=workers, stage="screening")
    table = answers.values.reshape(trajectories, len(chosen) + 1, -1)
    found = [morris.effects(made, table[:, :, q], seed) for q in range(table.shape[2])]
    records = [
        {
            "kept": one.kept,
            "inputs": {
                i.id: {
                    "size": one.size[k],
                    "low": one.low[k],
                    "high": one.high[k],
                    "mean": one.mean[k],
                    "spread": one.spread[k],
                }
                for k, i in enumerate(chosen)
            },
        }
        for one in found
    ]
    order = ranked([one.size for one in found], [q.kind for q in lab.quantities])
    return records, answers, order


def ranked(sizes: Sequence[Values], kinds: Sequence[str]) -> list[int]:
    """Rank inputs by what they move most.

    Arguments:
        sizes: float64[k] of each quantity.
        kinds: of the quantities; effects count alone where there is one, else the arms do.

    Returns:
        places of inputs, the strongest first: by the largest share of a quantity's strongest input.
    """
    counted = [s for s, kind in zip(sizes, kinds, strict=True) if kind == EFFECT or EFFECT not in kinds]
    shares = [s / np.nanmax(s) for s in counted if np.isfinite(s).any() and np.nanmax(s) > 0]
    best = np.max(shares, axis=0) if shares else np.zeros(len(sizes[0]))
    return [int(i) for i in np.argsort(-np.nan_to_num(best), kind="stable")]


def _share(
    lab: Laboratory, chosen: Sequence[Input], samples: int, seed: int, workers: int
) -> tuple[list[dict[str, Any]], Answers]:
    made = sobol.design(samples, len(chosen), seed)
    points = made.points()
    answers = lab.ask(moved(lab.setting.draws, chosen, points), workers=workers, stage="variance")
    records = []
    for q in range(answers.values.shape[1]):
        one = sobol.indices(made, answers.values[:, q], seed)
        records.append(
            {
                "kept": one.kept,
                "variance": one.variance,
                "inputs": {
                    i.id: {
                        "first": one.first[k],
                        "first_low": one.first_interval[0, k],
                        "first_high": one.first_interval[1, k],
                        "total": one.total[k],
                        "total_low": one.total_interval[0, k],
                        "total_high": one.total_interval[1, k],
                    }
                    for k, i in enumerate(chosen)
                },
            }
        )
    return records, answers


def _entry(
    quantity: Quantity,
    values: Values,
    before: Values,
    screened: Sequence[dict[str, Any]] | None,
    shared: Sequence[dict[str, Any]] | None,
    q: int,
    seed: int,
) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    low, middle, high = np.quantile(known, LEVELS) if known.size else (float("nan"),) * 3
    return {
        "kind": quantity.kind,
        "of": quantity.of,
        "endpoint": quantity.endpoint,
        "measure": quantity.measure,
        "unit": quantity.unit,
        "over_draws": {"n": int(known.size), "p05": low, "p50": middle, "p95": high},
        # An arm's level is nothing to choose by; the effect is.
        "recommendation": recommend(before, values, seed).record() if quantity.kind == EFFECT else None,
        "morris": None if screened is None else screened[q],
        "sobol": None if shared is None else shared[q],
    }


def _input(one: Input, contracted: Contraction | None) -> dict[str, Any]:
    return {
        "id": one.id,
        "module": one.module,
        "unit": one.unit,
        "grade": one.grade,
        "meaning": one.meaning,
        "contraction": 0.0 if contracted is None else contracted.value,
    }
