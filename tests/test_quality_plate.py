"""Plates are read as grid or list; a logistic is fitted where its points tell one, and refused where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests import quality_texts as texts
from tests.refused import changed

from mesolung.product import fit_logistic, read_plate
from mesolung.reading import Refusal
from mesolung.streams import normals

DOSES = np.repeat([0.0, 1, 3, 10, 30, 100, 300, 1000], 2)


def _signal(bottom: float, top: float, half: float, slope: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return bottom + (top - bottom) / (1 + (half / DOSES) ** slope)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plate.csv"


@pytest.mark.parametrize("slope", [1.3, -1.3])
@pytest.mark.parametrize("unit", [1.0, 1e5])
def test_a_curve_without_noise_is_found_again(slope: float, unit: float) -> None:
    signal = _signal(0.1, 2.4, 35.0, slope)
    fit = fit_logistic(DOSES, unit * signal)
    found = [fit.bottom.value / unit, fit.top.value / unit, fit.half.value, fit.slope.value]
    np.testing.assert_allclose(found, [0.1, 2.4, 35.0, slope], rtol=1e-4)
    assert fit.concentration(float(unit * 1.25)).value == pytest.approx(35.0, rel=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth = (0.1, 2.4, 35.0, 1.2)
    clean = _signal(*truth)
    held = np.zeros(4)
    for i in range(100):
        fit = fit_logistic(DOSES, clean + 0.05 * normals(1, "plate", i, len(DOSES)))
        estimates = (fit.bottom, fit.top, fit.half, fit.slope)
        held += [e.low <= t <= e.high for e, t in zip(estimates, truth, strict=True)]
    # 95 of 100, less what 100 draws may differ by.
    assert (held >= 88).all(), held


@pytest.mark.parametrize(
    ("dose", "signal", "problem"),
    [
        (DOSES[:6], _signal(0.1, 2.4, 35, 1.2)[:6], "too few standards"),
        (DOSES, np.full(16, 1.0), "the standards do not tell a curve"),
        (DOSES, np.tile([1.0, 1.2], 8), "the standards do not tell a four-parameter logistic"),
        (DOSES, _signal(0.1, 2.4, 1e6, 1.2), "the standards do not tell a four-parameter logistic"),
        (-DOSES, _signal(0.1, 2.4, 35, 1.2), "concentration of a standard"),
        (DOSES, np.full(16, np.nan), "a value that is no finite number"),
    ],
    ids=["few", "flat", "noise", "beyond", "negative", "nan"],
)
def test_points_that_tell_no_curve_are_refused(dose: np.ndarray, signal: np.ndarray, problem: str) -> None:
    with pytest.raises(Refusal, match=problem):
        fit_logistic(dose, signal)


def test_a_signal_beyond_the_curve_is_a_limit_and_no_number() -> None:
    noise = 0.03 * normals(2, "plate", 0, len(DOSES))
    rising = fit_logistic(DOSES, _signal(0.1, 2.4, 35, 1.2) + noise)
    assert (rising.concentration(5.0).mark, rising.concentration(0.0).mark) == (">", "<")
    with np.errstate(divide="ignore"):
        falling = fit_logistic(DOSES, 2.5 - _signal(0.1, 2.4, 35, 1.2) + noise)
    assert (falling.concentration(5.0).mark, falling.concentration(0.0).mark) == ("<", ">")
    assert falling.concentration(5.0).value is None


def test_a_list_of_wells(path: Path) -> None:
    path.write_text(texts.LONG, encoding="utf-8")
    plate = read_plate(path)
    assert (len(plate.wells), plate.unit) == (20, "ng/mL")
    dose, signal = plate.standards()
    assert len(dose) == 17 and (dose == 0).sum() == 3, "a blank is a standard of no concentration"
    fit = fit_logistic(dose, signal)
    assert fit.half.value == pytest.approx(30, rel=0.02)
    assert plate.samples() == {"lot S-1": (1.20, 1.24)}
    over = next(well for well in plate.wells if well.name == "C3")
    assert over.signal is not None and (over.signal.mark, over.signal.value) == (">", None)
    assert np.isnan(plate.signal[2, 2]) and plate.signal[0, 2] == 1.20


def test_a_grid(path: Path) -> None:
    path.write_text(texts.GRID, encoding="utf-8")
    plate = read_plate(path)
    assert plate.signal.shape == (8, 12)
    np.testing.assert_allclose(plate.signal[3], 0.4 + 0.01 * np.arange(12))
    bare = "\n".join(line.split(",", 1)[1] for line in texts.GRID.splitlines()[2:])
    path.write_text(bare, encoding="utf-8")
    untitled = read_plate(path)
    np.testing.assert_array_equal(untitled.signal, plate.signal)
    assert any("a grid without titles" in str(repair) for repair in untitled.repairs)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("B1,standard", "A1,standard", "well A1 stands twice (found A1; allowed: once; it is on line 2)"),
        ("B1,standard", "J1,standard", "no well of a 96-well plate (found J1; allowed: A1 to H12)"),
        ("B1,standard", "B13,standard", "no well of a 96-well plate (found B13"),
        ("Concentration (ng/mL)", "Concentration", "unit of the concentrations is missing"),
        ("D1,standard,,10,", "D1,standard,,-10,", "negative concentration (found -10; allowed: 0 or more)"),
        ("D1,standard,,10,", "D1,standard,,,", "a standard without its concentration"),
        ("D1,standard,,10,", "D1,standard,,1-Oct,", "concentration: a date where a number is expected"),
    ],
)
def test_a_wrong_list_is_refused(path: Path, old: str, new: str, problem: str) -> None:
    path.write_text(changed(texts.LONG, old, new), encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        read_plate(path)
    assert problem in str(caught.value) and str(caught.value).startswith(f"{path}:")


def test_a_wrong_grid_is_refused(path: Path) -> None:
    for text, problem in (
        (texts.GRID + "\n\n" + texts.GRID, "a second plate"),
        (changed(texts.GRID, "\nD,", "\nX,"), "row of the plate (found X; allowed: row D)"),
        (changed(texts.GRID, "0.91", "n/m"), "well H12: not a number (found n/m"),
        ("1,2\n3,4\n", "no plate"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Refusal) as caught:
            read_plate(path)
        assert problem in str(caught.value)
