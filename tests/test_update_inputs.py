"""Elicited ranges and a laboratory's own lots: read, refused by name, and used as they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.importance import smoothed
from mesolung.calibration.updating import update as updating
from mesolung.calibration.updating.borrow import borrowed, prior_draws
from mesolung.calibration.updating.elicited import log_ratio, read_elicited, told
from mesolung.calibration.updating.lots import read_lots, record_of, told_by
from mesolung.calibration.updating.update import Inputs, update
from mesolung.population.posterior import as_draws
from mesolung.product.priors import lots, read_priors
from mesolung.reading import Refusal
from mesolung.report.update import update_markdown

COUNT = 2000
NAME = "k_release"
HEAD = "parameter,expert,unit,probability,value\n"
LOT = """schema = 1
source = "umbilical cord"
passage = 4
cryopreserved = true
viability = {viability}
[[assay]]
name = "diameter"
value = {size}
unit = "um"
reference = 20.0
cv = 0.02
"""


def table(folder: Path, *rows: str) -> Path:
    path = folder / "experts.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def quantiles(expert: str, middle: float, spread: float, name: str = NAME) -> list[str]:
    unit = read_parameters()[name].unit
    chances = (0.05, 0.25, 0.5, 0.75, 0.95)
    return [f"{name},{expert},{unit},{p},{middle * np.exp(spread * norm.ppf(p)):.10g}" for p in chances]


def test_quantiles_of_a_lognormal_are_fitted_exactly(tmp_path: Path) -> None:
    assert read_parameters()[NAME].grade == "C"
    found = read_elicited(table(tmp_path, *quantiles("A", 0.05, 0.3)))
    assert found.keys() == {NAME}
    (one,) = found[NAME]
    assert (one.mean, one.sd) == pytest.approx((np.log(0.05), 0.3), abs=1e-6)
    assert told(NAME, found[NAME])["pooled"] == pytest.approx(
        [0.05 * np.exp(0.3 * norm.ppf(p)) for p in (0.05, 0.5, 0.95)], rel=1e-3
    )


def test_the_pool_replaces_the_prior(tmp_path: Path) -> None:
    """Weighed prior draws have the mean and spread of the experts' mixture, not of the prior."""
    row = read_parameters()[NAME]
    path = table(tmp_path, *quantiles("A", row.value, 0.3), *quantiles("B", 1.4 * row.value, 0.3))
    opinions = read_elicited(path)
    start = prior_draws(COUNT)
    weights = smoothed(log_ratio(start, opinions))
    assert weights.reliable
    logs = np.log(start.values_of(NAME))
    mean = float(weights.values @ logs)
    assert mean == pytest.approx(np.log(row.value) + 0.5 * np.log(1.4), abs=0.04)
    spread = float(np.sqrt(weights.values @ (logs - mean) ** 2))
    assert spread == pytest.approx(np.hypot(0.3, 0.5 * np.log(1.4)), abs=0.04)
    other = np.log(start.values_of("k_trap"))
    assert float(weights.values @ other) == pytest.approx(other.mean(), abs=0.05)


def graded(grade: str) -> str:
    return next(r.id for r in read_parameters() if r.grade == grade and r.distribution == "lognormal")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nowhere,A,1/h,0.5,1", "unknown parameter"),
        (f"{NAME},A,1/d,0.5,1", "another unit"),
        (f"{NAME},A,1/h,1.5,1", "no probability"),
        (f"{NAME},A,1/h,0.5,-1", "cannot have this value"),
        (f"{NAME},A,1/h,0.5,much", "no number"),
        (f"{NAME},A,1/h,0.5,0.02", "one quantile"),
        ("human_effect,A,1,0.5,1", "no smooth prior"),
    ],
)
def test_what_is_no_quantile_is_refused_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as caught:
        read_elicited(table(tmp_path, row))
    assert caught.value.line == 2


@pytest.mark.parametrize("grade", ["A", "B"])
def test_an_opinion_replaces_nothing_that_was_measured(tmp_path: Path, grade: str) -> None:
    name = graded(grade)
    with pytest.raises(Refusal, match=f"grade {grade}"):
        read_elicited(table(tmp_path, *quantiles("A", read_parameters()[name].value, 0.2, name)))


def test_quantiles_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="do not rise"):
        read_elicited(table(tmp_path, f"{NAME},A,1/h,0.1,0.03", f"{NAME},A,1/h,0.9,0.02"))


def test_an_update_by_experts_alone_runs_nothing(monkeypatch, tmp_path: Path) -> None:
    def never(*args, **more):
        raise AssertionError("no study was given")

    monkeypatch.setattr(updating, "predict_folder", never)
    row = read_parameters()[NAME]
    opinions = read_elicited(table(tmp_path, *quantiles("A", row.value, 0.25)))
    made = update(Inputs(opinions=opinions), borrow=0.0, draws=500)
    assert made.posterior is not None
    assert 0.4 < made.record["parameters"][NAME]["contraction"] < 0.95
    text = update_markdown(made.record)
    assert "Elicited ranges" in text and "linear pool" in text


def own_lots(folder: Path, sizes: list[float], viability: float = 0.95) -> list:
    folder.mkdir()
    for k, size in enumerate(sizes):
        text = LOT.format(size=size, viability=viability)
        (folder / f"lot-{k}.toml").write_text(text, encoding="utf-8")
    return list(read_lots(folder).values())


def test_lots_alike_and_apart_from_the_reference_move_mean_and_spread(tmp_path: Path) -> None:
    alike = {t.name: t for t in told_by(own_lots(tmp_path / "a", [23.0, 23.1, 22.9, 23.0, 23.0, 23.1]))}
    size = alike["size_lot"]
    assert size.lots == 6 and 0.05 < size.shift < np.log(23.0 / 20.0) + 0.05
    assert size.error < 0.7 * size.prior_error and size.between_lot < size.prior_between
    apart = {t.name: t for t in told_by(own_lots(tmp_path / "b", [14.0, 28.0, 16.0, 26.0, 15.0, 27.0]))}
    assert apart["size_lot"].between_lot > size.between_lot + 0.03
    assert alike["viability_cryopreserved"].shift > 0.1
    one = {t.name: t for t in told_by(own_lots(tmp_path / "c", [23.0]))}["size_lot"]
    assert one.error > size.error


def test_a_run_draws_lots_as_the_laboratory_s_own_lots_say(tmp_path: Path) -> None:
    told = told_by(own_lots(tmp_path / "a", [23.0, 23.1, 22.9, 23.0]))
    start = borrowed(prior_draws(64), 0.0)
    from dataclasses import replace

    held = replace(start, manifest={**start.manifest, "lots": record_of(told)})
    assert held.id != start.id
    laboratory = as_draws(held, 64, "x").laboratory
    assert set(laboratory) == {"size_lot", "viability_cryopreserved"}
    more = {"key": "prior", "draws": np.arange(64), "seed": 1, "product": "p"}
    plain = lots("size_lot", **more)
    own = lots("size_lot", **more, laboratory=laboratory)
    shift, error, between = laboratory["size_lot"]
    assert np.log(own).mean() == pytest.approx(np.log(plain).mean() + shift, abs=0.05)
    assert np.log(own).std() == pytest.approx(np.hypot(error, between), rel=0.35)
    assert np.array_equal(lots("mito_lot", **more, laboratory=laboratory), lots("mito_lot", **more))
    assert read_priors()["size_lot"].between_lot == 0.1


def test_a_folder_without_a_lot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no lot file"):
        read_lots(tmp_path)
