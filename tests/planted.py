"""Trials simulated from a known truth, and what models of known worth predict of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.validation.lines import Subject
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.study import read_study
from mesolung.study.basis import Basis

Values = NDArray[np.float64]
DRAWS = 200
TRIAL = """schema = 1
name = "{name}"
disease = "covid19-ards"
duration = "28 d"
randomised = {randomised}
blinded = {blinded}
[population]
size = {total}
[[arm]]
name = "cells"
size = {n}
[[arm.treatment]]
product = {{ source = "bone marrow" }}
dose = "1e6 cells/kg"
route = "intravenous"
times = ["0 d"]
[[arm]]
name = "none"
size = {n}
control = true
[[endpoint]]
name = "mortality"
time = "28 d"
"""
EVENTS = """[[observation]]
arm = "{arm}"
endpoint = "mortality"
time = "28 d"
events = {events}
n = {n}
"""


@dataclass(frozen=True)
class Truth:
    """What a planted trial was drawn from: the risks of its arms, and subjects an arm."""

    control: float
    treated: float
    n: int


def trial(
    folder: Path,
    name: str,
    events: tuple[int, int],
    n: int,
    model: tuple[Values, Values],
    *,
    blinded: bool = True,
    randomised: bool = True,
    more: str = "",
) -> Subject:
    """A trial of two arms that counted deaths, and a model's draws of their risks (treated, control)."""
    text = TRIAL.format(
        name=name, n=n, total=2 * n, blinded=str(blinded).lower(), randomised=str(randomised).lower()
    )
    for arm, count in zip(("cells", "none"), events, strict=True):
        text += EVENTS.format(arm=arm, events=count, n=n)
    file = folder / f"{name}.toml"
    file.write_text(text + more, encoding="utf-8")
    study = read_study(file)
    treated, control = model
    level = Basis(expected=control, spread=control * (1.0 - control))
    bases = {
        0: Bases(Basis(expected=treated), Basis(expected=control), level, (float(n), float(n))),
        1: Bases(Basis(expected=control), sizes=(float(n), 0.0)),
    }
    return Subject(name, study, Predicted(bases, draws=treated.size, about={"posterior": "planted"}), {})


def trials(
    folder: Path, count: int, n: int, ratio: float, model: Callable[[Values], Values], seed: int = 1
) -> list[Subject]:
    """Trials whose true risk ratio is ``ratio``, and a model that knows each control risk to about 10 %.

    Arguments:
        folder: where their files go.
        count: of trials.
        n: subjects an arm.
        ratio: true risk ratio.
        model: control risk float64[D] -> the treated risk that the model predicts.
    """
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        base = float(rng.uniform(0.25, 0.55))
        control = base * np.exp(0.1 * rng.standard_normal(DRAWS))
        truth = base * float(np.exp(0.1 * rng.standard_normal()))
        events = (int(rng.binomial(n, min(truth * ratio, 0.98))), int(rng.binomial(n, truth)))
        found.append(trial(folder, f"trial-{k:02d}", events, n, (model(control), control)))
    return found
