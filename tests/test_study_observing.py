"""Published observations are answered in their own unit and for their own number of subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from tests.study_text import cells_arm, control_arm

from mesolung.biology.tables import endpoints
from mesolung.study import read_study
from mesolung.study.answers import arm_answer, effect_answer, unit_of
from mesolung.study.observing import observe
from mesolung.study.replicates import ArmTrials, Asked
from mesolung.study.schema import result_schema
from mesolung.trial.outcomes import Outcomes
from mesolung.units import convert

SLOTS, SUBJECTS, SIZE, PANEL = 60, 80, 10, 64
TIMES = np.array([0.0, 168.0, 336.0])
STUDY = f"""
schema = 1
name = "made up"
disease = "covid19-ards"
duration = "14 d"
[population]
size = 20
{cells_arm()}{control_arm("none")}"""


def arm(name: str, factor: float = 1.0, *, subjects: int = SUBJECTS, hazard: float = 0.0) -> ArmTrials:
    """An arm whose subjects' numbers do not depend on how many there are."""
    rng = np.random.default_rng(3)
    level, u = rng.lognormal(0.0, 0.3, (SLOTS, 400))[:, :subjects], rng.random((SLOTS, 400))[:, :subjects]
    course = np.ones(TIMES.size) * level.reshape(-1, 1)
    outputs = {"pf_ratio": 150.0 * factor * course, "il6": 40.0 * factor * course**2}
    outcomes = Outcomes(TIMES, outputs, hazard * TIMES * np.ones((u.size, 1)), u.reshape(-1))
    start = 0 if name == "cells" else SIZE
    members = np.tile(np.arange(start, start + SIZE), (SLOTS, 1)).astype(np.intp)
    return ArmTrials(name, outcomes, SLOTS, members, SLOTS, outcomes, PANEL)


def answered(folder: Path, *observations: str, **arms: ArmTrials):
    """The rows and joint scores of observations of the made-up study."""
    file = folder / "study.toml"
    blocks = "".join(f'[[observation]]\ntime = "7 d"\n{one}\n' for one in observations)
    file.write_text(STUDY + blocks, encoding="utf-8")
    found = arms or {"cells": arm("cells", 1.2), "none": arm("none")}
    return observe(read_study(file), found, 1, "none")


INJURY = 'injury = { agent = "lps", amount = "2 ng/kg", route = "intravenous" }\n'
FORMS = {
    "mean": ("mean = {}\nsd = {}\nn = 10", (150.0, 40.0)),
    "median": ("median = {}\niqr = [{}, {}]\nn = 10", (150.0, 120.0, 190.0)),
    "value": ("value = {}", (150.0,)),
    "change": ('as = "change"\nmean = {}\nse = {}\nn = 10', (3.0, 8.0)),
    "contrast": ('contrast = "difference"\nversus = "none"\nvalue = {}\nci95 = [{}, {}]', (30.0, 5.0, 55.0)),
}


@pytest.mark.parametrize(("written", "numbers"), FORMS.values(), ids=FORMS)
def test_an_observation_in_kpa_is_answered_in_kpa(tmp_path, written, numbers) -> None:
    line = 'arm = "cells"\nendpoint = "pf_ratio"\nunit = "{}"\n'
    kpa = [repr(convert(x, "mmHg", "kPa")) for x in numbers]
    own = answered(tmp_path, line.format("mmHg") + written.format(*numbers))[0][0]
    other = answered(tmp_path, line.format("kPa") + written.format(*kpa))[0][0]
    scale = convert(1.0, "mmHg", "kPa")
    for key in ("observed", "p05", "p50", "p95"):
        assert other[key] == pytest.approx(own[key] * scale, rel=1e-9)
    assert other["inside_90"] == own["inside_90"]
    if own["log_score"] is None:
        assert other["log_score"] is None
    else:  # a density a kPa is larger than one a mmHg by the mmHg in a kPa
        assert other["log_score"] == pytest.approx(own["log_score"] - np.log(scale), rel=1e-9)


