"""Stiff systems match SciPy at tight tolerance, and the error falls as the method's order says.

These tests fail when the step controller, the Jacobian, the factor or the coefficients are broken.
"""

import antimony
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesolung.engine import CompiledModel, compile_model


def compile_text(text: str) -> CompiledModel:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return compile_model(str(antimony.getSBMLString(antimony.getMainModuleName())))


def scaled_error(value: np.ndarray, reference: np.ndarray) -> float:
    """The largest |y - ref| / (|ref| + 1e-3 max |ref of that state|); arrays are [time, state]."""
    size = np.abs(reference) + 1e-3 * np.abs(reference).max(axis=0)
    return float((np.abs(value - reference) / size).max())


@pytest.fixture(scope="module")
def robertson() -> CompiledModel:
    return compile_text(
        "model r\n a = 1; b = 0; c = 0; k1 = 0.04; k2 = 1e4; k3 = 3e7\n"
        " a' = -k1*a + k2*b*c; b' = k1*a - k2*b*c - k3*b^2; c' = k3*b^2\nend"
    )


def test_robertson_matches_reference(robertson: CompiledModel) -> None:
    def rates(t: float, y: np.ndarray) -> list[float]:
        a, b, c = y
        slow, fast, burn = 0.04 * a, 1e4 * b * c, 3e7 * b * b
        return [-slow + fast, slow - fast - burn, burn]

    def slopes(t: float, y: np.ndarray) -> list[list[float]]:
        _, b, c = y
        return [[-0.04, 1e4 * c, 1e4 * b], [0.04, -1e4 * c - 6e7 * b, -1e4 * b], [0, 6e7 * b, 0]]

    times = np.concatenate([[0.0], 10.0 ** np.arange(-4, 6.0)])
    exact = solve_ivp(
        rates, (0, times[-1]), [1, 0, 0], "Radau", times, jac=slopes, rtol=1e-10, atol=[1e-14, 1e-18, 1e-14]
    )
    one = robertson.default_parameters[None, :]
    fine = robertson.solve(one, times, rtol=1e-10, atol=[1e-14, 1e-18, 1e-14], max_steps=10**6)
    assert scaled_error(fine.values[0], exact.y.T) < 1e-8
    coarse = robertson.solve(one, times, rtol=1e-5)
    assert scaled_error(coarse.values[0], exact.y.T) < 1e-4
    # Eleven decades of time in few steps: the step grows when it may.
    assert coarse.steps[0] < 600


def generated(size: int) -> tuple[str, str]:
    """A network of cells and mediators: its model, and Python text of its rates with values in place."""
    rng = np.random.default_rng(7)
    lines, rates = [], []
    for i in range(size):
        decay = float(np.exp(rng.uniform(np.log(0.01), np.log(30.0))))
        terms = [f"{decay * 0.4!r}"]
        for j in rng.choice(size, 3, replace=False):
            gain, half, power = rng.uniform(0.2, 2.0), rng.uniform(0.5, 2.0), rng.choice([1.0, 2.0, 2.5, 1.7])
            hill = f"max(X{j}, 0)^{float(power)}/({float(half)!r} + max(X{j}, 0)^{float(power)})"
            terms.append(f"{float(gain * decay)!r}*{hill}" if i != j else "0.1")
        # Exchange between neighbours couples the Jacobian further.
        terms.append(f"0.3*(X{(i + 1) % size} - X{i})")
        rates.append(f"{' + '.join(terms)} - {decay!r}*X{i}")
        lines.append(f" X{i} = {0.5 + i % 3}; X{i}' = {rates[-1]}")
    return "model net\n" + "\n".join(lines) + "\nend", "[" + ", ".join(rates).replace("^", "**") + "]"


def test_a_network_of_sixty_states_matches_scipy() -> None:
    text, rates = generated(60)
    names = [f"X{i}" for i in range(60)]
    law = eval(f"lambda t, y: (lambda {', '.join(names)}: {rates})(*y)", {"max": max})
    model = compile_text(text)
    order = [model.states.index(name) for name in names]
    times = np.linspace(0.0, 48.0, 9)
    start = model.initial(model.default_parameters[None, :])[0, order]
    exact = solve_ivp(law, (0, 48.0), start, "LSODA", times, rtol=1e-10, atol=1e-12)
    fine = model.solve(model.default_parameters[None, :], times, outputs=names, rtol=1e-10)
    assert scaled_error(fine.values[0], exact.y.T) < 1e-7
    usual = model.solve(model.default_parameters[None, :], times, outputs=names)
    assert scaled_error(usual.values[0], exact.y.T) < 1e-4


def test_the_error_falls_with_the_fifth_power_of_the_step() -> None:
    """Coefficients of the method and of its continuous extension, also those for rates that depend on
    time."""
    model = compile_text(
        "model m\n x = 1; y = 0; w = 3\n x' = -x*y*2 + push; y' = x*x - y*w; push := time^2*exp(-time)\nend"
    )
    one, times = model.default_parameters[None, :], np.linspace(0.0, 4.0, 401)
    exact = model.solve(one, times, rtol=1e-13, max_steps=10**6).values[0]
    runs = [model.solve(one, times, rtol=rtol) for rtol in (1e-4, 1e-6, 1e-8, 1e-10)]
    errors = np.log([np.abs(run.values[0] - exact).max() for run in runs])
    orders = -np.diff(errors) / np.diff(np.log([run.steps[0] for run in runs]))
    assert (orders > 4.3).all() and (orders < 7.0).all(), orders


def test_steps_grow_and_shrink_with_the_tolerance(robertson: CompiledModel) -> None:
    one = robertson.default_parameters[None, :]
    loose, tight = (robertson.solve(one, [40.0], rtol=r) for r in (1e-3, 1e-8))
    assert loose.steps[0] * 4 < tight.steps[0]
    assert loose.rejected[0] < loose.steps[0] / 4
