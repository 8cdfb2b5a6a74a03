"""A sponsor's own studies joined with what is stored: draws weighed anew, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.importance import RELIABLE, Weights, arviz_for_weights, equal_draws, smoothed
from mesolung.calibration.posterior.ensemble import DIGITS
from mesolung.calibration.posterior.leaving_out import STAGE
from mesolung.calibration.posterior.leaving_out import trials_of as learnt_trials
from mesolung.calibration.updating.borrow import borrowed, first_draws, prior_draws, uncertain, whole
from mesolung.calibration.updating.conflict import Conflict, conflict_of, record_of
from mesolung.calibration.updating.elicited import Opinion, log_ratio, told
from mesolung.calibration.updating.lots import record_of as record_of_lots
from mesolung.calibration.updating.lots import told_by
from mesolung.calibration.validation.bias import Bias, biases
from mesolung.calibration.validation.by_draw import by_draw, trials_of
from mesolung.calibration.validation.folder import File, predict_folder
from mesolung.calibration.validation.lines import Subject
from mesolung.calibration.validation.treatment import trial_of
from mesolung.population.library import DRAWS_AT_LEAST
from mesolung.population.posterior import (
    SCHEMA,
    Posterior,
    modules_digest,
    numbers_digest,
    read_posterior,
)
from mesolung.product.product import Product
from mesolung.reading import Refusal
from mesolung.streams import uniforms
from mesolung.study.run import run_study
from mesolung.study.setting import Progress
from mesolung.study.study import Study

Values = NDArray[np.float64]
# Below it what is left of the shipped evidence is told apart from nothing by nobody.
LEAST_BORROW = 0.1
LOCAL = (
    "All of this was computed on the machine that the command ran on. Nothing was sent anywhere; predictions "
    "of the private studies are kept in the user's cache of that machine until it is emptied."
)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is joined with the stored posterior.

    Attributes:
        files: private studies.
        lots: lot files by name.
        opinions: parameter -> experts' distributions.
        hashes: name of an input -> SHA-256 of its text.
    """

    files: Sequence[File] = ()
    lots: Mapping[str, Product] = field(default_factory=dict)
    opinions: Mapping[str, Sequence[Opinion]] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Updated:
    """What an update made.

    Attributes:
        posterior: the draws weighed anew, all of one weight; None where the weights may not be trusted.
        record: the object that `mesolung update --json` prints.
        weights: of the draws that were started from.
    """

    posterior: Posterior | None
    record: Mapping[str, Any]
    weights: Weights


