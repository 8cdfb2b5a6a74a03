"""Rules, volumes that change, stoichiometries, conversion factors, rates of symbols, submodels and functions,
each against its closed form."""

import math
import re

import antimony
import libsbml
import mpmath
import numpy as np
import pytest

from mesolung.engine import CompiledModel, EngineError, compile_model
from mesolung.engine.algebra import solve_linear
from mesolung.engine.functions import FUNCTIONS
from mesolung.engine.graph import Graph

TIMES = np.linspace(0.0, 4.0, 9)


def to_sbml(text: str) -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(f"model m\n{text}\nend") >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def compiled(source: str) -> CompiledModel:
    return compile_model(source if source.startswith("<") else to_sbml(source), lanes=2)


def solve(source: str, *outputs: str) -> list[np.ndarray]:
    model = compiled(source)
    solution = model.solve(model.default_parameters[None, :], TIMES, outputs=outputs, rtol=1e-9)
    assert not solution.failures, solution.failures
    return [solution[name][0] for name in outputs]


def changed(text: str, change) -> str:
    document = libsbml.readSBMLFromString(to_sbml(text))
    change(document.getModel())
    return str(libsbml.writeSBMLToString(document))


def rule(model: libsbml.Model, formula: str, *free: str) -> None:
    model.createAlgebraicRule().setMath(libsbml.parseL3Formula(formula))
    for name in free:
        if model.getParameter(name) is None:
            model.createParameter().setId(name)
        model.getParameter(name).setConstant(False)


SUBMODELS = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"
 xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">
 <model id="outer">
  <listOfParameters>
   <parameter id="y" constant="false"/> <parameter id="k3" value="3" constant="true">
    <comp:listOfReplacedElements>
     <comp:replacedElement comp:submodelRef="B" comp:idRef="k"/>
    </comp:listOfReplacedElements></parameter>
   <parameter id="ax" constant="false">
    <comp:replacedBy comp:submodelRef="A" comp:idRef="twice"/></parameter>
   <parameter id="bx" constant="false">
    <comp:replacedBy comp:submodelRef="B" comp:idRef="twice"/></parameter>
  </listOfParameters>
  <listOfRules><assignmentRule variable="y"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><divide/>
   <apply><plus/><ci>ax</ci><ci>bx</ci></apply><cn>2</cn></apply></math></assignmentRule></listOfRules>
  <comp:listOfSubmodels>
   <comp:submodel comp:id="A" comp:modelRef="inner"/> <comp:submodel comp:id="B" comp:modelRef="inner"/>
  </comp:listOfSubmodels>
 </model>
 <comp:listOfModelDefinitions>
  <comp:modelDefinition id="inner">
   <listOfParameters><parameter id="x" value="2" constant="false"/>
    <parameter id="k" value="1" constant="true"/><parameter id="twice" constant="false"/></listOfParameters>
   <listOfRules>
    <rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/>
     <apply><times/><ci>k</ci><ci>x</ci></apply></apply></math></rateRule>
    <assignmentRule variable="twice"><math xmlns="http://www.w3.org/1998/Math/MathML">
     <apply><times/><cn>2</cn><ci>x</ci></apply></math></assignmentRule>
   </listOfRules>
  </comp:modelDefinition>
 </comp:listOfModelDefinitions>
</sbml>
"""
EXTERNAL = """<comp:listOfExternalModelDefinitions>
 <comp:externalModelDefinition comp:id="inner" comp:source="b.xml"/>
