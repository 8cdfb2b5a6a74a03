"""SBML to a `System`: read, check, and refuse by name what the engine does not serve."""

from __future__ import annotations

import math
from pathlib import Path

import libsbml
import numpy as np

from mesolung.engine.errors import EngineError
from mesolung.engine.formula import FormulaReader
from mesolung.engine.graph import Graph
from mesolung.engine.system import System, Threshold

# Packages that say nothing about the mathematics, or only functions that are served or refused one by one.
_HARMLESS = {"layout", "render", "groups", "l3v2extendedmath"}


def read_sbml(source: str | Path) -> System:
    """Read a model.

    Arguments:
        source: a path to an SBML file, or SBML text (text starts with ``<``).

    Returns:
        The model as a system of equations. A parameter, a compartment or a constant species whose value is
        given as a number is a parameter; one with an initial assignment is a derived constant; the target of
        an assignment rule is an observable; species that reactions change and targets of rate rules are
        states, in the unit that their symbol has in formulas.

    Raises:
        EngineError: when the text is not SBML, or uses what the engine does not serve; by name.
    """
    text, file = _text(source)
    document = libsbml.readSBMLFromString(text)
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise EngineError(
                f"not valid SBML: {' '.join(error.getMessage().split())}",
                file=file,
                line=error.getLine() or None,
            )
    model = document.getModel()
    if model is None:
        raise EngineError("the SBML text holds no model", file=file)
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if package not in _HARMLESS and document.getPackageRequired(package):
            raise EngineError(f"the engine does not serve the SBML package '{package}'", file=file)
    try:
        return _Reader(model).system()
    except EngineError as error:
        raise EngineError(str(error), file=file) if file else error from None


def _text(source: str | Path) -> tuple[str, Path | None]:
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        return source.lstrip("\ufeff \t\r\n"), None
    path = Path(source)
    try:
        return path.read_text(encoding="utf-8"), path
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise EngineError(f"cannot be read as an SBML file: {error}", file=path) from error


