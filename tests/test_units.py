"""Quantities: what is written is what is meant, and nothing passes for what it is not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolung.reading import Refusal
from mesolung.units import NAMES, Quantity, UnitError, convert, quantity, same_dimension

UNITS = [*sorted(NAMES), "%", "1", "kg PBW", "cells/kg", "cells/kg PBW", "mL/kg PBW", "cell-equivalents"]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("10e6 cells/kg", 1e7, "cells/kg"),
        ("10e6 cells/kg PBW", 1e7, "cells/kg PBW"),
        ("28 d", 28.0, "d"),
        ("60 min", 60.0, "min"),
        ("6 mg", 6.0, "mg"),
        ("100 mmHg", 100.0, "mmHg"),
        ("1e9 particles", 1e9, "particles"),
        ("5 mL", 5.0, "mL"),
        ("80 ug/kg", 80.0, "ug/kg"),
        ("80 µg/kg", 80.0, "µg/kg"),
        ("-3 h", -3.0, "h"),
        ("10%", 10.0, "%"),
        ("  .5   kg   PBW ", 0.5, "kg PBW"),
        ("1e6 cell-equivalents", 1e6, "cell-equivalents"),
        ("7 points", 7.0, "points"),
    ],
)
def test_a_quantity_is_its_number_and_its_unit(text: str, value: float, unit: str) -> None:
    assert quantity(text) == Quantity(value, unit)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "28", "d", "28 ", "28 parsec", "1e999 d", "nan d", "inf d", "1,000 d", "5 kkg", "5 d/",
        "5 /d", "5 d**9**9", "5 d d", "5 h;h", "5 __class__", "5 _", "5 kg PBWs", "5 mmHgs", "٣ d",
        "1" * 400 + " d", "5 " + "d/" * 5000 + "d",
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_in_a_few_words(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        quantity(text)
    assert isinstance(caught.value, Refusal) and isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "one", "other", "expected"),
    [
        (28, "d", "h", 672),
        (1, "year", "d", 365.25),
        (60, "min", "h", 1),
        (1, "kPa", "mmHg", 7.50061575845657),
        (1, "mmHg", "cmH2O", 1.35951),
        (1, "ng/mL", "pg/mL", 1000),
        (1, "ng/L", "pg/mL", 1),
        (50, "%", "fraction", 0.5),
        (0.3, "fraction", "percent", 30),
        (1, "copies/uL", "copies/mL", 1000),
        (2, "cell", "cells", 2),
        (1, "g", "mg", 1000),
        (10, "mL/cmH2O", "L/cmH2O", 0.01),
        (1, "nM", "pM", 1000),
        (1.7, "m", "cm", 170),
        (1, "mg/kg", "ug/kg", 1000),
    ],
)
def test_conversions_are_those_of_the_field(value: float, one: str, other: str, expected: float) -> None:
    assert convert(value, one, other) == pytest.approx(expected, rel=1e-9)
    assert convert(expected, other, one) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kg", "kg PBW"),
        ("cells/kg", "cells/kg PBW"),
        ("mL/kg", "mL/kg PBW"),
        ("cells", "particles"),
        ("cells", "cell-equivalents"),
        ("CFU/mL", "copies/mL"),
        ("points", "fraction"),
        ("points", "mmHg"),
        ("pM", "pg/mL"),
        ("d", "mmHg"),
        ("cells", "cells/kg"),
    ],
)
def test_different_things_do_not_convert(one: str, other: str) -> None:
    assert not same_dimension(one, other)
    with pytest.raises(ValueError, match="cannot be converted") as caught:
        convert(1.0, one, other)
    assert one in str(caught.value) and other in str(caught.value)


@settings(deadline=None)  # the first example also builds the registry
@given(st.sampled_from(UNITS), st.sampled_from(UNITS), st.floats(1e-12, 1e12))
def test_there_and_back_is_the_same_number(one: str, other: str, value: float) -> None:
    assert same_dimension(one, other) == same_dimension(other, one)
    if same_dimension(one, other):
        assert convert(convert(value, one, other), other, one) == pytest.approx(value, rel=1e-12)
        assert convert(2 * value, one, other) == pytest.approx(2 * convert(value, one, other), rel=1e-12)


@settings(deadline=None)  # the first example also builds the registry
@given(st.sampled_from(UNITS), st.floats(allow_nan=False, allow_infinity=False))
def test_a_unit_is_itself(unit: str, value: float) -> None:
    assert convert(value, unit, unit) == value
    assert quantity(f"{value!r} {unit}").value == value


@settings(deadline=None)  # the first example also builds the registry
@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,3} [a-zA-Z/ *%^()-]{1,12}", fullmatch=True))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        found = quantity(text)
    except UnitError:
        return
    assert math.isfinite(found.value)
    assert convert(1.0, found.unit, found.unit) == 1.0
