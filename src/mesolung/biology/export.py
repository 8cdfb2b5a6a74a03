"""The assembled model as one file for other tools, with the course of a disease's median subject in it."""

from __future__ import annotations

from itertools import groupby

import antimony
import libsbml

from mesolung import __version__
from mesolung.biology.annotations import DISEASE, MODEL, Annotation, read_annotations
from mesolung.biology.assemble import AssemblyError, assemble, consistency_problems
from mesolung.biology.disease import Disease, read_disease
from mesolung.biology.median import Happening, MedianSubject, median_subject

LICENCE = "Apache-2.0"
PURPOSE = "For research, not for advice on a patient."
XHTML = "http://www.w3.org/1999/xhtml"


def sbml_of(disease: str, group: str | None = None) -> str:
    """Write the model with the course of a disease as SBML Level 3 Version 2.

    What happens at time 0 is part of the initial values; what happens later is an event each. Drivers have
    the median amount at the median time, covariates their medians; everything else is typical. States,
    observables and the model carry MIRIAM annotations (``annotations.csv``).

    Arguments:
        disease: one of `mesolung.biology.disease.diseases`.
        group: one of the disease's groups; None for the largest.

    Returns:
        SBML text, in which libSBML's consistency check finds neither error nor warning, units included.

    Raises:
        Refusal: for an unknown disease or group.
        AssemblyError: when the result is not consistent.
    """
    chosen = read_disease(disease)
    subject = median_subject(chosen, group)
    document = libsbml.readSBMLFromString(assemble().sbml)
    model = document.getModel()
    for name, value in subject.covariates.items():
        parameter = model.getParameter(name)
        if parameter is not None:
            parameter.setValue(value)
    for time, together in groupby(subject.happenings, key=lambda h: h.time):
        if time <= 0.0:
            for happening in together:
                _at_start(model, happening)
        else:
            _event(model, time, list(together))
    _describe(model, chosen, subject)
    for name, rows in read_annotations().items():
        if (element := model.getElementBySId(name)) is not None:
            _annotate(element, rows)
    _annotate(model, (*read_annotations().get(MODEL, ()), *read_annotations().get(DISEASE + disease, ())))
    problems = consistency_problems(document)
    if problems:
        raise AssemblyError("; ".join(problems))
    return libsbml.writeSBMLToString(document)


def antimony_of(disease: str, group: str | None = None) -> str:
    """Write the same model as Antimony text; see `sbml_of` for arguments, content and errors."""
    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(sbml_of(disease, group)) < 0:
        raise AssemblyError(antimony.getLastError() or "no reason given")
    return f"// {PURPOSE} Licence: {LICENCE}.\n{antimony.getAntimonyString(None)}"


def _at_start(model: libsbml.Model, happening: Happening) -> None:
    """Write what happens at time 0 into the initial value."""
    parameter = model.getParameter(happening.target)
    if not _is_state(model, happening.target):
        parameter.setValue(happening.value)
        return
    assignment = model.getInitialAssignment(happening.target)
    if assignment is None:
        parameter.setValue(parameter.getValue() + happening.value)
        return
    total = libsbml.ASTNode(libsbml.AST_PLUS)
    total.addChild(assignment.getMath().deepCopy())
    total.addChild(_formula(_amount(model, happening)))
    assignment.setMath(total)


def _event(model: libsbml.Model, time: float, together: list[Happening]) -> None:
    """Write what happens at one time as one event, each target set once to what all of it comes to."""
    number = model.getNumEvents() + 1
    event = model.createEvent()
    event.setId(f"happening_{number}")
    event.setName(f"drivers of the disease at {time:g} h")
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(False)
    trigger.setPersistent(True)
    trigger.setMath(_formula(f"time >= {time!r} {model.getTimeUnits()}"))
    for target in dict.fromkeys(h.target for h in together):
        state = _is_state(model, target)
        amounts = [_amount(model, h) for h in together if h.target == target]
        assignment = event.createEventAssignment()
        assignment.setVariable(target)
        assignment.setMath(_formula(" + ".join([target, *amounts]) if state else amounts[-1]))
        model.getParameter(target).setConstant(False)


def _is_state(model: libsbml.Model, name: str) -> bool:
    rule = model.getRuleByVariable(name)
    return rule is not None and rule.isRate()


def _amount(model: libsbml.Model, happening: Happening) -> str:
    return f"{happening.value!r} {model.getParameter(happening.target).getUnits()}"


def _formula(text: str) -> libsbml.ASTNode:
    tree = libsbml.parseL3Formula(text)
    if tree is None:
        raise AssemblyError(libsbml.getLastParseL3Error())
    return tree


def _describe(model: libsbml.Model, disease: Disease, subject: MedianSubject) -> None:
    who = f"median subject of {disease.label}" + (f", {subject.group}" if subject.group else "")
    model.setName(f"Mesolung: {who}")
    model.setNotes(
        f'<body xmlns="{XHTML}"><p>Written by Mesolung {__version__}: {who}. The course starts at health; '
        f"its drivers stand in the initial values and events. Time is in hours.</p><p>{PURPOSE} "
        f"Licence: {LICENCE}.</p></body>"
    )


def _annotate(element: libsbml.SBase, rows: tuple[Annotation, ...]) -> None:
    """Give an element one term for each qualifier, with all its resources."""
    for qualifier in dict.fromkeys(row.qualifier for row in rows if row.resource):
        if not element.isSetMetaId():
            element.setMetaId(f"meta_{element.getId()}")
        term = libsbml.CVTerm(libsbml.BIOLOGICAL_QUALIFIER)
        term.setBiologicalQualifierType(libsbml.BiolQualifierType_fromString(qualifier))
        for row in rows:
            if row.qualifier == qualifier:
                term.addResource(row.resource)
        element.addCVTerm(term)
