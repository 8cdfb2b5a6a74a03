"""Models whose solution is known in closed form come out right, from SBML text to numbers."""

from pathlib import Path

import antimony
import numpy as np
import pytest
from numpy.typing import ArrayLike

from mesolung.engine import CompiledModel, compile_model

# Two-step elimination with reactions in a compartment, written as SBML by hand.
CHAIN = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="chain">
 <listOfCompartments><compartment id="lung" size="2" spatialDimensions="3"
 constant="true"/></listOfCompartments> <listOfSpecies>
  <species id="A" compartment="lung" initialAmount="10" hasOnlySubstanceUnits="false"
  boundaryCondition="false"
   constant="false"/>
  <species id="B" compartment="lung" initialAmount="0" hasOnlySubstanceUnits="true" boundaryCondition="false"
   constant="false"/>
  <species id="C" compartment="lung" initialConcentration="0" hasOnlySubstanceUnits="false"
   boundaryCondition="false" constant="false"/>
 </listOfSpecies>
 <listOfParameters><parameter id="k" value="0.7" constant="true"/></listOfParameters>
 <listOfReactions>
  <reaction id="first" reversible="false" fast="false">
   <listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
   <listOfProducts><speciesReference species="B" stoichiometry="2" constant="true"/></listOfProducts>
   <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>A</ci><ci>lung</ci>
    </apply></math></kineticLaw>
  </reaction>
  <reaction id="second" reversible="false" fast="false">
   <listOfReactants><speciesReference species="B" stoichiometry="1" constant="true"/></listOfReactants>
   <listOfProducts><speciesReference species="C" stoichiometry="1" constant="true"/></listOfProducts>
   <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>q</ci><ci>B</ci></apply></math>
    <listOfLocalParameters><localParameter id="q" value="0.2"/></listOfLocalParameters></kineticLaw>
  </reaction>
 </listOfReactions>
