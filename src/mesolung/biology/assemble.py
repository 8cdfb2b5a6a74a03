"""The modules of the biology merged to one SBML model that rests at health."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

import antimony
import libsbml

from mesolung.biology.parameters import Parameters, read_parameters

MODULES = ("units", "fate", "innate", "mediators", "pathogen", "barrier", "drugs", "outcome", "endpoints")
DRIVER_MODULES = ("driver", "background")  # what a course, a dose or a study sets: off at health
OUTSIDE_MODULES = ("trial",)  # rows that the model itself does not use


class AssemblyError(Exception):
    """The modules and the parameter table do not make one consistent model."""


@dataclass(frozen=True)
class Assembled:
    """One merged model.

    ``sbml`` and ``antimony`` are its text; ``homeostatic`` names the states whose healthy level is held by a source
    ``src_NAME``; ``states`` are all states in the model's order; ``model_hash`` is the SHA-256 of the merged text.
    """

    sbml: str
    antimony: str
    homeostatic: tuple[str, ...]
    states: tuple[str, ...]
    model_hash: str


def assemble(parameters: Parameters | None = None) -> Assembled:
    """Merge the modules, fill in the parameters and solve the sources that keep health at rest.

    Every source is an initial assignment: minus the rate law of its state with all states at their healthy values and
    every driver off, from the same law text. So a subject with other parameters rests exactly, too.

    Arguments: ``parameters``, a parameter table; None takes the packaged one.
    Returns the model. Raises AssemblyError naming what is missing or inconsistent, units included.
    """
    table = parameters if parameters is not None else read_parameters()
    text = merged_text(table)
    document = _document(text)
    model = document.getModel()
    homeostatic = _solve_sources(model, table)
    problems = consistency_problems(document)
    if problems:
        raise AssemblyError("; ".join(problems))
    states = tuple(rule.getVariable() for rule in _rules(model) if rule.isRate())
    return Assembled(
        sbml=libsbml.writeSBMLToString(document),
        antimony=text,
        homeostatic=homeostatic,
        states=states,
        model_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def module_text(name: str) -> str:
    """Return the text of one module as it stands in the package."""
    return (files("mesolung.biology") / "modules" / f"{name}.ant").read_text(encoding="utf-8")


def unit_id(unit: str) -> str:
    """Return the id of a unit in the model: "1/h" is per_h, "pM/Gcell/h" is pM_per_Gcell_per_h, "1" is dimensionless."""
    if unit == "1":
        return "dimensionless"
    return unit.removeprefix("1/").join(["per_" if unit.startswith("1/") else "", ""]).replace("/", "_per_")


def merged_text(table: Parameters) -> str:
    """Return all modules as one Antimony model with the values and units of the parameter table."""
    lines = ["model mesolung_acute()"]
    for name in MODULES:
        lines += [f"// ---- {name}", module_text(name)]
    lines.append("// ---- values of parameters.csv")
    for row in table:
        if row.module not in OUTSIDE_MODULES:
            lines.append(f"{row.id} = {row.value!r}; {row.id} has {unit_id(row.unit)}; {row.id} is \"{_plain(row.meaning)}\";")
    # A source is solved below; the text holds its place.
    sources = sorted(set(re.findall(r"\bsrc_(\w+) has", "\n".join(lines))))
    lines += [f"src_{state} = 0;" for state in sources]
    lines.append("end")
    return "\n".join(lines) + "\n"


def consistency_problems(document: libsbml.SBMLDocument) -> list[str]:
    """Return what libSBML finds wrong or doubtful in a document, units included; empty when it is silent."""
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    count = document.checkConsistency()
    return [f"{document.getError(i).getErrorId()}: {document.getError(i).getMessage().strip()}" for i in range(count)]


def _plain(meaning: str) -> str:
    return meaning.replace('"', "'")


def _document(text: str) -> libsbml.SBMLDocument:
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise AssemblyError(antimony.getLastError())
    document = libsbml.readSBMLFromString(antimony.getSBMLString("mesolung_acute"))
    model = document.getModel()
    for i in range(model.getNumParameters()):
        parameter = model.getParameter(i)
        given = parameter.isSetValue() or not parameter.getConstant() or model.getInitialAssignment(parameter.getId())
        if not given:
            raise AssemblyError(f"{parameter.getId()} has no value: parameters.csv has no row for it")
    return document


def _rules(model: libsbml.Model) -> list[libsbml.Rule]:
    return [model.getRule(i) for i in range(model.getNumRules())]


def _solve_sources(model: libsbml.Model, table: Parameters) -> tuple[str, ...]:
    """Write ``src_X`` as an initial assignment for each state whose law names it; return those states."""
    rules = _rules(model)
    healthy: dict[str, libsbml.ASTNode] = {name: _zero(model, name) for name in table.of_module(*DRIVER_MODULES)}
    for rule in rules:
        if rule.isRate():
            healthy[rule.getVariable()] = _healthy_value(model, rule.getVariable())
            source = model.getParameter(f"src_{rule.getVariable()}")
            if source is not None:
                healthy[source.getId()] = _zero(model, source.getId())
    # A rule's own text may name other rules: inline them, innermost last, so that only constants are left.
    inlined: dict[str, libsbml.ASTNode] = {}
    by_variable = {rule.getVariable(): rule for rule in rules if rule.isAssignment()}

    def resolve(node: libsbml.ASTNode) -> libsbml.ASTNode:
        if node.isName():
            name = node.getName()
            if name in healthy:
                return healthy[name].deepCopy()
            if name in by_variable:
                if name not in inlined:
                    inlined[name] = resolve(by_variable[name].getMath())
                return inlined[name].deepCopy()
            return node.deepCopy()
        copy = node.deepCopy()
        for i in range(copy.getNumChildren()):
            copy.replaceChild(i, resolve(node.getChild(i)), True)
        return copy

    homeostatic = []
    for rule in rules:
        source = f"src_{rule.getVariable()}"
        if rule.isRate() and source in healthy:
            assignment = model.createInitialAssignment()
            assignment.setSymbol(source)
            negative = libsbml.ASTNode(libsbml.AST_MINUS)
            negative.addChild(resolve(rule.getMath()))
            assignment.setMath(negative)
            homeostatic.append(rule.getVariable())
    return tuple(homeostatic)


def _healthy_value(model: libsbml.Model, state: str) -> libsbml.ASTNode:
    """Return the state's value at health as it is written: the name of X_healthy, or a number with its unit."""
    assignment = model.getInitialAssignment(state)
    if assignment is not None:
        return assignment.getMath().deepCopy()
    return _number(model, state, model.getParameter(state).getValue())


def _zero(model: libsbml.Model, name: str) -> libsbml.ASTNode:
    return _number(model, name, 0.0)


def _number(model: libsbml.Model, name: str, value: float) -> libsbml.ASTNode:
    parameter = model.getParameter(name)
    if parameter is None:
        raise AssemblyError(f"{name} stands in parameters.csv and in no module")
    node = libsbml.ASTNode(libsbml.AST_REAL)
    node.setValue(value)
    node.setUnits(parameter.getUnits())
    return node
