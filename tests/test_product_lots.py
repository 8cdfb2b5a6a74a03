"""Lots: what varies does so in one table, equal products share a lot, priors say where they come from."""

from __future__ import annotations

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import routes
from mesolung.product.priors import read_priors
from mesolung.product.product import Product, ProductType
from mesolung.product.profile import Profile, lot_profile

REPLICATES = 4000
AS_USUAL = ("product_dmso", "product_pyrogen", "product_tlr4")  # unless a lot says otherwise
NOT_LIVING: dict[ProductType, str] = {
    "ev": "particles",
    "conditioned-medium": "cell-equivalents",
    "apoptotic-cells": "cells",
    "heat-killed-cells": "cells",
}
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
        if name.startswith("product_cross") or name in ("product_ido", *AS_USUAL):
            assert set(values) == {1.0}, name
            continue
        if name == "product_nk":
            assert set(values) == {0.0}, name
            continue
        # Half of the thawed lots have no lag, and those before the reference passage no drift.
        signed = name.startswith("product_tumour")
        may_be_none = name in ("product_asleep", "product_drift", "product_transformation")
        assert values.std() > 0.0, name
        assert signed or np.all(values >= 0.0 if may_be_none else values > 0.0), name


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


def test_what_a_tumour_could_use_has_a_sign_by_part_and_source_and_none_of_what_does_not_live() -> None:
    parts = [f"product_tumour_{one}" for one in ("stroma", "vessels", "evasion", "survival", "spread")]
    cord = profile().parameters
    marrow = profile(product=Product(source="bone marrow", cryopreserved=True)).parameters
    for name in parts:
        assert np.all([cord[name].min() < 0.0, cord[name].max() > 0.0]), name
        assert not np.array_equal(cord[name], marrow[name]), name
        signs = np.sign(cord["product_tumour"] + cord[name])
        assert 0.05 < (signs < 0).mean() < 0.5, name
    early, late = (
        profile(product=Product(source="umbilical cord", passage=p)).parameters["product_transformation"]
        for p in (2, 12)
    )
    transforming = early > 0.0
    assert 0.4 < transforming.mean() < 0.6 and np.array_equal(transforming, late > 0.0)
    grown = np.log(late[transforming]).mean() - np.log(early[transforming]).mean()
    assert grown == pytest.approx(np.log(6.0), abs=0.1)
    for kind, unit in NOT_LIVING.items():
        given = lot_profile(
            Product(type=kind, source="umbilical cord", passage=12),
            key="prior-test", draws=np.arange(50), seed=1, route=routes()["intravenous"], unit=unit,
            typical={row.id: np.full(50, row.value) for row in read_parameters()},
        )  # fmt: skip
        assert set(given.parameters["product_transformation"]) == {0.0}, kind


def test_the_receptor_of_endotoxin_goes_by_source() -> None:
    sources = {"bone marrow": 1.0, "Wharton's jelly": 0.0}
    for source, wanted in sources.items():
        product = Product.model_validate({"source": source})
        assert set(profile(product=product).parameters["product_tlr4"]) == {wanted}


def test_primed_cells_alone_remember() -> None:
    primed = {"kind": "inflammatory mediators", "agent": "interferon gamma"}
    plain, told = (
        profile(product=Product.model_validate({"source": "umbilical cord", "priming": p}))
        for p in ([], [primed])
    )
    assert not plain.soluble and set(told.soluble) == {"MSC_memory"}
    share = told.soluble["MSC_memory"] * 1e9
    assert np.all((share > 0.0) & (share < told.viable * (1.0 - told.lysed)))


def test_what_is_left_of_the_vehicle_goes_by_how_a_lot_was_frozen_and_tested() -> None:
    def told(**stated: object) -> Profile:
        return profile(product=Product.model_validate({"source": "umbilical cord", **stated}))

    usual = told(cryopreserved=True).parameters
    assert set(usual["product_dmso"]) == set(told().parameters["product_dmso"]) == {1.0}
    assert set(told(cryopreserved=False).parameters["product_dmso"]) == {0.0}
    half = told(cryopreserved=True, freezing={"cryoprotectant": "5 % DMSO"}).parameters["product_dmso"]
    washed = told(cryopreserved=True, freezing={"thaw": "washed"}).parameters["product_dmso"]
    assert set(half) == {0.5} and np.all((washed > 0.0) & (washed < 0.5))
    for safety, low, high in (
        ({"endotoxin": "5 EU/mL"}, 4.9, 5.1),
        ({"endotoxin_below": "0.05 EU/mL"}, 0.0, 0.03),
        ({"endotoxin_below": "20 EU/mL"}, 1.0, 1.0),
    ):
        values = told(safety=safety).parameters["product_pyrogen"]
        assert np.all((low <= values) & (values <= high)), safety


def test_cells_without_beta_2_microglobulin_lack_what_spares_them() -> None:
    edit = [{"gene": "B2M", "change": "knocked out"}]
    edited = profile(product=Product.model_validate({"source": "umbilical cord", "edit": edit})).parameters
    assert np.all((edited["product_nk"] > 0.5) & (edited["product_nk"] <= 1.0))
    assert np.array_equal(
        edited["product_loss"], profile(product=Product(source="umbilical cord")).parameters["product_loss"]
    )


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