</comp:listOfExternalModelDefinitions>"""


# ---- algebraic rules ----
def test_algebraic_rules_are_solved_together() -> None:
    """a + b = x, a - 2 b = 3 k: a = (2 x + 3 k)/3, b = (x - 3 k)/3; and x follows from a in turn."""

    def two(model: libsbml.Model) -> None:
        rule(model, "a + b - x", "a", "b")
        rule(model, "a - 2*b - 3*k", "a", "b")
        model.getRule("x").setMath(libsbml.parseL3Formula("-3*a"))

    x, a, b, c = solve(changed("x = 1; k = 0.5; x' = -x; c := 2*d; d := x + 1", two), "x", "a", "b", "c")
    # x' = -2 x - 1.5
    exact = 1.75 * np.exp(-2 * TIMES) - 0.75
    assert np.allclose(x, exact, atol=1e-7)
    assert np.allclose(a, (2 * exact + 1.5) / 3, atol=1e-7) and np.allclose(b, (exact - 1.5) / 3, atol=1e-7)
    assert np.allclose(c, 2 * (exact + 1), atol=1e-7)


def test_an_initial_value_and_a_trigger_follow_from_an_algebraic_rule() -> None:
    def total(model: libsbml.Model) -> None:
        rule(model, "x + rest - 10", "rest")
        model.getInitialAssignment("y").setMath(libsbml.parseL3Formula("2*rest"))
        model.getEvent(0).getTrigger().setMath(libsbml.parseL3Formula("rest > 9.5"))

    text = "x = 1; y = 1*k; k = 1; x' = -x; y' = 0; at x < 0.1: x = 1"
    x, y, rest = solve(changed(text, total), "x", "y", "rest")
    phase = np.mod(TIMES, np.log(2.0))
    assert np.allclose(x, np.exp(-phase), rtol=1e-6) and np.allclose(rest, 10 - np.exp(-phase), rtol=1e-6)
    assert (y == 18.0).all()


def test_an_algebraic_rule_that_cannot_be_served_is_refused() -> None:
    for formula, free, named in (
        ("a*a - x", ["a"], "not linear"),
        ("x - 1", [], "determines nothing"),
        ("a + b - x", ["a", "b"], "not said which"),
    ):
        with pytest.raises(EngineError, match=named):
            compiled(changed("x = 1; x' = -x", lambda m, f=formula, v=free: rule(m, f, *v)))


def test_linear_equations_are_solved_whatever_their_order() -> None:
    g = Graph()
    u, v, w = (g.state(i) for i in range(3))
    c = g.const
    # v + w = 3, u - w = -2, u + v = 3: each lacks one unknown.
    equations = [
        g.sub(g.add(v, w), c(3.0)),
        g.add(g.sub(u, w), c(2.0)),
        g.sub(g.add(u, g.mul(c(2.0), v)), c(2.0)),
    ]
    values = solve_linear(g, equations, [0, 1, 2])
    assert values is not None
    assert [g.value[n] for n in values] == [0.0, 1.0, 2.0]
    assert solve_linear(g, [equations[0]], [0]) is None


# ---- volumes ----
@pytest.mark.parametrize("volume", ["V = 2; V' = 0.5", "V := 2 + 0.5*time"])
def test_an_amount_stays_while_its_volume_grows(volume: str) -> None:
    """Flux k V S in amounts: the amount decays at k, the concentration falls by dilution besides."""
    text = f"compartment V; {volume}; species S in V; S = 3; k = 0.4; R: S -> ; k*S*V; twice := 2*S"
    s, amount, v, twice = solve(text, "S", "S.amount", "V", "twice")
    assert np.allclose(amount, 6 * np.exp(-0.4 * TIMES), rtol=1e-7)
    assert np.allclose(v, 2 + 0.5 * TIMES) and np.allclose(s, amount / v) and np.allclose(twice, 2 * s)


def test_a_volume_that_jumps_keeps_amounts_and_a_set_concentration_is_one_in_the_volume_before() -> None:
    text = (
        "compartment V; V = 1; species S in V, T in V; substanceOnly species A in V; S = 2; T = 4; A = 5;"
        "S' = 1; at time >= 1: V = 4; at time >= 2: T = 3; at time >= 3: V = 2, S = 6; A' = 0"
    )
    s, t, a = solve(text, "S", "T", "A")
    at = np.searchsorted(TIMES, [0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
    # A rate rule is of the concentration; it starts anew from the amount in the new volume.
    assert np.allclose(s[at], [2.5, 0.75, 1.25, 1.75, 12.0, 13.0], rtol=1e-7)
    assert np.allclose(t[at], [4.0, 1.0, 1.0, 3.0, 6.0, 6.0]) and (a == 5.0).all()


# ---- stoichiometry and conversion ----
def test_stoichiometries_follow_rules_events_and_initial_assignments() -> None:
    def named(model: libsbml.Model) -> None:
        reaction = model.getReaction("R")
        for reference, name in ((reaction.getReactant(0), "n"), (reaction.getProduct(0), "m")):
            reference.setId(name)
            reference.setConstant(False)
            reference.unsetStoichiometry()
        model.createAssignmentRule().setVariable("n")
        model.getRule("n").setMath(libsbml.parseL3Formula("1 + time"))
        model.createInitialAssignment().setSymbol("m")
        model.getInitialAssignment("m").setMath(libsbml.parseL3Formula("3*k"))
        model.getEvent(0).createEventAssignment().setVariable("m")
        model.getEvent(0).getEventAssignment("m").setMath(libsbml.parseL3Formula("m + n"))

    text = "species A, B; A = 100; B = 0; k = 2; R: A -> B; k; x = 1; x' = 0; at time >= 2: x = 2"
    a, b, m = solve(changed(text, named), "A", "B", "m")
    assert np.allclose(a, 100 - 2 * (TIMES + TIMES**2 / 2), rtol=1e-8)
    late = TIMES >= 2.0
    assert np.allclose(m, np.where(late, 9.0, 6.0), rtol=1e-8)
    assert np.allclose(b, np.where(late, 24 + 18 * (TIMES - 2), 12 * TIMES), atol=1e-6)


def test_conversion_factors_turn_extents_into_amounts() -> None:
    def factors(model: libsbml.Model) -> None:
        model.setConversionFactor("f")
        model.getSpecies("B").setConversionFactor("h")

    text = (
        "compartment V; V = 2; species A in V, B in V; A = 50; B = 0; k = 3; f = 10; h = 0.1; R: A -> 2 B; k"
    )
    a, b, flux = solve(changed(text, factors), "A", "B", "R")
    assert np.allclose(a, 50 - 3 * 10 / 2 * TIMES) and np.allclose(b, 2 * 3 * 0.1 / 2 * TIMES)
    assert (flux == 3.0).all()


def test_rates_of_symbols_are_what_they_are() -> None:
    text = (
        "compartment V; V = 2; V' = 0.5; species S in V; S = 3; k = 0.4; R: S -> ; k*S*V; x = 0;"
        "x' = rateOf(S); of_s := rateOf(S); of_k := rateOf(k); y = 1*rateOf(x); q := y"
    )
    s, x, of_s, of_k, q = solve(text, "S", "x", "of_s", "of_k", "q")
    v = 2 + 0.5 * TIMES
    exact = 6 * np.exp(-0.4 * TIMES) / v
    assert np.allclose(s, exact, rtol=1e-7) and np.allclose(x, exact - 3, atol=1e-7)
    assert np.allclose(of_s, -0.4 * exact - exact * 0.5 / v, rtol=1e-7) and (of_k == 0.0).all()
    # At the start the concentration falls by decay and dilution.
    assert (q == -0.4 * 3 - 3 * 0.5 / 2).all()


@pytest.mark.parametrize(
    "formula, named", [("1 + rateOf(x)", "defined by itself"), ("rateOf(y)", "rate of 'y'")]
)
def test_a_rate_that_does_not_exist_is_refused(formula: str, named: str) -> None:
    def changes(model: libsbml.Model) -> None:
        model.getRule("x").setMath(libsbml.parseL3Formula(formula))

    with pytest.raises(EngineError, match=named):
        compiled(changed("x = 1; x' = 1; y := x", changes))


# ---- submodels, and models without states ----
def test_submodels_are_put_into_one_model() -> None:
    (y,) = solve(SUBMODELS, "y")
    assert np.allclose(y, 2 * np.exp(-TIMES) + 2 * np.exp(-3 * TIMES), rtol=1e-7)
    assert set(compiled(SUBMODELS).states) == {"A__x", "B__x"}
    with pytest.raises(EngineError, match="other files"):
        compiled(re.sub("<comp:listOfModelDef.*Definitions>", EXTERNAL, SUBMODELS, flags=re.DOTALL))


def test_a_model_without_states_has_its_observables() -> None:
    model = compiled("k = 2; y := k*time + 1; z := piecewise(1, time > 2, 0)")
    assert model.states == ("(no state)",)
    y, z = solve("k = 2; y := k*time + 1; z := piecewise(1, time > 2, 0)", "y", "z")
    assert np.allclose(y, 2 * TIMES + 1) and z.tolist() == (TIMES > 2).astype(float).tolist()


# ---- functions ----
DOMAIN = {"arcsin": (-1, 1), "arccos": (-1, 1), "arctanh": (-0.999, 0.999), "arccosh": (1, 30)}
DOMAIN |= {"arcsec": (1.0, 30), "arccsc": (1.0, 30), "arcsech": (0.001, 1), "arccoth": (1.001, 30)}


@pytest.fixture(scope="module")
def functions() -> CompiledModel:
    lines = [f"{name} := {name}(x)" for name in FUNCTIONS]
    document = libsbml.readSBMLFromString(to_sbml("x = 1; x' = 0"))
    model = document.getModel()
    for line in lines:
        name = line.split()[0]
        parameter = model.createParameter()
        parameter.setId(f"f_{name}")
        parameter.setConstant(False)
        formula = model.createAssignmentRule()
        formula.setVariable(f"f_{name}")
        formula.setMath(libsbml.parseL3Formula(line.partition(":= ")[2]))
    return compiled(str(libsbml.writeSBMLToString(document)))


def apply(model: CompiledModel, output: str, x: np.ndarray) -> np.ndarray:
    nothing = np.zeros((len(x), len(model.parameters)))
    return model.solve(nothing, [0.0], initial=x[:, None], outputs=[output])[output][:, 0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_hold_their_accuracy(functions: CompiledModel, name: str) -> None:
    low, high = DOMAIN.get(name, (-30.0, 30.0))
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.uniform(low, high, 300), [low, high]])
    if low < 0.0:
        x = np.concatenate([x, rng.uniform(-1, 1, 100) * 10.0 ** rng.uniform(-9, 0, 100)])
    for value, at in zip(apply(functions, f"f_{name}", x), x, strict=True):
        exact = {"arc": lambda n: getattr(mpmath, "a" + n[3:])}.get(name[:3], lambda n: getattr(mpmath, n))(
            name
        )
        true = exact(mpmath.mpf(float(at)))
        if name == "arccot" and at < 0:
            true = mpmath.atan(1 / mpmath.mpf(float(at)))
        assert abs(mpmath.mpf(float(value)) - true) <= 4e-15 * (1 + abs(true) * (1 + abs(true))), at


def test_angles_stay_accurate_until_they_are_not_a_number(functions: CompiledModel) -> None:
    x = np.array([1e3, -4e4, 7.5e5, 2.0**20, 2.0**20 + 1, math.inf, math.nan])
    found = apply(functions, "f_sin", x)
    exact = [float(mpmath.sin(mpmath.mpf(v))) for v in x[:4]]
    assert np.abs(found[:4] - exact).max() < 1e-15 and np.isnan(found[4:]).all()


def test_whole_parts_remainders_and_factorials() -> None:
    def formulas(model: libsbml.Model) -> None:
        for name, formula in (("a", "quotient(x, 3)"), ("b", "rem(x, 3)"), ("c", "factorial(ceil(abs(x)))")):
            rule = model.createAssignmentRule()
            rule.setVariable(name)
            rule.setMath(libsbml.parseL3Formula(formula))

    model = compiled(changed("x = 1; x' = 0; a = 1; b = 1; c = 1; var a, b, c", formulas))
    x = np.array([7.5, -7.5, 3.0, -3.0, 0.0, 170.0, 171.0])
    assert apply(model, "a", x).tolist() == [2, -2, 1, -1, 0, 56, 57]
    assert apply(model, "b", x).tolist() == [1.5, -1.5, 0, 0, 0, 2, 0]
    found = apply(model, "c", x)
    assert found[:6].tolist() == [40320, 40320, 6, 6, 1, float(math.factorial(170))] and np.isnan(found[6])


def test_a_power_of_a_negative_number_has_its_sign_where_the_exponent_is_whole() -> None:
    model = compiled("x = 1; x' = 0; n = 2; y := x^n")
    rows = np.array([[2.0], [3.0], [-1.0], [0.5], [0.0]])
    found = model.solve(rows, [0.0], initial=np.full((5, 1), -2.0), outputs=["y"])["y"][:, 0]
    assert found[[0, 1, 2, 4]].tolist() == [4.0, -8.0, -0.5, 1.0] and np.isnan(found[3])
