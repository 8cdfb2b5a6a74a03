"""What a name of an SBML model means in a formula: now, at the start, and how fast it changes."""

from __future__ import annotations

import math
from collections.abc import Callable

import libsbml

from mesolung.engine.algebra import solve_linear, substitute
from mesolung.engine.errors import EngineError
from mesolung.engine.formula import RATE_OF, TIME, FormulaReader
from mesolung.engine.graph import Graph
from mesolung.engine.sbml_names import Change, Names


class Meaning:
    """The nodes of names. What algebraic rules determine stands as a leaf until `determined` is applied."""

    def __init__(self, names: Names) -> None:
        """Begin with an empty graph.

        Arguments:
            names: the model's names.
        """
        self.names = names
        self.graph = Graph()
        self.formulas = FormulaReader(self.graph, names.model)
        self._memo: dict[tuple[str, bool, str], int] = {}
        self._open: list[str] = []

    # ---- values ----
    def now(self, name: str) -> int:
        """The node of a name while time runs."""
        n, g = self.names, self.graph
        if name == TIME:
            return g.time()
        if name in n.index:
            return g.state(n.index[name])
        if name in n.amounts:
            return g.div(g.state(n.amounts[name]), self.now(n.species[name].getCompartment()))
        if name in n.constants:
            return g.derived(n.constants.index(name))
        return self._other(name, False)

    def first(self, name: str) -> int:
        """The node of a name at time 0, as an expression of parameters."""
        n = self.names
        if name == TIME:
            return self.graph.const(0.0)
        if name in n.at_start and name not in n.unknowns:
            return self._closed(True, name, n.at_start[name])
        if name in n.index or name in n.amounts or name in n.constants:
            return self._given(name, amount=name in n.species and n.is_amount(name))
        return self._other(name, True)

    def initial(self, state: int) -> int:
        """The value of a state at time 0, as an expression of parameters."""
        n = self.names
        name = n.states[state]
        if name in n.index:
            return self.first(name)
        name = name.removesuffix(".amount")
        if name in n.at_start:
            return self.graph.mul(self.first(name), self.first(n.species[name].getCompartment()))
        return self._given(name, amount=True)

    def _look(self, start: bool) -> Callable[[str], int]:
        return self.first if start else self.now

    def _other(self, name: str, start: bool) -> int:
        n = self.names
        if name in n.defaults:
            return self.graph.parameter(n.parameters.index(name))
        if name in n.unknowns:
            return self.graph.state(self._leaf(name, start))
        if name in n.assigned:
            return self._closed(start, name, n.assigned[name])
        if name in n.reactions:
            return self._law(name, start)
        if name.startswith(RATE_OF):
            return self._rate_of(name.removeprefix(RATE_OF), start)
        raise EngineError(f"unknown name '{name}' in a formula")

    def _closed(self, start: bool, name: str, tree: libsbml.ASTNode) -> int:
        """Read a formula once, and refuse one that needs its own value."""
        return self._once(
            "value", start, name, lambda: self.formulas.number(tree, self._look(start), f"'{name}'")
        )

    def _once(self, kind: str, start: bool, name: str, make: Callable[[], int]) -> int:
        if (kind, start, name) not in self._memo:
            mark = name if kind == "value" else f"{kind} of {name}"
            if mark in self._open:
                raise EngineError(f"'{mark}' is defined by itself ({' -> '.join([*self._open, mark])})")
            self._open.append(mark)
            self._memo[kind, start, name] = make()
            self._open.pop()
        return self._memo[kind, start, name]

    def _given(self, name: str, amount: bool) -> int:
        """The number that the model gives for a name, a species as an amount or a concentration."""
        g, n = self.graph, self.names
        if name in n.valueless:
            return g.const(math.nan)
        if name in n.species and n.species[name].getCompartment():
            s = n.species[name]
            if amount and not s.isSetInitialAmount() and s.isSetInitialConcentration():
                return g.mul(g.const(s.getInitialConcentration()), self.first(s.getCompartment()))
            if not amount and s.isSetInitialAmount():
                return g.div(g.const(s.getInitialAmount()), self.first(s.getCompartment()))
            if amount and s.isSetInitialAmount():
                return g.const(s.getInitialAmount())
        return g.const(n.value(name))

    # ---- rates ----
    def _law(self, reaction: str, start: bool) -> int:
        own = self.names.locals[reaction]
        look = self._look(start)

        def inside(name: str) -> int:
            if name.removeprefix(RATE_OF) in own:
                return self.graph.parameter(own[name]) if name in own else self.graph.const(0.0)
            return look(name)

        tree = self.names.reactions[reaction].getKineticLaw().getMath()
        return self._once(
            "law", start, reaction, lambda: self.formulas.number(tree, inside, f"reaction '{reaction}'")
        )

    def rate(self, state: int, start: bool = False) -> int:
        """How fast a state changes, while time runs or at time 0."""
        n = self.names
        return self._once("rate", start, n.states[state], lambda: self._rate(n.states[state], start))

    def _rate(self, name: str, start: bool) -> int:
        g, n = self.graph, self.names
        look = self._look(start)
        if name in n.index:
            if name in n.rated:
                return self.formulas.number(n.rated[name], look, f"the rate of '{name}'")
            total = self._gained(name, start)
            if name in n.species and not n.is_amount(name):
                return g.div(total, look(n.species[name].getCompartment()))
            return total
        name = name.removesuffix(".amount")
        if name not in n.rated:
            return self._gained(name, start)
        # The rule gives the concentration's rate: (c V)' = c' V + c V'.
        place = n.species[name].getCompartment()
        own = self.formulas.number(n.rated[name], look, f"the rate of '{name}'")
        return g.add(g.mul(own, look(place)), g.mul(look(name), self._rate_of(place, start)))

    def _gained(self, species: str, start: bool) -> int:
        """The amount of a species that reactions give and take."""
        g, n = self.graph, self.names
        total = g.const(0.0)
        for change in n.changes.get(species, []):
            amount, gives = self._stoichiometry(change, start)
            term = g.mul(amount, self._law(change.reaction, start))
            total = g.add(total, term) if gives else g.sub(total, term)
        s = n.species.get(species)
        factor = "" if s is None else s.getConversionFactor() or n.model.getConversionFactor()
        return g.mul(self._look(start)(factor), total) if factor and species in n.changes else total

    def _stoichiometry(self, change: Change, start: bool) -> tuple[int, bool]:
        """How much, and whether it is given (or taken)."""
        g, reference = self.graph, change.reference
        where = f"reaction '{change.reaction}', stoichiometry of '{reference.getSpecies()}'"
        if reference.isSetStoichiometryMath() and reference.getStoichiometryMath().isSetMath():
            tree = reference.getStoichiometryMath().getMath()
            return self.formulas.number(tree, self._look(start), where), change.sign > 0
        if reference.isSetId():
            return self._look(start)(reference.getId()), change.sign > 0
        amount = reference.getStoichiometry()
        if not math.isfinite(amount):
            raise EngineError(f"{where}: is not a number")
        return g.const(abs(amount)), change.sign * amount > 0

    def _rate_of(self, name: str, start: bool) -> int:
        """How fast the value of a symbol changes."""
        g, n = self.graph, self.names
        if name in n.index:
            return self.rate(n.index[name], start)
        if name in n.amounts:
            look, place = self._look(start), n.species[name].getCompartment()
            lost = g.mul(look(name), self._rate_of(place, start))
            return g.div(g.sub(self.rate(n.amounts[name], start), lost), look(place))
        if name in n.defaults or name in n.constants:
            return g.const(0.0)
        # SBML permits no other.
        raise EngineError(f"the engine does not serve the rate of '{name}'")

    # ---- algebraic rules ----
    def _leaf(self, unknown: str, start: bool) -> int:
        n = self.names
        return len(n.states) + n.unknowns.index(unknown) + (len(n.unknowns) if start else 0)

    def determined(self) -> dict[int, int]:
        """Solve the algebraic rules.

        Returns:
            What stands for each leaf of an unknown, to be put in by `algebra.substitute`.

        Raises:
            EngineError: when a rule is not linear in what it determines.
        """
        known: dict[int, int] = {}
        for start in (False, True):
            equations = [
                self.formulas.number(tree, self._look(start), "an algebraic rule")
                for tree in self.names.algebraic
            ]
            leaves = [self._leaf(u, start) for u in self.names.unknowns]
            values = solve_linear(self.graph, equations, leaves)
            if values is None:
                raise EngineError(
                    "the engine does not serve algebraic rules that are not linear in what they determine "
                    f"({', '.join(self.names.unknowns)})"
                )
            known |= {self.graph.state(leaf): value for leaf, value in zip(leaves, values, strict=True)}
        return known

    def put_in(self, nodes: list[int], known: dict[int, int]) -> list[int]:
        """Expressions with the unknowns of algebraic rules replaced by what they are."""
        return substitute(self.graph, nodes, known) if known else nodes
