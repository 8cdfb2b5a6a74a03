"""What a study caps, ranges over or does not know of a treatment is given as it says, and told as assumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tests.test_study_observing import SLOTS, STUDY, arm
from tests.test_study_where import with_ages

from mesolung.biology.tables import routes
from mesolung.population.events import joined
from mesolung.product.unstated import drawn_choices, drawn_doses, drawn_size, unstated
from mesolung.reading import Refusal
from mesolung.study import inputs_sha256, read_study
from mesolung.study.asked import UNKNOWN_TIME_H, asked_of
from mesolung.study.assumed import assumed_inputs
from mesolung.study.observing import observe
from mesolung.study.solving import Given, give
from mesolung.study.study import Study
from mesolung.study.ways import trial_sizes, ways_of
from mesolung.units import quantity

REPLICATES, EACH = 400, 3
COLUMNS = ("live_cells_enter", "apoptotic_cells_enter", "particles_enter")
ENTERED = sorted({s for row in routes().values() for c in COLUMNS if (s := getattr(row, c)) is not None})
MODEL = SimpleNamespace(states=tuple(ENTERED), parameters=tuple(f"rate_{state}" for state in ENTERED))
PLAN = '[[endpoint]]\nname = "mortality"\ntime = "7 d"\n'
PER_KG = 'dose = "1e6 cells/kg"'


@pytest.fixture
def study_of(tmp_path: Path):
    """Read the made-up study with some texts exchanged."""

    def read(*swaps: tuple[str, str], end: str = PLAN) -> Study:
        text = STUDY.replace("size = 20\n", "")
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "study.toml").write_text(text + end, encoding="utf-8")
        return read_study(tmp_path / "study.toml")

    return read


def given(study: Study, seed: int = 1) -> Given:
    """What the cells' arm of a study gives subjects of 40 to 120 kg."""
    n = REPLICATES * EACH
    weight = np.linspace(40.0, 120.0, n)
    panel = SimpleNamespace(
        enrolled=SimpleNamespace(course=np.arange(n), parameters=np.zeros((n, len(ENTERED)))),
        covariates={"weight": weight, "pbw": weight - 5.0},
    )
    return give(
        cast("Any", MODEL),
        study.arms[0],
        cast("Any", panel),
        key="tests",
        draw_of_slot=np.arange(REPLICATES),
        subjects=EACH,
        seed=seed,
        duration_h=study.duration_h,
    )


def test_a_cap_holds_for_the_heavy_and_leaves_the_light_alone(study_of) -> None:
    free, capped = given(study_of()), given(study_of((PER_KG, f'{PER_KG}\nmax = "80e6 cells"')))
    np.testing.assert_allclose(capped.doses["counted"], np.minimum(free.doses["counted"], 80e6))
    assert free.doses["counted"].max() == pytest.approx(120e6)


def test_a_range_of_infusions_is_spread_over_the_subjects(study_of) -> None:
    study = study_of((PER_KG, f'{PER_KG}\ninfusion = ["60 min", "80 min"]'))
    ends = given(study)
    off = ends.events.time[ends.events.time > 0]
    assert off.min() >= 1.0 and off.max() <= 80 / 60
    assert np.std(off) == pytest.approx(20 / 60 / np.sqrt(12), rel=0.1)
    assert ends.ends_h == (pytest.approx(80 / 60),)
    fixed = given(study_of((PER_KG, f'{PER_KG}\ninfusion = "60 min"')))
    assert set(fixed.events.time) == {0.0, 1.0}
    on = fixed.events.value[fixed.events.time == 0.0]
    assert on.sum() > fixed.doses["delivered alive"].sum() / 1e9  # the dying come with the living


def test_a_vehicle_is_checked_and_then_no_treatment(study_of) -> None:
    plain = study_of()
    vehicle = '[[arm.treatment]]\nproduct = { type = "vehicle" }\ndose = "100 mL"\n'
    vehicle += 'route = "intravenous"\ntimes = ["0 d"]\n'
    with_vehicle = study_of(end=vehicle + PLAN)
    assert with_vehicle.arms[1].treatments == () and with_vehicle == plain
    assert inputs_sha256(with_vehicle) == inputs_sha256(plain)
    unsaid = study_of(("control = true\n", ""), end=vehicle + PLAN)
    assert unsaid.control is not None and unsaid.control.name == "none"
    with pytest.raises(Refusal, match="beyond the duration"):
        study_of(end=vehicle.replace('"0 d"', '"15 d"') + PLAN)


def test_what_is_unknown_is_drawn_from_what_trials_gave() -> None:
    dose = drawn_doses(1, "cells:0", 4000)
    (row,) = unstated()["dose"]
    assert np.median(dose) == pytest.approx(quantity(row.choice).to("cells/kg"), rel=0.1)
    assert np.std(np.log(dose)) == pytest.approx(row.spread, rel=0.05)
    for what in ("route", "times"):
        drawn = drawn_choices(what, 1, "cells:0", 4000)
        np.testing.assert_array_equal(np.sum([having for _, having in drawn], axis=0), 1)
        share = {choice: having.mean() for choice, having in drawn}
        for choice in unstated()[what]:
            assert share[choice.choice] == pytest.approx(choice.share, abs=0.03)
    sizes = [drawn_size(seed) for seed in range(600)]
    assert min(sizes) >= 2 and np.median(sizes) == pytest.approx(12, abs=2)
    assert {c.choice for c in unstated()["route"]} <= set(routes())


