"""What an experiment is worth, on made-up carriers whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mesolung.calibration.discrimination.gain import worth
from mesolung.streams import normals

Values = NDArray[np.float64]
DRAWS = 200
HALF = np.array([0.5, 0.5])


def shown(*means: float, spread: float = 0.0) -> Values:
    """Carriers that show one number each, alike in every draw but for a nuisance they share."""
    nuisance = spread * normals(3, "nuisance", 0, DRAWS)
    return np.stack([(m + nuisance)[:, None] for m in means])


def benefit(*sizes: float) -> Values:
    """One action whose benefit hangs on the carrier."""
    return np.stack([np.full((DRAWS, 1), s) for s in sizes])


def test_the_gain_of_two_carriers_is_that_of_a_binary_channel() -> None:
    """Two means 2 a apart in noise of 1: the mutual information by quadrature."""
    a = 1.0
    y = np.linspace(-9.0, 9.0, 20001)
    one, two = (np.exp(-0.5 * (y - m) ** 2) / np.sqrt(2 * np.pi) for m in (-a, a))
    middle = 0.5 * (one + two)
    parts = [np.where(p > 0, p * np.log2(np.maximum(p, 1e-300) / middle), 0.0) for p in (one, two)]
    known = float(np.trapezoid(0.5 * (parts[0] + parts[1]), y))
    found = worth(shown(-a, a), np.eye(1), HALF, benefit(1.0, -1.0), bound=0.8)
    assert found.gain.value == pytest.approx(known, abs=0.03)
    assert found.gain.low <= found.gain.value <= found.gain.high


def test_carriers_that_show_the_same_gain_exactly_nothing() -> None:
    found = worth(
        shown(1.0, 1.0, 1.0, spread=2.0), np.eye(1), np.array([0.2, 0.3, 0.5]), benefit(1, -1, 1), bound=0.8
    )
    assert found.gain.value == found.gain.high == 0.0
    assert found.changed.value == pytest.approx(0.0, abs=1e-12)
    assert found.decision.value == 0.0 and found.value.value == pytest.approx(0.0, abs=1e-12)
    assert found.power.value == 0.0


def test_an_experiment_that_separates_outranks_one_that_cannot() -> None:
    apart = worth(shown(0.0, 3.0, spread=0.5), np.eye(1), HALF, benefit(1.0, -1.0), bound=0.8)
    alike = worth(shown(0.0, 0.1, spread=0.5), np.eye(1), HALF, benefit(1.0, -1.0), bound=0.8)
    assert apart.gain.low > alike.gain.high
    assert apart.power.low > alike.power.high
    # Where one is indifferent before, any result turns the decision: what that is worth tells them apart.
    assert apart.value.low > alike.value.high


def test_two_variants_alike_share_what_they_had() -> None:
    """A third apart is found; the two that show the same keep their odds, so no power between them."""
    third = np.array([0.3, 0.3, 0.4])
    found = worth(shown(0.0, 0.0, 20.0), np.eye(1), third, benefit(0.0, 0.0, 1.0), bound=0.8)
    known = -0.6 * np.log2(0.6) - 0.4 * np.log2(0.4)
    assert found.gain.value == pytest.approx(known, abs=1e-6)
    assert [one.value for one in found.power_of] == pytest.approx([0.0, 0.0, 1.0])


def test_more_subjects_tell_more() -> None:
    gains = [
        worth(shown(0.0, 1.0, spread=0.3), np.eye(1) / n, HALF, benefit(1, -1), bound=0.8).gain.value
        for n in (2, 8, 32)
    ]
    assert gains[0] < gains[1] < gains[2]


def test_an_arm_beside_another_cancels_what_both_share() -> None:
    """A nuisance that moves both arms hides the carrier in one, and not in both together."""
    nuisance = 3.0 * normals(4, "nuisance", 0, DRAWS)
    one = np.stack([np.stack([nuisance + m, nuisance], axis=1) for m in (0.0, 2.0)])
    noise = 0.05 * np.eye(2)
    alone = worth(one[:, :, :1], noise[:1, :1], HALF, benefit(1, -1), bound=0.8)
    both = worth(one, noise, HALF, benefit(1, -1), bound=0.8)
    assert both.gain.low > alone.gain.high


def test_a_decision_turns_only_where_carriers_ask_for_different_actions() -> None:
    apart = shown(0.0, 5.0)
    same = worth(apart, np.eye(1), HALF, benefit(1.0, 2.0), bound=0.8)
    other = worth(apart, np.eye(1), HALF, benefit(1.0, -3.0), bound=0.8)
    assert same.gain.value == pytest.approx(other.gain.value)
    assert same.decision.value == 0.0
    # Before it nothing is given, as the mean benefit is below 0; after it half of the time the first is true.
    assert other.decision.value == pytest.approx(0.5, abs=0.05)
    assert other.value.value == pytest.approx(0.5, abs=0.05)


def test_a_swapped_arm_is_told() -> None:
    """What is expected of a carrier decides: with the arms' answers swapped its power is lost."""
    right = worth(shown(0.0, 6.0), np.eye(1), HALF, benefit(1, -1), bound=0.8)
    assert right.power.value > 0.95
    flat = worth(shown(6.0, 6.0), np.eye(1), HALF, benefit(1, -1), bound=0.8)
    assert flat.power.value == 0.0


def test_gaps_are_left_out_and_too_few_draws_refused() -> None:
    mean = shown(0.0, 3.0)
    mean[0, 5] = np.nan
    assert worth(mean, np.eye(1), HALF, benefit(1, -1), bound=0.8).gain.value > 0.5
    with pytest.raises(ValueError, match="too few"):
        worth(mean[:, :2], np.eye(1), HALF, benefit(1, -1)[:, :2], bound=0.8)


def test_the_same_seed_gives_the_same_worth() -> None:
    made = [worth(shown(0.0, 1.0), np.eye(1), HALF, benefit(1, -1), bound=0.8, seed=s) for s in (1, 1, 2)]
    assert made[0] == made[1] and made[0] != made[2]
