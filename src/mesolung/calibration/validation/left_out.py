"""One trial left out at a time: the draws that all others leave, by importance, and their worth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.importance import RELIABLE, Weights, equal_draws, smoothed
from mesolung.calibration.validation.by_draw import trials_of
from mesolung.calibration.validation.lines import Subject
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.calibration.validation.scoring import BLOCKS
from mesolung.calibration.validation.told_by import care_by_draw, effects_by_draw
from mesolung.calibration.validation.treatment import is_treated
from mesolung.streams import uniforms
from mesolung.study.basis import Basis
from mesolung.study.setting import Progress
from mesolung.study.study import Study

Values = NDArray[np.float64]
HUMAN, CARE = "human trial", "usual care"
REFIT_NEEDED = "refit needed"
PREDICTED_ANEW = "trials predicted anew"
Refit = Callable[[str], Sequence[Subject] | None]


@dataclass(frozen=True)
class Held:
    """One trial that was left out.

    Attributes:
        trial, kind: its name; "human trial" or "usual care".
        learnt: whether the draws had learnt from it, and it was taken out; else the others were put in.
        khat, effective: of the weights; k-hat None where it cannot be told.
        reliable: whether the weights may be trusted to leave it out.
        refit: whether it was predicted anew from a fit without it.
    """

    trial: str
    kind: str
    learnt: bool
    khat: float | None
    effective: float
    reliable: bool
    refit: bool

    @property
    def scored(self) -> bool:
        """Whether its score counts: by trusted weights or by a refit."""
        return self.reliable or self.refit


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Studies as they are predicted from all others.

    Attributes:
        subjects: whose predictions are to be scored; trials that need a refit are not among them.
        held: a line a trial that was left out.
        beside: studies of neither kind, predicted with all draws as they are: in no score here.
    """

    subjects: Sequence[Subject]
    held: Sequence[Held]
    beside: int

    def record(self) -> dict[str, Any]:
        """What the validation's JSON keeps."""
        return {
            "khat_limit": RELIABLE,
            "trials": [
                {
                    "trial": h.trial, "kind": h.kind, "learnt": h.learnt, "khat": h.khat,
                    "effective": h.effective,
                    "by": "refit" if h.refit else "weights" if h.reliable else REFIT_NEEDED,
                }
                for h in self.held
            ],
            "scored": sum(h.scored for h in self.held),
            "refit_needed": [h.trial for h in self.held if not h.scored],
            "beside": self.beside,
        }  # fmt: skip


def kind_of(study: Study) -> str:
    """Which leaving out a study takes part in.

    Arguments:
        study: validated.

    Returns:
        "human trial" of cells or their products, "usual care" for patients of whom no arm is treated; "" for
        animals, cultures and drugs.
    """
    if study.species != "human" or study.kind in ("in-vitro", "ex-vivo", "animal"):
        return ""
    products = {t.product.type for arm in study.arms for t in arm.treatments} - {"vehicle"}
    if products - {"drug"}:
        return HUMAN
    treated = any(is_treated(study, arm.name) for arm in study.arms)
    return "" if products or treated else CARE


def log_weights_without(trial: str, told: Mapping[str, Values], learnt: Collection[str]) -> Values:
    """Weights that take draws to what they would be had they learnt from all trials but one.

    Arguments:
        trial: that is left out.
        told: trial -> float64[D], natural log of its likelihood by draw.
        learnt: trials that the draws have learnt from already.

    Returns:
        float64[D], natural log: all others that were not learnt from, added; the one itself taken out where
        it was.

    Source: importance sampling leave-one-out, Gelfand et al. 1992; Vehtari et al. 2017 Stat Comput 27:1413,
        doi 10.1007/s11222-016-9696-4.
    """
    count = next(iter(told.values())).size
    found = np.zeros(count)
    for name, values in told.items():
        if name == trial and name in learnt:
            found -= values
        elif name != trial and name not in learnt:
            found += values
    return found