def update(
    inputs: Inputs,
    *,
    borrow: float,
    draws: int | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    headline: Study | None = None,
    stored: Posterior | None = None,
    command: str = "",
) -> Updated:
    """Join private data with the stored posterior.

    Arguments:
        inputs: studies, lots and elicited quantiles; at least one of them.
        borrow: how far the stored posterior is borrowed, 0 to 1.
        draws: of the posterior; None for all that are stored, or 200 of the prior.
        seed, workers, progress: of the runs.
        headline: a study whose effect is told before and after; None for none.
        stored: a posterior instead of the package's own; None for that.
        command: what repeats it, for the record.

    Returns:
        the update.

    Raises:
        Refusal: for nothing to learn from, a borrow outside 0 to 1, more draws than are stored, no ArviZ, or
            data that no draw allows.
    """
    if not (inputs.files or inputs.lots or inputs.opinions):
        raise Refusal("nothing to learn from", allowed="--with, --lots or --elicited")
    if not 0.0 <= borrow <= 1.0:
        raise Refusal(
            "no borrow", found=borrow, allowed="0, for the prior alone, to 1, for all that is stored"
        )
    arviz_for_weights()
    shipped, why = _shipped(stored)
    if shipped is not None and draws is not None and draws > shipped.count:
        raise Refusal("more draws than are stored", found=draws, allowed=f"up to {shipped.count}")
    count = draws or (shipped.count if shipped is not None else DRAWS_AT_LEAST)
    if shipped is not None and borrow > 0.0:
        _refuse_learnt_twice(inputs, shipped)
    full = prior_draws(count) if shipped is None else first_draws(shipped, count)
    start = borrowed(full, borrow)
    predict = _Predicting(inputs.files, count, seed, workers, progress)
    subjects = predict.of(start)
    terms = design_terms()
    parts = {trial: by_draw(own, terms, count) for trial, own in trials_of(subjects).items()}
    logs = np.sum([part.values for part in parts.values()], axis=0) if parts else np.zeros(count)
    if inputs.opinions:
        logs = logs + log_ratio(start, inputs.opinions)
    weights = smoothed(np.asarray(logs) + np.log(start.weights))
    conflict = _conflict(predict, full, borrow, shipped is not None, count, seed)
    lots = told_by(list(inputs.lots.values()))
    about = {
        "version": __version__,
        "command": command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seed": seed,
        "draws": count,
        "borrow": borrow,
        "made_from": shipped.id if shipped is not None else "prior",
        "parameters_numbers": numbers_digest(read_parameters()),
        "modules_sha256": modules_digest(),
        "inputs": dict(inputs.hashes),
        "lots": record_of_lots(lots) or (dict(shipped.manifest.get("lots", {})) if shipped else {}),
        "before": _before(shipped),
    }
    made = None
    if weights.reliable:
        u = float(uniforms(seed, "update:comb", 0, 1)[0])
        made = _named(whole(start, equal_draws(weights.values, count, u)), about, shipped)
    record: dict[str, Any] = {
        "schema": SCHEMA,
        **about,
        "posterior": made.id if made is not None else None,
        "note": why,
        "local": LOCAL,
        "weights": {
            "khat": weights.shape,
            "khat_limit": RELIABLE,
            "reliable": weights.reliable,
            "effective": weights.effective,
        },
        "trials": {
            trial: {
                "observations": len(part.used),
                "power": part.power,
                "left_out": dict(part.left),
                "not_modelled": sum(len(s.predicted.not_modelled) for s in trials_of(subjects)[trial]),
                "refused": [s.predicted.refused for s in trials_of(subjects)[trial] if s.predicted.refused],
                "khat_alone": smoothed(part.values).shape,
            }
            for trial, part in parts.items()
        },
        "conflict": conflict,
        "elicited": {name: told(name, own) for name, own in inputs.opinions.items()},
        "parameters": contractions(start, weights),
        "headline": None,
    }
    if headline is not None and made is not None:
        record["headline"] = _headline(headline, full, made, count, seed, workers, progress)
    return Updated(made, record, weights)


def design_terms() -> tuple[Bias, ...]:
    """The terms of bias that a study has by its design; what nobody published was not selected either."""
    return tuple(term for term in biases().values() if term.studies != "all")


def hashes_of(paths: Mapping[str, Path]) -> dict[str, str]:
    """Identify inputs by their bytes.

    Arguments:
        paths: name -> file.

    Returns:
        name -> 64 hexadecimal digits.
    """
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in sorted(paths.items())}


def contractions(start: Posterior, weights: Weights) -> dict[str, dict[str, float]]:
    """What the weights make of each uncertain parameter.

    Arguments:
        start: the draws.
        weights: of them.

    Returns:
        id -> "contraction", 1 - variance after over variance before; "from_prior", the same against the
        prior; "moved", of the mean, in standard deviations before. All on the scale on which the prior is
        normal. The error of a contraction of nothing is about sqrt(2 / effective draws).
    """
    found = {}
    for row in read_parameters():
        if not uncertain(row) and row.id not in start.names:
            continue
        z, prior = start.latent(row.id), start.latent_prior(row.id)
        before = float(z.var())
        if before == 0.0 or float(prior.var()) == 0.0:
            continue
        mean = float(weights.values @ z)
        after = float(weights.values @ (z - mean) ** 2)
        found[row.id] = {
            "contraction": 1.0 - after / before,
            "from_prior": 1.0 - after / float(prior.var()),
            "moved": (mean - float(z.mean())) / float(np.sqrt(before)),
        }
    return found


class _Predicting:
    """Predictions of the private studies under one list of draws after another, none made twice."""

    def __init__(
        self, files: Sequence[File], draws: int, seed: int, workers: int, progress: Progress | None
    ) -> None:
        self.files, self.draws, self.seed = files, draws, seed
        self.workers, self.progress = workers, progress
        self.made: dict[str, list[Subject]] = {}

    def of(self, posterior: Posterior) -> list[Subject]:
        if not self.files:
            return []
        if posterior.id not in self.made:
            self.made[posterior.id] = predict_folder(
                self.files, draws=self.draws, seed=self.seed, workers=self.workers, progress=self.progress,
                own=posterior,
            )[0]  # fmt: skip
        return self.made[posterior.id]


