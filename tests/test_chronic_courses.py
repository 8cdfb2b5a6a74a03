"""Chronic disease follows from causes: smoke, allergen, repeated injury, age; and goes on as it should."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import (
    DAY,
    SET_PARAMETER,
    EventTable,
    Subjects,
    Values,
    course,
    joined,
    model,
    subjects,
)

YEAR = 365.25


def driven(people: Subjects, name: str, value: float, from_y: float = 0.0) -> Subjects:
    """The same people, a parameter set to a value at a time."""
    n = people.count
    table = EventTable(
        np.arange(n),
        np.full(n, from_y * YEAR * DAY),
        np.full(n, SET_PARAMETER),
        np.full(n, model().parameters.index(name)),
        np.full(n, value),
    )
    return Subjects(people.parameters, joined(people.events, table))


def ageing_people(count: int, seed: int, **values: float) -> Subjects:
    chosen = {"exacerbation_tendency": 1.0, "ageing": 1.0, "age": 20.0, **values}
    return subjects("healthy", count, seed=seed, uncertain=False).with_values(**chosen)


def years(people: Subjects, length: float, *outputs: str, every: float = 1.0) -> dict[str, Values]:
    return dict(course(people, length * YEAR, every=every * YEAR, outputs=outputs, rtol=1e-4))


def test_a_healthy_non_smoker_loses_what_age_takes() -> None:
    people = ageing_people(40, 31, age=40.0, female=0.0, height=175.0)
    run = years(people, 20.0, "fev1", "fvc", "fev1_pp", "NARROW", "EMPH", "SCAR", "AGED", "EXA")
    assert run["AGED"][:, -1] == pytest.approx(20.0, rel=1e-3)
    for name in ("fev1", "fvc"):
        falls = 1e3 * (run[name][:, 0] - run[name][:, -1]) / 20.0
        assert 20.0 < falls.mean() < 32.0, name
    assert (run["fev1_pp"][:, -1] > 0.97 * run["fev1_pp"][:, 0]).all()
    assert run["NARROW"].max() < 0.05
    for name in ("EMPH", "SCAR", "EXA"):
        assert run[name].max() < 1e-12, name


@pytest.fixture(scope="module")
def smokers() -> Subjects:
    return driven(ageing_people(40, 32, female=0.0, height=175.0, airway_susceptibility=1.2), "smoke", 1.2)


def test_smoke_brings_obstruction_over_decades_not_years(smokers: Subjects) -> None:
    run = years(smokers, 45.0, "fev1_pp", "crp", "sputum_neutrophils", every=5.0)
    relative = run["fev1_pp"] / run["fev1_pp"][:, :1]
    assert np.median(relative[:, 1]) > 0.86
    assert np.median(relative[:, -1]) < 0.6
    usual = years(smokers.with_values(airway_susceptibility=0.35), 45.0, "fev1_pp", every=5.0)["fev1_pp"]
    assert np.median(usual[:, -1] / usual[:, 0]) > 0.65
    assert np.median(run["crp"][:, -1]) > 1.5 * np.median(run["crp"][:, 0])
    assert np.median(run["sputum_neutrophils"][:, -1]) > 55.0
    assert np.quantile(run["crp"][:, -1], 0.9) > 1.5 * np.median(run["crp"][:, -1])


def test_cessation_slows_decline(smokers: Subjects) -> None:
    on = years(smokers, 45.0, "fev1", "NARROW", every=5.0)
    off = years(driven(smokers, "smoke", 0.0, 30.0), 45.0, "fev1", "NARROW", every=5.0)
    late = slice(6, None)
    assert np.allclose(on["fev1"][:, :6], off["fev1"][:, :6], rtol=2e-3)
    fall_on = -np.diff(on["fev1"][:, late], axis=1).mean() * 1e3 / 5.0
    fall_off = -np.diff(off["fev1"][:, late], axis=1).mean() * 1e3 / 5.0
    assert fall_off < fall_on - 5.0
    # What settled goes on: more than age takes from lungs of that size.
    assert (off["NARROW"][:, -1] > off["NARROW"][:, 6]).mean() > 0.9
    early = years(driven(smokers, "smoke", 0.0, 3.0), 45.0, "NARROW", every=5.0)["NARROW"]
    assert np.median(early[:, -1]) < 0.2


def test_elastase_is_free_beyond_its_inhibitors_only() -> None:
    people = ageing_people(12, 33, antiprotease=1.0)
    run = {}
    for name, stimulus in (("little", 0.1), ("much", 0.4)):
        stirred = driven(people, "insult_inflammation", stimulus)
        run[name] = years(stirred, 10.0, "elastase_free", "ELAS", "protease_load")
    little = run["little"]
    below = little["protease_load"].max(1) < 1.0
    assert below.any()
    assert little["elastase_free"][below].max() == 0.0
    assert (little["ELAS"][below, -1] > 0.999).all()
    short = driven(people.with_values(antiprotease=0.15), "insult_inflammation", 0.1)
    assert (years(short, 10.0, "elastase_free")["elastase_free"][:, -1] > 0.0).mean() > 0.5
    assert np.median(run["much"]["ELAS"][:, -1]) < 0.9


def test_allergen_raises_eosinophils_and_nitric_oxide_where_type_2_is_high() -> None:
    outputs = ("sputum_eosinophils", "feno", "blood_eosinophils", "sputum_neutrophils", "pc20", "fev1_pp")
    found = {}
    for name, bias, bias17 in (("high", 2.0, 0.1), ("low", 0.02, 2.5)):
        people = ageing_people(30, 34, type2_bias=bias, type17_bias=bias17)
        found[name] = years(driven(people, "allergen", 1.0), 4.0, *outputs)
    high, low = found["high"], found["low"]
    assert np.median(high["sputum_eosinophils"][:, -1]) > 3.0
    assert np.median(low["sputum_eosinophils"][:, -1]) < 1.0
    assert np.median(high["feno"][:, -1] / high["feno"][:, 0]) > 1.8
    assert np.median(low["feno"][:, -1] / low["feno"][:, 0]) < 1.15
    assert np.median(high["blood_eosinophils"][:, -1] / high["blood_eosinophils"][:, 0]) > 1.5
    assert np.median(low["blood_eosinophils"][:, -1] / low["blood_eosinophils"][:, 0]) < 1.1
    assert np.median(low["sputum_neutrophils"][:, -1]) > np.median(low["sputum_neutrophils"][:, 0])
    for run in found.values():
        assert (run["pc20"][:, -1] < run["pc20"][:, 0]).all()
        assert (run["fev1_pp"][:, -1] < run["fev1_pp"][:, 0]).all()


def test_fibrosis_needs_repeated_injury() -> None:
    people = ageing_people(30, 35, age=60.0)
    ill = years(driven(people, "micro_injury", 1.3), 8.0, "fvc", "SCAR", "dlco_pp")
    well = years(people, 8.0, "fvc", "SCAR")
    assert well["SCAR"].max() == 0.0
    assert np.median(ill["SCAR"][:, -1]) > 0.1
    assert (ill["fvc"][:, -1] < well["fvc"][:, -1]).all()
    assert np.median(ill["dlco_pp"][:, -1] / ill["dlco_pp"][:, 0]) < 0.75
    slow, rapid = (
        years(driven(people.with_values(scar_susceptibility=x), "micro_injury", 1.3), 8.0, "SCAR")["SCAR"]
        for x in (0.4, 2.5)
    )
    assert np.median(rapid[:, -1]) > 2.0 * np.median(slow[:, -1])


def test_a_cold_exacerbates_where_the_lung_is_ready() -> None:
    outputs = ("EXA", "fev1", "HAZ_exacerbation", "crp")
    ready = ageing_people(20, 36, age=60.0, type2_bias=0.02, type17_bias=0.02)
    start = model().initial(ready.parameters)
    start[:, model().states.index("NARROW")] = 0.7
    start[:, model().states.index("COLD")] = 2.0
    ill = course(ready, 60, every=1.0, outputs=outputs, initial=start)
    start[:, model().states.index("COLD")] = 0.0
    spared = course(ready, 60, every=1.0, outputs=outputs, initial=start)
    start[:, model().states.index("COLD")] = 2.0
    start[:, model().states.index("NARROW")] = 0.0
    well = course(ready, 60, every=1.0, outputs=outputs, initial=start)
    assert well["EXA"].max() < 0.01 * ill["EXA"].max(1).min()
    assert well["HAZ_exacerbation"].max() < 0.01 * ill["HAZ_exacerbation"].max(1).min()
    assert (ill["HAZ_exacerbation"][:, -1] > 0.02).all()
    peak = ill["EXA"].argmax(1)
    assert (peak > 1).all()
    assert (peak < 25).all()
    assert (ill["EXA"][:, -1] < 0.5 * ill["EXA"].max(1)).all()
    assert (ill["fev1"][:, 10] < spared["fev1"][:, 10]).all()
    assert (ill["HAZ_exacerbation"][:, -1] > 2.0 * spared["HAZ_exacerbation"][:, -1]).all()