def test_an_unknown_dose_route_and_schedule_reach_every_replicate_once(study_of) -> None:
    study = study_of(
        (PER_KG, 'dose = "unknown"'), ('route = "intravenous"', 'route = "unknown"'), ('["0 d"]', '"unknown"')
    )
    (treatment,) = study.arms[0].treatments
    assert (treatment.dose, treatment.route, treatment.times_h) == (None, "unknown", ())
    ways = ways_of(treatment, "cells:0", 1, REPLICATES, study.duration_h)
    assert len({(way.route, way.times_h) for way in ways}) == len(ways) > 4
    np.testing.assert_array_equal(np.sum([way.dose > 0 for way in ways], axis=0), 1)
    done = given(study)
    administered = np.sum([np.repeat(w.dose, EACH) * len(w.times_h) for w in ways], axis=0)
    np.testing.assert_allclose(done.doses["counted"], administered * np.linspace(40, 120, administered.size))
    assert done.events.time.max() > 144.0 and joined([done.events]).time.size == done.events.time.size
    assert not np.array_equal(given(study, seed=2).doses["counted"], done.doses["counted"])


def test_what_is_known_is_given_in_one_way(study_of) -> None:
    (treatment,) = study_of().arms[0].treatments
    (way,) = ways_of(treatment, "cells:0", 1, 5, 336.0)
    assert (way.route, way.times_h) == ("intravenous", (0.0,)) and set(way.dose) == {1e6}


def test_a_schedule_ends_with_the_study(study_of) -> None:
    shorter = ('duration = "14 d"', 'duration = "5 d"')
    study = study_of(shorter, ('["0 d"]', '"unknown"'), end=PLAN.replace("7", "5"))
    (treatment,) = study.arms[0].treatments
    assert {way.times_h for way in ways_of(treatment, "cells:0", 1, REPLICATES, study.duration_h)} == {
        (0.0,), (0.0, 72.0), (0.0, 48.0, 96.0)
    }  # fmt: skip


def test_arms_of_unknown_size_share_one(study_of) -> None:
    study = study_of(("size = 10", 'size = "unknown"'), ("size = 10", 'size = "unknown"'))
    sizes = trial_sizes(study, 3)
    assert len(set(sizes.values())) == 1 and sizes != trial_sizes(study, 4)
    one = study_of(("size = 10", 'size = "unknown"'))
    assert trial_sizes(one, 3)["none"] == 10 and trial_sizes(one, 3)["cells"] == sizes["cells"]
    assert trial_sizes(study_of(), 3) == {"cells": 10, "none": 10}


SEEN = '[[observation]]\narm = "cells"\nendpoint = "{}"\ntime = "{}"\nvalue = {}\n'


def test_an_observation_at_an_unknown_time_is_answered_over_the_study(study_of) -> None:
    study = study_of(end=SEEN.format("pf_ratio", "unknown", 150) + SEEN.format("pf_ratio", "7 d", 150))
    unknown, known = study.observations
    assert (unknown.time_unknown, unknown.time_h, known.time_unknown) == (True, None, False)
    assert asked_of(study, unknown).key == "pf_ratio@unknown"
    one = with_ages(arm("cells"))
    outcomes = one.outcomes
    rising = {"pf_ratio": outcomes.outputs["pf_ratio"] * 0.0 + 100.0 + outcomes.times}
    times = np.repeat(np.linspace(1.0, 336.0, SLOTS), outcomes.size // SLOTS)
    one = replace(
        one,
        outcomes=replace(outcomes, outputs=rising),
        covariates={**one.covariates, UNKNOWN_TIME_H: times},
    )
    first, second = observe(study, {"cells": one, "none": arm("none")}, 1, "none")[0]
    assert first["endpoint"] == "pf_ratio@unknown"
    assert first["p05"] == pytest.approx(100 + 0.05 * 336, abs=12) and second["p05"] == second["p95"] == 268.0
    assert first["p95"] == pytest.approx(100 + 0.95 * 336, abs=12)


def test_all_that_is_unknown_is_told_as_assumed(study_of) -> None:
    study = study_of(
        (PER_KG, 'dose = "unknown"'),
        ('route = "intravenous"', 'route = "unknown"'),
        ('["0 d"]', '"unknown"'),
        ("size = 10", 'size = "unknown"'),
        end=SEEN.format("mortality", "unknown", 0.3),
    )
    told = {line["name"]: line for line in assumed_inputs(study)}
    for name in ("treatment.dose", "treatment.route", "treatment.times", "arm.size", "time of observation 0"):
        assert told[name]["why"].startswith("unknown: ")
    assert "treatment.dose" not in {line["name"] for line in assumed_inputs(study_of())}
