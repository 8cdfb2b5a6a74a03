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
        ("x = 1; x' = delay(x, 1)", "the rate of 'x': the engine does not serve 'delay'"),
        ("x = 1; x' = -x; y := delay(x, 1)", "'y': the engine does not serve 'delay'"),
        ("x = 1; x' = -x; E: at delay(x, 1) < 0.5: x = 1", "event 'E': the engine does not serve 'delay'"),
        ("x = 1; x' = -k*x", "'k' has no value"),
        ("x = 1; x' = -x; E: at x < k: x = 1", "'k' has no value"),
        ("x = 1; x' = -x; y := k", "'k' has no value"),
    ],
)
def test_unsupported_models_are_refused_by_name(text: str, named: str) -> None:
    assert named in refusal(to_sbml(f"model m\n{text}\nend"))


def test_what_nothing_needs_may_lack_a_value_and_what_an_event_sets_is_a_state() -> None:
    system = read_sbml(to_sbml("model m\nx = 1; x' = -x; var k\nend"))
    assert system.parameters == () and "k" not in system.states
    text = "x = 1; x' = -x; y := x + 1; z := y; y2 := z; E: at x < 0.5: k = 3; k = 1; q := k"
    assert set(read_sbml(to_sbml(f"model m\n{text}\nend")).states) == {"x", "k"}


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

    def overdetermined(model: libsbml.Model) -> None:
        model.createAlgebraicRule().setMath(libsbml.parseL3Formula("k - 1"))

    def nonlinear(model: libsbml.Model) -> None:
        model.createAlgebraicRule().setMath(libsbml.parseL3Formula("k*k - A"))
        model.getParameter("k").setConstant(False)

    def fast(model: libsbml.Model) -> None:
        # The attribute is of earlier versions.
        model.getSBMLDocument().setLevelAndVersion(3, 1)
        model.getReaction("R").setFast(True)

    def boundless(model: libsbml.Model) -> None:
        reference = model.getReaction("R").getReactant(0)
        reference.setStoichiometry(float("nan"))

    def twice(model: libsbml.Model) -> None:
        rule = model.createRateRule()
        rule.setVariable("A")
        rule.setMath(libsbml.parseL3Formula("1"))

    def set_by_both(model: libsbml.Model) -> None:
        event = model.createEvent()
        event.setUseValuesFromTriggerTime(True)
        event.createTrigger().setMath(libsbml.parseL3Formula("A < 0.5"))
        event.getTrigger().setInitialValue(True)
        event.getTrigger().setPersistent(True)
        event.createEventAssignment().setVariable("k")
        event.getEventAssignment("k").setMath(libsbml.parseL3Formula("1"))
        rule = model.createAssignmentRule()
        rule.setVariable("k")
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
    assert "algebraic rule 0 = k - 1 determines nothing" in changed(overdetermined)
    assert "algebraic rules that are not linear in what they determine (k)" in changed(nonlinear)
    assert "reaction 'R': the engine does not serve fast reactions" in changed(fast)
    assert "reaction 'R', stoichiometry of 'A'" in changed(boundless)
    assert "species 'A' has a rule and is changed by reactions" in changed(twice)
    assert "'k' has an assignment rule and is set by an event" in changed(set_by_both)
    assert "reaction 'R' has no rate law" in changed(lawless)


def test_a_required_package_is_refused_by_name() -> None:
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1" xmlns:{0}='
        '"http://www.sbml.org/sbml/level3/version1/{0}/version1" {0}:required="true"><model/></sbml>'
    )
    assert "'multi'" in refusal(text.format("multi"))


def test_formulas_nested_without_measure_are_refused() -> None:
    deep = "<apply><abs/>" * 3000 + "<ci>x</ci>" + "</apply>" * 3000
    sbml = to_sbml("model m\n x = 1; x' = abs(x)\nend")
    message = refusal(sbml.replace(sbml[sbml.index("<apply>") : sbml.index("</math>")], deep))
    assert "nested" in message


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
