"""Drivers that come again: at even distances or by chance, the same for a subject whoever asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.biology_subjects import model

from mesolung.biology.disease import Disease, read_disease
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import draw_prior
from mesolung.streams import normals

YEAR_H = 8766.0
DISEASE = """\
name = "again"
label = "again"
[course]
length = "10 y"
sampled_every = "1 y"
[onset]
time = "0 h"
[[driver]]
target = "COLD"
amount = { distribution = "lognormal", value = 1.0, sd = 0.6, unit = "1" }
repeat = { rate = { distribution = "lognormal", value = 2.0, sd = 0.5, unit = "1/y", max = 8.0 }, from = "2 y", until = "12 y" }
[[driver]]
target = "allergen"
amount = { value = 876.6, unit = "h" }
time = { value = 90.0, unit = "d" }
duration = { value = 52.178571428571431, unit = "week" }
repeat = { every = "2 y", until = "9 y" }
"""  # noqa: E501


@pytest.fixture
def again(tmp_path: Path) -> Disease:
    file = tmp_path / "again.toml"
    file.write_text(DISEASE, encoding="utf-8")
    return read_disease(file)


def scores(disease: Disease, count: int) -> dict[str, np.ndarray]:
    return {name: normals("again", name, 0, count) for name in disease.normals}


def test_chance_is_a_poisson_process_with_rates_of_the_subjects(again: Disease) -> None:
    count = 4000
    made = again.events(scores(again, count))
    colds = made.target == made.names.index("COLD")
    times, who = made.time[colds], made.subject[colds]
    assert times.min() >= 2.0 * YEAR_H
    assert times.max() <= 12.0 * YEAR_H
    number = np.bincount(who, minlength=count)
    mean = 2.0 * np.exp(0.5**2 / 2.0) * 10.0
    assert number.mean() == pytest.approx(mean, rel=0.03)
    # Variance of a Poisson number plus that of the lognormal rate.
    assert number.var() == pytest.approx(mean + mean**2 * np.expm1(0.5**2), rel=0.15)
    assert np.median(made.value[colds]) == pytest.approx(1.0, rel=0.03)
    # Even over the window, and each time another amount.
    assert np.histogram(times, 5, (2.0 * YEAR_H, 12.0 * YEAR_H))[0] == pytest.approx(
        colds.sum() / 5, rel=0.05
    )
    assert len(np.unique(made.value[colds])) > 0.99 * colds.sum()


def test_what_is_regular_comes_at_even_distances_and_ends(again: Disease) -> None:
    made = again.events(scores(again, 3))
    own = (made.target == made.names.index("allergen")) & (made.subject == 1)
    on = own & (made.value > 0.0)
    off = own & (made.value == 0.0)
    start = 90.0 * 24.0
    assert np.sort(made.time[on]) == pytest.approx(start + 2.0 * YEAR_H * np.arange(5))
    assert np.sort(made.time[off]) == pytest.approx(np.sort(made.time[on]) + YEAR_H, rel=1e-6)
    assert made.value[on] == pytest.approx(0.1, rel=1e-4)


def test_a_subject_has_the_same_events_however_many_are_asked_for() -> None:
    draws, disease = draw_prior(2, "again"), read_disease("copd")
    few, many = (courses_of_draw(model(), disease, draws, 1, n) for n in (4, 40))
    of = many.events.subject < 4
    for column in ("subject", "time", "kind", "target", "value"):
        assert np.array_equal(getattr(few.events, column), getattr(many.events, column)[of]), column
    times = few.events.time[few.events.subject == 0]
    assert (np.diff(times) >= 0.0).all()
