"""Which parameters carry the scale of a mediator, worked out from the laws: how they change with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import libsbml
import numpy as np
from tests.biology_subjects import Values, sbml

from mesolung.biology.assemble import read_laws
from mesolung.biology.expressions import Expression
from mesolung.biology.parameters import read_parameters
from mesolung.biology.ranges import Laws

# Made and lost within hours in lining fluid, and hardly ever measured there.
FACTORS_OF_CELLS = ("PGE2", "TSG6", "HGF", "KGF", "ANG1", "LL37")
MEDIATORS = (
    "TNF", "IL1B", "IL1RA", "IL6", "IL8", "IL10", "IFNG", "IFN", "TGFB", "CCL2", "IL13", "IL17",
    *FACTORS_OF_CELLS,
)  # fmt: skip
Form = dict[str, float]  # name -> how often its power of the unit counts; {} for a pure number


@cache
def laws() -> Laws:
    return read_laws(libsbml.readSBMLFromString(sbml()).getModel())


@cache
def carriers() -> frozenset[str]:
    """Parameters that may carry a mediator's scale: amounts, productions, and what passes to plasma."""
    return frozenset(
        row.id for row in read_parameters() if "pM" in row.unit.split("/") or row.id.startswith("spill_")
    )


class _Equations:
    """What the powers of a unit must obey for laws to mean the same in another unit."""

    def __init__(self) -> None:
        self.rows: list[tuple[Form, str]] = []

    def equal(self, a: Form | None, b: Form | None, where: str) -> None:
        if a is not None and b is not None:
            difference = {name: a.get(name, 0.0) - b.get(name, 0.0) for name in {*a, *b}}
            self.rows.append(({n: v for n, v in difference.items() if v}, where))

    def form(self, node: Expression, where: str) -> Form | None:
        """The power of a node; None for 0, which is 0 in any unit."""
        kind = node.operation
        if kind == "number":
            return None if node.value == 0.0 else {}
        if kind in ("name", "time"):
            return {node.name: 1.0} if node.name else {}
        parts = [self.form(part, where) for part in node.parts]
        if kind in ("*", "/"):
            total: Form = {}
            for k, part in enumerate(parts):
                for name, power in (part or {}).items():
                    total[name] = total.get(name, 0.0) + (power if kind == "*" or k == 0 else -power)
            return total
        if kind == "^" and node.parts[1].operation == "number":
            return {name: power * node.parts[1].value for name, power in (parts[0] or {}).items()}
        if kind in ("+", "-", "min", "max"):
            known = [part for part in parts if part is not None]
            for part in known[1:]:
                self.equal(known[0], part, where)
            return known[0] if known else None
        assert kind in ("exp", "ln", "^"), f"{where}: {kind}"
        for part in parts:
            self.equal(part, {}, where)
        return {}


@cache
def _solved() -> tuple[tuple[str, ...], Values, dict[str, list[str]]]:
    """Names whose powers are sought, the powers float64[name, mediator], and the laws that have none."""
    model, equations = laws(), _Equations()
    for state, law in model.rates.items():
        equations.equal(equations.form(law, state), {state: 1.0}, state)
        equations.equal(equations.form(model.starts[state], state), {state: 1.0}, state)
    for name, law in model.rules.items():
        if not name.startswith("src_"):
            equations.equal(equations.form(law, name), {name: 1.0}, name)
    free = tuple(dict.fromkeys([*model.rules, *sorted(carriers())]))
    states = list(model.rates)
    column = {name: k for k, name in enumerate(free)}
    count = len(equations.rows)
    matrix, of_states = np.zeros((count, len(free))), np.zeros((count, len(states)))
    for i, (row, _) in enumerate(equations.rows):
        for name, value in row.items():
            if name in column:
                matrix[i, column[name]] += value
            elif name in model.rates:
                of_states[i, states.index(name)] += value
    right = -np.stack([of_states[:, states.index(name)] for name in MEDIATORS], -1)
    found, *_ = np.linalg.lstsq(matrix, right, rcond=None)
    broken = np.abs(matrix @ found - right) > 1e-9
    wrong = {
        name: sorted({equations.rows[i][1] for i in np.flatnonzero(broken[:, k])})
        for k, name in enumerate(MEDIATORS)
    }
    return free, np.asarray(found, np.float64), wrong


def powers(mediator: str) -> tuple[dict[str, float], list[str]]:
    """How names change when a mediator is counted in a unit c times as small.

    Returns:
        name -> power of c by which it must be multiplied for nothing else to change, of those that change;
        the laws for which no such change of parameters exists.
    """
    names, found, wrong = _solved()
    of_it = found[:, MEDIATORS.index(mediator)]
    return {n: float(v) for n, v in zip(names, of_it, strict=True) if abs(v) > 1e-9}, wrong[mediator]


def scaled(mediator: str) -> Mapping[str, float]:
    """Parameter -> power of the mediator's unit that it carries."""
    return {name: power for name, power in powers(mediator)[0].items() if name in carriers()}
