"""What cells regain in the body: over hours, from what the lot lacks to nothing lacking."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import Subjects, course, subjects

from mesolung.biology.tables import routes
from mesolung.product.living import over_life
from mesolung.product.lot import Lot
from mesolung.product.product import Product
from mesolung.product.profile import lot_profile

GIVEN = 216.0  # h, a time at which the courses are kept
LOTS = 4000


@pytest.fixture(scope="module")
def ill() -> Subjects:
    return subjects("covid19-ards", 4, seed=5, uncertain=False)


def given(people: Subjects) -> Subjects:
    return people.with_dose("MSC_blood", 0.1, GIVEN)


def test_cells_of_one_dose_are_as_old_as_the_dose_and_a_later_dose_makes_them_younger(ill: Subjects) -> None:
    hours = np.arange(0.0, 12 * 24.0 + 1e-9, 12.0)
    once = course(given(ill), 12, every=0.5, outputs=["MSC_age", "MSC_all"])
    since = hours - GIVEN
    after = since > 0.0
    assert once["MSC_age"][:, after] == pytest.approx(
        np.broadcast_to(since[after], (4, after.sum())), rel=1e-3
    )
    assert np.all(once["MSC_age"][:, since < 0.0] == 0.0)
    twice = course(given(ill).with_dose("MSC_blood", 0.1, GIVEN + 36.0), 12, every=0.5, outputs=["MSC_age"])
    later = since > 36.0
    assert np.all(twice["MSC_age"][:, later] < once["MSC_age"][:, later])


def test_thawed_cells_are_licensed_late_and_drifted_ones_secrete_less_at_first(ill: Subjects) -> None:
    wanted = ["MSC_age", "awake", "regained", "MSC_licensed"]
    plain = course(given(ill), 12, every=0.5, outputs=wanted)
    assert np.all(plain["awake"] == 1.0) and np.all(plain["regained"] == 1.0)
    values = {
        "product_asleep": 1.0,
        "product_waking": 1 / 24,
        "product_drift": 0.7,
        "product_reverting": 1 / 12,
    }
    slow = course(given(ill).with_values(**values), 12, every=0.5, outputs=wanted)
    age = slow["MSC_age"]
    assert slow["awake"] == pytest.approx(1.0 - np.exp(-age / 24.0))
    assert slow["regained"] == pytest.approx(np.exp(-0.7 * np.exp(-age / 12.0)))
    first = int(GIVEN / 12) + 1
    assert np.all(slow["MSC_licensed"][:, first] < 0.7 * plain["MSC_licensed"][:, first])


def test_without_anything_to_regain_nothing_changes(ill: Subjects) -> None:
    wanted = ["MSC_licensed", "KGF", "pf_ratio"]
    plain = course(given(ill), 12, outputs=wanted)
    rates = course(given(ill).with_values(product_waking=0.01, product_reverting=0.01), 12, outputs=wanted)
    for name in wanted:
        assert np.array_equal(plain[name], rates[name]), name


def test_the_course_has_over_a_cells_life_the_mean_that_the_table_gives() -> None:
    lot = Lot(Product(source="bone marrow", passage=7, cryopreserved=True), "prior-test", np.arange(LOTS), 1)
    own = lot_profile(
        lot.product, key=lot.key, draws=lot.draws, seed=1, route=routes()["intravenous"]
    ).parameters
    mean = over_life(lot, own)
    life, lag = lot("licensing_life"), lot("licensing_frozen_lag")
    hours = (np.arange(4000) + 0.5) / 4000 * 20.0
    for k in range(40):
        weight = np.exp(-hours)  # hours in lives of the cell
        age = hours * life[k]
        awake = 1.0 - own["product_asleep"][k] * np.exp(-own["product_waking"][k] * age)
        drift = own["product_drift"][k] * np.exp(-own["product_reverting"][k] * age)
        at_first = own["product_licensing"][k]
        assert mean["product_licensing"][k] == pytest.approx(
            at_first * np.average(awake, weights=weight), rel=1e-2
        )
        assert mean["product_licensing"][k] == pytest.approx(at_first * life[k] / (life[k] + lag[k]))
        logs = np.log(own["product_potency"][k]) - np.average(drift, weights=weight)
        assert np.log(mean["product_potency"][k]) == pytest.approx(logs, abs=2e-2)
    assert mean["product_potency"] == pytest.approx(lot.potency)
    assert np.all(own["product_drift"] > 0.0) and np.mean(own["product_asleep"]) == pytest.approx(
        0.5, abs=0.05
    )


def test_dead_cells_and_vesicles_regain_nothing() -> None:
    for kind, unit in (("ev", "particles"), ("apoptotic-cells", "cells"), ("conditioned-medium", "mL")):
        product = Product.model_validate({"type": kind, "source": "bone marrow", "passage": 8})
        own = lot_profile(product, key="prior-test", draws=np.arange(50), seed=1, unit=unit).parameters
        assert not np.any(own["product_drift"]) and not np.any(own["product_asleep"]), kind
