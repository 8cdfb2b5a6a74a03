"""Studies run with an ensemble's draws: a few subjects of each member under every arm."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import numpy as np

from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Work
from mesolung.execution import cache_folder
from mesolung.population.draws import Draws
from mesolung.population.library import Library
from mesolung.product.priors import priors_hash
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.enrolling import enrol_panels
from mesolung.study.experiment import simulate_experiment
from mesolung.study.memory import Memory
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import diseases_of, library_for
from mesolung.study.setting import Setting
from mesolung.study.simulating import simulate, tables_one
from mesolung.study.study import Study
from mesolung.study.ways import trial_sizes

# Courses of each member that patients are enrolled from; neighbours lend where a member has too few.
COURSES = 120


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for libraries that nobody needs again: an ensemble's numbers change with each assimilation."""
    folder = cache_folder("calibration") / f"libraries-{token_hex(4)}"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def setting_of(study: Study, ensemble: Ensemble, work: Work) -> Setting:
    """A run of a study with a draw a member, and so many subjects of each.

    Arguments:
        study: validated, all of it modelled.
        ensemble: the members.
        work: model, subjects, seed, workers.
    """
    sizes = dict.fromkeys(trial_sizes(study, work.seed), 1)
    return Setting(
        study=study,
        sizes=sizes,
        model=work.model,
        model_hash=work.model_hash,
        diseases=diseases_of(study),
        draws=ensemble.draws(priors_hash()),
        replicates=ensemble.count,
        scored=ensemble.count,
        subjects=max(work.subjects, len(sizes)),
        panel=work.subjects,
        seed=work.seed,
        workers=work.workers,
        chunk=1024,
        progress=work.progress,
    )


def arms_of(
    setting: Setting, libraries: dict[str, Library], cache: Path, memory: Memory | None = None
) -> Mapping[str, ArmTrials]:
    """Solve every member's subjects under every arm.

    Arguments:
        setting: from `setting_of`.
        libraries: opened ones by disease, to which those that are missing are added.
        cache: where these lie.
        memory: what other runs with the same untreated bodies have solved.

    Returns:
        arm -> its subjects.

    Raises:
        Refusal: when nobody like the study's table 1 can be enrolled.
    """
    setting = replace(setting, memory=memory)
    if setting.study.kind in EXPERIMENTS:
        return simulate_experiment(setting)[0].arms
    if any(name not in libraries for name in setting.diseases):
        libraries.update(library_for(setting, cache, COURSES))
    own = {name: libraries[name] for name in setting.diseases}
    panels, _ = enrol_panels(setting, tables_one(setting.study, paired=False), own)
    return simulate(setting, panels, paired=False).arms


def with_value(draws: Draws, name: str, value: float) -> Draws:
    """Draws with one parameter set alike in all.

    Arguments:
        draws: of an ensemble.
        name: of a parameter that only a treated body feels.
        value: in its unit.
    """
    return replace(draws, values={**draws.values, name: np.full(draws.count, value)})
