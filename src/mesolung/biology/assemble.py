"""The modules of the biology, merged to one SBML model that rests at health."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

import antimony
import libsbml

from mesolung.biology.at_health import AtHealth
from mesolung.biology.checks import Text, law_problems, text_problems
from mesolung.biology.expressions import read_expression
from mesolung.biology.parameters import Parameter, Parameters, read_parameters
from mesolung.biology.ranges import Laws
from mesolung.biology.statements import read_statements
from mesolung.biology.symbols import find_symbols
from mesolung.biology.symbols import unit_id as unit_id
from mesolung.reading import Refusal

MODULES = (
    "units", "fate", "vesicles", "effects", "harm", "systemic", "innate", "adaptive", "mediators",
    "pathogen", "barrier", "coagulation", "fibrosis", "ageing", "airway", "emphysema", "exacerbation",
    "drugs", "gas_exchange", "support", "outcome", "spirometry", "endpoints", "laboratory",
)  # fmt: skip
SWITCHED = (
    "driver",
    "background",
)  # modules of the table that a course, a dose or a study sets; off at health
OUTSIDE = ("trial",)  # modules of the table that the model itself does not use
NAME = "mesolung_acute"


class AssemblyError(Refusal):
    """The modules and the parameter table do not make one consistent model; file and line as in `Refusal`."""


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


def assemble(parameters: Parameters | None = None, modules: Mapping[str, str] | None = None) -> Assembled:
    """Merge the modules, fill in the parameters, and solve the sources that keep health at rest.

    Arguments:
        parameters: a parameter table; None takes the table of the package.
        modules: name -> Antimony text; None takes the modules of the package.

    Returns:
        the model. Each source is an initial assignment: minus the rate law of its state, from the same law
        text, with all states at their healthy values and everything switched off. So a subject with other
        parameters rests exactly, too.

    Raises:
        AssemblyError: with file and line: a name, unit, row or law that is missing, unknown or there twice,
            a law that need not have a value, a share that can leave 0 to 1, a source below 0 at health, or
            what libSBML finds inconsistent, units included.
    """
    table = parameters if parameters is not None else read_parameters()
    texts = modules if modules is not None else {name: module_text(name) for name in MODULES}
    statements = read_statements(texts)
    text = Text(statements, table, find_symbols(statements, table), OUTSIDE)
    _refuse_first(text_problems(text))
    merged = merged_text(table, texts)
    document, model = _document(merged, texts)
    _refuse_first(_libsbml_problems(document, model, text))
    _refuse_first(law_problems(text, read_laws(model)))
    homeostatic = _solve_sources(model, table)
    return Assembled(
        sbml=libsbml.writeSBMLToString(document),
        antimony=merged,
        homeostatic=homeostatic,
        states=tuple(rule.getVariable() for rule in _rules(model) if rule.isRate()),
        model_hash=hashlib.sha256(merged.encode()).hexdigest(),
    )


def module_text(name: str) -> str:
    """Read one module as it stands in the package.

    Arguments:
        name: one of `MODULES`.

    Returns:
        its Antimony text.
    """
    return (files("mesolung.biology") / "modules" / f"{name}.ant").read_text(encoding="utf-8")


def merged_text(table: Parameters, modules: Mapping[str, str] | None = None) -> str:
    """Write all modules as one Antimony model.

    Arguments:
        table: gives values, units and meanings.
        modules: name -> Antimony text; None takes the modules of the package.

    Returns:
        its text; sources still have the value 0.
    """
    texts = modules if modules is not None else {name: module_text(name) for name in MODULES}
    lines = [f"model {NAME}()"]
    for name, content in texts.items():
        lines += [f"// ---- {name}", content]
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
    return [f"{error.getErrorId()}: {error.getMessage().strip()}" for error in _libsbml_errors(document)]


def read_laws(model: libsbml.Model) -> Laws:
    """Read the laws of a merged model.

    Arguments:
        model: libSBML's model, its sources not solved yet.

    Returns:
        its laws.
    """
    rates = {r.getVariable(): read_expression(r.getMath()) for r in _rules(model) if r.isRate()}
    rules = {r.getVariable(): read_expression(r.getMath()) for r in _rules(model) if r.isAssignment()}
    starts = {state: read_expression(_healthy_value(model, state)) for state in rates}
    for assignment in model.getListOfInitialAssignments():
        if assignment.getSymbol() not in starts:
            rules[assignment.getSymbol()] = read_expression(assignment.getMath())
    return Laws(rates, rules, starts)


def _refuse_first(problems: Iterable[Refusal]) -> None:
    for first in problems:
        raise AssemblyError(
            first.problem, file=first.file, line=first.line, found=first.found, allowed=first.allowed
        )


def _libsbml_errors(document: libsbml.SBMLDocument) -> list[libsbml.SBMLError]:
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    return [document.getError(i) for i in range(document.checkConsistency())]


def _libsbml_problems(document: libsbml.SBMLDocument, model: libsbml.Model, text: Text) -> Iterator[Refusal]:
    """What libSBML finds, at the line of the law that it is about."""
    names = {p.getLine(): p.getId() for p in model.getListOfParameters()}
    names |= {a.getLine(): a.getSymbol() for a in model.getListOfInitialAssignments()}
    names |= {rule.getLine(): rule.getVariable() for rule in _rules(model)}
    for error in _libsbml_errors(document):
        message = error.getMessage().strip()
        # The first paragraph cites the rule of SBML, the second says what is wrong here.
        own = message.split("\n\n")[-1] if "\n\n" in message else message.split("\n")[-1]
        name = names.get(error.getLine(), "")
        yield text.refusal(name, f"{name or 'the model'}: {own} (libSBML {error.getErrorId()})")


def _value_line(row: Parameter) -> str:
    meaning = row.meaning.replace('"', "'")
    return f'{row.id} = {row.value!r}; {row.id} has {unit_id(row.unit)}; {row.id} is "{meaning}";'


def _document(merged: str, modules: Mapping[str, str]) -> tuple[libsbml.SBMLDocument, libsbml.Model]:
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(merged) < 0:
        message = antimony.getLastError() or "no reason given"
        file, line = _place_in_modules(message, modules)
        raise AssemblyError(f"Antimony cannot read it: {message}", file=file, line=line)
    document = libsbml.readSBMLFromString(antimony.getSBMLString(NAME))
    model = document.getModel()
    if model is None:
        raise AssemblyError("the merged text holds no model")
    return document, model


def _place_in_modules(message: str, modules: Mapping[str, str]) -> tuple[str | None, int | None]:
    """File and line of an error that Antimony places in the merged text."""
    found = re.search(r"line (\d+)", message)
    line = int(found[1]) if found else 0
    first = 3  # the model's name and the module's own heading stand before its first line
    for name, content in modules.items():
        length = content.count("\n") + 1
        if first <= line < first + length:
            return f"{name}.ant", line - first + 1
        first += length + 1
    return None, None


def _rules(model: libsbml.Model) -> list[libsbml.Rule]:
    return list(model.getListOfRules())


def _solve_sources(model: libsbml.Model, table: Parameters) -> tuple[str, ...]:
    """Write ``src_X`` as an initial assignment for each state X that has one; return those states."""
    rates = {rule.getVariable(): rule.getMath() for rule in _rules(model) if rule.isRate()}
    laws = {rule.getVariable(): rule.getMath() for rule in _rules(model) if rule.isAssignment()}
    homeostatic = tuple(state for state in rates if model.getParameter(f"src_{state}") is not None)
    known = {state: _healthy_value(model, state) for state in rates}
    for name in (*table.of_module(*SWITCHED), *(f"src_{state}" for state in homeostatic)):
        known[name] = _number(model, name, 0.0)
    health = AtHealth(known, laws)
    for state in homeostatic:
        negative = libsbml.ASTNode(libsbml.AST_MINUS)
        negative.addChild(health.law(rates[state]))
        assignment = model.createInitialAssignment()
        assignment.setSymbol(f"src_{state}")
        assignment.setMath(negative)
    return homeostatic


def _healthy_value(model: libsbml.Model, state: str) -> libsbml.ASTNode:
    """The state's value at health as the module writes it: X_healthy, or a number with its unit."""
    assignment = model.getInitialAssignment(state)
    if assignment is not None:
        return assignment.getMath().deepCopy()
    return _number(model, state, model.getParameter(state).getValue())


def _number(model: libsbml.Model, name: str, value: float) -> libsbml.ASTNode:
    node = libsbml.ASTNode(libsbml.AST_REAL)
    node.setValue(value)
    node.setUnits(model.getParameter(name).getUnits())
    return node