</model></sbml>"""


def compile_text(text: str) -> CompiledModel:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return compile_model(str(antimony.getSBMLString(antimony.getMainModuleName())))


def with_values(model: CompiledModel, count: int = 1, **values: ArrayLike) -> np.ndarray:
    table = np.tile(model.default_parameters, (count, 1))
    for name, value in values.items():
        table[:, model.parameters.index(name)] = value
    return table


def test_three_states_match_the_analytic_solution(tmp_path: Path) -> None:
    (tmp_path / "chain.xml").write_text(CHAIN, encoding="utf-8")
    model = compile_model(tmp_path / "chain.xml")
    assert model.states == ("A", "B", "C") and model.parameters == ("lung", "k", "second.q")
    k = np.linspace(0.3, 1.5, 13)
    times = np.linspace(0.0, 20.0, 41)
    solution = model.solve(with_values(model, len(k), k=k), times, rtol=1e-9)
    q, rate, t = 0.2, k[:, None], times[None, :]
    a = 5.0 * np.exp(-rate * t)  # a concentration: 10 in a volume of 2
    b = 2 * 10.0 * rate / (q - rate) * (np.exp(-rate * t) - np.exp(-q * t))  # an amount, twice what left A
    c = (20.0 - 2 * 10.0 * np.exp(-rate * t) - b) / 2.0
    for name, exact in (("A", a), ("B", b), ("C", c)):
        assert np.abs(solution[name] - exact).max() <= 1e-7 * np.abs(exact).max(), name
    assert not solution.failures


def test_a_rate_that_depends_on_time_is_integrated() -> None:
    model = compile_text("model m\n x = 1; w = 3;\n x' = -(x - exp(-time))*w - exp(-time);\nend")
    times = np.linspace(0.0, 5.0, 6)
    solution = model.solve(with_values(model), times, rtol=1e-8)
    assert np.abs(solution["x"][0] - np.exp(-times)).max() < 1e-7


def test_observables_follow_states_parameters_and_each_other() -> None:
    model = compile_text(
        "model m\n x = 4; k = 0.5; big = 2\n x' = -k*x\n base := sqrt(x); twice := 2*base + big\n"
        " capped := min(x, 1); on := piecewise(1, x > 2 && big >= 2, 0); whole := floor(x) + ceil(x)\nend"
    )
    assert model.observables == ("base", "twice", "capped", "on", "whole")
    times = np.linspace(0.0, 6.0, 7)
    solution = model.solve(
        with_values(model, big=3.0), times, outputs=["twice", "x", "on", "capped", "whole"]
    )
    x = 4 * np.exp(-0.5 * times)
    assert np.allclose(solution["twice"][0], 2 * np.sqrt(x) + 3, rtol=1e-4)
    assert solution["on"][0].tolist() == [1.0 if v > 2 else 0.0 for v in x]
    assert np.allclose(solution["capped"][0], np.minimum(x, 1), rtol=1e-4)
    assert solution["whole"][0].tolist() == [np.floor(v) + np.ceil(v) for v in solution["x"][0]]


def test_initial_assignments_follow_each_subjects_parameters() -> None:
    model = compile_text(
        "model m\n k = 0.25; healthy = 8; src = k*healthy + shift; shift := 0*time\n x = healthy/2\n"
        " y = x + 1; x' = src - k*x; y' = 0\nend"
    )
    assert "src" not in model.parameters and set(model.parameters) == {"k", "healthy"}
    table = with_values(model, 3, k=[0.25, 0.5, 1.0], healthy=[8.0, 6.0, 4.0])
    assert model.initial(table).tolist() == [[4.0, 5.0], [3.0, 4.0], [2.0, 3.0]]
    times = np.array([0.0, 3.0, 50.0])
    solution = model.solve(table, times)
    k, healthy = table[:, [0]], table[:, [1]]
    assert np.allclose(solution["x"], healthy - healthy / 2 * np.exp(-k * times), rtol=1e-4)
    # Given initial states, the source still follows from the parameters.
    rest = model.solve(table, times, initial=np.column_stack([table[:, 1], [0.0, 0.0, 0.0]]))
    assert np.allclose(rest["x"], healthy, rtol=1e-12)


def test_units_and_names_come_from_the_model() -> None:
    model = compile_text(
        "model m\n unit pM = 1e-12 mole/litre; unit h = 3600 second\n x = 1; x has pM; k = 2; k has per_h\n"
        " unit per_h = 1/(3600 second)\n x' = -k*x; z := 3*x; z has pM\nend"
    )
    assert model.units == {"x": "pM", "k": "per_h", "z": "pM"}
    assert model.default_parameters.tolist() == [2.0]


def test_output_times_may_differ_between_subjects_and_repeat() -> None:
    model = compile_text("model m\n x = 1; k = 1\n x' = -k*x\nend")
    times = np.array([[0.0, 1.0, 1.0, 2.5], [0.5, 0.5, 4.0, 9.0]])
    solution = model.solve(with_values(model, 2), times, rtol=1e-8)
    assert np.allclose(solution["x"], np.exp(-times), rtol=1e-7)
    assert solution["x"][0, 1] == solution["x"][0, 2]


@pytest.mark.parametrize("power, exact", [("1.5", 4.0), ("n", 4.0)])
def test_a_hill_term_with_a_broken_power_starts_from_zero(power: str, exact: float) -> None:
    """x' = x^1.5 / (1 + x^1.5) + source from x = 0: kinks and powers at zero neither stop nor bend the
    solution."""
    model = compile_text(
        f"model m\n x = 0; y = 0; n = 1.5; source = 0.5\n"
        f" x' = source - 0.1*max(0, x - 3); y' = max(x, 0)^{power}/(1 + max(x, 0)^{power})\nend"
    )
    times = np.linspace(0.0, 6.0, 13)
    solution = model.solve(with_values(model), times, rtol=1e-8)
    assert np.allclose(solution["x"][0], 0.5 * times, atol=1e-7)
    grid = np.linspace(0.0, 6.0, 200_001)
    hill = (0.5 * grid) ** 1.5 / (1 + (0.5 * grid) ** 1.5)
    area = np.concatenate([[0.0], np.cumsum((hill[1:] + hill[:-1]) / 2 * np.diff(grid))])
    assert np.abs(solution["y"][0] - np.interp(times, grid, area)).max() < 1e-6
