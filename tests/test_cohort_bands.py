"""Bands: the same bits in any order and pieces, quantiles within the grid's error, means rounded once."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesolung.cohort.bands import Bands, quantile_name
from mesolung.cohort.histogram import OCTAVES, RELATIVE_ERROR, Histogram, bins_of, edges_of

numbers = st.floats(allow_nan=False, allow_infinity=False)
anything = st.floats()
parts = st.fractions(0, 1)


def histogram(values: list[float]) -> Histogram:
    h = Histogram()
    h.add(np.array(values, dtype=np.float64))
    return h


def told(h: Histogram) -> tuple:
    quantiles = [h.quantile(Fraction(k, 20)) for k in range(21)]
    return h.count, h.missing, *(np.array([h.least, h.most, h.mean(), *quantiles]).view(np.int64).tolist())


@given(st.lists(anything, max_size=40), st.lists(st.integers(0, 40), max_size=5), st.randoms())
def test_order_and_pieces_change_no_bit(values: list[float], cuts: list[int], random) -> None:
    whole = told(histogram(values))
    shuffled = list(values)
    random.shuffle(shuffled)
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    pieces = [histogram(shuffled[a:b]) for a, b in itertools.pairwise(edges)]
    random.shuffle(pieces)
    merged = Histogram()
    for piece in pieces:
        merged.merge(piece)
    assert told(merged) == whole


@given(st.lists(anything, max_size=10), st.lists(anything, max_size=10), st.lists(anything, max_size=10))
def test_merging_is_associative(a: list[float], b: list[float], c: list[float]) -> None:
    left, right, tail = histogram(a), histogram(a), histogram(b)
    left.merge(histogram(b))
    left.merge(histogram(c))
    tail.merge(histogram(c))
    right.merge(tail)
    assert told(left) == told(right)


@given(st.lists(numbers, min_size=1, max_size=60), parts)
def test_a_quantile_is_off_by_at_most_the_grid(values: list[float], part: Fraction) -> None:
    exact = sorted(values)[max(1, math.ceil(part * len(values))) - 1]
    found = histogram(values).quantile(part)
    if abs(exact) < 2.0**OCTAVES:
        assert abs(found - exact) <= RELATIVE_ERROR * abs(exact) + 2.0**-OCTAVES
    assert min(values) <= found <= max(values)


@given(st.lists(numbers, min_size=1, max_size=60))
def test_the_mean_is_the_exact_one_rounded_once(values: list[float]) -> None:
    assert histogram(values).mean() == float(sum(map(Fraction, values)) / len(values))


@given(st.lists(numbers, min_size=2, max_size=30))
def test_bins_keep_the_order_and_hold_their_numbers(values: list[float]) -> None:
    bins = bins_of(np.array(sorted(values)))
    assert (np.diff(bins) >= 0).all()
    for value, k in zip(sorted(values), bins, strict=True):
        low, high = edges_of(int(k))
        assert low <= value <= high or abs(value) >= 2.0**OCTAVES


def test_a_mean_of_very_many_pieces_is_exact_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesolung.cohort.histogram._AT_A_TIME", 3)
    values = [0.1, 1e300, -1e300, 0.2, 5e-324, 1e16, -1e16, 0.3]
    assert histogram(values).mean() == float(sum(map(Fraction, values)) / len(values))


def test_what_is_not_a_number_is_missing_and_nothing_gives_nan() -> None:
    h = histogram([math.nan, math.inf, -math.inf, 2.0])
    assert (h.count, h.missing, h.mean(), h.quantile(Fraction(1, 2))) == (1, 3, 2.0, 2.0)
    nothing = histogram([math.nan])
    assert nothing.missing == 1 and math.isnan(nothing.mean()) and math.isnan(nothing.quantile(Fraction(1)))


def test_the_table_has_a_row_an_output_and_time() -> None:
    bands = Bands(["a", "b"], np.array([0.0, 1.0, 2.0]))
    values = np.arange(4 * 3 * 2, dtype=np.float64).reshape(4, 3, 2)
    values[1, 2, 0] = np.nan
    bands.add(values)
    table = bands.table([Fraction(1, 4), Fraction("0.975")])
    assert list(table) == [
        "output",
        "time",
        "subjects",
        "missing",
        "mean",
        "lowest",
        "highest",
        "p25",
        "p97.5",
    ]
    assert table["output"].tolist() == ["a"] * 3 + ["b"] * 3
    assert table["time"].tolist() == [0.0, 1.0, 2.0] * 2
    assert table["subjects"].tolist() == [4, 4, 3, 4, 4, 4] and table["missing"].tolist() == [
        0,
        0,
        1,
        0,
        0,
        0,
    ]
    assert table["lowest"][3] == 1.0 and table["highest"][3] == 19.0 and table["mean"][3] == 10.0


@pytest.mark.parametrize(
    ("part", "name"), [("0", "p00"), ("0.05", "p05"), ("0.5", "p50"), ("0.025", "p2.5"), ("1", "p100")]
)
def test_quantiles_are_named_by_percent(part: str, name: str) -> None:
    assert quantile_name(Fraction(part)) == name
