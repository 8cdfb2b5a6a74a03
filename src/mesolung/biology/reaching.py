"""Which parameters of the model can reach an output: who is named in whose law, followed to the end."""

from __future__ import annotations

from collections.abc import Iterable

import libsbml

from mesolung.biology.assemble import Assembled


def parameters_reaching(model: Assembled, outputs: Iterable[str]) -> frozenset[str]:
    """List the names that the laws of some outputs rest on, directly or through other laws.

    Arguments:
        model: the assembled model.
        outputs: states and observables.

    Returns:
        all names reached, the outputs among them; that a name is reached says that it may act, not that it
        does: a law may be switched off in the study.
    """
    sbml = libsbml.readSBMLFromString(model.sbml).getModel()
    named: dict[str, set[str]] = {}
    for rule in sbml.getListOfRules():
        named.setdefault(rule.getVariable(), set()).update(_names(rule.getMath()))
    for start in sbml.getListOfInitialAssignments():
        named.setdefault(start.getSymbol(), set()).update(_names(start.getMath()))
    for event in sbml.getListOfEvents():
        when = _names(event.getTrigger().getMath())
        for assignment in event.getListOfEventAssignments():
            own = named.setdefault(assignment.getVariable(), set())
            own |= when | _names(assignment.getMath())
    found: set[str] = set()
    open_ = list(outputs)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += named.get(name, ())
    return frozenset(found)


def _names(tree: libsbml.ASTNode) -> set[str]:
    own = {tree.getName()} if tree.isName() else set()
    return own.union(*(_names(tree.getChild(i)) for i in range(tree.getNumChildren())))