def test_percent_and_ratios_are_not_touched_by_the_endpoint_s_unit(tmp_path) -> None:
    change = answered(
        tmp_path,
        'arm = "cells"\nendpoint = "pf_ratio"\nas = "percent_change"\nunit = "fraction"\nvalue = 0.1',
        'arm = "cells"\nendpoint = "pf_ratio"\ncontrast = "ratio"\nversus = "none"\nvalue = 1.2\np = 0.04',
    )[0]
    assert change[0]["observed"] == pytest.approx(0.1) and change[0]["p50"] == pytest.approx(0.0)
    assert change[1]["observed"] == 1.2 and change[1]["p50"] == pytest.approx(1.2, rel=0.3)
    asked = Asked(endpoints()["pf_ratio"], 168.0, "percent_change")
    assert unit_of(asked) == arm_answer(arm("cells"), asked)["unit"] == "percent"


def test_the_interval_of_a_mean_narrows_with_n(tmp_path) -> None:
    """Also where the observation is of more subjects than the arm has."""
    line = 'arm = "cells"\nendpoint = "pf_ratio"\nmean = 180\nse = 20\nn = {}'
    widths = []
    for n in (5, 10, 40, 80):
        row = answered(tmp_path, line.format(n))[0][0]
        widths.append(row["p95"] - row["p05"])
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / widths[2] == pytest.approx(np.sqrt(8), rel=0.4)


def test_pooled_arms_share_the_number_of_subjects(tmp_path) -> None:
    line = 'arm = ["cells", "none"]\nendpoint = "pf_ratio"\nmean = 160\nse = 20\nn = {}'
    arms = {"cells": arm("cells", 3.0), "none": arm("none", 1.0)}
    for n in (8, 20, 60):
        row = answered(tmp_path, line.format(n), **arms)[0][0]
        assert row["p50"] == pytest.approx(2 * 150 * np.exp(0.045), rel=0.06)


def test_survivors_are_made_up_from_the_other_subjects(tmp_path) -> None:
    """An n of survivors is of survivors: the dead of a simulated arm do not shrink it."""
    dying = {"cells": arm("cells", hazard=0.004), "none": arm("none", hazard=0.004)}
    line = 'arm = "cells"\nendpoint = "pf_ratio"\nvalue = 180\nn = 10'
    with_dead, without = (answered(tmp_path, line, **a)[0][0] for a in (dying, {}))
    assert with_dead["p95"] - with_dead["p05"] == pytest.approx(
        (without["p95"] - without["p05"]) / 1.2, rel=0.35
    )


def test_expected_values_do_not_follow_the_number_of_subjects() -> None:
    for name in ("pf_ratio", "il6", "mortality"):
        asked = Asked(endpoints()[name], 168.0)
        few, many = arm("cells", hazard=0.001), arm("cells", hazard=0.001, subjects=200)
        np.testing.assert_array_equal(few.expected(asked), many.expected(asked))
        np.testing.assert_array_equal(few.expected_paired(asked), many.expected_paired(asked))
        np.testing.assert_array_equal(few.spread(asked), many.spread(asked))
    assert np.all(few.spread(asked) <= 0.25)


def test_a_ratio_on_the_log_scale_is_of_geometric_means_everywhere(tmp_path) -> None:
    """An arm with the same geometric and another arithmetic mean has no effect in ratio."""
    plain, wide = arm("none"), arm("cells")
    il6 = plain.outcomes.outputs["il6"]
    kept = il6.reshape(SLOTS, SUBJECTS, -1)
    centre = np.exp(np.log(kept[:, :PANEL]).mean(axis=1, keepdims=True))
    spread = (centre * (kept / centre) ** 2).reshape(il6.shape)
    courses = Outcomes(TIMES, {"il6": spread}, wide.outcomes.cumulative_hazard, wide.outcomes.death_uniform)
    wide = ArmTrials("cells", courses, SLOTS, wide.members, SLOTS, courses, PANEL)
    asked = Asked(endpoints()["il6"], 168.0)
    effect = effect_answer(wide, plain, asked, "ratio")
    assert effect["p05"] == pytest.approx(1.0) and effect["p95"] == pytest.approx(1.0)
    assert np.median(wide.expected(asked) / plain.expected(asked)) > 1.5, "the arithmetic means differ"
    line = (
        'arm = "cells"\nendpoint = "il6"\ncontrast = "ratio"\nversus = "none"\nvalue = 1.0\nci95 = [0.5, 2.0]'
    )
    row = answered(tmp_path, line, cells=wide, none=plain)[0][0]
    error = (np.log(2.0) - np.log(0.5)) / (2 * 1.959963984540054)
    assert row["log_score"] == pytest.approx(-np.log(error * np.sqrt(2 * np.pi)))


