"""The library of courses is built once, shared by runs, and never read when it is damaged or another's."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.biology.disease import read_disease
from mesolung.engine import SubjectFailure, compile_model
from mesolung.population import library
from mesolung.population.baseline import Seen
from mesolung.population.candidates import find_candidates
from mesolung.population.draws import draw_prior
from mesolung.population.library import COURSES_PER_DRAW, KEPT_A_DISEASE, library_of
from mesolung.reading import Refusal

NAMES = ("pf_ratio",)


@pytest.fixture(scope="module")
def made():
    return compile_model(assemble().sbml), read_disease("healthy"), draw_prior(2, "test")


def build(made, folder, told=None):
    model, disease, draws = made
    return library_of(
        model, disease, draws, NAMES, cache=folder, workers=1, chunk=64, progress=told or (lambda *_: None)
    )


def test_it_is_built_once_and_then_read(made, tmp_path):
    first = build(made, tmp_path)
    told = []
    again = build(made, tmp_path, lambda *step: told.append(step))
    assert told == [] and np.array_equal(first.value("pf_ratio"), again.value("pf_ratio"))
    assert first.failed.shape == (2, COURSES_PER_DRAW) and not first.failed.any()


def test_the_healthy_stay_healthy(made, tmp_path):
    library = build(made, tmp_path)
    course = library.value("pf_ratio")
    assert np.allclose(course, course[:, :, :1], rtol=1e-6)
    assert np.all(np.abs(library.value("HAZ")) < 1e-12)


def test_a_damaged_library_is_built_again(made, tmp_path):
    library = build(made, tmp_path)
    before = library.value("pf_ratio")
    (library.folder / "pf_ratio.npy").write_bytes(b"damaged")
    assert np.array_equal(build(made, tmp_path).value("pf_ratio"), before)


def test_two_runs_may_build_it_at_once(made, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lambda _: build(made, tmp_path), range(2))
    assert np.array_equal(one.value("pf_ratio"), two.value("pf_ratio"))
    assert len(list(tmp_path.iterdir())) == 1


def test_courses_of_a_draw_do_not_depend_on_how_many_draws_there_are(made, tmp_path):
    model, disease, _ = made
    few, many = build(made, tmp_path), build((model, disease, draw_prior(3, "test")), tmp_path)
    assert np.array_equal(few.value("pf_ratio"), many.value("pf_ratio")[:2])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_refused(made, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(Refusal, match="cache folder cannot be written"):
        build(made, tmp_path / "inside")


@pytest.mark.parametrize("inside", ["file/cache", "x" * 300])
def test_a_cache_that_cannot_be_is_refused(made, tmp_path, inside):
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="cache folder cannot be written"):
        build(made, tmp_path / inside)


def test_old_libraries_of_the_disease_are_forgotten(made, tmp_path):
    for k in range(5):
        (tmp_path / f"healthy-{k:016x}").mkdir()
        os.utime(tmp_path / f"healthy-{k:016x}", (k, k))
    (tmp_path / f"ards-{0:016x}").mkdir()
    newest = build(made, tmp_path).folder
    left = [p.name for p in tmp_path.iterdir()]
    assert len([n for n in left if n.startswith("healthy")]) == KEPT_A_DISEASE
    assert newest.name in left and f"ards-{0:016x}" in left
    (tmp_path / "healthy-00000000000000ff").mkdir()
    build((made[0], made[1], draw_prior(3, "test")), tmp_path)
    assert (tmp_path / "healthy-00000000000000ff").exists(), "another run may be reading what is fresh"


def failing(monkeypatch, every: int) -> None:
    """One course in so many stops a day after its start, at any tolerance."""
    solved = library.solve_twice

    def half(model, parameters, times_h, *more, **how):
        values, _ = solved(model, parameters, times_h, *more, **how)
        who = np.arange(0, parameters.shape[0], every)
        values[who, 2:] = np.nan
        return values, tuple(SubjectFailure(int(k), 24.0, "step too small", "NEU", "k_trap") for k in who)

    monkeypatch.setattr(library, "solve_twice", half)


def test_failed_courses_are_counted_named_and_never_enrolled(made, tmp_path, monkeypatch):
    failing(monkeypatch, 100)
    found = build(made, tmp_path)
    assert found.failed.sum() == len(found.failures) == 2 * COURSES_PER_DRAW // 100
    where = set(zip(*np.nonzero(found.failed), strict=True))
    assert {(f["draw"], f["course"]) for f in found.failures} == where
    assert found.failures[0]["reason"] == "step too small" and found.failures[0]["time"] == 24.0
    delay = np.zeros((2, COURSES_PER_DRAW, 1))
    pool = find_candidates(Seen(found), [], ["pf_ratio"], delay, made[1].onset)
    assert pool.draw.size == found.failed.size - found.failed.sum()
    assert not np.isnan(pool.values["pf_ratio"]).any()
    # Read again, they are still there.
    assert build(made, tmp_path).failures == found.failures


def test_too_many_failed_courses_end_the_run(made, tmp_path, monkeypatch):
    failing(monkeypatch, 19)
    with pytest.raises(RuntimeError, match=r"5\.\d% of the untreated courses of healthy .*limit 5 %"):
        build(made, tmp_path)


def test_half_precision_is_a_library_of_its_own(made, tmp_path):
    exact = build(made, tmp_path)
    model, disease, draws = made
    how = {"cache": tmp_path, "workers": 2, "chunk": 256, "progress": lambda *_: None}
    half = library_of(model, disease, draws, NAMES, **how, coarse={"pf_ratio": "linear"})
    assert half.folder != exact.folder
    assert np.allclose(half.value("pf_ratio"), exact.value("pf_ratio"), rtol=5e-4)
    sizes = [(one.folder / "pf_ratio.npy").stat().st_size for one in (half, exact)]
    assert 1.9 < sizes[1] / sizes[0] < 2.0
    assert half.value("HAZ").dtype == np.float64 and "HAZ" not in half.scales


def test_an_unknown_name_is_an_error(made, tmp_path):
    with pytest.raises(KeyError):
        build(made, tmp_path).value("weather")