def leave_out(
    subjects: Sequence[Subject],
    *,
    learnt: Mapping[str, Collection[str]] | None = None,
    human_discrepancy: float,
    care_discrepancy: float,
    seed: int = 0,
    refit: Refit | None = None,
    progress: Progress | None = None,
) -> LeftOut:
    """Predict each trial from all others of its kind.

    Arguments:
        subjects: studies, predicted with the same draws.
        learnt: kind -> trials of it that those draws have learnt from; None for none.
        human_discrepancy, care_discrepancy: of the model, natural log, as stages of the posterior have it.
        seed: of the picking of draws.
        refit: predicts a trial of cells from a fit without it; None, or its answer None, where none can be
            had.
        progress: called with (stage, done, total) before each refit.

    Returns:
        the studies, their draws picked by the weights, ready to be scored as any others.
    """
    kinds = {subject.key: kind_of(subject.study) for subject in subjects}
    weighed: list[_Weighed] = []
    for kind, discrepancy in ((HUMAN, human_discrepancy), (CARE, care_discrepancy)):
        own = [s for s in subjects if kinds[s.key] == kind and s.predicted.bases]
        weighed += _weighed(own, kind, (learnt or {}).get(kind, ()), discrepancy)
    wanted = [one for one in weighed if one.wants_refit] if refit is not None else []
    made: dict[str, Subject] = {}
    held: list[Held] = []
    for one in weighed:
        weights, again = one.weights, {}
        if refit is not None and one in wanted:
            if progress is not None:
                progress(PREDICTED_ANEW, wanted.index(one), len(wanted))
            # A file of the same trial that is of the other kind keeps its own prediction.
            own = {s.key for s in one.subjects}
            again = {s.key: s for s in refit(one.trial) or () if s.key in own and s.predicted.bases}
        held.append(
            Held(
                one.trial, one.kind, one.learnt, weights.shape, weights.effective, one.reliable, bool(again),
            )
        )  # fmt: skip
        if again:
            made |= again
        elif one.reliable:
            picked = picks_of(weights, f"left out:{one.trial}", seed)
            made |= {s.key: picked_subject(s, picked) for s in one.subjects}
    if progress is not None and wanted:
        progress(PREDICTED_ANEW, len(wanted), len(wanted))
    kept = [made[s.key] for s in subjects if s.key in made]
    return LeftOut(kept, held, sum(not kind for kind in kinds.values()))


@dataclass(frozen=True, eq=False)
class _Weighed:
    """A trial's studies, and the weights that leave it out."""

    trial: str
    kind: str
    subjects: Sequence[Subject]
    weights: Weights
    learnt: bool
    told: bool

    @property
    def reliable(self) -> bool:
        """Whether the weights leave the trial out: those of one that tells draws nothing take nothing out."""
        return self.weights.reliable and (self.told or not self.learnt or self.kind != HUMAN)

    @property
    def wants_refit(self) -> bool:
        return self.kind == HUMAN and self.learnt and not self.reliable


def _weighed(
    subjects: Sequence[Subject], kind: str, learnt: Collection[str], discrepancy: float
) -> list[_Weighed]:
    """All trials of one kind, each with the weights that the others leave."""
    by_draw = effects_by_draw if kind == HUMAN else care_by_draw
    groups = trials_of(subjects)
    told = {trial: np.sum([by_draw(s, discrepancy) for s in own], axis=0) for trial, own in groups.items()}
    return [
        _Weighed(
            trial, kind, own, smoothed(log_weights_without(trial, told, learnt)), trial in learnt,
            bool(np.ptp(told[trial])),
        )
        for trial, own in groups.items()
    ]  # fmt: skip


def picks_of(weights: Weights, purpose: str, seed: int) -> NDArray[np.intp]:
    """Draws picked by their weights, copies of one in one block of the Monte-Carlo error where they can be.

    Arguments:
        weights: float64[D].
        purpose, seed: key the picking.

    Returns:
        intp[D], numbers of draws by place. Leaving a block of places out then leaves its draws out, as where
        every draw stands once.
    """
    count = weights.values.size
    u = float(uniforms(seed, purpose, 0, 1)[0])
    ordered = equal_draws(weights.values, count, u)
    if np.array_equal(ordered, np.arange(count)):
        return ordered
    blocks = min(BLOCKS, count)
    places = np.concatenate([np.arange(block, count, blocks) for block in range(blocks)])
    found = np.empty(count, np.intp)
    found[places] = ordered
    return found


def picked_subject(subject: Subject, picked: NDArray[np.intp]) -> Subject:
    """A study's predictions by picked draws.

    Arguments:
        subject: with predictions by draw and by simulated trial, as many of these as draws.
        picked: intp[D].
    """
    bases = {index: _of_bases(own, picked) for index, own in subject.predicted.bases.items()}
    predicted: Predicted = replace(subject.predicted, bases=bases)
    return replace(subject, predicted=predicted)


def _of_bases(bases: Bases, picked: NDArray[np.intp]) -> Bases:
    def of(basis: Basis | None) -> Basis | None:
        if basis is None:
            return None

        def by(values: Values) -> Values:
            return values[picked] if values.size == picked.size else values

        return Basis(
            by(basis.expected), by(basis.spread), by(basis.simulated), by(basis.p_values),
            by(basis.shifts), {arm: by(own) for arm, own in basis.orders.items()}, by(basis.least),
        )  # fmt: skip

    return Bases(of(bases.own) or Basis(), of(bases.control), of(bases.level), bases.sizes)
