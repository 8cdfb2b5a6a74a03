"""Predictions of trials that have not reported: made once, kept as they are, and scored when they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.calibration.validation.entry import (
    Entry,
    add_entry,
    design_sha256,
    read_register,
    registered_design,
)
from mesolung.calibration.validation.folder import read_folder
from mesolung.calibration.validation.lines import Line
from mesolung.calibration.validation.scoring import score_observation
from mesolung.calibration.validation.treatment import compared_treatment, side_of, trial_of
from mesolung.population.posterior import Source
from mesolung.reading import Refusal
from mesolung.streams import uniforms
from mesolung.study import inputs_sha256
from mesolung.study.answering import answer, planned_endpoints
from mesolung.study.answers import analyses, pairs
from mesolung.study.asked import asked_of
from mesolung.study.assumed import assumed_inputs
from mesolung.study.basis import Basis
from mesolung.study.enrolling import enrol_panels
from mesolung.study.modelled import modelled_part
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import library_for, prepare
from mesolung.study.setting import Progress
from mesolung.study.simulating import simulate, tables_one
from mesolung.study.study import Study
from mesolung.trial.contrasts import contrast
from mesolung.trial.estimates import is_geometric

Values = NDArray[np.float64]
# Digits of the draws' values that an entry keeps: far finer than any published number.
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Outcome:
    """A registered prediction beside what its trial reported.

    Attributes:
        entry: the prediction.
        lines: its observations scored; empty where none has arrived.
        not_predicted: observations of quantities that were not registered, and why.
    """

    entry: Entry
    lines: Sequence[Line]
    not_predicted: Sequence[str]

    def record(self) -> dict[str, Any]:
        """The outcome as the JSON has it."""
        return {
            "entry": self.entry.path.name,
            "number": self.entry.number,
            "registered": self.entry.json["registered"],
            "study": self.entry.json["study"],
            "version": self.entry.json["version"],
            "observations": [line.record() for line in self.lines],
            "failed": sum(line.failed for line in self.lines),
            "not_predicted": list(self.not_predicted),
        }


def register(
    study: Study,
    folder: Path,
    *,
    replicates: int = 200,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    source: Source = "auto",
) -> Entry:
    """Predict a study and write the prediction into the register.

    Arguments:
        study: validated, with endpoints; its observations, if it has any, play no part.
        folder: the register.
        replicates: simulated trials, and parameter draws.
        seed, workers, progress: of the run.
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        the entry.

    Raises:
        Refusal: for a study without an endpoint, or that the model does not answer yet; for a register that
            was changed; nothing is run then.
    """
    read_register(folder)
    plan = modelled_part(study.model_copy(update={"observations": ()}))
    if not study.endpoints or plan is None or not plan.endpoints:
        raise Refusal(
            "nothing to predict",
            file=study.file,
            found=f"{len(study.endpoints)} endpoints",
            allowed="a plan with an [[endpoint]] that the model answers",
        )
    setting = prepare(
        plan, replicates=replicates, seed=seed, workers=workers, progress=progress, source=source
    )
    panels, _ = enrol_panels(setting, tables_one(plan), library_for(setting))
    arms = simulate(setting, panels).arms
    answers, warnings, _ = answer(setting, arms)
    control = plan.control.name if plan.control else None
    content = {
        "study": study.name,
        "registry": study.registry,
        "file": Path(study.file).name if study.file else None,
        "study_text": study.text,
        "design_sha256": design_sha256(study),
        "inputs_sha256": inputs_sha256(study),
        "version": __version__,
        "posterior": setting.draws.posterior,
        "model_sha256": setting.model_hash,
        "replicates": replicates,
        "draws": setting.scored,
        "seed": seed,
        "assumed_inputs": [line["name"] for line in assumed_inputs(plan)],
        "warnings": sorted(set(warnings)),
        **{name: answers[name] for name in ("arms", "contrasts", "effect")},
        "distributions": {"arms": _of_arms(plan, arms), "contrasts": _of_pairs(plan, arms, control)},
    }
    stem = Path(study.file).stem if study.file else "study"
    return add_entry(folder, stem, content)


def score_register(folder: Path, reported: Path | None) -> list[Outcome]:
    """Score registered predictions whose trials have reported.

    Arguments:
        folder: the register.
        reported: study files with observations, or one of them; None for those that lie in the register.

    Returns:
        an outcome an entry, those without observations too.

    Raises:
        Refusal: for a register that was changed, and for a study file that is refused.
    """
    entries = read_register(folder)
    if not entries:
        raise Refusal("no prediction is registered", file=folder)
    studies: dict[str, Study] = {}
    if reported is not None or any(folder.rglob("*.toml")):
        for file in read_folder(reported or folder):
            if file.study.observations:
                studies[design_sha256(file.study)] = file.study
    found = []
    for entry in entries:
        study = studies.get(registered_design(entry))
        found.append(Outcome(entry, [], []) if study is None else outcome_of(entry, study))
    return found


def outcome_of(entry: Entry, study: Study) -> Outcome:
    """Score one registered prediction.

    Arguments:
        entry: of the register.
        study: the same plan, with observations.
    """
    lines, missing = [], []
    draws = int(entry.json["draws"])
    for one in study.observations:
        if one.source.status == "memory":
            continue
        asked = asked_of(study, one)
        basis = registered_basis(entry.json["distributions"], one, asked)
        if basis is None:
            missing.append(f"observation {one.index} ({asked.key}, {one.form}): not registered")
            continue
        u = float(uniforms(0, f"pit:{entry.sha256}:{one.index}", 0, 1)[0])
        scored = score_observation(one, asked, basis, draws, u)
        lines.append(
            Line(
                entry.path.stem,
                trial_of(study),
                one,
                asked,
                basis,
                scored,
                compared_treatment(study, one),
                side_of(study, one) == 1,
                1.0,
                "registered",
            )
        )
    return Outcome(entry, lines, missing)


def registered_basis(kept: Mapping[str, Any], one: Observation, asked: Any) -> Basis | None:
    """What an observation is scored by, from the numbers that an entry kept.

    Arguments:
        kept: ``distributions`` of an entry.
        one: the observation.
        asked: its endpoint.

    Returns:
        the prediction; None for what was not registered: other endpoints, pooled arms, orders, changes from
        baseline that were not planned.
    """
    if one.form == "order" or len(one.arm) != 1 or one.versus == BASELINE:
        return None
    own = kept["arms"].get(one.arm[0], {}).get(asked.key)
    if own is None:
        return None
    expected, spread = _floats(own["expected"]), _floats(own["spread"])
    if one.form in ("contrast", "direction"):
        pair = kept["contrasts"].get(f"{one.arm[0]} vs {one.versus}", {}).get(asked.key)
        other = kept["arms"].get(str(one.versus), {}).get(asked.key)
        if pair is None or other is None:
            return None
        if one.form == "direction":
            return Basis(p_values=_floats(pair["p_values"]), shifts=_floats(pair["shifts"]))
        if pair["measure"] == one.contrast:
            return Basis(expected=_floats(pair["expected"]), simulated=_floats(pair["estimates"]))
        each = contrast(str(one.contrast), expected, _floats(other["expected"]))
        return Basis(expected=np.atleast_1d(each))
    if one.form == "events":
        return Basis(expected=expected, least=_floats(own["least"]))
    if one.form == "event_count":
        n = float(one.n or own["n"])
        return Basis(expected=n * expected, spread=n * spread)
    return Basis(expected, spread, _floats(own["medians" if one.form == "median" else "means"]))


def _of_arms(study: Study, arms: Mapping[str, ArmTrials]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, arm in sorted(arms.items()):
        found[name] = {}
        for line in planned_endpoints(study):
            asked = line.asked
            exact = asked.row.rule in ("death", "alive", "discharged")
            least = np.zeros(1) if exact else 1.0 / (2.0 * np.maximum(arm.evaluable(asked), 1.0))
            recorded = arm.recorded(asked)
            with np.errstate(invalid="ignore"):
                empty: NDArray[np.bool_] = np.asarray(np.isnan(recorded).all(axis=1))
                filled = np.where(empty[:, None], 0.0, recorded)
                means = np.where(empty, np.nan, np.nanmean(filled, axis=1))
                medians = np.where(empty, np.nan, np.nanmedian(filled, axis=1))
            found[name][asked.key] = {
                "n": arm.size,
                "expected": _short(arm.expected(asked)),
                "spread": _short(arm.spread(asked)),
                "least": _short(least),
                "means": _short(means),
                "medians": _short(medians),
            }
    return found


def _of_pairs(study: Study, arms: Mapping[str, ArmTrials], control: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for treated, other in pairs(arms, control):
        own = found.setdefault(f"{treated} vs {other}", {})
        for line in planned_endpoints(study):
            if line.measure in (None, "none"):
                continue
            asked, measure = line.asked, str(line.measure)
            done = analyses(arms[treated], arms[other], asked, measure, line.test)
            geometric = is_geometric(measure, asked.row, asked.as_)
            each = contrast(
                measure, arms[treated].expected(asked, geometric), arms[other].expected(asked, geometric)
            )
            own[asked.key] = {
                "measure": measure,
                "expected": _short(np.atleast_1d(each)),
                "estimates": _short(np.array([a.estimate for a in done])),
                "p_values": _short(np.array([a.p_value for a in done])),
                "shifts": _short(np.array([a.shift for a in done])),
            }
    return found


def _short(values: Any) -> list[float | None]:
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in np.asarray(values, np.float64)]


def _floats(values: Sequence[float | None]) -> Values:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
