"""Whether the model predicts treated arms better than a constant effect on its own control arm does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.validation.baselines import BASELINES, POOLED, baseline_basis, baseline_effect
from mesolung.calibration.validation.bias import Bias, bias_of
from mesolung.calibration.validation.effect import moved
from mesolung.calibration.validation.lines import Line, Subject
from mesolung.calibration.validation.mixtures import log_mixture_by_block
from mesolung.calibration.validation.published import Published
from mesolung.calibration.validation.scoring import (
    blocks_of,
    jackknife_error,
    score_briefly,
)
from mesolung.study.basis import Basis, score_of
from mesolung.study.observation import BASELINE
from mesolung.study.scores import one_weight

Values = NDArray[np.float64]
MODEL = "model"
CLAIMED_BEYOND = 2.0
# With fewer trials the standard error of a mean difference is itself not known.
LEAST_TRIALS = 5
ARM_FORMS = ("events", "mean", "median", "event_count")


@dataclass(frozen=True, eq=False)
class Item:
    """One treated result, as the model and each baseline scored it.

    Attributes:
        trial: whose.
        key: of the study.
        endpoint: with its time.
        treatment: whose effect.
        scores: predictor -> float64[1 + K], log score given the control arm, with all draws and with each
            block left out.
        pooled: whether the pooled effect rested on other trials.
    """

    trial: str
    key: str
    endpoint: str
    treatment: str
    scores: Mapping[str, Values]
    pooled: bool


@dataclass(frozen=True)
class Difference:
    """How much better the model's log score is than a baseline's, a trial.

    Attributes:
        mean: nats a trial; positive where the model is better.
        error: standard error over trials; nan for one trial.
        monte_carlo: its Monte-Carlo standard error.
        trials: how many.
    """

    mean: float
    error: float
    monte_carlo: float
    trials: int

    @property
    def total_error(self) -> float:
        """Both errors together."""
        return float(np.hypot(self.error, 0.0 if np.isnan(self.monte_carlo) else self.monte_carlo))

    @property
    def verdict(self) -> int:
        """1 where the model is better beyond two standard errors, -1 worse, 0 neither."""
        if self.trials < LEAST_TRIALS or not np.isfinite(self.total_error):
            return 0
        beyond = abs(self.mean) > CLAIMED_BEYOND * self.total_error
        return int(np.sign(self.mean)) if beyond else 0


def items_of(
    subject: Subject, lines: Sequence[Line], effects: Sequence[Published], terms: Sequence[Bias]
) -> list[Item]:
    """The treated results of a study, scored by the model and by each baseline.

    Arguments:
        subject: the study.
        lines: its observations, scored with the same terms of bias.
        effects: what all studies published.
        terms: of bias; the model and the baselines have them alike, but what is pooled from published effects
            has them already.

    Returns:
        an item an endpoint of treated arms given the control arm, and one a comparison or direction of which
        the arms themselves are not observed.
    """
    draws = subject.predicted.draws
    control = subject.study.control.name if subject.study.control else None
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.one.form in ARM_FORMS and line.one.versus is None and len(line.one.arm) == 1:
            groups.setdefault((line.asked.key, line.one.form), []).append(line)
    found, told = [], set()
    for (endpoint, _), group in sorted(groups.items()):
        treated = [line for line in group if line.treated]
        base = _terms([line for line in group if line.one.arm == (control,)], {})
        if not treated or control is None or not base:
            continue
        told |= {(line.one.endpoint, line.one.time_h, line.one.arm) for line in treated}
        scores, learnt = {MODEL: _joint(_terms(treated, {}), base, draws)}, False
        for name in BASELINES:
            moved_to, known = _moved(name, treated, subject, effects, terms)
            learnt = learnt or (name == POOLED and known)
            scores[name] = _joint(_terms(treated, moved_to), base, draws)
        if all(value is not None for value in scores.values()):
            names = " / ".join(sorted({line.treatment for line in treated}))
            kept = {name: value for name, value in scores.items() if value is not None}
            found.append(Item(treated[0].trial, subject.key, endpoint, names, kept, learnt))
    for line in lines:
        one = line.one
        apart = (one.endpoint, one.time_h, one.arm) in told and one.versus != BASELINE
        if not line.treated or one.form not in ("contrast", "direction") or apart:
            continue
        scores, learnt = {MODEL: line.scored.log_scores}, False
        for name in BASELINES:
            moved_to, known = _moved(name, [line], subject, effects, terms)
            learnt = learnt or (name == POOLED and known)
            basis = moved_to.get(one.index)
            scores[name] = None if basis is None else _alone(line, basis, draws)
        kept = {name: value for name, value in scores.items() if value is not None}
        if len(kept) == len(scores):
            found.append(Item(line.trial, subject.key, line.asked.key, line.treatment, kept, learnt))
    return found


def differences(items: Iterable[Item]) -> dict[str, Difference]:
    """Compare the model with each baseline, a trial weighing as much as another.

    Arguments:
        items: treated results.

    Returns:
        baseline -> difference; empty without items.
    """
    trials: dict[str, list[Item]] = {}
    for item in items:
        trials.setdefault(item.trial, []).append(item)
    found = {}
    for name in BASELINES if trials else ():
        each = np.array(
            [
                np.mean([item.scores[MODEL] - item.scores[name] for item in own], axis=0)
                for _, own in sorted(trials.items())
            ]
        )
        means = each.mean(axis=0)
        k = each.shape[0]
        error = float(each[:, 0].std(ddof=1) / np.sqrt(k)) if k > 1 else float("nan")
        found[name] = Difference(float(means[0]), error, jackknife_error(means), k)
    return found


def verdict(found: Mapping[str, Difference]) -> int:
    """Whether the model beats every constant effect (1), loses to one of them (-1), or neither (0).

    Arguments:
        found: from `differences`.
    """
    if not found:
        return 0
    each = [one.verdict for one in found.values()]
    return -1 if min(each) < 0 else int(min(each) > 0)


def _moved(
    name: str, lines: Sequence[Line], subject: Subject, effects: Sequence[Published], terms: Sequence[Bias]
) -> tuple[dict[int, Basis], bool]:
    """A baseline's predictions of some lines by index, and whether it pooled other trials."""
    found: dict[int, Basis] = {}
    learnt = False
    for line in lines:
        bases = subject.predicted.bases[line.one.index]
        effect, known = baseline_effect(name, subject.study, line.one, effects, subject.predicted.draws)
        learnt = learnt or known
        basis = baseline_basis(line.one, line.asked.row, bases, effect)
        if basis is None:
            continue
        subjective = bool(getattr(line.asked.row, "subjective", False))
        bias = bias_of(
            () if known else terms, subject.study, line.one, subjective, line.trial, subject.predicted.draws
        )
        if bias is not None:
            basis = moved(bases, basis, line.one, line.asked.row, bias)
        found[line.one.index] = basis
    return found, learnt


