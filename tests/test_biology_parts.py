"""What is told apart within a mechanism: parts that add up to the whole, open signs, none by default."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from tests.biology_subjects import (
    Subjects,
    Values,
    course,
    initial,
    model,
    sources,
    subjects,
    system,
)

from mesolung.engine.evaluate import evaluate

ON = {"human_effect": 1.0, "gain_niche": 6.0, "gain_EV": 1.0, "gain_mito": 1.0, "gain_contact": 1.0}
TUMOUR = ("stroma", "vessels", "evasion", "survival", "spread", "transformation")
CELLS = {"MSC_blood": 0.02, "MSC_lung": 0.04, "MSC_licensed": 0.03, "MSC_engrafted": 1e-5, "MSC_dying": 0.01}


@pytest.fixture(scope="module")
def people() -> Subjects:
    return subjects("healthy", 12, seed=11, uncertain=False).with_values(**ON)


def seen(people: Subjects, states: Values) -> Mapping[str, Values]:
    """Rates, by the names of their states, and all that the laws work out: name -> float64[n]."""
    s = system()
    asked = [*s.rates, *s.laws]
    found = evaluate(s.graph, asked, states, people.parameters, sources(people.parameters))
    return dict(zip([*(f"{n}'" for n in s.states), *s.observables], found, strict=True))


def at(people: Subjects, **states: float) -> Mapping[str, Values]:
    return seen(people, initial(people, **states))


def off(people: Subjects, *switches: str) -> Subjects:
    return people.with_values(**dict.fromkeys(switches, 0.0))


def test_parts_of_contact_are_the_whole_beside_t_cells_of_cells_that_interferon_licensed(
    people: Subjects,
) -> None:
    all_licensed = {"MSC_licensed": 0.1, "IFNG": 1e9}
    whole = at(people, **all_licensed)
    assert whole["pdl1_signal"] + whole["cd73_signal"] == pytest.approx(whole["contact_signal"], rel=1e-6)
    assert np.all(whole["contact_signal"] > 0.0) and np.all(whole["cd73_near"] == 0.0)
    without = [at(off(people, name), **all_licensed) for name in ("on_PDL1", "on_CD73")]
    left = sum(one["pdl1_signal"] + one["cd73_signal"] for one in without)
    assert left == pytest.approx(whole["contact_signal"], rel=1e-6)
    neither = at(off(people, "on_contact"), **all_licensed, DAMP=1.0)
    for name in ("pdl1_signal", "cd73_signal", "cd73_near", "touch"):
        assert np.all(neither[name] == 0.0), name


def test_pd_l1_needs_interferon_and_cd73_damage(people: Subjects) -> None:
    quiet = at(people, MSC_lung=0.1)
    licensed = at(people, MSC_licensed=0.1, IFNG=1e9)
    assert quiet["pdl1_signal"] == pytest.approx(people.column("pdl1_resting") * licensed["pdl1_signal"])
    # Cells that do not sense the host's interferon carry as little as resting ones.
    deaf = at(people.with_values(product_cross_ifng=0.0), MSC_licensed=0.1, IFNG=1e9)
    assert deaf["pdl1_signal"] == pytest.approx(quiet["pdl1_signal"])
    injured = at(people, MSC_lung=0.1, DAMP=1.0)
    assert injured["pdl1_signal"] == pytest.approx(quiet["pdl1_signal"])
    assert np.all(injured["cd73_signal"] > 1.2 * quiet["cd73_signal"])
    # Phagocytes feel adenosine lightly, and cytotoxic cells are held by PD-L1.
    assert np.all((injured["cd73_near"] > 0.0) & (people.column("calm_CD73") * injured["cd73_near"] < 0.05))
    assert np.all(licensed["cytotoxic_killing"] < quiet["cytotoxic_killing"])


def test_kinds_of_cargo_add_up_and_messages_act_apart(people: Subjects) -> None:
    taken = {"EV_cargo": 50.0}
    whole = at(people, **taken)
    assert np.all(whole["ev_action"] > 0.0)
    assert whole["ev_signal"] == pytest.approx(whole["ev_action"], rel=1e-12)
    kinds = ("on_EV_miRNA", "on_EV_mito", "on_EV_protein")
    lost = sum(whole["ev_signal"] - at(off(people, kind), **taken)["ev_signal"] for kind in kinds)
    assert lost == pytest.approx(whole["ev_signal"])
    none = at(off(people, *kinds), **taken)
    assert np.all(none["ev_signal"] == 0.0) and np.array_equal(none["ev_kgf"], whole["ev_kgf"])
    assert np.all(at(off(people, "on_EV"), **taken)["ev_kgf"] == 0.0)


def test_ligands_license_either_way_and_not_by_default(people: Subjects) -> None:
    bacteria, virus = {"BAC": 300.0, "TNF": 60.0}, {"INFECTED": 0.1, "TNF": 60.0}
    for ligand, there in (("license_TLR4", bacteria), ("license_TLR3", virus)):
        usual = at(people, **there)["licensing_signal"]
        assert np.array_equal(usual, at(off(people, "on_TLR"), **there)["licensing_signal"])
        more, less = (at(people.with_values(**{ligand: s}), **there)["licensing_signal"] for s in (0.1, -0.1))
        assert np.all(more > usual) and np.all(less < usual)
        for extreme, bound in ((9.0, 1.0), (-9.0, 0.0)):
            reached = at(people.with_values(**{ligand: extreme}), **there)["licensing_signal"]
            assert np.all(reached == bound)
        silent = people.with_values(**{ligand: 9.0, "on_TLR": 0.0})
        assert np.array_equal(at(silent, **there)["licensing_signal"], usual)
    jelly = people.with_values(license_TLR4=0.1, product_tlr4=0.0)
    assert np.array_equal(
        at(jelly, **bacteria)["licensing_signal"], at(people, **bacteria)["licensing_signal"]
    )


def test_primed_cells_have_a_head_start_for_as_long_as_they_remember(people: Subjects) -> None:
    there = {"MSC_lung": 0.1, "TNF": 500.0}
    fresh, primed = at(people, **there), at(people, **there, MSC_memory=0.1)
    assert primed["MSC_licensing"] == pytest.approx(
        fresh["MSC_licensing"] * (1 + people.column("memory_speed"))
    )
    half = at(people, **there, MSC_memory=0.05)["MSC_licensing"]
    assert np.all((fresh["MSC_licensing"] < half) & (half < primed["MSC_licensing"]))
    deaf = at(off(people, "on_memory"), **there, MSC_memory=0.1)
    assert np.array_equal(deaf["MSC_licensing"], fresh["MSC_licensing"])
    # Of cells that do not die, half remember after the half-life.
    given = people.with_values(product_loss=0.0).with_dose("MSC_memory", 0.1, 0.0)
    left = course(given, 5.0, every=5.0, outputs=("MSC_memory",))["MSC_memory"][:, -1]
    assert left == pytest.approx(0.05, rel=0.02)


def test_reactions_of_a_usual_lot_are_the_sum_of_its_parts(people: Subjects) -> None:
    usual = at(people, **CELLS)
    arrested = usual["MSC_trapping"]
    for harm in ("reaction", "fever"):
        total = people.column(f"{harm}_cells") * arrested
        assert usual[f"HAZ_{harm}'"] == pytest.approx(total, rel=1e-12)
        share = people.column(f"{harm}_vehicle") * total
        lost = [total - at(off(people, name), **CELLS)[f"HAZ_{harm}'"] for name in ("on_DMSO", "on_pyrogen")]
        assert lost[0] + lost[1] == pytest.approx(share)
        # A wash takes from the first, a dirty lot adds to the second.
        washed = at(people.with_values(product_dmso=0.1), **CELLS)[f"HAZ_{harm}'"]
        dirty = at(people.with_values(product_pyrogen=5.0), **CELLS)[f"HAZ_{harm}'"]
        assert washed == pytest.approx(total - 0.9 * lost[0]) and dirty == pytest.approx(
            total + 4.0 * lost[1]
        )
        assert np.array_equal(at(off(people, "on_airway"), **CELLS)[f"HAZ_{harm}'"], usual[f"HAZ_{harm}'"])
    assert np.all(people.column("fever_DMSO") < people.column("reaction_DMSO"))


def test_cells_in_the_airway_have_reactions_of_their_own(people: Subjects) -> None:
    given = people.with_dose("MSC_alv", 0.1, 0.0)
    blood = people.with_dose("MSC_blood", 0.1, 0.0)
    names = ("HAZ_reaction", "HAZ_fever")
    inhaled, infused = (course(one, 7, every=7.0, outputs=names) for one in (given, blood))
    silent = course(off(given, "on_airway"), 7, every=7.0, outputs=names)
    for name in names:
        # Interleukin 6 of the cells may bring a trace of fever by itself.
        assert np.all(silent[name][:, -1] < 0.1 * inhaled[name][:, -1])
        assert np.all((inhaled[name][:, -1] > 0.0) & (inhaled[name][:, -1] < infused[name][:, -1]))


def test_nk_cells_kill_what_lacks_self_licensed_or_not(people: Subjects) -> None:
    edited = people.with_values(product_nk=1.0)
    plain, lacking = at(people, **CELLS), at(edited, **CELLS)
    assert np.all(plain["death_missing_self"] == 0.0)
    for flux in ("MSC_death_lung", "MSC_death_licensed"):
        assert np.all(lacking[flux] > 1.1 * plain[flux])
        assert np.array_equal(at(off(edited, "on_missing_self"), **CELLS)[flux], plain[flux])
    more = at(edited, **CELLS, NK=5.0 * float(initial(people)[0, model().states.index("NK")]))
    assert np.all(more["death_missing_self"] > lacking["death_missing_self"])
    held = at(edited, **CELLS, PGE2=1e5)
    assert np.all(held["death_missing_self"] < lacking["death_missing_self"])


def test_debris_may_excite_or_calm_and_does_neither_by_default(people: Subjects) -> None:
    there = {**CELLS, "TNF": 60.0, "DAMP": 1.0}
    usual = at(people, **there)
    assert np.all(usual["debris_share"] > 0.0) and np.all(usual["debris_felt"] == 1.0)
    for weight in (0.3, -0.3):
        moved = at(people.with_values(debris_weight=weight), **there)["drive"]
        assert np.all(np.sign(moved - usual["drive"]) == np.sign(weight))
        assert np.all(np.abs(moved / usual["drive"] - 1.0) < 0.3)
    assert np.all(at(people.with_values(debris_weight=-9.0), **CELLS, MSC_autophagic=5.0)["drive"] >= 0.0)
    silent = people.with_values(debris_weight=0.3, on_debris=0.0)
    assert np.array_equal(at(silent, **there)["drive"], usual["drive"])


def test_what_engrafts_is_epithelium_vessel_or_stroma(people: Subjects) -> None:
    found = at(people, MSC_engrafted=1e-4)
    parts = [found[f"engrafted_{name}"] for name in ("epithelium", "vessels", "stroma")]
    assert sum(parts) == pytest.approx(np.full(people.count, 1e-4))
    assert all(np.all(part > 0.0) for part in parts)


def test_each_part_of_what_a_tumour_could_use_has_a_switch_and_a_sign(people: Subjects) -> None:
    transforming = people.with_values(product_transformation=0.5)
    there = {**CELLS, "HGF": 100.0, "MITO": 0.3}
    whole = at(transforming, **there)
    assert sum(whole[f"tumour_by_{part}"] for part in TUMOUR) == pytest.approx(whole["TUMOUR'"])
    for part in TUMOUR:
        one = whole[f"tumour_by_{part}"]
        assert np.all(one > 0.0), part
        lost = whole["TUMOUR'"] - at(off(transforming, f"on_tumour_{part}"), **there)["TUMOUR'"]
        assert lost == pytest.approx(one), part
        if part == "transformation":
            continue
        turned = at(transforming.with_values(**{f"product_tumour_{part}": -2.0}), **there)
        assert turned[f"tumour_by_{part}"] == pytest.approx(-one), part
        assert np.array_equal(turned["tumour_by_transformation"], whole["tumour_by_transformation"])
    assert np.all(at(off(transforming, "on_tumour"), **there)["TUMOUR'"] == 0.0)


def test_vesicles_bring_neither_stroma_nor_transformation(people: Subjects) -> None:
    """Even of a product that would: there is no cell to become stroma, and none that renews itself."""
    late = people.with_values(product_transformation=2.0)
    found = at(late, EV_lung=100.0, EV_cargo=100.0)
    for part in ("stroma", "spread", "transformation", "evasion"):
        assert np.all(found[f"tumour_by_{part}"] == 0.0), part
    assert np.all(found["tumour_by_survival"] > 0.0)


def test_transformation_grows_with_passage_and_the_index_stays_no_probability(people: Subjects) -> None:
    rates = [at(people.with_values(product_transformation=p), **CELLS) for p in (0.0, 0.25, 0.5)]
    grown = [one["tumour_by_transformation"] for one in rates]
    assert np.all(grown[0] == 0.0) and grown[2] == pytest.approx(2.0 * grown[1])
    for much in (1e6, -1e6):
        assert np.all(np.abs(at(people, TUMOUR=much)["tumour_risk_index"]) < 1.0)
    assert np.all(at(people, TUMOUR=-1.0)["tumour_risk_index"] < 0.0)
