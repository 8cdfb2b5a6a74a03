"""A folder of published studies against the model: scores, baselines, bias, and what they say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.calibration.validation.baselines import SAID
from mesolung.calibration.validation.bias import ALL, NONE, Bias, biases, chosen
from mesolung.calibration.validation.lines import Line, Subject, lines_of
from mesolung.calibration.validation.published import Published, published_effects
from mesolung.calibration.validation.scoring import blocks_of, jackknife_error
from mesolung.calibration.validation.skill import (
    LEAST_TRIALS,
    MODEL,
    Difference,
    Item,
    differences,
    items_of,
    verdict,
)
from mesolung.calibration.validation.summary import parts_of, summary_of
from mesolung.calibration.validation.treatment import CELLS
from mesolung.study.challenged import is_sham
from mesolung.study.scores import Joint, joint_score, one_weight
from mesolung.study.unscored import why_not_scored


@dataclass(frozen=True, eq=False)
class Validation:
    """All scores of a validation.

    Attributes:
        json: the object that `mesolung validate --json` prints.
        lines: scored observations, the most surprising first.
    """

    json: Mapping[str, Any]
    lines: Sequence[Line]


def score(subjects: Sequence[Subject], *, bias: str = ALL, seed: int = 0) -> Validation:
    """Score all studies of a folder.

    Arguments:
        subjects: studies and their predictions.
        bias: "none", "all" or the name of a term: what the scores and the first line include. The first line
            under every other choice is told beside it.
        seed: of the random part of PITs.

    Returns:
        the scores.

    Raises:
        Refusal: for a bias that does not exist.
    """
    terms = chosen(bias)
    effects = [one for subject in subjects for one in published_effects(subject.study)]
    lines, items = _scored(subjects, effects, terms, seed)
    answers: dict[str, Any] = {}
    for name in (NONE, *biases(), ALL):
        other = items if name == bias else _scored(subjects, effects, chosen(name), seed, True)[1]
        answers[name] = {key: _differences(differences(own)) for key, own in _classes(other).items()}
    ordered = most_surprising_first(lines)
    classes = {key: differences(own) for key, own in _classes(items).items()}
    json = {
        "schema": 1,
        "version": __version__,
        "headline": headline(classes, items),
        "headline_treatment": next(iter(classes), None),
        "bias": bias,
        "bias_terms": [
            {
                "name": b.name,
                "mean": b.mean,
                "sd": b.sd,
                "unit": b.unit,
                "source": b.source,
                "status": b.status,
            }
            for b in biases().values()
        ],
        "summary": summary_of(lines),
        "parts": parts_of(lines),
        "skill": {key: _differences(found) for key, found in classes.items()},
        "skill_by_bias": answers,
        "baselines": dict(SAID),
        "items": [
            {
                "study": item.key,
                "trial": item.trial,
                "endpoint": item.endpoint,
                "treatment": item.treatment,
                "pooled": item.pooled,
                "log_score": {name: float(values[0]) for name, values in item.scores.items()},
            }
            for item in items
        ],
        "observations": [line.record() for line in ordered],
        "joint": _joint(subjects, lines),
        "studies": [_study(subject) for subject in subjects],
        "not_modelled": _not_modelled(subjects),
        "not_scored": _not_scored(lines),
    }
    return Validation(json, ordered)


def headline(classes: Mapping[str, Mapping[str, Difference]], items: Sequence[Item]) -> str:
    """The first line of the page: what may be said of a predicted effect, and no more.

    Arguments:
        classes: treatment -> differences from each baseline.
        items: all treated results.
    """
    if not items:
        return "No treated arm with a control was scored: nothing is said of an effect."
    name = CELLS if CELLS in classes else next(iter(classes))
    found = classes[name]
    said = verdict(found)
    least = min(found.values(), key=lambda one: one.mean)
    numbers = (
        f"{least.mean:+.2f} nats a trial against the best of three constant effects, standard error "
        f"{least.total_error:.2f}, {least.trials} trials"
        if least.trials > 1
        else f"{least.mean:+.2f} nats against the best of three constant effects, one trial"
    )
    what = f"Effect of {name}: "
    if said > 0:
        return f"{what}predicted better than a constant effect ({numbers})."
    if said < 0:
        return f"{what}predicted worse than a constant effect ({numbers})."
    few = f"; at least {LEAST_TRIALS} are asked for" if least.trials < LEAST_TRIALS else ""
    return f"{what}not distinguishable from a constant effect ({numbers}{few})."


def _scored(
    subjects: Sequence[Subject],
    effects: Sequence[Published],
    terms: Sequence[Bias],
    seed: int,
    briefly: bool = False,
) -> tuple[list[Line], list[Item]]:
    lines, items = [], []
    for subject in subjects:
        own = lines_of(subject, terms, seed, briefly=briefly)
        lines += own
        items += items_of(subject, own, effects, terms)
    return lines, items


def _classes(items: Sequence[Item]) -> dict[str, list[Item]]:
    """Treated results by treatment: cells first, then by number; all together last where several are."""
    names = sorted({item.treatment for item in items})
    count = {name: len({item.trial for item in items if item.treatment == name}) for name in names}
    names.sort(key=lambda name: (name != CELLS, -count[name], name))
    found = {name: [item for item in items if item.treatment == name] for name in names}
    return found if len(found) < 2 else {**found, "all treatments": list(items)}


def _differences(found: Mapping[str, Difference]) -> dict[str, Any]:
    return {
        name: {
            "mean": one.mean,
            "error": one.error,
            "monte_carlo": one.monte_carlo,
            "trials": one.trials,
            "verdict": {1: "better", -1: "worse", 0: "not distinguishable"}[one.verdict],
        }
        for name, one in found.items()
    }


def most_surprising_first(lines: Sequence[Line]) -> list[Line]:
    """Order observations: failures first, by their chance; of equal chance each endpoint of a study in turn.

    Arguments:
        lines: of all studies.
    """

    def chance(line: Line) -> tuple[bool, float]:
        return not line.failed, 2.0 if line.scored.tail is None else line.scored.tail

    turn: dict[tuple[Any, ...], int] = {}
    keyed = []
    for line in sorted(lines, key=chance):
        own = (chance(line), line.key, line.one.endpoint)
        turn[own] = turn.get(own, -1) + 1
        keyed.append(((*chance(line), turn[own]), line))
    return [line for _, line in sorted(keyed, key=itemgetter(0))]


def _joint(subjects: Sequence[Subject], lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Joint scores of the arms of each study's endpoints, as `mesolung run` defines them."""
    found = []
    for subject in subjects:
        control = subject.study.control.name if subject.study.control else None
        together: dict[tuple[str, str], dict[str, list[Any]]] = {}
        for line in lines:
            terms = line.scored.score.log_likelihoods
            single = line.key == subject.key and line.one.versus is None and len(line.one.arm) == 1
            if single and terms is not None and not is_sham(subject.study, line.one.arm[0]):
                group = together.setdefault((line.asked.key, line.one.form), {})
                group.setdefault(line.one.arm[0], []).append(terms)
        for (endpoint, _), arms in sorted(together.items()):
            own = {arm: one_weight(terms) for arm, terms in arms.items()}
            both = joint_score(own, control)
            errors = joint_errors(own, control, subject.predicted.draws)
            found.append(
                {
                    "study": subject.key,
                    "endpoint": endpoint,
                    "arms": len(own),
                    "log_score": both.log_score,
                    "log_score_error": errors.log_score,
                    "treated_given_control": both.treated_given_control,
                    "treated_given_control_error": errors.treated_given_control,
                }
            )
    return found


