"""The names of one SBML model, and what each of them is: a state, a parameter, a constant, a law."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libsbml

from mesolung.engine.errors import EngineError

# The one state of a model whose values follow from time and parameters alone: the kernel needs a state.
NO_STATE = "(no state)"


@dataclass(frozen=True)
class Change:
    """What one reaction does to one species: it takes (``sign`` -1) or gives ``reference`` of it."""

    sign: float
    reference: libsbml.SpeciesReference
    reaction: str


class Names:
    """What the model contains, sorted.

    ``states`` names the states in order; ``index`` and ``amounts`` give the state whose value is a symbol's,
    and the state that is the amount of a species whose symbol is a concentration. ``parameters`` with their
    ``defaults``, ``constants`` and ``observables`` are names in order, ``valueless`` those
    constants that have no value; ``unknowns`` are what algebraic rules
    determine.
    """

    def __init__(self, model: libsbml.Model) -> None:
        """Sort the names of a model.

        Arguments:
            model: the model.

        Raises:
            EngineError: for what the engine does not serve, by name.
        """
        self.model = model
        self.compartments = {c.getId(): c for c in model.getListOfCompartments()}
        self.species = {s.getId(): s for s in model.getListOfSpecies()}
        self.reactions = {r.getId(): r for r in model.getListOfReactions()}
        self.references = {r.getId(): r for _, r, _ in self._sides() if r.isSetId()}
        self.things: dict[str, Any] = {
            **self.compartments,
            **{p.getId(): p for p in model.getListOfParameters()},
            **self.species,
            **self.references,
        }
        self._refuse_places()
        # A rule or assignment without a formula says nothing.
        self.at_start = {
            a.getSymbol(): a.getMath() for a in model.getListOfInitialAssignments() if a.isSetMath()
        }
        self.assigned: dict[str, libsbml.ASTNode] = {}
        self.rated: dict[str, libsbml.ASTNode] = {}
        self.algebraic: list[libsbml.ASTNode] = []
        self._rules()
        self.set_by_event = {
            a.getVariable()
            for e in model.getListOfEvents()
            if e.isSetTrigger() and e.getTrigger().isSetMath()
            for a in e.getListOfEventAssignments()
            if a.isSetMath()
        }
        self.changes = self._changes()
        self._refuse_targets()
        self.unknowns = self._determined()
        self.states: list[str] = []
        self.index: dict[str, int] = {}
        self.amounts: dict[str, int] = {}
        self.parameters: list[str] = []
        self.constants: list[str] = []
        self.valueless: list[str] = []
        self.observables: list[str] = [*self.assigned, *self.unknowns, *self.reactions]
        self.defaults: dict[str, float] = {}
        self.locals: dict[str, dict[str, int]] = {}
        self._sort()
        if not self.states:
            self.states.append(NO_STATE)
            self.index[NO_STATE] = 0

    # ---- what the model contains ----
    def _refuse_places(self) -> None:
        for name, species in self.species.items():
            place = species.getCompartment()
            if place and place not in self.compartments:
                raise EngineError(f"species '{name}' is in the unknown compartment '{place}'")

    def _sides(self) -> Iterator[tuple[float, libsbml.SpeciesReference, libsbml.Reaction]]:
        for reaction in self.model.getListOfReactions():
            for reference in reaction.getListOfReactants():
                yield -1.0, reference, reaction
            for reference in reaction.getListOfProducts():
                yield 1.0, reference, reaction

    def _rules(self) -> None:
        for rule in self.model.getListOfRules():
            if not rule.isSetMath():
                continue
            if rule.isAlgebraic():
                self.algebraic.append(rule.getMath())
            else:
                (self.rated if rule.isRate() else self.assigned)[rule.getVariable()] = rule.getMath()
        self.constraints = [c.getMath() for c in self.model.getListOfConstraints() if c.isSetMath()]

    def _changes(self) -> dict[str, list[Change]]:
        for name, reaction in self.reactions.items():
            if reaction.isSetFast() and reaction.getFast():
                raise EngineError(f"reaction '{name}': the engine does not serve fast reactions")
            if reaction.getKineticLaw() is None or reaction.getKineticLaw().getMath() is None:
                raise EngineError(f"reaction '{name}' has no rate law")
        changes: dict[str, list[Change]] = {}
        for sign, reference, reaction in self._sides():
            name, target = reaction.getId(), reference.getSpecies()
            if target not in self.species:
                raise EngineError(f"reaction '{name}': unknown species '{target}'")
            if not self.species[target].getBoundaryCondition():
                changes.setdefault(target, []).append(Change(sign, reference, name))
        return changes

    def _refuse_targets(self) -> None:
        for target in (*self.assigned, *self.rated, *self.at_start, *self.set_by_event):
            if target not in self.things:
                raise EngineError(f"a rule, initial assignment or event sets the unknown name '{target}'")
        for target in self.set_by_event:
            if target in self.assigned:
                raise EngineError(f"'{target}' has an assignment rule and is set by an event")
        for target in self.changes:
            if target in self.assigned or target in self.rated:
                raise EngineError(f"species '{target}' has a rule and is changed by reactions")

    def moves(self, name: str) -> bool:
        """Whether something changes a name's value while time runs."""
        return (
            name in self.assigned
            or name in self.rated
            or name in self.changes
            or name in self.set_by_event
            or name in self.unknowns
        )

    # ---- algebraic rules ----
    def _determined(self) -> list[str]:
        """One name for each algebraic rule, such that each is determined by a rule of its own."""
        taken: dict[str, int] = {}
        options = [self._candidates(tree) for tree in self.algebraic]

        def assign(rule: int, tried: set[str]) -> bool:
            for name in options[rule]:
                if name not in tried:
                    tried.add(name)
                    if name not in taken or assign(taken[name], tried):
                        taken[name] = rule
                        return True
            return False

        for rule in range(len(options)):
            if not assign(rule, set()):
                formula = libsbml.formulaToL3String(self.algebraic[rule])
                raise EngineError(f"the algebraic rule 0 = {formula} determines nothing that is free")
        for name, rule in taken.items():
            for other in options[rule]:
                if other not in taken and self._reluctance(other) <= self._reluctance(name):
                    raise EngineError(
                        f"an algebraic rule may determine '{name}' or '{other}'; it is not said which"
                    )
        return sorted(taken, key=lambda name: taken[name])

    def _candidates(self, tree: libsbml.ASTNode) -> list[str]:
        """The names in an algebraic rule that nothing else determines; what has no value comes first."""
        seen: dict[str, None] = {}
        stack = [tree]
        while stack:
            top = stack.pop()
            stack.extend(top.getChild(i) for i in reversed(range(top.getNumChildren())))
            name = top.getName() if top.getType() == libsbml.AST_NAME else None
            if name is not None and name not in seen:
                seen[name] = None
                if name in self.assigned:
                    stack.append(self.assigned[name])
        free = [
            n
            for n in seen
            if n in self.things
            and n not in self.references
            and not self.things[n].getConstant()
            and n not in self.assigned
            and n not in self.rated
            and n not in self.changes
        ]
        return sorted(free, key=self._reluctance)

    def _reluctance(self, name: str) -> tuple[bool, ...]:
        """How little a name asks to be determined: what has a value, or is at a boundary, is rather given."""
        boundary = name in self.species and self.species[name].getBoundaryCondition()
        return (name in self.set_by_event, name in self.at_start, self._given(name), boundary)

    def _given(self, name: str) -> bool:
        thing = self.things[name]
        if name in self.species:
            return thing.isSetInitialAmount() or thing.isSetInitialConcentration()
        return thing.isSetSize() if name in self.compartments else thing.isSetValue()

    # ---- what each name is ----
    def _sort(self) -> None:
        for name in self.things:
            if name in self.assigned or name in self.unknowns:
                continue
            if self._kept_as_amount(name):
                self.amounts[name] = len(self.states)
                self.states.append(f"{name}.amount")
                self.observables.append(name)
            elif self.moves(name):
                self.index[name] = len(self.states)
                self.states.append(name)
            elif name in self.at_start or self._needs_size(name):
                self.constants.append(name)
            elif math.isnan(value := self._value(name)):
                self.valueless.append(name)
                self.constants.append(name)
            else:
                self.defaults[name] = value
                self.parameters.append(name)
        for name, reaction in self.reactions.items():
            law = reaction.getKineticLaw()
            own = [*law.getListOfLocalParameters()] or [*law.getListOfParameters()]
            self.locals[name] = {}
            for p in own:
                self.locals[name][p.getId()] = len(self.parameters)
                self.parameters.append(f"{name}.{p.getId()}")
                self.defaults[self.parameters[-1]] = p.getValue()
                if math.isnan(p.getValue()):
                    raise EngineError(f"'{self.parameters[-1]}' has no value")

    def _kept_as_amount(self, name: str) -> bool:
        """Whether a species is a concentration in a compartment that changes, and nothing gives its
        concentration itself. One with a rate rule is kept as an amount only where the compartment jumps."""
        if name not in self.species or self.is_amount(name):
            return False
        place = self.species[name].getCompartment()
        return place in self.set_by_event if name in self.rated else self.moves(place)

    def _needs_size(self, name: str) -> bool:
        """Whether a species' value is given in the other unit, and its compartment's size is not a number."""
        if name not in self.species or not self.species[name].getCompartment():
            return False
        s = self.species[name]
        given = s.isSetInitialAmount() if self.is_amount(name) else s.isSetInitialConcentration()
        return not given and self._given(name) and s.getCompartment() in {*self.at_start, *self.assigned}

    def value(self, name: str) -> float:
        """The number given for a name, in the unit of its symbol.

        Arguments:
            name: of a compartment, species, parameter or stoichiometry.

        Returns:
            The number.

        Raises:
            EngineError: when there is none.
        """
        value = self._value(name)
        if math.isnan(value):
            raise EngineError(f"'{name}' has no value")
        return value

    def _value(self, name: str) -> float:
        if name == NO_STATE:
            return 0.0
        value, thing = math.nan, self.things[name]
        if name in self.species:
            size = self.compartments[thing.getCompartment()].getSize() if thing.getCompartment() else 1.0
            if self.is_amount(name):
                value = (
                    thing.getInitialAmount()
                    if thing.isSetInitialAmount()
                    else thing.getInitialConcentration() * size
                )
            elif thing.isSetInitialConcentration():
                value = thing.getInitialConcentration()
            else:
                value = thing.getInitialAmount() / size if size else math.nan
        elif name in self.compartments:
            value = thing.getSize() if thing.isSetSize() or thing.getSpatialDimensions() else 1.0
        elif name in self.references:
            value = thing.getStoichiometry()
        elif thing.isSetValue():
            value = thing.getValue()
        return value

    def is_amount(self, species: str) -> bool:
        """Whether the symbol of a species is its amount (and not its concentration)."""
        s = self.species[species]
        return (
            s.getHasOnlySubstanceUnits()
            or not s.getCompartment()
            or self.compartments[s.getCompartment()].getSpatialDimensions() == 0
        )

    def unit(self, name: str) -> str:
        """The unit of a name as the model writes it; empty where it has none."""
        if name in self.references:
            return ""
        whole = name.removesuffix(".amount")
        thing = self.things.get(whole)
        if thing is None:
            return ""
        if whole in self.species:
            unit = thing.getSubstanceUnits() or self.model.getSubstanceUnits()
            if self.is_amount(whole) or not unit or whole != name:
                return unit
            volume = self.compartments[thing.getCompartment()].getUnits() or self.model.getVolumeUnits()
            return f"{unit}/{volume}"
        return thing.getUnits()
