"""A slow drift that ends in a sudden jump: steps that turn out too long are taken back."""

from __future__ import annotations

import antimony
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesolung.engine import compile_model

STIFFNESS = 1000.0


@pytest.mark.parametrize(("tolerance", "error"), [(1e-4, 2e-3), (1e-6, 4e-5)])
def test_a_step_whose_error_is_too_large_is_taken_back(tolerance: float, error: float) -> None:
    """The relaxation oscillator of van der Pol, against SciPy's Radau at 1e-10."""
    antimony.clearPreviousLoads()
    text = f"model m\n x = 2; y = 0\n x' = y; y' = {STIFFNESS}*(1 - x*x)*y - x\nend"
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    sbml = antimony.getSBMLString("m")
    assert sbml
    model = compile_model(sbml)
    times = np.linspace(0.0, 2.0 * STIFFNESS, 21)
    exact = solve_ivp(
        lambda t, s: [s[1], STIFFNESS * (1 - s[0] ** 2) * s[1] - s[0]],
        (0, times[-1]),
        [2.0, 0.0],
        "Radau",
        times,
        rtol=1e-10,
        atol=1e-13,
    ).y.T
    run = model.solve(model.default_parameters[None, :], times, rtol=tolerance)
    assert run.rejected[0] > 0
    far = np.abs(run.values[0] - exact) / (np.abs(exact) + 1e-3 * np.abs(exact).max(axis=0))
    assert far.max() < error