def joint_errors(terms: Mapping[str, NDArray[np.float64]], control: str | None, draws: int) -> Joint:
    """Monte-Carlo standard errors of a joint score, from leaving out blocks of draws in turn.

    Arguments:
        terms: arm -> float64[D or R], as `joint_score` takes them.
        control: the control arm, or None.
        draws: D.

    Returns:
        the errors in place of the scores; None where a score is.
    """
    count = next(iter(terms.values())).size
    block, blocks = blocks_of(count, draws)
    each = [
        joint_score({arm: np.where(block == left, np.nan, own) for arm, own in terms.items()}, control)
        for left in range(-1, blocks)
    ]

    def error(values: Sequence[float | None]) -> float | None:
        known = np.array([np.nan if v is None else v for v in values])
        found = jackknife_error(known)
        return found if np.isfinite(found) else None

    return Joint(error([j.log_score for j in each]), error([j.treated_given_control for j in each]))


def _study(subject: Subject) -> dict[str, Any]:
    predicted = subject.predicted
    return {
        "study": subject.key,
        "name": subject.study.name,
        "kind": subject.study.kind,
        "disease": dict(subject.study.diseases),
        "answered": len(predicted.bases),
        "not_modelled": len(predicted.not_modelled),
        "refused": predicted.refused,
        "posterior": predicted.about.get("posterior"),
        "failed_subjects": predicted.about.get("failed", 0),
        "warnings": list(predicted.about.get("warnings", [])),
    }


def _not_modelled(subjects: Sequence[Subject]) -> dict[str, Any]:
    return _counted(reason for subject in subjects for reason in subject.predicted.not_modelled.values())


def _not_scored(lines: Sequence[Line]) -> dict[str, Any]:
    found = (why_not_scored(line.one, line.scored.score) for line in lines)
    return _counted(reason for reason in found if reason is not None)


def _counted(reasons: Iterable[str]) -> dict[str, Any]:
    """How many there are of each, the most frequent first."""
    count = Counter(reasons)
    by_number = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))
    return {"observations": count.total(), "reasons": dict(by_number)}


__all__ = ["MODEL", "Validation", "headline", "score"]