def _shipped(stored: Posterior | None) -> tuple[Posterior | None, str]:
    found = stored if stored is not None else read_posterior()
    if found is None:
        why = "no posterior is stored"
    elif clause := found.matches():
        why = f"the stored posterior {clause}"
    elif stored is None and found.open:
        why = f"stages of the stored posterior are open ({', '.join(found.open)})"
    else:
        return found, ""
    return None, f"{why}: the prior is weighed, and there is nothing to borrow"


def _before(shipped: Posterior | None) -> dict[str, str]:
    """Private inputs that the posterior has learnt from in updates before."""
    if shipped is None:
        return {}
    return {**shipped.manifest.get("before", {}), **shipped.manifest.get("inputs", {})}


def _refuse_learnt_twice(inputs: Inputs, shipped: Posterior) -> None:
    """Stop where the posterior has learnt from a study already: its evidence would count twice."""
    known = set(_before(shipped).values())
    for name, digest in inputs.hashes.items():
        if digest in known:
            raise Refusal(
                f"{name} was learnt from in an update before",
                found=digest[:12],
                allowed="new data, or --borrow 0",
            )
    learnt: set[str] = set()
    if STAGE in shipped.manifest.get("stages", {}):
        with suppress(Refusal):
            learnt = set(learnt_trials())
    for file in inputs.files:
        if trial_of(file.study) in learnt:
            raise Refusal(
                "the stored posterior has learnt from this trial, whose evidence would count twice",
                file=file.study.file,
                found=trial_of(file.study),
                allowed="studies that are not among the published evidence, or --borrow 0",
            )


def _conflict(
    predict: _Predicting, full: Posterior, borrow: float, is_stored: bool, draws: int, seed: int
) -> dict[str, Any]:
    """Private data under all that is stored; where they conflict, also under the prior alone."""
    found = conflict_of(predict.of(full), draws, seed)
    said: dict[str, Any] = {"stored": record_of(found), "prior": None, "suggested_borrow": None, "said": ""}
    if not found.told:
        said["said"] = (
            "the private data are what the stored evidence leads one to expect" if predict.files else ""
        )
        return said
    if not is_stored:
        said["said"] = "the private data are not what the prior leads one to expect"
        return said
    prior: Conflict = conflict_of(predict.of(borrowed(full, 0.0)), draws, seed)
    said["prior"] = record_of(prior)
    if prior.told:
        said["said"] = (
            "the private data are neither what the stored evidence nor what the prior leads one to expect: "
            "borrowing less does not mend it, the data or the model's laws should be looked at"
        )
    elif borrow > 0.0:
        less = borrow / 2.0 if borrow / 2.0 >= LEAST_BORROW else 0.0
        said["suggested_borrow"] = less
        said["said"] = (
            "the private data are not what the stored evidence leads one to expect, and the prior allows "
            f"them: try --borrow {less:g}, and report both"
        )
    else:
        said["said"] = (
            "the private data are not what the stored evidence leads one to expect; nothing of it is borrowed"
        )
    return said


def _named(made: Posterior, about: Mapping[str, Any], shipped: Posterior | None) -> Posterior:
    """The posterior with its manifest, its numbers as they are printed."""
    printed = np.array([[float(f"{v:.{DIGITS}g}") for v in row] for row in made.draws])
    manifest = {
        **about,
        "schema": SCHEMA,
        "parameters": len(made.names),
        "stages": dict(shipped.manifest.get("stages", {})) if shipped is not None else {},
    }
    found = replace(made, draws=printed, manifest=manifest)
    return replace(found, manifest={**manifest, "id": found.id})


def _headline(
    study: Study,
    before: Posterior,
    after: Posterior,
    count: int,
    seed: int,
    workers: int,
    progress: Progress | None,
) -> dict[str, Any]:
    """A study's effects with what is stored, and with the private data."""
    effects = [
        run_study(
            study, replicates=count, draws=count, seed=seed, workers=workers, progress=progress, own=own
        ).json["effect"]
        for own in (before, after)
    ]
    return {"study": study.name, "before": effects[0], "after": effects[1]}
