"""Filters, origins, states and comparisons of observations mean what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.study_text import cells_arm
from tests.test_study_observing import PANEL, SIZE, SLOTS, STUDY, SUBJECTS, TIMES, arm

from mesolung.biology.states import STATE, state_row, states, unit_text
from mesolung.biology.tables import endpoints
from mesolung.reading import Refusal
from mesolung.study import inputs_sha256, read_study
from mesolung.study.answering import answer, planned_endpoints
from mesolung.study.answers import analyses, arm_answer, contrast_answer, effect_answer
from mesolung.study.asked import ONSET_H, Asked, asked_of, outputs_asked
from mesolung.study.modelled import why_not_arm
from mesolung.study.observing import observe
from mesolung.study.replicates import ArmTrials
from mesolung.study.where import Condition, Where

OLD = Where(conditions=(Condition(name="age", relation=">=", value=60.0, unit="year"),))
ALL = 300  # subjects of a replicate


@pytest.fixture
def study_of(tmp_path: Path):
    """Read the made-up study with some blocks more."""

    def read(*blocks: str):
        file = tmp_path / "study.toml"
        head = STUDY.replace("size = 20\n", "")
        file.write_text(head + "\n".join(blocks), encoding="utf-8")
        return read_study(file)

    return read


def with_ages(one: ArmTrials, seed: int = 5) -> ArmTrials:
    """An arm whose subjects have ages, half of them from 60 years on, who die three times as fast."""
    rng = np.random.default_rng(seed)
    age = rng.permutation(np.linspace(20.0, 100.0, one.outcomes.size))
    course = one.outcomes
    hazard = course.cumulative_hazard * np.where(age >= 60.0, 1.5, 0.5)[:, None]
    outcomes = replace(course, cumulative_hazard=hazard)
    known = {"age": age, ONSET_H: np.full(age.size, 48.0)}
    return replace(one, outcomes=outcomes, paired=outcomes, covariates=known, paired_covariates=known)


ENDPOINT = '[[endpoint]]\nname = "{}"\ntime = "7 d"\n'


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("sofa >= 8", "sofa >= 8"),
        ("age<65 year", "age < 65 year"),
        ("pf_ratio < 20 kPa", "pf_ratio < 150.012 mmHg"),
        ("female == 1  and  age > 65", "age > 65 year and female = 1"),
        ("sofa >= 8 and sofa >= 8", "sofa >= 8"),
        ("il6 > 1e2 pg/mL and sofa <= 10", "il6 > 100 pg/mL and sofa <= 10"),
        ("ventilation = 0", "ventilation = 0"),
        ("evlw >= 10 mL/kg PBW", "evlw >= 10 mL/kg PBW"),
    ],
)
def test_a_filter_is_read_in_base_units(study_of, written: str, text: str) -> None:
    (one,) = study_of(ENDPOINT.format("mortality") + f'where = "{written}"').endpoints
    assert one.where is not None and one.where.text == text


def test_equal_filters_make_equal_studies_and_others_do_not(study_of) -> None:
    first, same, other = (
        inputs_sha256(study_of(ENDPOINT.format("mortality") + f'where = "{text}"'))
        for text in (
            "sofa >= 8 and age < 65 year",
            "age < 780 month and sofa>=8",
            "sofa >= 9 and age < 65 year",
        )
    )
    assert first == same != other


def test_one_endpoint_of_two_filters_is_two_endpoints(study_of) -> None:
    line = ENDPOINT.format("mortality")
    assert len(study_of(line, line + 'where = "sofa >= 8"', line + 'where = "sofa < 8"').endpoints) == 3
    with pytest.raises(Refusal, match="the same endpoint twice"):
        study_of(line + 'where = "sofa >= 8"', line + 'where = "sofa >= 8 points"')


def test_a_filter_takes_those_who_meet_it_and_no_other() -> None:
    one = with_ages(arm("cells", hazard=0.002))
    asked = Asked(endpoints()["mortality"], 168.0)
    old, young = (
        replace(asked, where=OLD),
        replace(
            asked, where=Where(conditions=(Condition(name="age", relation="<", value=60.0, unit="year"),))
        ),
    )
    whole, a, b = (one.recorded(x) for x in (asked, old, young))
    np.testing.assert_array_equal(np.isnan(a), ~np.isnan(b))
    np.testing.assert_array_equal(np.where(np.isnan(a), b, a), whole)
    share = one.expected_parts(old)[1] / PANEL
    mixed = share * one.expected(old) + (1 - share) * one.expected(young)
    np.testing.assert_allclose(mixed, one.expected(asked), rtol=1e-12)
    assert np.all(one.expected(old) > one.expected(young))
    np.testing.assert_allclose(one.expected_paired(old), one.expected(old))
    told = arm_answer(one, old)
    assert 0 < told["n"] < SIZE and arm_answer(one, asked)["n"] == SIZE
    kept = [int((~np.isnan(time)).sum()) for time, _ in one.follow_up(old)]
    assert kept == list((~np.isnan(a)).sum(axis=1))


def test_a_filter_on_an_output_is_of_its_value_at_enrolment() -> None:
    one = arm("cells")
    rising = one.outcomes.outputs["pf_ratio"] * np.array([1.0, 10.0, 10.0])
    one = replace(one, outcomes=replace(one.outcomes, outputs={"pf_ratio": rising}))
    where = Where(conditions=(Condition(name="pf_ratio", relation="<", value=150.0, unit="mmHg"),))
    values = one.everyone(Asked(endpoints()["pf_ratio"], 168.0, where=where))[0]
    assert 0.3 < np.isnan(values).mean() < 0.7 and np.nanmax(values) < 1500.0


def test_an_observation_of_some_is_answered_of_them(study_of) -> None:
    line = '[[observation]]\narm = "cells"\nendpoint = "mortality"\ntime = "7 d"\nevents = {}\nn = 10\n'
    arms = {"cells": with_ages(arm("cells", hazard=0.004)), "none": with_ages(arm("none", hazard=0.004))}
    study = study_of(line.format(5) + 'where = "age >= 60 year"', line.format(5))
    (old, whole), _, _ = observe(study, arms, 1, "none")
    assert old["where"] == "age >= 60 year" and whole["where"] is None
    assert old["endpoint"] == whole["endpoint"] == "mortality@7d"
    assert old["p50"] > whole["p50"]


def test_fewer_such_subjects_than_were_published_are_told(study_of) -> None:
    line = '[[observation]]\narm = "cells"\nendpoint = "pf_ratio"\ntime = "7 d"\nmean = 180\nse = 9\nn = {}\n'
    arms = {"cells": with_ages(arm("cells")), "none": with_ages(arm("none"))}
    few, many = (study_of(line.format(n) + 'where = "age >= 60 year"') for n in (20, SUBJECTS))
    assert observe(few, arms, 1, "none")[2] == []
    (warning,) = observe(many, arms, 1, "none")[2]
    assert warning.startswith("observation 0 (pf_ratio@7d:where age >= 60 year): cells has ")


@pytest.mark.parametrize("name", ["ventilator_free_days", "hospital_days", "ventilation_days", "discharged"])
def test_days_and_discharge_take_a_rule_for_the_dead(study_of, name: str) -> None:
    for rule in ("survivors", "worst", "zero"):
        (one,) = study_of(ENDPOINT.format(name) + f'deaths = "{rule}"').endpoints
        assert one.deaths == rule


# Times from onset


def test_times_from_onset_are_each_subject_s_own(study_of) -> None:
    natural = STUDY.split("[[arm.treatment]]")[0] + STUDY[STUDY.index('[[arm]]\nname = "none"') :]
    assert "treatment" not in natural
    one = with_ages(arm("cells", hazard=0.003))
    onset = np.linspace(0.0, 200.0, one.outcomes.size)
    one = replace(one, covariates={**one.covariates, ONSET_H: onset})
    asked = Asked(endpoints()["mortality"], 168.0, from_onset=True)
    values = one.everyone(asked)[0].reshape(-1)
    assert np.all(np.isnan(values) == (onset > 168.0)), "nobody is seen before enrolment"
    expected = (one.outcomes.death_time <= 168.0 - onset).astype(float)
    np.testing.assert_array_equal(values[onset <= 168.0], expected[onset <= 168.0])
    same = replace(one, covariates={**one.covariates, ONSET_H: np.zeros(onset.size)})
    np.testing.assert_array_equal(same.expected(asked), one.expected(replace(asked, from_onset=False)))
    time, died = one.follow_up(asked)[0]
    assert np.all(np.isnan(time) | (time <= 168.0)) and died.dtype == bool


def test_an_origin_is_of_the_whole_study(study_of, tmp_path: Path) -> None:
    file = tmp_path / "natural.toml"
    parts = STUDY.split("[[arm.treatment]]")
    text = parts[0] + STUDY[STUDY.index('[[arm]]\nname = "none"') :]
    text = text.replace('duration = "14 d"', 'duration = "14 d"\norigin = "onset"')
    file.write_text(text + ENDPOINT.format("mortality"), encoding="utf-8")
    study = read_study(file)
    assert study.origin == "onset" and asked_of(study, study.endpoints[0]).from_onset
    file.write_text(text + ENDPOINT.format("ventilator_free_days"), encoding="utf-8")
    with pytest.raises(Refusal, match="counts days from enrolment"):
        read_study(file)
    started = '[population.background]\nheparin = { share = 1, start = "1 d" }\n[[arm]]'
    file.write_text(text.replace("[[arm]]", started, 1) + ENDPOINT.format("mortality"), encoding="utf-8")
    study = read_study(file)
    assert "starts at a time from onset" in str(why_not_arm(study, study.arms[0]))
    file.write_text(text + ENDPOINT.format("mortality"), encoding="utf-8")
    study = read_study(file)
    assert why_not_arm(study, study.arms[0]) is None


def test_a_disease_without_onset_cannot_count_from_it(study_of) -> None:
    study = study_of(ENDPOINT.format("mortality")).model_copy(update={"origin": "onset"})

    class Prepared:
        """As much of a setting as is asked for."""

    setting = Prepared()
    setting.study, setting.seed = study, 1  # type: ignore[attr-defined]
    with pytest.raises(Refusal, match="have no onset"):
        answer(setting, {"cells": arm("cells"), "none": arm("none")})  # type: ignore[arg-type]


# States


def test_every_state_of_the_model_is_an_endpoint_in_its_own_unit(study_of) -> None:
    assert {"IL6p", "M1", "VIR", "HAZ"} <= set(states())
    assert (unit_text("mL_per_kg"), unit_text("per_h"), unit_text("dimensionless")) == ("mL/kg", "1/h", "1")
    for name in states():
        (one,) = study_of(ENDPOINT.format(f"{STATE}{name}")).endpoints
        row = state_row(one.name)
        assert row.unit and row.accepts(row.unit) and row.outputs == (name,)
    study = study_of(ENDPOINT.format("state:M1"), ENDPOINT.format("mortality"))
    assert outputs_asked(study) == ("M1",)
    assert [line.measure for line in planned_endpoints(study)] == ["none", "risk_ratio"]
    with pytest.raises(KeyError):
        state_row("state:pf_ratio")


def test_a_state_is_observed_in_its_unit_or_one_that_converts(study_of) -> None:
    line = '[[observation]]\narm = "cells"\nendpoint = "state:M1"\ntime = "7 d"\nvalue = {}\nunit = "{}"\n'
    first, second = study_of(line.format(2.5, "Gcell")), study_of(line.format(2.5e9, "cells"))
    assert first.observations[0].value == pytest.approx(second.observations[0].value)
    with pytest.raises(Refusal, match="state:M1: wrong unit"):
        study_of(line.format(2.5, "pM"))
    cells = arm("cells")
    courses = replace(cells.outcomes, outputs={"M1": cells.outcomes.outputs["pf_ratio"] / 100.0})
    arms = {"cells": replace(cells, outcomes=courses, paired=courses)}
    own, other = (observe(s, arms, 1, None)[0][0] for s in (first, second))
    assert own["observed"] == 2.5 and other["observed"] == pytest.approx(2.5e9)
    assert other["p50"] == pytest.approx(own["p50"] * 1e9)


def test_a_state_can_be_compared_but_not_won_by(study_of) -> None:
    with pytest.raises(Refusal, match="cannot have this contrast"):
        study_of(ENDPOINT.format("state:M1") + 'contrast = "win_ratio"')
    study = study_of(
        ENDPOINT.format("state:M1") + 'contrast = "ratio"',
        DIRECTION.format('"cells"', "none").replace("pf_ratio", "state:M1"),
        DIRECTION.format('"cells"', "baseline").replace("pf_ratio", "state:M1").replace("higher", "none"),
    )
    arms = {}
    for name, factor in (("cells", 5.0), ("none", 1.0)):
        one = arm(name, factor)
        courses = replace(one.outcomes, outputs={"M1": one.outcomes.outputs["pf_ratio"]})
        arms[name] = replace(one, outcomes=courses, paired=courses)
    asked = asked_of(study, study.endpoints[0])
    told = contrast_answer(analyses(arms["cells"], arms["none"], asked, "ratio", None), asked)
    effect = effect_answer(arms["cells"], arms["none"], asked, "ratio")
    assert told["p50"] == pytest.approx(5.0, rel=0.3) and effect["p50"] == pytest.approx(5.0, rel=0.1)
    assert np.isnan(told["p_success"]) and np.isnan(effect["p_benefit"])
    higher, same = observe(study, arms, 1, "none")[0]
    assert higher["p_higher"] > 0.95 and same["p_none"] > 0.95


# Comparisons of so many subjects


DIRECTION = (
    '[[observation]]\narm = {}\nendpoint = "pf_ratio"\ntime = "7 d"\ndirection = "higher"\nversus = "{}"\n'
)


def wide(name: str, factor: float) -> ArmTrials:
    """An arm of a study whose replicates solve more subjects than the trial has."""
    return arm(name, factor, subjects=ALL)


def test_a_comparison_of_more_subjects_sees_more(study_of) -> None:
    arms = {"cells": wide("cells", 1.12), "none": wide("none", 1.0)}
    found = []
    for n in ("", "n = 40", "n = 160"):
        study = study_of(DIRECTION.format('"cells"', "none") + n)
        found.append(observe(study, arms, 1, "none")[0][0]["p_higher"])
    assert found[0] < found[1] < found[2] and found[2] > 0.6


def test_arms_that_are_compared_share_no_subject_while_they_suffice() -> None:
    from mesolung.study.pooled import pools

    arms = [wide("cells", 1.0), wide("none", 1.0)]
    asked = Asked(endpoints()["pf_ratio"], 168.0)
    ours, theirs = (group.recorded(asked) for group in pools([[a] for a in arms], 120, 1))
    assert ours.shape == theirs.shape == (SLOTS, 60)
    common = [np.intersect1d(a, b).size for a, b in zip(ours, theirs, strict=True)]
    assert np.mean(common) < 0.5, "their courses are the same, so a common value is a common subject"


def test_a_contrast_with_n_narrows_and_one_without_is_of_the_arms(study_of) -> None:
    arms = {"cells": wide("cells", 1.2), "none": wide("none", 1.0)}
    line = DIRECTION.format('"cells"', "none")
    line = line.replace('direction = "higher"', 'contrast = "difference"\nvalue = 30')
    rows = [observe(study_of(line + n), arms, 1, "none")[0][0] for n in ("", "n = 20", "n = 200")]
    width = [row["p95"] - row["p05"] for row in rows]
    assert width[0] == width[1] and width[2] < 0.5 * width[1]
    assert [row["n"] for row in rows] == [None, 20, 200]


def test_an_order_with_n_is_surer_of_the_truth(study_of) -> None:
    arms = {"cells": wide("cells", 1.1), "none": wide("none", 1.0)}
    line = '[[observation]]\nendpoint = "pf_ratio"\ntime = "7 d"\norder = ["cells", "none"]\n'
    scores = [observe(study_of(line + n), arms, 1, "none")[0][0]["log_score"] for n in ("n = 8", "n = 200")]
    assert scores[0] < scores[1] < 0.0


def test_pooled_arms_are_compared_with_another(study_of) -> None:
    third = "\n" + cells_arm("low", dose="1e5 cells/kg")
    block = DIRECTION.format('["cells", "low"]', "none")
    study = study_of(third, block)
    low = replace(wide("cells", 2.0), name="low", members=wide("cells", 1.0).members + 2 * SIZE)
    arms = {"cells": wide("cells", 2.0), "low": low, "none": wide("none", 1.0)}
    (row,) = observe(study, arms, 1, "none")[0]
    assert row["arm"] == ["cells", "low"] and row["p_higher"] > 0.95
    assert TIMES.size == 3
