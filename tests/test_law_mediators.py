"""No output hangs on the absolute level of an unmeasured fast mediator: in another unit all is the same."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import Subjects, course, initial, model, subjects
from tests.mediator_scales import FACTORS_OF_CELLS, carriers, laws, powers, scaled

from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.tables import endpoints

# Lung mediator -> what carries its unit, with the power that it carries: its level at health, half-effects
# and productions go with it; what passes of it to plasma goes against it.
SCALES = {
    "TNF": {
        "TNF_healthy": 1,
        "TNF_half": 1,
        "TNF_license": 1,
        "TNF_toxic": 1,
        "make_TNF": 1,
        "spill_TNF": -1,
    },
    "IL1B": {"IL1B_healthy": 1, "IL1B_half": 1, "IL1_license": 1, "make_IL1B": 1, "spill_IL1B": -1},
    "IL1RA": {"IL1RA_healthy": 1, "IL1RA_half": 1, "make_IL1RA": 1, "secrete_IL1RA": 1},
    "IL6": {"IL6_healthy": 1, "make_IL6": 1, "make_IL6_epithelium": 1, "secrete_IL6": 1, "spill_IL6": -1},
    "IL8": {"IL8_healthy": 1, "IL8_half": 1, "make_IL8": 1, "make_IL8_epithelium": 1, "spill_IL8": -1},
    "IL10": {
        "IL10_healthy": 1,
        "IL10_half": 1,
        "make_IL10": 1,
        "make_IL10_TREG": 1,
        "make_IL10_B": 1,
        "spill_IL10": -1,
    },
    "IFNG": {"IFNG_healthy": 1, "IFNG_half": 1, "IFNG_license": 1, "make_IFNG": 1},
    "IFN": {"IFN_half": 1, "interferon_production": 1},
    "TGFB": {
        "TGFB_healthy": 1,
        "TGFB_half": 1,
        "TGFB_block": 1,
        "make_TGFB": 1,
        "make_TGFB_epithelium": 1,
        "make_TGFB_stretch": 1,
        "make_TGFB_senescent": 1,
    },
    "CCL2": {"CCL2_healthy": 1, "CCL2_half": 1, "make_CCL2": 1, "make_CCL2_epithelium": 1},
    "IL13": {"IL13_healthy": 1, "IL13_half": 1, "make_IL13": 1, "make_IL13_type2": 1},
    "IL17": {
        "IL17_healthy": 1,
        "IL17_half": 1,
        "make_IL17": 1,
        "make_IL17_type17": 1,
        "IL17p_healthy": 1,
    },
    # Factors of given cells, above the host's own.
    **{name: {f"{name}_half": 1, f"secrete_{name}": 1} for name in FACTORS_OF_CELLS},
}
# Prime-like factors, so that no two of them make up for each other.
PRIMES = (3.0, 0.37, 1.9, 0.71, 5.3, 0.23, 2.7, 0.59, 1.3, 0.43, 7.1, 0.17, 1.7, 0.31, 2.3, 0.61, 4.3, 0.13)
FACTORS = dict(zip(SCALES, PRIMES, strict=True))


def test_every_lung_mediator_is_in_the_table() -> None:
    plasma = {name for name in model().states if name.endswith("p") and name[:-1] in SCALES}
    counted = {name for name in model().states if model().units[name] == "pM"}
    assert counted == set(SCALES) | plasma


@pytest.mark.parametrize("mediator", SCALES)
def test_the_laws_say_what_carries_a_mediators_unit(mediator: str) -> None:
    changed, wrong = powers(mediator)
    assert wrong == []
    assert {name: round(power) for name, power in scaled(mediator).items()} == SCALES[mediator]
    assert all(abs(power - round(power)) < 1e-6 for power in changed.values())


@pytest.mark.parametrize("mediator", SCALES)
def test_no_endpoint_and_no_other_state_carries_it(mediator: str) -> None:
    changed, _ = powers(mediator)
    assert not set(changed) & set(endpoints())
    assert not set(changed) & (set(model().states) - {mediator})
    signals = {name for name in laws().rules if name.endswith(("_signal", "_response", "_injury"))}
    assert not set(changed) & signals


@pytest.mark.parametrize("disease", diseases())
def test_no_onset_and_no_criterion_hangs_on_it(disease: str) -> None:
    kind = read_disease(disease)
    named = {kind.onset.observable} | {criterion.name for criterion in kind.criteria}
    for mediator in SCALES:
        assert not named & {mediator, *powers(mediator)[0]}, mediator


@pytest.mark.parametrize("disease", ["covid19-ards", "ards"])
def test_every_output_is_the_same_in_other_units(disease: str) -> None:
    people = subjects(disease, 30, seed=71)
    change = np.ones(people.parameters.shape[1])
    for mediator, factor in FACTORS.items():
        for name, power in SCALES[mediator].items():
            change[model().parameters.index(name)] *= factor**power
    assert set(np.array(model().parameters)[change != 1.0]) <= carriers()
    other = Subjects(people.parameters * change, people.events)
    served = [name for name in model().observables if name in endpoints()]
    outputs = [*served, "HAZ", "DIS", "OFM", "hyperinflammation", *SCALES]
    # Before extinction events and switches of the ward can fall on either side of an output.
    one, two = (course(group, 12, outputs=outputs, rtol=1e-9) for group in (people, other))
    for mediator, factor in FACTORS.items():
        assert np.abs(two[mediator] / factor - one[mediator]).max() <= 1e-6 * np.abs(one[mediator]).max()
    for name in outputs:
        if name not in SCALES:
            assert np.abs(two[name] - one[name]).max() <= 1e-6 * max(1e-3, np.abs(one[name]).max()), name


def test_one_scale_alone_does_change_something() -> None:
    """The test above can fail: a half-effect that is left behind moves outputs."""
    people = subjects("covid19-ards", 30, seed=71)
    start = initial(people)
    for name in ("TNF_half", "IL8_half", "IFN_half", "IL10_half"):
        moved = people.with_values(**{name: 3.0 * float(people.column(name)[0])})
        a, b = (course(group, 12, outputs=["pf_ratio"])["pf_ratio"] for group in (people, moved))
        assert np.abs(a - b).max() > 1.0, name
        assert np.array_equal(start, initial(moved))
