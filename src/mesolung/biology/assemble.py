"""The modules of the biology, merged to one SBML model that rests at health."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

import antimony
import libsbml

from mesolung.biology.parameters import Parameter, Parameters, read_parameters

MODULES = ("units", "fate", "innate", "mediators", "pathogen", "barrier", "drugs", "outcome", "endpoints")
SWITCHED = (
    "driver",
    "background",
)  # modules of the table that a course, a dose or a study sets; off at health
OUTSIDE = ("trial",)  # modules of the table that the model itself does not use
NAME = "mesolung_acute"


class AssemblyError(Exception):
    """The modules and the parameter table do not make one consistent model."""


@dataclass(frozen=True)
class Assembled:
    """One merged model.

    Attributes:
        sbml, antimony: its text.
        homeostatic: states whose healthy level a source ``src_STATE`` holds.
        states: all states, in the model's order.
        model_hash: SHA-256 of the merged Antimony text, values included.
    """

    sbml: str
    antimony: str
    homeostatic: tuple[str, ...]
    states: tuple[str, ...]
    model_hash: str


def assemble(parameters: Parameters | None = None) -> Assembled:
    """Merge the modules, fill in the parameters, and solve the sources that keep health at rest.

    Arguments:
        parameters: a parameter table; None takes the table of the package.

    Returns:
        the model. Each source is an initial assignment: minus the rate law of its state, from the same law
        text, with all states at their healthy values and everything switched off. So a subject with other
        parameters rests exactly, too.

    Raises:
        AssemblyError: naming what is missing, or what libSBML finds inconsistent, units included.
    """
    table = parameters if parameters is not None else read_parameters()
    text = merged_text(table)
    document, model = _document(text)
    homeostatic = _solve_sources(model, table)
    problems = consistency_problems(document)
    if problems:
        raise AssemblyError("; ".join(problems))
    return Assembled(
        sbml=libsbml.writeSBMLToString(document),
        antimony=text,
        homeostatic=homeostatic,
        states=tuple(rule.getVariable() for rule in _rules(model) if rule.isRate()),
        model_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def module_text(name: str) -> str:
    """Read one module as it stands in the package.

    Arguments:
        name: one of `MODULES`.

    Returns:
        its Antimony text.
    """
    return (files("mesolung.biology") / "modules" / f"{name}.ant").read_text(encoding="utf-8")


def unit_id(unit: str) -> str:
    """Name a unit of the parameter table as the model does.

    Arguments:
        unit: for example "1", "1/h", "pM/Gcell/h".

    Returns:
        for example "dimensionless", "per_h", "pM_per_Gcell_per_h".
    """
    if unit == "1":
        return "dimensionless"
    return ("per_" + unit[2:] if unit.startswith("1/") else unit).replace("/", "_per_")


def merged_text(table: Parameters) -> str:
    """Write all modules as one Antimony model.

    Arguments:
        table: gives values, units and meanings.

    Returns:
        its text; sources still have the value 0.
    """
    lines = [f"model {NAME}()"]
    for name in MODULES:
        lines += [f"// ---- {name}", module_text(name)]
    lines.append("// ---- values of parameters.csv")
    lines += [_value_line(row) for row in table if row.module not in OUTSIDE]
    sources = sorted(set(re.findall(r"\bsrc_(\w+) has", "\n".join(lines))))
    lines += [f"src_{state} = 0;" for state in sources]
    return "\n".join([*lines, "end", ""])


def consistency_problems(document: libsbml.SBMLDocument) -> list[str]:
    """Ask libSBML what is wrong or doubtful in a document, units included.

    Arguments:
        document: the document.

    Returns:
        errors and warnings, empty when there are none.
    """
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    found = [document.getError(i) for i in range(document.checkConsistency())]
    return [f"{error.getErrorId()}: {error.getMessage().strip()}" for error in found]


def _value_line(row: Parameter) -> str:
    meaning = row.meaning.replace('"', "'")
    return f'{row.id} = {row.value!r}; {row.id} has {unit_id(row.unit)}; {row.id} is "{meaning}";'


def _document(text: str) -> tuple[libsbml.SBMLDocument, libsbml.Model]:
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise AssemblyError(antimony.getLastError())
    document = libsbml.readSBMLFromString(antimony.getSBMLString(NAME))
    model = document.getModel()
    if model is None:
        raise AssemblyError("the merged text holds no model")
    ruled = {rule.getVariable() for rule in _rules(model)}
    for parameter in model.getListOfParameters():
        name = parameter.getId()
        if not (parameter.isSetValue() or name in ruled or model.getInitialAssignment(name)):
            raise AssemblyError(f"{name} has no value: parameters.csv has no row for it")
    return document, model


def _rules(model: libsbml.Model) -> list[libsbml.Rule]:
    return list(model.getListOfRules())


def _solve_sources(model: libsbml.Model, table: Parameters) -> tuple[str, ...]:
    """Write ``src_X`` as an initial assignment for each state X that has one; return those states."""
    rates = {rule.getVariable(): rule.getMath() for rule in _rules(model) if rule.isRate()}
    laws = {rule.getVariable(): rule.getMath() for rule in _rules(model) if rule.isAssignment()}
    homeostatic = tuple(state for state in rates if model.getParameter(f"src_{state}") is not None)
    healthy = {state: _healthy_value(model, state) for state in rates}
    for name in (*table.of_module(*SWITCHED), *(f"src_{state}" for state in homeostatic)):
        healthy[name] = _number(model, name, 0.0)
    known = dict(healthy)
    for state in homeostatic:
        negative = libsbml.ASTNode(libsbml.AST_MINUS)
        negative.addChild(_at_health(rates[state], known, laws))
        assignment = model.createInitialAssignment()
        assignment.setSymbol(f"src_{state}")
        assignment.setMath(negative)
    return homeostatic


def _at_health(
    node: libsbml.ASTNode, known: dict[str, libsbml.ASTNode], laws: dict[str, libsbml.ASTNode]
) -> libsbml.ASTNode:
    """Copy a law with states at health and the laws that it names written out: only constants are left."""
    if node.isName():
        name = node.getName()
        if name not in known and name in laws:
            known[name] = _at_health(laws[name], known, laws)
        return (known.get(name) or node).deepCopy()
    copy = node.deepCopy()
    for i in range(copy.getNumChildren()):
        copy.replaceChild(i, _at_health(node.getChild(i), known, laws), True)
    return copy


def _healthy_value(model: libsbml.Model, state: str) -> libsbml.ASTNode:
    """The state's value at health as the module writes it: X_healthy, or a number with its unit."""
    assignment = model.getInitialAssignment(state)
    if assignment is not None:
        return assignment.getMath().deepCopy()
    return _number(model, state, model.getParameter(state).getValue())


def _number(model: libsbml.Model, name: str, value: float) -> libsbml.ASTNode:
    parameter = model.getParameter(name)
    if parameter is None:
        raise AssemblyError(f"{name} stands in parameters.csv and in no module")
    node = libsbml.ASTNode(libsbml.AST_REAL)
    node.setValue(value)
    node.setUnits(parameter.getUnits())
    return node
