"""SBML that the engine does not serve is refused by the name of what it uses, in one line."""

from pathlib import Path

import antimony
import libsbml
import pytest

from mesolung.engine import EngineError, compile_model
from mesolung.engine.sbml import read_sbml
from mesolung.reading import Refusal


def to_sbml(text: str) -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def refusal(source: str | Path) -> str:
    with pytest.raises(EngineError) as caught:
        compile_model(source)
    assert isinstance(caught.value, Refusal)
    message = str(caught.value)
    assert "\n" not in message and "Traceback" not in message
    return message


@pytest.mark.parametrize(
    "text, named",
    [
        ("x = 1; x' = sin(x)", "'sin'"),
        ("x = 1; x' = -x; y := factorial(x)", "'factorial'"),
        ("x = 1; x' = delay(x, 1)", "'delay'"),
        ("x = 1; x' = -x; y := rateOf(x)", "'rateOf'"),
        ("x = 1; x' = -x; E: at time > 3: x = 2", "event 'E'"),
        ("x = 1; y = 1; x' = -x; y' = -y; E: at x < y: x = 0", "one state with a bound"),
        ("x = 1; x' = -x; E: at 2 after x < 0.5: x = 0", "delays"),
        ("x = 1; x' = -x; E: at x < 0.5, priority = 1: x = 0", "priorities"),
        ("x = 1; y = 1; x' = -x; y' = -y; E: at x < 0.5: x = y", "does not vary"),
        ("x = 1; x' = -x; y := x + 1; z := y; y2 := z; E: at x < 0.5: k = 3; k = 1; q := k", ""),
        ("x = 1; x' = -k*x", "'k' has no value"),
        ("compartment V; V = 1; V' = 0.1; species S in V; S = 1; S' = -S", "compartment 'V'"),
        ("k = 1; y := k + 1", "no state"),
    ],
)
def test_unsupported_models_are_refused_by_name(text: str, named: str) -> None:
    if not named:
        # A parameter that an event sets is a state of its own, and served.
        assert set(read_sbml(to_sbml(f"model m\n{text}\nend")).states) == {"x", "k"}
        return
    assert named in refusal(to_sbml(f"model m\n{text}\nend"))


def test_rules_and_reactions_that_are_not_served_are_refused_by_name() -> None:
    def changed(change) -> str:
        document = libsbml.readSBMLFromString(
            to_sbml(
                "model m\n compartment V; V = 1; species A in V, B in V; A = 1; B = 0\n"
                " R: A -> B; k*A; k = 1\nend"
            )
        )
        change(document.getModel())
        return refusal(libsbml.writeSBMLToString(document))

    def algebraic(model: libsbml.Model) -> None:
        model.createAlgebraicRule().setMath(libsbml.parseL3Formula("k - 1"))
        model.getParameter("k").setConstant(False)

    def stoichiometry(model: libsbml.Model) -> None:
        reference = model.getReaction("R").getReactant(0)
        reference.setId("n")
        rule = model.createInitialAssignment()
        rule.setSymbol("n")
        rule.setMath(libsbml.parseL3Formula("2"))

    def lawless(model: libsbml.Model) -> None:
        model.getReaction("R").unsetKineticLaw()

    def circular(model: libsbml.Model) -> None:
        for name, formula in (("a", "b + 1"), ("b", "a")):
            model.createParameter().setId(name)
            model.getParameter(name).setConstant(False)
            rule = model.createAssignmentRule()
            rule.setVariable(name)
            rule.setMath(libsbml.parseL3Formula(formula))

    def nameless(model: libsbml.Model) -> None:
        model.getReaction("R").getKineticLaw().setMath(libsbml.parseL3Formula("k*nobody"))

    assert "'a' is defined by itself" in changed(circular)
    assert "'nobody'" in changed(nameless)
    assert "algebraic" in changed(algebraic)
    assert "reaction 'R'" in changed(stoichiometry) and "stoichiometry" in changed(stoichiometry)
    assert "reaction 'R' has no rate law" in changed(lawless)


def test_a_required_package_is_refused_by_name() -> None:
    namespaces = libsbml.SBMLNamespaces(3, 1, "comp", 1)
    document = libsbml.SBMLDocument(namespaces)
    document.setPackageRequired("comp", True)
    document.createModel().setId("m")
    assert "'comp'" in refusal(libsbml.writeSBMLToString(document))


def test_what_is_not_sbml_is_refused_with_its_file(tmp_path: Path) -> None:
    wrong = tmp_path / "model.xml"
    assert str(wrong) in refusal(wrong)
    for content in (
        "",
        "not a model",
        "<sbml",
        "<html></html>",
        "<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core'/>",
    ):
        wrong.write_text(content, encoding="utf-8")
        assert str(wrong) in refusal(wrong)
    wrong.write_bytes(b"\xff\xfe\x00\x01")
    assert str(wrong) in refusal(wrong)
    assert str(tmp_path) in refusal(tmp_path)


@pytest.mark.parametrize("lanes", [0, 1, 3, 16])
def test_an_impossible_width_is_refused(lanes: int) -> None:
    with pytest.raises(EngineError, match="2, 4 or 8"):
        compile_model(to_sbml("model m\n x = 1; x' = -x\nend"), lanes=lanes)