class _Reader:
    """Names of one SBML model and what each of them means."""

    def __init__(self, model: libsbml.Model) -> None:
        self.model = model
        self.graph = Graph()
        self.formulas = FormulaReader(self.graph, model)
        self.assigned: dict[str, libsbml.ASTNode] = {}
        self.rated: dict[str, libsbml.ASTNode] = {}
        self.at_start = {a.getSymbol(): a.getMath() for a in model.getListOfInitialAssignments()}
        self._rules()
        self.set_by_event = {
            a.getVariable() for e in model.getListOfEvents() for a in e.getListOfEventAssignments()
        }
        self.compartments = {c.getId(): c for c in model.getListOfCompartments()}
        self.species = {s.getId(): s for s in model.getListOfSpecies()}
        self.changes = self._reactions()
        self.states: list[str] = []
        self.parameters: list[str] = []
        self.constants: list[str] = []
        self.defaults: dict[str, float] = {}
        self.locals: dict[str, dict[str, int]] = {}
        self._sort()
        self.index = {name: i for i, name in enumerate(self.states)}
        self.memo: dict[tuple[bool, str], int] = {}
        self.open: list[str] = []

    # ---- what the model contains ----
    def _rules(self) -> None:
        for rule in self.model.getListOfRules():
            if rule.isAlgebraic():
                raise EngineError("the engine does not serve algebraic rules")
            target = rule.getVariable()
            (self.rated if rule.isRate() else self.assigned)[target] = rule.getMath()
            if rule.getMath() is None:
                raise EngineError(f"the rule of '{target}' has no formula")
        if self.model.getNumConstraints():
            raise EngineError("the engine does not serve constraints")

    def _reactions(self) -> dict[str, list[tuple[float, str]]]:
        changes: dict[str, list[tuple[float, str]]] = {}
        for reaction in self.model.getListOfReactions():
            name = reaction.getId()
            if reaction.isSetFast() and reaction.getFast():
                raise EngineError(f"reaction '{name}': the engine does not serve fast reactions")
            if reaction.getKineticLaw() is None or reaction.getKineticLaw().getMath() is None:
                raise EngineError(f"reaction '{name}' has no rate law")
            sides = [(-1.0, r) for r in reaction.getListOfReactants()]
            sides += [(1.0, r) for r in reaction.getListOfProducts()]
            for sign, reference in sides:
                target = reference.getSpecies()
                moving = reference.isSetStoichiometryMath() or (
                    reference.isSetId()
                    and (
                        reference.getId() in {*self.assigned, *self.rated, *self.at_start, *self.set_by_event}
                    )
                )
                amount = reference.getStoichiometry()
                if moving or not math.isfinite(amount):
                    raise EngineError(
                        f"reaction '{name}': the stoichiometry of '{target}' is not a number; "
                        "the engine does not serve it"
                    )
                if target not in self.species:
                    raise EngineError(f"reaction '{name}': unknown species '{target}'")
                if not self.species[target].getBoundaryCondition():
                    changes.setdefault(target, []).append((sign * amount, name))
        return changes

    def _sort(self) -> None:
        """Decide for every name whether it is a state, a parameter, a derived constant or an observable."""
        for name in self.compartments:
            if name in self.rated or name in self.assigned or name in self.set_by_event:
                raise EngineError(f"compartment '{name}' changes in time; the engine does not serve that")
        things = [*self.compartments.values(), *self.model.getListOfParameters(), *self.species.values()]
        for thing in things:
            name = thing.getId()
            if thing.isSetConversionFactor() if name in self.species else False:
                raise EngineError(f"species '{name}': the engine does not serve conversion factors")
            if name in self.assigned:
                continue
            if name in self.rated or name in self.changes or name in self.set_by_event:
                self.states.append(name)
            elif name in self.at_start:
                self.constants.append(name)
            else:
                self.parameters.append(name)
                self.defaults[name] = self._value(name)
        if self.model.isSetConversionFactor():
            raise EngineError("the engine does not serve conversion factors")
        for reaction in self.model.getListOfReactions():
            law = reaction.getKineticLaw()
            own = [*law.getListOfLocalParameters()] or [*law.getListOfParameters()]
            self.locals[reaction.getId()] = {}
            for p in own:
                self.locals[reaction.getId()][p.getId()] = len(self.parameters)
                self.parameters.append(f"{reaction.getId()}.{p.getId()}")
                self.defaults[self.parameters[-1]] = p.getValue()

    def _value(self, name: str) -> float:
        """The number given for a name, in the unit of its symbol."""
        value = math.nan
        if name in self.species:
            s = self.species[name]
            size = self.compartments[s.getCompartment()].getSize() if s.getCompartment() else 1.0
            if self._is_amount(name):
                value = s.getInitialAmount() if s.isSetInitialAmount() else s.getInitialConcentration() * size
            else:
                value = (
                    s.getInitialConcentration()
                    if s.isSetInitialConcentration()
                    else s.getInitialAmount() / size
                )
        elif name in self.compartments:
            c = self.compartments[name]
            value = c.getSize() if c.isSetSize() or c.getSpatialDimensions() else 1.0
        elif self.model.getParameter(name).isSetValue():
            value = self.model.getParameter(name).getValue()
        if math.isnan(value):
            raise EngineError(f"'{name}' has no value")
        return value

    def _is_amount(self, name: str) -> bool:
        s = self.species[name]
        return (
            s.getHasOnlySubstanceUnits()
            or not s.getCompartment()
            or (self.compartments[s.getCompartment()].getSpatialDimensions() == 0)
        )

    # ---- what a name means in a formula ----
    def now(self, name: str) -> int:
        """The node of a name while time runs."""
        if name == " time":
            return self.graph.time()
        if name in self.index:
            return self.graph.state(self.index[name])
        if name in self.constants:
            return self.graph.derived(self.constants.index(name))
        return self._other(name, False)

    def first(self, name: str) -> int:
        """The node of a name at time 0, as an expression of parameters."""
        if name == " time":
            return self.graph.const(0.0)
        if name in self.at_start:
            return self._closed(True, name, self.at_start[name])
        if name in self.index:
            return self._start_of_state(name)
        return self._other(name, True)

    def _other(self, name: str, start: bool) -> int:
        if name in self.defaults:
            return self.graph.parameter(self.parameters.index(name))
        if name in self.assigned:
            return self._closed(start, name, self.assigned[name])
        if self.model.getReaction(name) is not None:
            return self._law(name, self.first if start else self.now)
        raise EngineError(f"unknown name '{name}' in a formula")

    def _closed(self, start: bool, name: str, tree: libsbml.ASTNode) -> int:
        """Read a formula once, and refuse one that needs its own value."""
        if (start, name) not in self.memo:
            if name in self.open:
                raise EngineError(f"'{name}' is defined by itself ({' -> '.join([*self.open, name])})")
            if tree is None:
                raise EngineError(f"'{name}' has no formula")
            self.open.append(name)
            self.memo[start, name] = self.formulas.number(
                tree, self.first if start else self.now, f"'{name}'"
            )
            self.open.pop()
        return self.memo[start, name]

    def _start_of_state(self, name: str) -> int:
        g = self.graph
        if name in self.species and self.species[name].getCompartment():
            s = self.species[name]
            size = self.first(s.getCompartment())
            if self._is_amount(name) and not s.isSetInitialAmount() and s.isSetInitialConcentration():
                return g.mul(g.const(s.getInitialConcentration()), size)
            if not self._is_amount(name) and s.isSetInitialAmount():
                return g.div(g.const(s.getInitialAmount()), size)
        return g.const(self._value(name))

    def _law(self, reaction: str, lookup: object) -> int:
        own = self.locals[reaction]

        def inside(name: str) -> int:
            return self.graph.parameter(own[name]) if name in own else lookup(name)  # type: ignore[operator]

        tree = self.model.getReaction(reaction).getKineticLaw().getMath()
        return self.formulas.number(tree, inside, f"reaction '{reaction}'")

    def _rate(self, name: str) -> int:
        g = self.graph
        if name in self.rated:
            return self.formulas.number(self.rated[name], self.now, f"the rate of '{name}'")
        total = g.const(0.0)
        for amount, reaction in self.changes.get(name, []):
            flux = self._law(reaction, self.now)
            term = g.mul(g.const(abs(amount)), flux)
            total = g.add(total, term) if amount > 0 else g.sub(total, term)
        if name in self.species and not self._is_amount(name):
            return g.div(total, self.now(self.species[name].getCompartment()))
        return total

    def _threshold(self, event: libsbml.Event) -> Threshold:
        g, name = self.graph, f"event '{event.getId() or event.getName()}'"
        if event.isSetDelay() or event.isSetPriority():
            raise EngineError(f"{name}: the engine does not serve event delays and priorities")
        trigger = event.getTrigger()
        if trigger is None or trigger.getMath() is None:
            raise EngineError(f"{name} has no trigger")
        condition = self.formulas.condition(trigger.getMath(), self.now, name)
        sides = g.args[condition]
        one_state = g.op[condition] in ("lt", "le") and sorted(
            "state" if g.op[s] == "state" else "bound" if g.invariant(s) else "other" for s in sides
        ) == ["bound", "state"]
        if not one_state:
            raise EngineError(
                f"{name}: the engine serves triggers that compare one state with a bound; "
                "give doses and times as data"
            )
        settings: list[tuple[int, int]] = []
        for assignment in event.getListOfEventAssignments():
            target = assignment.getVariable()
            value = self.formulas.number(assignment.getMath(), self.now, name)
            if target not in self.index or not g.invariant(value):
                raise EngineError(
                    f"{name}: '{target}' must be a state that is set to a value which does not vary"
                )
            settings.append((self.index[target], value))
        met = trigger.getInitialValue() if trigger.isSetInitialValue() else True
        return Threshold(event.getId(), condition, tuple(settings), met)

    def system(self) -> System:
        """Put everything together."""
        if not self.states:
            raise EngineError("the model has no state that changes in time")
        clash = [n for n in self.set_by_event if n in self.assigned]
        if clash:
            raise EngineError(f"'{clash[0]}' has an assignment rule and is set by an event")
        names = {*self.compartments, *self.species, *(p.getId() for p in self.model.getListOfParameters())}
        for target in (*self.assigned, *self.rated, *self.at_start):
            if target not in names:
                raise EngineError(f"a rule or initial assignment sets the unknown name '{target}'")
        rates = tuple(self._rate(n) for n in self.states)
        laws = tuple(self.now(n) for n in self.assigned)
        return System(
            graph=self.graph,
            states=tuple(self.states),
            parameters=tuple(self.parameters),
            observables=tuple(self.assigned),
            constants=tuple(self.constants),
            rates=rates,
            laws=laws,
            initial=tuple(self.first(n) for n in self.states),
            derived=tuple(self.first(n) for n in self.constants),
            thresholds=tuple(self._threshold(e) for e in self.model.getListOfEvents()),
            defaults=np.array([self.defaults[n] for n in self.parameters], dtype=np.float64),
            units={n: self._unit(n) for n in (*self.states, *self.parameters, *self.assigned)},
        )

    def _unit(self, name: str) -> str:
        thing = self.model.getElementBySId(name)
        if thing is None:
            return ""
        if name in self.species:
            unit = thing.getSubstanceUnits() or self.model.getSubstanceUnits()
            if self._is_amount(name) or not unit:
                return unit
            volume = self.compartments[thing.getCompartment()].getUnits() or self.model.getVolumeUnits()
            return f"{unit}/{volume}"
        return thing.getUnits()
