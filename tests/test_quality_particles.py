"""Nanoparticle tracking of both makers is read with its own averages; a failed run says that it failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import quality_texts as texts
from tests.refused import changed

from mesolung.product import read_nanosight, read_nta, read_zetaview
from mesolung.reading import Refusal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.txt"


@pytest.mark.parametrize(
    ("name", "mean", "per_ml", "dilution", "captures"),
    [("beads.csv", 100.5, 1.47e9, None, 12), ("beads2.csv", 101.5, 6.09e12, 1e4, 5)],
)
def test_beads_have_the_files_own_size_and_concentration(
    shared: Path, name: str, mean: float, per_ml: float, dilution: float | None, captures: int
) -> None:
    (run,) = read_nta(shared / "samples" / "NanoSight_tidyNano" / name)
    assert (run.average.mean_nm, run.average.concentration_per_ml) == (mean, per_ml)
    assert (run.dilution, len(run.captures), run.failed, run.repairs) == (dilution, captures, None, ())
    # The bins add up to the concentration, but for its three digits.
    assert run.per_ml.sum() == pytest.approx(per_ml, rel=5e-3)
    assert (run.size_nm[0], run.size_nm[-1], len(run.size_nm)) == (0.5, 999.5, 1000)
    assert run.dilution_applied is (None if dilution is None else True)


def test_several_summaries_share_a_file(path: Path) -> None:
    path.write_text(texts.nanosight(3) + texts.nanosight(2, dilution="Not recorded"), encoding="utf-8")
    first, second = read_nanosight(path)
    assert (len(first.captures), len(second.captures)) == (3, 2)
    assert (first.dilution, second.dilution) == (1000, None)
    assert first.average.mean_nm == 120 and first.standard_error is not None
    assert any("Brightness: made_up_02: Too bright" in warning for warning in first.warnings)
    assert any("records no dilution" in warning for warning in second.warnings)


def test_an_average_that_is_not_of_its_captures_is_told(path: Path) -> None:
    path.write_text(texts.nanosight().replace(",120.0,0.5", ",150.0,0.5"), encoding="utf-8")
    (run,) = read_nanosight(path)
    assert run.average.mean_nm == 150
    assert any("average mean size, 150, is not that of its captures, 120" in w for w in run.warnings)


def test_without_an_average_the_captures_are_averaged_and_that_is_told(path: Path) -> None:
    text = texts.nanosight().replace(",3.00e+10,1.0e+08,", ",,,").replace(",120.0,0.5,", ",,,")
    path.write_text(text.replace(",110.0,0.5,", ",,,"), encoding="utf-8")
    (run,) = read_nanosight(path)
    assert run.average.mean_nm == 120
    assert any("the mean of the captures is taken" in str(repair) for repair in run.repairs)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("NTA Experiment Summary File,", "NTA Summary,", "not a NanoSight experiment summary"),
        ("Mean,120.0", "Mean,-120.0", "Mean: negative (found -120.0; allowed: 0 or more)"),
        ("Mean,120.0", "Mean,big", "Mean: not a number (found big"),
        ("factor),1.00e+03", "factor),12-Mar", "a date where a number is expected (found 12-Mar"),
        ("\r\n119.5,", "\r\n99.0,", "bin of the size distribution"),
    ],
)
def test_a_wrong_summary_is_refused(path: Path, old: str, new: str, problem: str) -> None:
    path.write_text(changed(texts.nanosight(), old, new), encoding="utf-8", newline="")
    with pytest.raises(Refusal) as caught:
        read_nanosight(path)
    assert problem in str(caught.value) and str(caught.value).startswith(f"{path}:")


def test_a_zetaview_text(path: Path) -> None:
    path.write_text(texts.zetaview(), encoding="latin-1")
    (run,) = read_nta(path)
    assert (run.instrument, run.sample, run.failed) == ("ZetaView", "made up", None)
    assert (run.average.tracks, run.dilution, run.dilution_applied) == (812, 500, None)
    assert run.average.concentration_per_ml == pytest.approx(8.12e6)
    # Number-weighted: (75·100 + 105·300 + 135·400 + 225·12) / 812.
    assert run.average.mean_nm == pytest.approx(95_700 / 812)
    assert (run.average.mode_nm, run.average.d50_nm) == (135, 135)
    assert any("does not say whether its concentrations are multiplied" in w for w in run.warnings)
    assert any("a second table" in str(repair) for repair in run.repairs)


def test_a_failed_run_is_a_file_without_sizes(path: Path) -> None:
    path.write_text(texts.zetaview(failed=True), encoding="latin-1")
    run = read_zetaview(path)
    assert run.failed == "the run gave no table of sizes and 0 traces"
    assert run.average.mean_nm is None and run.average.concentration_per_ml is None
    assert run.size_nm.size == 0
    assert "Particle Drift Check Result: FAIL." in run.warnings


def test_decimal_commas_of_a_zetaview_text(path: Path) -> None:
    head, table = texts.zetaview().split("Size / nm")
    path.write_text(head + "Size / nm" + table.replace(".", ","), encoding="latin-1")
    run = read_zetaview(path)
    assert run.average.mean_nm == pytest.approx(95_700 / 812)
    assert any("read as the decimal sign" in str(repair) for repair in run.repairs)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Concentration / cm-3", "Concentration / L", "columns of the table"),
        ("1.0500E+02\t", "7.0000E+01\t", "row of the table"),
        ("1.0500E+02\t3.0000E+02", "1.0500E+02\t-3.0000E+02", "row of the table"),
        ("Dilution::\t500", "Dilution::\t0", "dilution"),
    ],
)
def test_a_wrong_zetaview_text_is_refused(path: Path, old: str, new: str, problem: str) -> None:
    path.write_text(changed(texts.zetaview(), old, new), encoding="latin-1")
    with pytest.raises(Refusal) as caught:
        read_zetaview(path)
    assert problem in str(caught.value)


def test_another_text_is_refused(path: Path) -> None:
    path.write_text("size,number\n1,2\n", encoding="utf-8")
    with pytest.raises(Refusal, match="not a ZetaView file of sizes"):
        read_nta(path)
