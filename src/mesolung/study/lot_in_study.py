"""What a lot means: a study with it and with the reference lot, and what an acceptance limit would gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import routes
from mesolung.product.assays import assays
from mesolung.product.conditioning import prior_variance
from mesolung.product.living import over_life, released
from mesolung.product.lot import Lot
from mesolung.product.product import ALIVE, Product
from mesolung.product.profile import lot_profile
from mesolung.reading import Refusal
from mesolung.streams import normals
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.enrolling import enrol_panels
from mesolung.study.experiment import simulate_experiment
from mesolung.study.knockout import Line, benefit, lines_of, on_one_table, over_draws, panel_setting
from mesolung.study.modelled import left_out, modelled_part, not_modelled
from mesolung.study.possible import IN_VITRO
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import EXPECTED_SUBJECTS, library_for
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import Trials, simulate, tables_one
from mesolung.study.study import Study
from mesolung.trial.contrasts import is_ratio
from mesolung.trial.potential import ArmCourses

Values = NDArray[np.float64]
Done = Mapping[tuple[str, str], ArmCourses]
VIABILITY, ASSAY = "viability at release", "potency assay against the reference lot"
# The assay that a limit on potency is tried with, as linked to the body as the table of assays says.
TRIED = "kynurenine"
LIMITS: Mapping[str, tuple[float, ...]] = {
    VIABILITY: (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    ASSAY: (0.4, 0.6, 0.8, 1.0, 1.25, 1.6),
}
SAID = (
    "Both lots are given to the same subjects in the same parameter draws; the reference lot is the one that "
    "the study file describes, drawn by the same numbers. Benefit is towards the better direction: the "
    "natural log of a ratio, or a difference.",
    "An acceptance limit is tried on lots as they come: the study's product with its viability as the prior "
    "has it. Gained: mean benefit of the accepted lots minus that of all. A gain within two Monte-Carlo "
    "errors is none; more draws make the error smaller.",
)


def lot_in_study(
    product: Product,
    study: Study,
    *,
    draws: int = 100,
    seed: int = 1,
    workers: int = 1,
    subjects: int = EXPECTED_SUBJECTS,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Give a lot in a study, and the reference lot to the same subjects.

    Arguments:
        product: the lot.
        study: validated; its treatments of the lot's type are given the lot instead.
        draws: D, parameter draws; each has a lot of its own.
        seed: of subjects and lots.
        workers: threads.
        subjects: of a draw's panel.
        progress: called with (stage, done, total).

    Returns:
        the part "meaning" of the object that `mesolung lot --json` prints.

    Raises:
        Refusal: when no arm is given such a product, nothing of the study is modelled, no endpoint has an
            effect, or nobody like its table 1 can be enrolled.
    """
    part = modelled_part(study)
    if part is None:
        reason = next(iter(not_modelled(study).values()), "")
        raise Refusal("nothing of this study is modelled yet", file=study.file, found=reason)
    if part.kind == IN_VITRO:
        raise Refusal(
            "a lot in a culture", file=study.file, found=part.kind, allowed="a trial or an experiment"
        )
    kinds = {t.product.type for arm in part.arms for t in arm.treatments}
    if product.type not in kinds:
        raise Refusal(
            f"no arm is given a product of the lot's type, {product.type}",
            file=study.file,
            found=", ".join(sorted(kinds)) or "no product",
        )
    part = on_one_table(part)
    setting = panel_setting(part, draws, 1, seed, workers, subjects, progress)
    run = _Run(setting)
    treated = {arm.name for arm in part.arms if any(t.product.type == product.type for t in arm.treatments)}
    reference = run.trials(_given(part, product.type, lambda own: _named(own, product)))
    lines = lines_of(part, reference.arms, treated)
    if not lines:
        raise Refusal("no endpoint of the plan or the observations has an effect", file=study.file)
    same: Done = {place: c for place, c in reference.courses.items() if place[0] not in treated}
    with_lot = run.trials(_given(part, product.type, lambda own: product), same)
    effects = [_effect(line, with_lot.arms, reference.arms, setting) for line in lines]
    limits: dict[str, Any] = {}
    first = next(t.product for arm in part.arms for t in arm.treatments if t.product.type == product.type)
    if product.type in ALIVE:
        usual = _named(first, product).model_copy(update={"viability": None, "count": None})
        as_they_come = reference
        if first.viability is not None:
            as_they_come = run.trials(_given(part, product.type, lambda own: usual), same)
        gained = benefit(lines[0], as_they_come.arms, setting)
        limits = _limits(usual, gained, setting)
    found: dict[str, Any] = {
        "study": study.name,
        "draws": draws,
        "subjects": subjects,
        "said": list(SAID if limits else SAID[:1]),
        "warnings": left_out(study),
        "effects": effects,
        "limits": limits,
    }
    return found


