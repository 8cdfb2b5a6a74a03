"""Lots: what varies does so in one table, equal products share a lot, priors say where they come from."""

from __future__ import annotations

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import routes
from mesolung.product.priors import read_priors
from mesolung.product.product import Product
from mesolung.product.profile import Profile, lot_profile

REPLICATES = 4000
VARIES = {
    "product_procoagulant": "procoagulant_lot",
    "product_size": "size_lot",
    "product_loss": "loss_lot",
    "product_efferocytosis": "efferocytosis_lot",
    "product_licensing": "licensing_lot",
    "product_hla": "hla_lot",
}


def profile(seed: int = 1, in_blood: bool = True, product: Product | None = None) -> Profile:
    draws = np.arange(REPLICATES)
    product = product or Product(source="umbilical cord", cryopreserved=True)
    route = routes()["intravenous" if in_blood else "intratracheal"]
    return lot_profile(product, key="prior-test", draws=draws, seed=seed, route=route)


def test_a_lot_sets_every_parameter_of_the_product() -> None:
    wanted = {row.id for row in read_parameters() if row.module == "product"}
    assert set(profile().parameters) == wanted
    for name, values in profile().parameters.items():
        assert values.shape == (REPLICATES,), name
        # What the donor decides is the same in every lot, and a tumour effect may have either sign.
        if name.startswith("product_cross") or name == "product_ido":
            assert set(values) == {1.0}, name
            continue
        # Half of the thawed lots have no lag, and those before the reference passage no drift.
        least = -np.inf if name == "product_tumour" else 0.0
        may_be_none = name in ("product_tumour", "product_asleep", "product_drift")
        assert values.std() > 0.0 and np.all(values >= least), name
        assert may_be_none or np.all(values > 0.0), name


@pytest.mark.parametrize(("parameter", "prior"), VARIES.items())
def test_lots_vary_as_the_table_of_priors_says(parameter: str, prior: str) -> None:
    logs = np.log(profile().parameters[parameter])
    rows = read_priors()
    row, tissue = rows[prior], rows.get(prior.replace("_lot", "_source"))
    assert row.between_lot > 0.0 and float(row.uncertainty) == 0.0
    sd = float(np.hypot(row.between_lot, 0.0 if tissue is None else float(tissue.uncertainty)))
    centre = np.log(row.value) + (0.0 if tissue is None else np.log(tissue.value))
    # The standard error of a standard deviation is sd / sqrt(2 n), of a mean sd / sqrt(n): five of each.
    assert logs.std() == pytest.approx(sd, abs=5 * sd / np.sqrt(2 * REPLICATES))
    assert logs.mean() == pytest.approx(centre, abs=5 * sd / np.sqrt(REPLICATES))


def test_properties_of_a_lot_are_drawn_apart_and_equal_products_share_it() -> None:
    first, again, other = profile(), profile(), profile(seed=2)
    for name in VARIES:
        assert np.array_equal(first.parameters[name], again.parameters[name])
        assert not np.array_equal(first.parameters[name], other.parameters[name])
    logs = np.log([first.parameters[name] for name in VARIES])
    assert np.abs(np.corrcoef(logs) - np.eye(len(VARIES))).max() < 5 / np.sqrt(REPLICATES)


def test_only_blood_has_complement() -> None:
    assert np.all(profile(in_blood=False).lysed == 0.0)
    assert 0.2 < profile().lysed.mean() < 0.6


def test_a_stated_viability_is_that_of_the_release() -> None:
    stated = profile(product=Product(source="umbilical cord", cryopreserved=True, viability=0.8))
    assert np.all((stated.viable > 0.0) & (stated.viable < 0.8))


def test_priors_say_where_they_come_from() -> None:
    for row in read_priors().values():
        assert row.grade in "ABC" and len(row.source) > 10 and len(row.meaning) > 3, row.id
        if row.source.startswith("assumed"):
            assert row.grade == "C", row.id


def test_an_infusion_that_is_not_stated_has_one_length() -> None:
    row = read_priors()["infusion_unstated"]
    assert (row.value, row.unit, row.distribution, row.between_lot) == (0.5, "h", "fixed", 0.0)
