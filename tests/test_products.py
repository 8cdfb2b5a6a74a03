"""Every kind of product has a profile: what is counted, what arrives, and how little is known of it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tests.study_text import cells_arm, control_arm

from mesolung.biology.parameters import read_parameters
from mesolung.biology.states import states
from mesolung.biology.tables import routes
from mesolung.product.factors import RESTING, factors
from mesolung.product.kinds import CONVERSIONS, KINDS, WIDE, conversion
from mesolung.product.priors import read_priors
from mesolung.product.product import MODELLED_TYPES, Product
from mesolung.product.profile import Profile, lot_profile, product_identity
from mesolung.reading import Refusal
from mesolung.study import read_study
from mesolung.study.arms import DOSE_UNITS
from mesolung.study.assumed import assumed_inputs, wide_conversions
from mesolung.study.canonical import inputs_sha256
from mesolung.study.modelled import left_out, modelled_part
from mesolung.study.study import Study

HEAD = 'schema = 1\nname = "one"\ndisease = "covid19-ards"\nduration = "14 d"\n'
LOTS = 2000
PARAMETERS = {row.id: row for row in read_parameters()}
TYPICAL = {name: np.full(LOTS, row.value) for name, row in PARAMETERS.items()}
MAIN = {kind: KINDS[kind].enters for kind in KINDS}


def profile(kind: str, route: str = "intravenous", unit: str = "cells", **also: Any) -> Profile:
    product = Product.model_validate({"type": kind, "source": "umbilical cord", **also})
    return lot_profile(
        product, key="prior", draws=np.arange(LOTS), seed=1, route=routes()[route], unit=unit, typical=TYPICAL
    )


def unit_of(kind: str) -> str:
    return "cells" if kind.endswith("cells") else "cell-equivalents"


@pytest.fixture
def study_of(tmp_path):
    """Read the made-up study with some texts exchanged."""

    def read(*swaps: tuple[str, str]) -> Study:
        text = HEAD + cells_arm() + control_arm("none")
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "study.toml"
        path.write_text(text + '[[endpoint]]\nname = "mortality"\ntime = "7 d"\n', encoding="utf-8")
        return read_study(path)

    return read


CELLS = 'product = { source = "bone marrow" }\ndose = "1e6 cells/kg"\nroute = "intravenous"'


def instead(product: str, dose: str, route: str = "intravenous") -> tuple[str, str]:
    return CELLS, f'product = {{ {product} }}\ndose = "{dose}"\nroute = "{route}"'


def test_every_modelled_type_has_a_profile_and_a_state_to_enter() -> None:
    assert {*KINDS, "vehicle"} == set(MODELLED_TYPES)
    for kind, column in MAIN.items():
        entered = {getattr(row, column) for row in routes().values()} - {None}
        assert entered and entered <= set(states()), kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", routes())
def test_shares_are_shares_and_parameters_are_the_models(kind: str, route: str) -> None:
    found = profile(kind, route, unit_of(kind))
    for name in ("viable", "lysed", "apoptotic", "delivered"):
        share = getattr(found, name)
        assert share.shape == (LOTS,) and share.min() >= 0.0 and share.max() <= 1.0, name
    assert np.all(found.per_unit > 0.0) and np.all(found.particles >= 0.0)
    assert set(found.parameters) == {row.id for row in PARAMETERS.values() if row.module == "product"}
    assert set(found.soluble) <= set(states()) and all(np.all(v >= 0.0) for v in found.soluble.values())
    if not routes()[route].airway:
        assert all(np.all(v < 1e-3) for v in found.soluble.values())  # pM for a cell or particle


def test_only_what_is_given_alive_lives() -> None:
    for kind in KINDS:
        found = profile(kind, unit=unit_of(kind))
        alive = kind in ("cells", "control-cells")
        assert np.any(found.viable > 0.0) == alive, kind
        for name in ("product_mito", "product_contact", "product_ev"):
            assert np.any(found.parameters[name] > 0.0) == alive, (kind, name)
        vesicles = kind in ("ev", "conditioned-medium")
        assert np.any(found.particles > 0.0) == vesicles, kind
        assert np.any(found.parameters["product_potency"] > 0.0) == (alive or vesicles), kind


def test_small_molecules_do_not_come_along_with_vesicles() -> None:
    medium = profile("conditioned-medium", "intratracheal", "cell-equivalents").soluble
    vesicles = profile("ev", "intratracheal", "particles").soluble
    assert set(medium) == set(factors()) and "KYN" not in medium
    assert set(medium) - set(vesicles) == {"PGE2"}
    for name, row in factors().items():
        assert row.secretion in PARAMETERS and RESTING in PARAMETERS
        assert PARAMETERS[row.secretion].unit.startswith("pM/Gcell")
        assert re.search(r"10\.\d{4,}|PMC\d|assumed: ", row.source), name


def test_co_isolates_are_a_small_part_of_what_the_same_cells_secreted() -> None:
    medium = profile("conditioned-medium", "intratracheal", "cell-equivalents")
    vesicles = profile("ev", "intratracheal", "cell-equivalents")
    same = vesicles.per_unit * vesicles.soluble["HGF"] / medium.soluble["HGF"]
    assert np.quantile(same, 0.95) < 0.25 and np.median(same) == pytest.approx(0.02, rel=0.2)


def test_particles_and_cell_equivalents_of_a_lot_are_one_dose() -> None:
    counted = profile("ev", unit="particles")
    cells = profile("ev", unit="cell-equivalents")
    shed = np.median(cells.per_unit)
    assert shed == pytest.approx(read_priors()["particles_per_cell"].value, rel=0.1)
    assert np.median(cells.per_unit * cells.particles) == pytest.approx(
        shed * np.median(counted.per_unit * counted.particles), rel=0.1
    )
    assert np.array_equal(cells.particles, counted.particles)
    # The same cells' medium holds as many, before they are washed and stored.
    medium = profile("conditioned-medium", unit="cell-equivalents")
    share = cells.per_unit * cells.particles / medium.particles
    assert 0.3 < np.median(share) < 1.5


@pytest.mark.parametrize(("kind", "unit"), [(k, u) for k, units in CONVERSIONS.items() for u in units])
def test_a_conversion_spans_as_far_as_it_says(kind: Any, unit: str) -> None:
    found = conversion(kind, unit)
    assert found is not None
    low, high = np.quantile(profile(kind, unit=unit).per_unit, [0.05, 0.95])
    assert np.log(high / low) == pytest.approx(np.log(found[1]), rel=0.1)
    assert (found[1] > WIDE) == (unit != "particles")


def test_every_unit_of_a_dose_is_counted_or_converted() -> None:
    for kind in KINDS:
        for unit in DOSE_UNITS[kind]:
            plain = unit.split("/")[0]
            found = profile(kind, unit=plain)
            assert np.all(found.per_unit > 0.0)
            assert (conversion(kind, plain) is None) == (plain == "cells" or (kind, plain) == (
                "conditioned-medium", "cell-equivalents"))  # fmt: skip


def test_routes_deliver_the_shares_of_their_table() -> None:
    for name, row in routes().items():
        share = profile("cells", name).delivered
        if row.delivered in (0.0, 1.0):
            assert set(share) == {row.delivered}
        else:
            assert np.median(share) == pytest.approx(row.delivered, rel=0.1) and share.std() > 0.0
    mist, tube = profile("cells", "nebulised"), profile("cells", "intratracheal")
    assert np.median(mist.viable / tube.viable) == pytest.approx(0.72, abs=0.03)


def test_dead_products_reprogram_by_their_own_yield() -> None:
    living = profile("cells").parameters["product_efferocytosis"]
    heated = profile("heat-killed-cells").parameters["product_efferocytosis"]
    apoptotic = profile("apoptotic-cells").parameters["product_efferocytosis"]
    fibroblasts = profile("control-cells").parameters["product_efferocytosis"]
    assert 0.0 < np.median(heated) < np.median(fibroblasts) < np.median(living)
    assert np.mean(apoptotic == 0.0) == pytest.approx(0.25, abs=0.05)
    assert np.median(apoptotic[apoptotic > 0.0]) == pytest.approx(np.median(living), rel=0.1)


def test_vesicles_of_late_passage_do_less() -> None:
    early, late = (profile("ev", unit="particles", passage=p).parameters["product_potency"] for p in (3, 16))
    assert np.median(late) < 0.7 * np.median(early)


def test_a_subjects_own_cells_are_not_foreign() -> None:
    assert set(profile("cells", autologous=True).parameters["product_hla"]) == {0.0}
    foreign = profile("cells").parameters["product_hla"]
    assert np.all(foreign > 0.0) and foreign.mean() == pytest.approx(1.0, abs=0.05)


def test_a_key_that_is_not_used_changes_no_lot_and_no_hash(study_of) -> None:
    plain = Product(source="umbilical cord", passage=4)
    assert "species" not in plain.identity_text and "autologous" not in plain.identity_text
    assert product_identity(plain) != product_identity(plain.model_copy(update={"autologous": True}))
    one = study_of()
    own = study_of(('bone marrow" }', 'bone marrow", autologous = true }'))
    assert inputs_sha256(own) != inputs_sha256(one)


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"type": "ev", "viability": 0.9}, "ev holds no cells, so it has no viability"),
        ({"type": "conditioned-medium", "viability": 0.9}, "holds no cells"),
        ({"type": "apoptotic-cells", "viability": 0.9}, "are dead when they are given"),
        ({"type": "heat-killed-cells", "viability": 0.1}, "are dead when they are given"),
        ({"type": "vehicle", "autologous": True}, "a vehicle has no cells, so it has no autologous"),
        ({"type": "cells", "species": "dog"}, "species"),
    ],
)
def test_what_a_product_cannot_have_is_refused(stated: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Product.model_validate(stated)


@pytest.mark.parametrize(
    ("swap", "problem"),
    [
        (instead('type = "cells"', "1e9 particles"), "a product of type cells cannot have this unit"),
        (instead('type = "ev"', "1e6 cells"), "a product of type ev cannot have this unit"),
        (instead('type = "conditioned-medium"', "1e9 particles"), "conditioned-medium cannot have this unit"),
        (instead('type = "apoptotic-cells"', "1 mL"), "apoptotic-cells cannot have this unit"),
        (instead('type = "ev"', "1e9 particles", "oral"), "ev by mouth"),
        (
            instead('type = "ev"', '1e9 particles"\ndose_basis = "viable'),
            "ev has no viable part",
        ),
        (
            instead('type = "heat-killed-cells"', '1e6 cells"\ndose_basis = "viable'),
            "heat-killed-cells has no viable part",
        ),
        (instead('autologous = true, species = "mouse"', "1e6 cells"), "own cells of another species"),
    ],
)
def test_a_treatment_that_cannot_be_is_refused(study_of, swap: tuple[str, str], problem: str) -> None:
    with pytest.raises(Refusal, match=problem):
        study_of(swap)


@pytest.mark.parametrize(
    ("product", "dose", "route", "wide"),
    [
        ('type = "ev"', "1e11 particles", "nebulised", False),
        ('type = "ev"', "1e9 particles/kg", "intravenous", False),
        ('type = "ev"', "100 ug", "intravenous", True),
        ('type = "ev"', "15 mL", "intravenous", True),
        ('type = "ev"', "2e6 cell-equivalents", "intravenous", True),
        ('type = "ev"', "unknown", "unknown", False),
        ('type = "conditioned-medium"', "5 mL", "intravenous", True),
        ('type = "ev"', "1e11 particles", "intraperitoneal", False),
        ('type = "conditioned-medium"', "1e7 cell-equivalents", "intratracheal", False),
        ('type = "control-cells"', "1e6 cells/kg", "intraperitoneal", False),
        ('type = "heat-killed-cells"', "1e6 cells", "intravenous", False),
    ],
)
def test_a_run_says_what_it_assumed_of_a_product(study_of, product, dose, route, wide) -> None:
    study = study_of(instead(product, dose, route))
    assert modelled_part(study) is study and left_out(study) == []
    kind = study.arms[0].treatments[0].product.type
    named = {line["name"]: line for line in assumed_inputs(study)}
    assert {f"product.{name}" for name in KINDS[kind].assumed} <= set(named)
    assert bool(wide_conversions(study)) == wide
    if wide:
        (said,) = wide_conversions(study)
        assert kind in said and "span" in said
        assert any("nine lots in ten span" in line["why"] for line in named.values())
    if 0.0 < (routes()[route].delivered if route in routes() else 1.0) < 1.0:
        assert named[f"{route}.delivered"]["value"] == routes()[route].delivered
    assert ("product.soluble_from_blood" in named) == (
        kind in ("ev", "conditioned-medium") and route in ("intravenous", "intraperitoneal")
    )
    assert (f"{route}.absorbed" in named) == (kind == "ev" and route == "intraperitoneal")


@pytest.mark.parametrize("kind", ["apoptotic-cells", "heat-killed-cells"])
def test_dead_cells_in_a_depot_are_answered_as_not_modelled(study_of, kind: str) -> None:
    study = study_of(instead(f'type = "{kind}"', "1e6 cells", "intraperitoneal"))
    (said,) = [line for line in left_out(study) if kind in line]
    assert "none of it comes to the lung" in said
