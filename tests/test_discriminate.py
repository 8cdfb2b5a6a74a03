"""Experiments of a small study: what can tell carriers apart, what cannot, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.study_text import cells_arm, control_arm

from mesolung.calibration.discrimination.analysis import discriminate
from mesolung.calibration.discrimination.arms import BLOCKED, plan_of
from mesolung.calibration.discrimination.predictions import Predictions, Reading
from mesolung.calibration.discrimination.variants import COMPETING, values_in, weights_of
from mesolung.calibration.variants.decisions import CARRIERS, HUMAN, NULL
from mesolung.cli.main import main
from mesolung.population import library
from mesolung.population.draws import draw_prior
from mesolung.product.priors import priors_hash
from mesolung.report.analysis_page import analysis_html
from mesolung.report.discriminate import discriminate_page, discriminate_table, headline
from mesolung.study import read_study, run
from mesolung.study.result import json_text

MICE = """schema = 1
name = "mice"
kind = "animal"
disease = "lps"
species = "mouse"
duration = "36 h"
origin = "injury"
[injury]
agent = "lps"
amount = "50 ug"
route = "intratracheal"
[[arm]]
name = "cells"
size = 8
[[arm.treatment]]
product = { source = "bone marrow", species = "mouse" }
dose = "1e6 cells"
route = "intravenous"
times = ["4 h"]
[[arm]]
name = "saline"
size = 8
control = true
[[endpoint]]
name = "bal_protein"
time = "36 h"
[[endpoint]]
name = "bal_protein"
time = "3 h"
"""
BEFORE, AFTER = "bal_protein@3h", "bal_protein@36h"
PEOPLE = (
    'schema = 1\nname = "people"\ndisease = "covid19-ards"\nduration = "3 d"\n'
    + cells_arm(dose="1e6 cells/kg")
    + control_arm("vehicle")
    + '[[endpoint]]\nname = "pf_ratio"\ntime = "3 d"\n'
)


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 100)
        patch.setattr(run, "DRAWS_AT_LEAST", 6)
        yield


@pytest.fixture(scope="module")
def mice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("discriminate") / "mice.toml"
    path.write_text(MICE, encoding="utf-8")
    return path


def _found(path: Path, **more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "arms": ["viable", "EV"], "blocked": ["EV"], "times_h": [24.0], "sizes": [6, 24], "draws": 6,
        "subjects": 3,
    }  # fmt: skip
    return discriminate(read_study(path), **{**options, **more})


@pytest.fixture(scope="module")
def found(mice: Path) -> dict[str, Any]:
    return _found(mice)


def test_a_reading_before_the_dose_tells_nothing_and_stands_last(found):
    by = {(tuple(e["arms"]), e["reading"], e["size"]): e for e in found["experiments"]}
    for arms in (("viable",), ("EV",)):
        assert by[arms, BEFORE, 24]["gain"]["value"] == 0.0
        assert by[arms, BEFORE, 24]["decision"]["value"] == 0.0
        assert by[arms, AFTER, 24]["gain"]["value"] > 0.0
    ranks = [e["reading"] for e in found["experiments"]]
    assert ranks.index(BEFORE) > max(i for i, name in enumerate(ranks) if name != BEFORE)


def test_only_its_own_carrier_acts_in_vesicles(found):
    shows = {one["name"]: one["shows"]["EV"][AFTER] for one in found["variants"]}
    others = [shows[name] for name in COMPETING if name not in ("vesicles",)]
    assert abs(shows["vesicles"]) > 3.0 * max(abs(one) for one in others)


def test_what_is_not_on_cannot_be_blocked(found):
    for one in found["variants"]:
        whole, without = one["shows"]["viable"][AFTER], one["shows"]["viable without EV"][AFTER]
        if one["name"] == "vesicles":
            assert abs(whole - without) > 1e-3
        else:
            assert whole == without


def test_the_answer_is_the_same_on_any_number_of_workers(mice, found):
    assert json_text(_found(mice, workers=3)) == json_text(found)


def test_page_and_table_name_the_best(found):
    page = analysis_html(discriminate_page(found, "mesolung discriminate mice.toml"))
    assert "tells most" in headline(found) and "Power" in page and "http-equiv" in page
    assert discriminate_table(found) is not None
    assert json.loads(json_text(found))["experiments"][0]["gain"]["value"] > 0


def test_people_are_given_products_and_no_inhibitor(tmp_path):
    path = tmp_path / "people.toml"
    path.write_text(PEOPLE, encoding="utf-8")
    plan = plan_of(read_study(path))
    assert plan.blocked == () and plan.products[0] == "viable"
    made = _found(path, blocked=None, times_h=[], sizes=[20], subjects=4)
    null = next(one for one in made["variants"] if one["name"] == NULL)
    assert abs(null["shows"]["EV"]["pf_ratio@3d"]) < 0.05
    assert made["failed_subjects"] == 0 and made["warnings"]


def _shown(measure: str, of_one: float, risk: float) -> Predictions:
    """Two arms and an untreated one, alike in their scatter."""
    reading = Reading(None, "toy@1d", measure, None)  # pyright: ignore[reportArgumentType]
    effects = np.zeros((len(COMPETING), 3, 2, 1))
    both = np.full((3, 1), of_one), np.full((3, 1), risk)
    return Predictions(None, ("viable", "EV"), (reading,), effects, *both, 0, 1)  # pyright: ignore[reportArgumentType]


def test_the_untreated_arms_scatter_is_common_to_all():
    noise = _shown("difference", 4.0, np.nan).noise((0, 1), 0, 16)
    assert noise == pytest.approx(np.array([[0.5, 0.25], [0.25, 0.5]]))


def test_risks_scatter_as_binomials():
    n, p = 20, (0.3 * 20 + 0.5) / 21
    assert _shown("risk_difference", np.nan, 0.3).noise((0,), 0, n)[0, 0] == pytest.approx(
        2 * p * (1 - p) / n
    )
    assert _shown("risk_ratio", np.nan, 0.3).noise((0,), 0, n)[0, 0] == pytest.approx(2 * (1 - p) / (p * n))
    odds = 2 / (p * (1 - p) * n)
    assert _shown("odds_ratio", np.nan, 0.3).noise((0,), 0, n)[0, 0] == pytest.approx(odds)
    # Nobody had an event: half of one is added, so that the scatter is finite.
    assert np.isfinite(_shown("risk_ratio", np.nan, 0.0).noise((0,), 0, n)).all()


def test_weights_are_the_priors_and_every_variant_keeps_some():
    draws = draw_prior(8, priors_hash())
    people, animals = weights_of(draws, True), weights_of(draws, False)
    assert sum(people.values()) == pytest.approx(1.0) and set(people) == set(COMPETING)
    assert people[NULL] == pytest.approx(0.4, abs=0.01)
    assert animals[NULL] == pytest.approx(0.05, abs=0.005)
    assert people["vesicles"] > people["niche"]


def test_a_variant_has_one_carrier_on_in_every_draw():
    draws = draw_prior(8, priors_hash())
    for variant in COMPETING:
        values = values_in(draws, variant, 8)
        on = [name for name, gain in CARRIERS.items() if (values[gain] > 0).all()]
        assert on == ([] if variant == NULL else [variant])
        assert (values[HUMAN] > 0).all() == (variant != NULL)


def test_the_usual_blocks_are_mechanisms_of_the_model(mice):
    assert tuple(off.id for off in plan_of(read_study(mice)).blocked) == BLOCKED


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--arms", "viable,dead"], "apoptotic"),
        (["--blocked", "PGE3"], "efferocytosis"),
        (["--bound", "1.5"], "below 1"),
        (["--sizes", "1"], "2 or more"),
        (["--sizes", "six"], "6,12"),
        (["--times", "soon"], "24 h"),
        (["--arms", "EV,EV"], "twice"),
    ],
)
def test_the_command_refuses_before_it_runs(mice, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as left:
        main(["discriminate", str(mice), "--out", str(tmp_path / "out"), *options])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_study_without_living_cells_is_refused(tmp_path, capsys):
    path = tmp_path / "none.toml"
    path.write_text(
        MICE.replace('source = "bone marrow", species = "mouse"', 'type = "apoptotic-cells"'), "utf-8"
    )
    with pytest.raises(SystemExit) as left:
        main(["discriminate", str(path), "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    assert "living cells" in capsys.readouterr().err
