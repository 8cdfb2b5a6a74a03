"""Every observation of a study scored, with what the page tells about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesolung.calibration.validation.bias import Bias, bias_of
from mesolung.calibration.validation.effect import moved
from mesolung.calibration.validation.predicted import Predicted
from mesolung.calibration.validation.scoring import (
    Scored,
    jackknife_error,
    score_briefly,
    score_observation,
)
from mesolung.calibration.validation.treatment import compared_treatment, side_of, trial_of
from mesolung.streams import uniforms
from mesolung.study.answers import unit_of
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import Basis, error_of
from mesolung.study.observation import Observation
from mesolung.study.observing import VALUE_OF, in_printed_unit
from mesolung.study.study import Study
from mesolung.study.unscored import status_of
from mesolung.trial.contrasts import is_ratio
from mesolung.units import convert

UNLIKELY = 0.1


@dataclass(frozen=True, eq=False)
class Subject:
    """A study that is validated.

    Attributes:
        key: its file's name without the ending.
        study: what of it the model answers.
        predicted: its predictions.
        used: what its numbers were used for: "fit", "unseen", a leave-one-out group, or empty where unknown.
    """

    key: str
    study: Study
    predicted: Predicted
    used: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Line:
    """One observation and how well it was predicted.

    Attributes:
        key: the study's.
        trial: that the study is of.
        one: the observation.
        asked: its endpoint.
        basis: its prediction, with the bias that was switched on.
        scored: its scores.
        treatment: whose effect it tells of; empty for usual care.
        treated: whether the arm itself is treated.
        weight: 1, or its share among several versions of one result.
        used: see `Subject`.
    """

    key: str
    trial: str
    one: Observation
    asked: Asked
    basis: Basis
    scored: Scored
    treatment: str
    treated: bool
    weight: float
    used: str

    @property
    def counts(self) -> bool:
        """Whether it is scored; a bare number without n or spread is answered only."""
        return self.scored.log_scores is not None

    @property
    def failed(self) -> bool:
        """Whether the prediction failed: outside 90 %, or a class or order of less than 10 %."""
        if not self.counts:
            return False
        if self.scored.inside is not None:
            return not self.scored.inside["90"]
        return self.scored.tail is not None and self.scored.tail < UNLIKELY

    @property
    def scale(self) -> float | None:
        """What a CRPS is divided by to compare endpoints: subjects of a count, else the published error."""
        if self.one.form == "events":
            return float(self.one.n or 1)
        if self.one.form == "contrast" and is_ratio(str(self.one.contrast)):
            return 1.0
        return error_of(self.one)

    def record(self) -> dict[str, Any]:
        """The line as the JSON has it, numbers in the unit that the study printed."""
        one, scored = self.one, self.scored
        score = in_printed_unit(scored.score, one, self.asked)
        name = one.arm[0] if len(one.arm) == 1 else list(one.arm)
        ratio = one.form == "contrast" and is_ratio(str(one.contrast))
        own = unit_of(self.asked)
        unit = None if ratio or one.form not in VALUE_OF else (one.unit or own)

        def printed(value: float) -> float:
            return value if unit is None or unit == own else convert(value, own, unit)

        found: dict[str, Any] = {
            "study": self.key,
            "trial": self.trial,
            "index": one.index,
            "arm": name,
            "versus": one.versus,
            "endpoint": self.asked.key,
            "as": one.as_,
            "contrast": one.contrast,
            "n": one.n,
            "unit": unit,
            "used": self.used,
            "treatment": self.treatment,
            "weight": self.weight,
            "scored": self.counts,
            "failed": self.failed,
            **score.as_json(),
            **status_of(one, scored.score),
        }
        if scored.log_scores is not None:
            found["log_score_error"] = jackknife_error(scored.log_scores)
        if scored.crps is not None:
            factor = printed(1.0) if one.form in VALUE_OF and not ratio else 1.0
            found |= {
                "crps": factor * float(scored.crps[0]),
                "crps_error": factor * jackknife_error(scored.crps),
            }
        if scored.pit is not None:
            found |= {"pit": scored.pit, "pit_error": scored.pit_error}
        for name, ends in (scored.intervals or {}).items():
            found[f"interval_{name}"] = [printed(end) for end in ends]
            found[f"inside_{name}"] = (scored.inside or {})[name]
        if scored.tail is not None:
            found["tail"] = scored.tail
        return found


def lines_of(subject: Subject, terms: Sequence[Bias], seed: int = 0, *, briefly: bool = False) -> list[Line]:
    """Score all observations of a study.

    Arguments:
        subject: the study and its predictions.
        terms: of bias, those that are switched on.
        seed: of the random part of a PIT.
        briefly: log scores alone.

    Returns:
        a line an observation that the model answers, in the file's order.
    """
    study, predicted = subject.study, subject.predicted
    trial, weights = trial_of(study), version_weights(study)
    found = []
    for one in study.observations:
        bases = predicted.bases.get(one.index)
        if bases is None:
            continue
        asked = asked_of(study, one)
        basis = bases.own
        subjective = bool(getattr(asked.row, "subjective", False))
        bias = bias_of(terms, study, one, subjective, trial, predicted.draws)
        if bias is not None:
            basis = moved(bases, basis, one, asked.row, bias)
        u = float(uniforms(seed, f"pit:{subject.key}:{one.index}", 0, 1)[0])
        found.append(
            Line(
                subject.key,
                trial,
                one,
                asked,
                basis,
                score_briefly(one, asked, basis, predicted.draws)
                if briefly
                else score_observation(one, asked, basis, predicted.draws, u),
                compared_treatment(study, one),
                side_of(study, one) == 1,
                weights[one.index],
                subject.used.get(one.index, ""),
            )
        )
    return found


def version_weights(study: Study) -> dict[int, float]:
    """Share the weight of a result among its published versions.

    Arguments:
        study: validated.

    Returns:
        index of the observation -> weight; 1 without versions.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for one in study.observations:
        if one.source.version is not None:
            text = one.where.text if one.where else None
            key = (one.arm, one.endpoint, one.time_h, one.as_, text, one.versus, one.form)
            groups.setdefault(key, []).append(one.index)
    shared = {index: 1.0 / len(group) for group in groups.values() for index in group}
    return {one.index: shared.get(one.index, 1.0) for one in study.observations}