def _terms(lines: Sequence[Line], instead: Mapping[int, Basis]) -> dict[str, Any]:
    """Arm -> its log-likelihood terms, several versions of a result weighing as one."""
    arms: dict[str, list[Values]] = {}
    for line in lines:
        basis = instead.get(line.one.index)
        score = line.scored.score if basis is None else score_of(line.one, line.asked, basis)
        if score.log_likelihoods is not None:
            arms.setdefault(line.one.arm[0], []).append(score.log_likelihoods)
    return {arm: one_weight(versions) for arm, versions in arms.items()}


def _joint(treated: Mapping[str, Values], control: Mapping[str, Values], draws: int) -> Values | None:
    """Log score of the treated arms given the control, with all draws and with each block left out."""
    if not treated or not control:
        return None
    base = next(iter(control.values()))
    total = base + np.sum([treated[arm] for arm in sorted(treated)], axis=0)
    blocks = blocks_of(total.size, draws)
    both = log_mixture_by_block(total, *blocks)
    alone = log_mixture_by_block(np.where(np.isnan(total), np.nan, base), *blocks)
    return both - alone if np.all(np.isfinite(alone)) else None


def _alone(line: Line, basis: Basis, draws: int) -> Values | None:
    return score_briefly(line.one, line.asked, basis, draws).log_scores
