"""exp, log and pow of the kernel hold their accuracy over all doubles, and their values at the edges."""

import math

import antimony
import mpmath
import numpy as np
import pytest

from mesolung.engine import CompiledModel, compile_model

POINTS = 1_000_000


@pytest.fixture(scope="module")
def functions() -> CompiledModel:
    antimony.clearPreviousLoads()
    text = "model f\n x=1; y=1; x'=0; y'=0\n e := exp(x); l := ln(x); p := x^y; c := x^5; r := sqrt(x)\nend"
    assert antimony.loadAntimonyString(text) >= 0
    return compile_model(str(antimony.getSBMLString("f")))


def apply(model: CompiledModel, name: str, x: np.ndarray, y: np.ndarray | float = 1.0) -> np.ndarray:
    states = np.column_stack([x, np.broadcast_to(y, np.shape(x))]).astype(np.float64)
    nothing = np.zeros((len(states), len(model.parameters)))
    return model.solve(nothing, [0.0], initial=states, outputs=[name], chunk=POINTS)[name][:, 0]


def ulps(value: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Distance in units in the last place of the exact value, which has more digits than a double."""
    near = np.abs(np.asarray(exact, dtype=np.float64))
    both = np.isfinite(value) & np.isfinite(near)
    assert (np.asarray(value)[~both] == np.asarray(exact, dtype=np.float64)[~both]).all()
    away = np.abs(np.where(both, value, 0) - np.where(both, exact, np.longdouble(0)))
    return np.asarray(away / np.spacing(np.where(both, near, 1.0)), dtype=np.float64)


def draws() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20)
    inner = rng.uniform(-745.5, 710.0, POINTS // 2)
    exponents = np.concatenate(
        [inner, rng.standard_normal(POINTS // 2) * 10.0 ** rng.uniform(-18, 1, POINTS // 2)]
    )
    bits = rng.integers(
        1, 0x7FEFFFFFFFFFFFFF, POINTS // 2
    )  # every finite positive double, subnormal ones too
    near_one = 1.0 + rng.standard_normal(POINTS // 4) * 10.0 ** rng.uniform(-16, -1, POINTS // 4)
    tiny = rng.integers(1, 1 << 52, POINTS // 4).view(np.float64)
    positive = np.concatenate([bits.view(np.float64), near_one, tiny])
    logs = np.log(np.clip(positive, 1e-323, 1e308))
    # Exponents that keep the power inside the doubles, those of pharmacology, and some that leave them.
    reach = rng.uniform(-745.0, 709.0, POINTS) / np.where(np.abs(logs) < 1e-300, 1.0, logs)
    powers = np.where(rng.random(POINTS) < 0.6, reach, rng.uniform(-4.0, 4.0, POINTS))
    return (
        exponents,
        positive,
        powers,
        np.abs(rng.standard_normal(POINTS)) * 10.0 ** rng.uniform(-6, 6, POINTS),
    )


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="this machine has no longer floating point")
def test_exp_log_and_pow_on_a_million_points(functions: CompiledModel) -> None:
    exponents, positive, powers, plain = draws()
    with np.errstate(all="ignore"):
        assert ulps(apply(functions, "e", exponents), np.exp(exponents.astype(np.longdouble))).max() <= 2.0
        assert ulps(apply(functions, "l", positive), np.log(positive.astype(np.longdouble))).max() <= 2.0
        for base in (positive, plain):
            exact = np.power(base.astype(np.longdouble), powers.astype(np.longdouble))
            assert ulps(apply(functions, "p", base, powers), exact).max() <= 4.0


def test_exp_log_and_pow_against_many_digits(functions: CompiledModel) -> None:
    exponents, positive, powers, _ = (d[:: POINTS // 2000] for d in draws())
    with mpmath.workdps(60):
        tables = (
            ("e", exponents, 1.0, [mpmath.exp(mpmath.mpf(float(x))) for x in exponents], 2.0),
            ("l", positive, 1.0, [mpmath.log(mpmath.mpf(float(x))) for x in positive], 2.0),
            (
                "p",
                positive,
                powers,
                [mpmath.mpf(float(x)) ** mpmath.mpf(float(y)) for x, y in zip(positive, powers, strict=True)],
                4.0,
            ),
        )
        for name, x, y, exact, bound in tables:
            for value, true in zip(apply(functions, name, x, y), exact, strict=True):
                near = float(true)
                if math.isinf(near) or math.isinf(value):
                    assert value == near
                else:
                    assert abs(mpmath.mpf(float(value)) - true) <= bound * float(np.spacing(abs(near)))


def test_values_at_the_edges(functions: CompiledModel) -> None:
    inf, nan, least = math.inf, math.nan, 5e-324
    assert apply(functions, "e", np.array([0.0, -0.0, inf, -inf, nan, 1e300, -1e300])).tolist()[:4] == [
        1,
        1,
        inf,
        0,
    ]
    assert apply(functions, "e", np.array([1e300, -1e300])).tolist() == [inf, 0.0]
    assert apply(functions, "l", np.array([1.0, 0.0, inf])).tolist() == [0.0, -inf, inf]
    assert apply(functions, "l", np.array([least]))[0] == pytest.approx(math.log(least), rel=1e-15)
    assert np.isnan(apply(functions, "e", np.array([nan]))).all()
    assert np.isnan(apply(functions, "l", np.array([nan, -1.0, -inf, -least]))).all()
    cases = [(0.0, 0.5, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.5, inf), (-0.0, 2.5, 0.0)]
    cases += [
        (inf, 0.3, inf),
        (inf, -0.3, 0.0),
        (inf, 0.0, 1.0),
        (5.0, 0.0, 1.0),
        (1.0, inf, 1.0),
        (1.0, -inf, 1.0),
    ]
    # A whole exponent that is not written down has the sign that multiplications would give.
    cases += [(-1.0, 2.0, 1.0), (-2.0, 3.0, -8.0), (-2.0, -1.0, -0.5), (-inf, 2.0, inf)]
    cases += [(2.0, inf, inf), (0.5, inf, 0.0), (2.0, -inf, 0.0), (2.0, 1024.0, inf), (2.0, -1080.0, 0.0)]
    cases += [(2.0, -1074.0, least), (4.0, 0.5, 2.0), (least, 1.0, least), (10.0, 308.0, 1e308)]
    for base, exponent, power in cases:
        assert apply(functions, "p", np.array([base]), exponent)[0] == power, (base, exponent)
    for base, exponent in [
        (-1.0, 0.5),
        (-least, 1.5),
        (-inf, 0.5),
        (nan, 2.0),
        (2.0, nan),
        (0.0, nan),
    ]:
        assert np.isnan(apply(functions, "p", np.array([base]), exponent)[0]), (base, exponent)


def test_whole_powers_are_products(functions: CompiledModel) -> None:
    x = np.array([-3.0, -0.5, 0.0, 0.1, 7.0, 1e60])
    square = x * x
    assert apply(functions, "c", x).tolist() == (x * (square * square)).tolist()