class _Run:
    """A study whose subjects are the same whatever they are given."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.panels = (
            None
            if setting.study.kind in EXPERIMENTS
            else enrol_panels(setting, tables_one(setting.study), library_for(setting))[0]
        )

    def trials(self, study: Study, done: Done | None = None) -> Trials:
        """All arms of a study that differs in its products alone."""
        setting = replace(self.setting, study=study)
        if self.panels is None:
            return simulate_experiment(setting, None, done)[0]
        return simulate(setting, self.panels, done)


def _named(own: Product, lot: Product) -> Product:
    """The reference lot: as the study describes it, drawn by the numbers of the lot that it stands beside."""
    return own if own.lot is not None or lot.lot is None else own.model_copy(update={"lot": lot.lot})


def _given(study: Study, kind: str, product: Any) -> Study:
    """The study with another product in every treatment of a type."""
    arms = tuple(
        arm.model_copy(
            update={
                "treatments": tuple(
                    t.model_copy(update={"product": product(t.product)}) if t.product.type == kind else t
                    for t in arm.treatments
                )
            }
        )
        for arm in study.arms
    )
    return study.model_copy(update={"arms": arms})


def _effect(
    line: Line, lot: Mapping[str, ArmTrials], reference: Mapping[str, ArmTrials], setting: Setting
) -> dict[str, Any]:
    own, usual = benefit(line, lot, setting), benefit(line, reference, setting)
    return {
        "comparison": f"{line.pair[0]} vs {line.pair[1]}",
        "endpoint": line.asked.key,
        "measure": line.measure,
        "unit": None if is_ratio(line.measure) else line.asked.row.unit,
        "lot": over_draws(own),
        "reference": over_draws(usual),
        "difference": over_draws(own - usual),
    }


def _limits(usual: Product, effect: Values, setting: Setting) -> dict[str, Any]:
    """Try limits on lots as they come, one a draw."""
    own = Lot(usual, setting.draws.key, setting.draw_of_slot, setting.seed)
    given = lot_profile(usual, key=own.key, draws=own.draws, seed=own.seed, route=routes()["intravenous"])
    potency = over_life(own, given.parameters)["product_potency"]
    row = assays()[TRIED]
    slope = row.link * row.spread / prior_variance(row.about) ** 0.5
    unseen = row.spread * (1.0 - row.link**2) ** 0.5
    read = np.exp(slope * np.log(potency) + unseen * normals(setting.seed, "limit assay", 0, potency.size))
    by = {VIABILITY: released(own), ASSAY: read}
    return {name: [_limit(limit, by[name], effect) for limit in limits] for name, limits in LIMITS.items()}


def _limit(limit: float, values: Values, effect: Values) -> dict[str, Any]:
    known = np.isfinite(effect)
    kept, lost = known & (values >= limit), known & (values < limit)
    share = float(lost.sum() / max(known.sum(), 1))
    if kept.sum() == 0:
        nothing = float("nan")
        return {"limit": limit, "lost": share, "effect": nothing, "gained": nothing, "monte_carlo": nothing}
    mean = float(effect[kept].mean())
    # What is gained is the lost share's part of the difference between accepted and lost lots.
    parts = [effect[part].var(ddof=1) / part.sum() if part.sum() > 1 else np.nan for part in (kept, lost)]
    error = share * float(np.sqrt(sum(parts))) if lost.any() else 0.0
    return {
        "limit": limit,
        "lost": share,
        "effect": mean,
        "gained": mean - float(effect[known].mean()),
        "monte_carlo": error,
    }