def test_versions_of_one_result_share_one_weight(tmp_path) -> None:
    line = 'arm = "{}"\nendpoint = "pf_ratio"\nmean = 180\nse = 20\nsource = {{ version = "{}" }}'
    once = answered(tmp_path, line.format("cells", "a"), line.format("none", "a"))
    twice = answered(tmp_path, *(line.format(*x) for x in (("cells", "a"), ("cells", "b"), ("none", "a"))))
    assert twice[1] == once[1] and len(twice[0]) == 3
    assert once[1][0]["treated_given_control"] is not None


RATIO = 'arm = "cells"\nversus = "none"\nendpoint = "mortality"\ncontrast = "risk_ratio"\n'
UNSCORED = {
    "a ratio of 0 has no logarithm": RATIO + "value = 0.0\nci95 = [0.0, 1.2]",
    "an interval of a ratio that touches 0": RATIO + "value = 0.3\nci95 = [0.0, 1.2]",
    "a comparison printed without an interval or p": RATIO + "value = 0.3",
    "a p of 0 or 1": RATIO + "value = 0.3\np = 1.0",
    "a comparison of no difference at all": RATIO + "value = 1.0\np = 0.9",
    "a bare number": 'arm = "cells"\nendpoint = "pf_ratio"\nvalue = 180',
}


@pytest.mark.parametrize("reason", UNSCORED)
def test_an_answer_without_a_score_says_why(tmp_path, reason: str) -> None:
    found = arm("cells", hazard=0.001), arm("none", hazard=0.002)
    row = answered(tmp_path, UNSCORED[reason], cells=found[0], none=found[1])[0][0]
    assert row["log_score"] is None and row["p50"] is not None
    assert row["status"] == "not scored" and row["reason"].startswith(reason)
    items = result_schema()["properties"]["observations"]["items"]
    Draft202012Validator(items).validate(row)


def test_a_result_that_no_draw_allows_is_told_from_one_without_a_score(tmp_path) -> None:
    line = 'arm = "cells"\nendpoint = "mortality"\nevents = {}\nn = 10'
    living = {"cells": arm("cells"), "none": arm("none")}
    row = answered(tmp_path, line.format(3), **living)[0][0]
    assert row["log_score"] == -np.inf and row["status"] == "impossible"
    row = answered(tmp_path, line.format(0), **living)[0][0]
    assert row["log_score"] == 0.0 and "status" not in row and "reason" not in row


def test_a_sham_arm_stands_in_no_score_of_arms_together(tmp_path, monkeypatch) -> None:
    line = 'arm = "{}"\nendpoint = "pf_ratio"\nmean = 180\nse = 20'
    lines = line.format("cells"), line.format("none")
    both = answered(tmp_path, *lines)[1][0]["log_score"]
    alone = answered(tmp_path, lines[0])[1][0]["log_score"]
    injured = STUDY.replace("[population]", INJURY + "[population]")
    monkeypatch.setitem(globals(), "STUDY", injured)
    assert answered(tmp_path, *lines)[1][0]["log_score"] == both != alone
    sham = injured.replace('name = "none"', 'name = "none"\ninjury = "none"')
    monkeypatch.setitem(globals(), "STUDY", sham)
    rows, joint, _ = answered(tmp_path, *lines)
    assert [one["log_score"] is None for one in rows] == [False, False]
    assert joint == [{"endpoint": "pf_ratio@7d", "log_score": alone, "treated_given_control": None}]
