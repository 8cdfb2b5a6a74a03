"""Lots: identity moves nothing, assays narrow as arithmetic says, age and interventions act as stated."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import routes
from mesolung.product.acts import acts, interventions, stated_acts
from mesolung.product.assays import PROPERTIES, assays
from mesolung.product.card import lot_card
from mesolung.product.conditioning import prior_variance, reading
from mesolung.product.described import PotencyAssay
from mesolung.product.expansion import expand, time_grown
from mesolung.product.growth import growth
from mesolung.product.lot import Lot
from mesolung.product.priming_doses import saturations
from mesolung.product.priors import read_priors
from mesolung.product.product import SOURCES, Product
from mesolung.product.profile import Profile, lot_profile
from mesolung.product.vesicles import passing
from mesolung.reading.toml import Document
from mesolung.study.assumed import unknown_lots
from mesolung.study.reader import study_of

LOTS = 4000
FATE = ("homing_retention", "k_engraft")
TYPICAL = {row.id: np.full(LOTS, row.value) for row in read_parameters() if row.id in FATE}
IDENTITY = {
    "CD73": 0.99,
    "CD90": 0.98,
    "CD105": 0.97,
    "CD45": 0.002,
    "CD34": 0.003,
    "HLA-DR": 0.01,
    "CD29": 0.9,
}


def made(**stated: Any) -> Product:
    return Product.model_validate({"source": "umbilical cord", "passage": 4, **stated})


def profile(product: Product, route: str = "intravenous", unit: str = "cells", lots: int = LOTS) -> Profile:
    return lot_profile(
        product,
        key="prior-test",
        draws=np.arange(lots),
        seed=1,
        route=routes()[route],
        unit=unit,
        typical={name: values[:lots] for name, values in TYPICAL.items()},
    )


def lot(product: Product) -> Lot:
    return Lot(product, "prior-test", np.arange(LOTS), 1)


def differing(one: Profile, other: Profile) -> set[str]:
    names = {*one.parameters, *other.parameters}
    nothing = np.full(LOTS, np.nan)
    return {
        n
        for n in names
        if not np.array_equal(one.parameters.get(n, nothing), other.parameters.get(n, nothing))
    }


def log_potency(product: Product) -> NDArray[np.float64]:
    return np.log(profile(product).parameters["product_potency"])


@pytest.mark.parametrize(
    "table",
    [
        {"markers": {**IDENTITY, "CD142": 0.6, "CD146": 0.8, "CD362": 0.2}},
        {"safety": {"sterility": "negative", "karyotype": "normal"}},
        {"count": {"cells": "2e8 cells", "method": "trypan blue"}},
    ],
    ids=lambda table: next(iter(table)),
)
def test_identity_and_contamination_move_no_effect(table: dict[str, Any]) -> None:
    plain, measured = profile(made()), profile(made(**table))
    assert differing(plain, measured) == set()
    for name in ("viable", "lysed", "apoptotic", "delivered", "per_unit", "particles"):
        assert np.array_equal(getattr(plain, name), getattr(measured, name)), name


def test_endotoxin_moves_fever_and_reactions_alone() -> None:
    dirty = profile(made(safety={"endotoxin": "8 EU/mL"}))
    assert differing(profile(made()), dirty) == {"product_pyrogen"}


def test_the_card_says_that_identity_narrows_potency_by_nothing() -> None:
    found = lot_card(made(markers=IDENTITY), (), key="prior-test", draws=500)["identity"]
    assert found["narrowed"] == 0.0 and found["potency_width_with"] > 1.0
    assert set(found["markers"]) == set(IDENTITY)


def test_an_assay_moves_potency_as_a_normal_distribution_learns() -> None:
    one = {"name": "TSG-6", "value": 40, "unit": "pg/mL", "reference": 20, "cv": 0.2, "n": 4}
    row, prior = assays()["TSG-6"], prior_variance("potency")
    slope = row.link * row.spread / math.sqrt(prior)
    noise = row.spread**2 * (1 - row.link**2) + math.log1p(0.2**2) / 4
    variance = 1 / (1 / prior + slope**2 / noise)
    mean = variance * slope / noise * math.log(2)
    before, after = log_potency(made()), log_potency(made(assay=[one]))
    assert before.mean() == pytest.approx(0.0, abs=5 * math.sqrt(prior / LOTS))
    assert after.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / LOTS))
    assert after.std() == pytest.approx(math.sqrt(variance), abs=5 * math.sqrt(variance / 2 / LOTS))
    assert after.std() < before.std() and mean > 0
    # A potency assay is a weak link: even many exact runs leave most of the spread.
    exact = log_potency(made(assay=[{**one, "cv": 0.001, "n": 1000}]))
    assert exact.std() > 0.8 * before.std()


def test_an_assay_without_a_reference_moves_nothing() -> None:
    told = {"name": "kynurenine", "value": 31, "unit": "uM"}
    assert differing(profile(made()), profile(made(assay=[told]))) == set()
    assert reading(PotencyAssay.model_validate(told)) is None


@pytest.mark.parametrize("name", assays())
def test_an_assay_moves_its_property_and_no_other(name: str) -> None:
    row = assays()[name]
    share = row.scale == "logit"
    told = {"name": name, "unit": "%" if share else "a unit", "value": 60, "reference": 40}
    plain, measured = profile(made()), profile(made(assay=[told]))
    assert differing(plain, measured) == {PROPERTIES[row.about]}
    moved = np.log(measured.parameters[PROPERTIES[row.about]]).mean()
    assert np.sign(moved - np.log(plain.parameters[PROPERTIES[row.about]]).mean()) == row.sense


@pytest.mark.parametrize("about", ["potency", "licensing", "loss", "size", "procoagulant", "hla"])
def test_every_property_spreads_by_tissue_lot_and_mixture_without_an_assay(about: str) -> None:
    def logs(**stated: Any) -> NDArray[np.float64]:
        product = made(**stated)
        traits = lot(product).traits.procoagulant if about == "procoagulant" else 1.0
        return np.log(profile(product).parameters[PROPERTIES[about]] / traits)

    rows, alone = read_priors(), logs()
    own, tissue = rows[f"{about}_lot"], rows[f"{about}_source"]
    assert own.between_lot > 0.0 and float(tissue.uncertainty) > 0.0
    variance = own.between_lot**2 + float(tissue.uncertainty) ** 2
    assert variance == pytest.approx(prior_variance(about))
    assert alone.std() == pytest.approx(math.sqrt(variance), rel=5 / math.sqrt(2 * LOTS))
    # Two tissues differ by the draw of each, in which the lot has no part.
    other = logs(source="bone marrow", lot="A") - logs(lot="A")
    assert other.std() == pytest.approx(math.sqrt(2) * float(tissue.uncertainty), rel=5 / math.sqrt(2 * LOTS))
    part = logs(subpopulation=[{"name": "CD146 high", "share": 0.5}]) - alone
    assert part.std() > 0.2 * own.between_lot and 0.3 < float(np.mean(part > 0)) < 0.7


@pytest.mark.parametrize("about", ["licensing", "hla", "loss", "size", "procoagulant"])
def test_the_spread_of_a_property_leaves_its_mean_at_the_reference(about: str) -> None:
    rows = read_priors()
    own, tissue = rows[f"{about}_lot"], rows[f"{about}_source"]
    mean = tissue.value * math.exp(float(tissue.uncertainty) ** 2 / 2)
    assert mean == pytest.approx(1.0, abs=2e-3)
    if about in ("licensing", "hla"):
        assert own.value * math.exp(own.between_lot**2 / 2) == pytest.approx(1.0, abs=2e-3)
        assert profile(made()).parameters[PROPERTIES[about]].mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("name", "about"), [("IDO induction", "licensing"), ("mixed lymphocyte reaction", "hla")]
)
def test_an_assay_of_licensing_or_mismatch_narrows_it_a_little(name: str, about: str) -> None:
    usual = {"name": name, "value": 4, "unit": "fold", "reference": 4}
    told = np.log(profile(made(assay=[usual])).parameters[PROPERTIES[about]])
    prior = math.sqrt(prior_variance(about))
    assert 0.9 * prior < told.std() < prior, "the link is weak, so it narrows little"


def test_an_edit_takes_mismatch_away_and_adds_none() -> None:
    plain = profile(made()).parameters["product_hla"]
    edited = profile(made(edit=[{"gene": "B2M", "change": "knocked out"}])).parameters["product_hla"]
    assert np.all(edited <= plain) and np.mean(edited < plain) > 0.7


def test_a_subjects_own_cells_are_foreign_to_nobody_whatever_the_assay() -> None:
    told = {"name": "mixed lymphocyte reaction", "value": 9, "unit": "cpm", "reference": 3}
    assert np.all(profile(made(autologous=True, assay=[told])).parameters["product_hla"] == 0.0)


def test_more_lots_change_none_of_the_first() -> None:
    told = made(
        assay=[{"name": "PGE2", "value": 3, "unit": "ng/mL", "reference": 2}],
        donor={"id": "D-1", "age": "60 year"},
    )
    few, many = profile(told, lots=50), profile(told)
    for name, values in few.parameters.items():
        assert np.array_equal(values, many.parameters[name][:50]), name


def test_a_donors_age_acts_on_four_named_parameters_and_may_act_on_none() -> None:
    young, old = profile(made(donor={"age": "30 year"})), profile(made(donor={"age": "75 year"}))
    assert differing(young, old) == {"product_potency", "product_loss", "homing_retention", "k_engraft"}
    slopes = {act.on: act for act in acts()["donor", "age"]}
    assert {"potency", "loss", "homing", "engraftment"} <= set(slopes)
    for on in ("potency", "loss", "homing", "engraftment"):
        assert slopes[on].none > 0.0 and slopes[on].uncertainty >= abs(slopes[on].effect), on
    # The reference passage is before anybody's senescence, so only the slope itself moves potency.
    same = old.parameters["product_potency"] == young.parameters["product_potency"]
    share = float(same.mean())
    assert share == pytest.approx(slopes["potency"].none, abs=5 * math.sqrt(0.25 / LOTS))


def test_a_donor_younger_than_the_reference_is_as_one_of_it() -> None:
    assert differing(profile(made(donor={"age": "1 year"})), profile(made(donor={"age": "30 year"}))) == set()


def test_lots_of_a_donor_have_as_much_in_common_as_the_table_says() -> None:
    pair = [np.log(lot(made(lot=name, donor={"id": "D-1"}))("potency_lot")) for name in ("A", "B")]
    other = np.log(lot(made(lot="A", donor={"id": "D-2"}))("potency_lot"))
    common = read_priors()["donor_share"].value
    assert np.corrcoef(pair)[0, 1] == pytest.approx(common, abs=5 * (1 - common**2) / math.sqrt(LOTS))
    assert pair[0].std() == pytest.approx(read_priors()["potency_lot"].between_lot, rel=0.06)
    assert np.corrcoef(pair[0], other)[0, 1] < common


def test_the_same_lot_is_the_same_however_it_is_described_besides() -> None:
    plain = made(lot="A")
    assert plain.identity_text == made(lot="A", viability=0.8, passage=5).identity_text
    assert plain.identity_text != made(lot="B").identity_text
    assert made().identity_text == made(donor={"age": "40 year"}, markers=IDENTITY).identity_text


def test_growth_takes_the_time_of_its_law() -> None:
    ending = np.array([21.0, 64.0])
    doublings = np.array([12.0, 60.0])
    # The integral of 1 / (1 - u^4) is (artanh u + arctan u) / 2.
    u = doublings / ending
    exact = 0.5 * (np.arctanh(u) + np.arctan(u)) * ending
    assert read_priors()["slowing"].value == 4.0
    assert time_grown(doublings, ending) == pytest.approx(exact, rel=1e-3)
    assert time_grown(np.array([0.01]), np.array([20.0])) == pytest.approx(0.01, rel=1e-6)


def test_doublings_stand_for_passages_and_bring_drift() -> None:
    per = growth()["bone marrow"].doublings_per_passage
    by_passage = made(source="bone marrow", passage=6)
    by_doublings = made(source="bone marrow", passage=6, culture={"population_doublings": 6 * per})
    assert np.array_equal(lot(by_passage).culture_age, lot(by_doublings).culture_age)
    early, late = (expand(lot(made(lot="A", source="bone marrow", passage=p))) for p in (3, 6))
    assert np.all(late.time > early.time) and np.all(late.senescent > early.senescent)
    assert np.all(late.donor_cells >= early.donor_cells) and np.all(late.at_harvest > early.at_harvest)
    assert log_potency(by_passage).mean() < log_potency(made(source="bone marrow", passage=4)).mean()


def test_an_old_donors_culture_ends_sooner() -> None:
    old = expand(lot(made(source="bone marrow", donor={"age": "80 year"})))
    young = expand(lot(made(source="bone marrow", donor={"age": "20 year"})))
    assert np.median(old.ending) < np.median(young.ending)
    assert np.median(old.doubling_time) > np.median(young.doubling_time)


def test_drift_shows_more_in_a_dish_than_in_the_body() -> None:
    aged = made(source="bone marrow", passage=7)
    told = [{"name": "kynurenine", "value": 24, "unit": "uM", "reference": 24}]
    # A dish that reads as the reference says more of an aged lot: its cells will still regain a part.
    assert np.all(lot(aged)("culture_reversion") > 0.0)
    assert (
        log_potency(aged.model_copy(update={"assay": made(assay=told).assay})).mean()
        > log_potency(aged).mean()
    )


def test_a_stated_wait_costs_what_its_law_says() -> None:
    waited = made(viability=0.9, hold={"time": "5 h", "diluent": "Ringer lactate", "temperature": "22 degC"})
    rate = lot(waited)("hold_loss")
    assert profile(waited).viable == pytest.approx(0.9 * np.exp(-5 * rate))
    kept = waited.model_copy(
        update={"hold": made(hold={"time": "5 h", "diluent": "buffer with albumin"}).hold}
    )
    assert np.median(profile(kept).viable) > np.median(profile(waited).viable)


def test_a_rescue_in_culture_ends_the_lag_of_thawed_cells() -> None:
    thawed = made(cryopreserved=True)
    rescued = made(cryopreserved=True, freezing={"rescue": "14 d"})
    assert not np.any(profile(rescued).parameters["product_asleep"])
    assert 0.4 < profile(thawed).parameters["product_asleep"].mean() < 0.6


def test_an_edit_acts_on_what_the_table_names() -> None:
    plain, edited = profile(made()), profile(made(edit=[{"gene": "CD55", "change": "overexpressed"}]))
    assert differing(plain, edited) == set() and np.mean(edited.lysed < plain.lysed) > 0.99
    # As many lysed as the ten donors' cells: 41.70 against 21.87 %.
    odds = np.median(edited.lysed / (1 - edited.lysed)) / np.median(plain.lysed / (1 - plain.lysed))
    assert odds == pytest.approx((0.2187 / 0.7813) / (0.4170 / 0.5830), rel=0.15)


def test_what_has_not_been_measured_together_widens_and_says_so() -> None:
    hypoxia: dict[str, Any]
    edit: dict[str, Any]
    hypoxia, edit = (
        {"priming": [{"kind": "hypoxia"}]},
        {"edit": [{"gene": "CD55", "change": "overexpressed"}]},
    )
    alone, both = made(**hypoxia), made(**hypoxia, **edit)
    assert log_potency(both).std() > log_potency(alone).std()
    said = " ".join(lot_card(both, (), key="prior-test", draws=50)["said"])
    assert "has not been measured" in said
    unknown = made(priming=[{"kind": "inflammatory mediators", "agent": "interleukin 99"}])
    said = " ".join(lot_card(unknown, (), key="prior-test", draws=50)["said"])
    assert "Nothing collected on inflammatory mediators with interleukin 99" in said
    assert log_potency(unknown).std() > log_potency(made()).std()


def test_a_run_says_what_is_not_known_of_its_lot(root: Path) -> None:
    text = (root / "examples" / "cord-cells-in-ards.toml").read_text(encoding="utf-8")
    plain = study_of(Document(Path("study.toml"), text, tomllib.loads(text)))
    assert unknown_lots(plain) == []
    both = ', priming = [{ kind = "hypoxia" }], edit = [{ gene = "CD55", change = "overexpressed" }] }'
    text = text.replace("cryopreserved = true }", "cryopreserved = true" + both)
    (said,) = unknown_lots(study_of(Document(Path("study.toml"), text, tomllib.loads(text))))
    assert "has not been measured" in said


@pytest.mark.parametrize(
    "kind",
    [
        "gene modification",
        "hypoxia",
        "inflammatory mediators",
        "bioactive compounds",
        "3D culture",
        "co-culture",
        "patient serum",
    ],
)
def test_each_kind_of_priming_acts_on_a_named_parameter(kind: str) -> None:
    primed = made(priming=[{"kind": kind, "agent": "something new"}])
    assert len(interventions(primed)) == 1
    on = {act.on for act, _ in stated_acts(primed)}
    assert on and differing(profile(made()), profile(primed)) == {PROPERTIES[name] for name in on}


def test_dose_and_time_of_a_priming_saturate_and_count_where_stated() -> None:
    def times(**stated: str) -> float:
        one = {"kind": "inflammatory mediators", "agent": "interferon gamma", **stated}
        (found,) = {n for act, n in stated_acts(made(priming=[one])) if act.what == one["kind"]}
        return found

    assert times() == 1.0 and times(dose="50 ng/mL", time="48 h") == 1.0
    row = saturations()["inflammatory mediators", "interferon gamma"]
    assert row.half_dose is not None and row.usual_dose is not None
    top = (row.usual_dose + row.half_dose) / row.usual_dose
    assert times(dose=f"{row.half_dose} ng/mL") == pytest.approx(0.5 * top)
    assert times(dose="1e6 ng/mL") == pytest.approx(top, rel=1e-4) == times(dose="1000 ug/mL")
    assert 0.0 < times(time="6 h") < times(time="24 h") < 1.0 < times(time="96 h")
    assert times(dose="500 U/mL") == 1.0
    primed = made(priming=[{"kind": "hypoxia", "dose": "1 % oxygen"}], freezing={"stored": "30 d"})
    said = " ".join(lot_card(primed, (), key="prior-test", draws=50)["said"])
    assert "The dose 1 % oxygen of hypoxia moves nothing" in said
    assert "The time in frozen storage moves nothing" in said


def test_a_cryoprotectant_moves_survival_of_the_thaw_alone_and_not_what_was_measured() -> None:
    def frozen(name: str, **stated: float) -> Profile:
        return profile(made(cryopreserved=True, freezing={"cryoprotectant": name}, **stated))

    usual, other = frozen("10 % DMSO"), frozen("trehalose")
    assert np.array_equal(usual.viable, profile(made(cryopreserved=True)).viable)
    assert differing(usual, other) == {"product_dmso"} and not np.array_equal(usual.viable, other.viable)
    assert np.mean(usual.viable == other.viable) == pytest.approx(0.3, abs=0.03), "the chance of none"
    measured = frozen("trehalose", viability=0.9).viable
    assert np.array_equal(measured, frozen("10 % DMSO", viability=0.9).viable)


def test_a_subpopulation_moves_potency_either_way() -> None:
    part = made(subpopulation=[{"name": "CD146 high", "share": 0.4}])
    ratio = log_potency(part) - log_potency(made())
    assert 0.3 < float(np.mean(ratio > 0)) < 0.7 and ratio.std() > 0.1
    none = made(subpopulation=[{"name": "CD146 high", "share": 0.0}])
    assert np.array_equal(log_potency(none), log_potency(made()))


def test_counted_vesicles_are_given_as_counted() -> None:
    stated = made(type="ev", vesicles={"particles": "1e11 particles/mL", "protein": "50 ug/mL"})
    by_volume, by_mass = (profile(stated, unit=unit).per_unit for unit in ("mL", "ug"))
    assert np.median(by_volume) == pytest.approx(1e11, rel=0.05)
    assert by_volume / by_mass == pytest.approx(50.0)
    wide = profile(made(type="ev"), unit="mL").per_unit
    assert np.log(by_volume).std() < np.log(wide).std()


def test_tetraspanins_bound_the_share_of_vesicles_from_below() -> None:
    def arriving(**stated: Any) -> NDArray[np.float64]:
        return profile(made(type="ev", vesicles=stated), unit="particles").particles

    plain = arriving(isolation="TFF")
    assert np.array_equal(plain, arriving(isolation="TFF", CD9=0.001))
    most = arriving(isolation="TFF", CD9=0.3, CD63={"value": 0.9, "sd": 0.01})
    assert np.all(most >= plain) and np.mean(most > plain) > 0.5


def test_an_impure_preparation_brings_more_dissolved_protein_along() -> None:
    def along(protein: str) -> float:
        stated = {"particles": "1e11 particles/mL", "protein": protein}
        typical = {row.id: np.full(LOTS, row.value) for row in read_parameters()}
        found = lot_profile(
            made(type="ev", vesicles=stated),
            key="prior-test",
            draws=np.arange(LOTS),
            seed=1,
            route=routes()["intratracheal"],
            unit="particles",
            typical=typical,
        )
        return float(np.median(found.soluble["HGF"]))

    usual = f"{1e11 / read_priors()['particles_per_ug'].value} ug/mL"
    assert along("500 ug/mL") > 1.5 * along(usual) > 2.0 * along("1 ug/mL")


def test_a_wide_distribution_of_sizes_passes_mucus_as_its_mean_does() -> None:
    size = np.array([0.5, 1.0, 2.0])
    assert passing(size, 1e-9) == pytest.approx(size, rel=1e-6)
    drawn = size[:, None] * np.exp(np.sqrt(np.log1p(0.5**2)) * np.random.default_rng(1).normal(size=200_000))
    share = (1.0 / (1.0 + drawn**3)).mean(axis=1)
    assert 1.0 / (1.0 + passing(size, 0.5) ** 3) == pytest.approx(share, abs=3e-3)
    wide = made(type="ev", vesicles={"size": "180 nm", "size_sd": "90 nm"})
    narrow = made(type="ev", vesicles={"size": "180 nm"})
    a, b = (profile(one, unit="particles").parameters["product_ev_size"] for one in (wide, narrow))
    assert np.median(a) < np.median(b)


def test_a_capsule_has_a_release_of_vesicles_and_none_of_cells() -> None:
    shell = [{"kind": "encapsulation", "agent": "alginate", "release": "48 h"}]
    held = profile(made(type="ev", engineering=shell), unit="particles")
    assert held.release is not None and np.all(held.release == 48.0)
    drawn = profile(made(type="ev", engineering=[{"kind": "encapsulation"}]), unit="particles").release
    assert drawn is not None and np.median(drawn) == pytest.approx(
        read_priors()["capsule_release"].value, rel=0.1
    )
    assert profile(made(type="ev"), unit="particles").release is None
    cells = made(engineering=shell)
    assert profile(cells).release is None
    assert any(
        "stay in their shell" in line for line in lot_card(cells, (), key="prior-test", draws=20)["said"]
    )


def test_vesicles_decay_with_time_and_less_when_frozen() -> None:
    def left(hours: str, at: str) -> float:
        stored = {"stored": hours, "storage_temperature": at}
        return float(np.median(profile(made(type="ev", vesicles=stored), unit="particles").particles))

    assert left("96 h", "4 degC") < left("48 h", "4 degC") < left("48 h", "-80 degC")
    half = left("48 h", "4 degC") / left("0 h", "4 degC")
    assert half == pytest.approx(0.49, abs=0.03)  # doi 10.1371/journal.pone.0243738: 51 % lost in 48 h


def test_the_tables_say_where_they_come_from() -> None:
    rows = [row for several in acts().values() for row in several]
    for row in rows:
        assert len(row.source) > 10 and len(row.meaning) > 8, row
        if row.source.startswith(("assumed", "recalled")):
            assert row.grade == "C", row
    for name, row in assays().items():
        assert len(row.source) > 10 and row.link < 1.0, name
        if row.source.startswith("assumed"):
            assert row.grade == "C", name
    assert set(growth()) == set(SOURCES)


def test_a_source_without_data_says_so() -> None:
    said = lot_card(made(source="amniotic membrane"), (), key="prior-test", draws=50)["said"]
    assert any(line.startswith("No data for amniotic membrane cells") for line in said)
    assert not lot_card(made(), (), key="prior-test", draws=50)["said"]


def test_what_is_not_stated_is_listed_as_assumed() -> None:
    bare = {line["name"] for line in lot_card(Product(), (), key="prior-test", draws=50)["assumed"]}
    assert {"source", "passage", "viability", "cryopreserved", "hold_time", "donor age"} <= bare
    full = made(
        viability=0.9,
        cryopreserved=False,
        hold={"time": "1 h", "temperature": "22 degC"},
        donor={"age": "40 year"},
    )
    left = {line["name"] for line in lot_card(full, (), key="prior-test", draws=50)["assumed"]}
    assert not left & {
        "source",
        "passage",
        "viability",
        "cryopreserved",
        "hold_time",
        "hold temperature",
        "donor age",
    }
