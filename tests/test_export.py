"""`mesolung export`: a file that another simulator runs to the same course, annotated and consistent."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import antimony
import libsbml
import numpy as np
import pytest
import roadrunner

from mesolung.biology import assemble
from mesolung.biology.annotations import DISEASE, FORMS, MODEL, QUALIFIERS, read_annotations
from mesolung.biology.assemble import consistency_problems
from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.export import LICENCE, PURPOSE, antimony_of, sbml_of
from mesolung.biology.laws import read_laws
from mesolung.biology.median import median_subject
from mesolung.cli import main
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EventTable, compile_model
from mesolung.reading import Refusal

DAYS = 28.0
TIMES = np.arange(0.0, DAYS * 24.0 + 0.1, 6.0)
LARGEST_ERROR = 1e-5
RTOL = 1e-10
# A state that never exceeds this is at rest at 0, and what it holds is rounding.
NOTHING = 1e-6


@pytest.fixture(scope="module")
def compiled() -> CompiledModel:
    return compile_model(assemble().sbml)


def engine_course(model: CompiledModel, disease: str, group: str | None) -> np.ndarray:
    """The median course by our engine: the assembled model, the drivers as an event table."""
    subject = median_subject(read_disease(disease), group)
    row = model.default_parameters.copy()
    for name, value in subject.covariates.items():
        if name in model.parameters:
            row[model.parameters.index(name)] = value
    events = []
    for h in subject.happenings:
        kind = ADD_STATE if h.target in model.states else SET_PARAMETER
        names = model.states if h.target in model.states else model.parameters
        events.append((0, h.time, kind, names.index(h.target), h.value))
    solution = model.solve([row], TIMES, events=EventTable.of(events), rtol=1e-9)
    assert not solution.failures
    return solution.values[0]


def roadrunner_course(
    sbml: str, states: tuple[str, ...], largest: np.ndarray, times: np.ndarray = TIMES
) -> np.ndarray:
    """The course of an exported file by libRoadRunner, to a tolerance that suits each state."""
    simulator = roadrunner.RoadRunner(sbml)
    simulator.timeCourseSelections = ["time", *states]
    simulator.integrator.relative_tolerance = RTOL
    # A list: one number for all is not used for states that start at 0, which are then followed without end.
    size = dict(zip(states, np.maximum(largest, NOTHING), strict=True))
    floors = [RTOL * 1e-3 * float(size[state]) for state in simulator.getRateRuleIds()]
    simulator.integrator.setValue("absolute_tolerance", floors)
    return np.asarray(simulator.simulate(times=times))[:, 1:]


# Decades of a chronic course take the other solver minutes; asthma stands for all with events by chance.
COMPARED = tuple(name for name in diseases() if read_disease(name).length_h < 20 * 8766.0)


@pytest.mark.parametrize("disease", COMPARED)
def test_libroadrunner_runs_the_file_to_the_engines_course(compiled: CompiledModel, disease: str) -> None:
    ours = engine_course(compiled, disease, None)
    largest = np.abs(ours).max(axis=0)
    theirs = roadrunner_course(sbml_of(disease), compiled.states, largest)
    scale = np.abs(ours) + 1e-3 * np.maximum(largest, NOTHING)
    error = np.abs(theirs - ours) / scale
    worst = int(error.max(axis=0).argmax())
    assert error.max() < LARGEST_ERROR, f"{compiled.states[worst]}: {error.max():.2e}"
    if disease == "healthy":
        assert np.abs(ours - ours[0]).max() <= 1e-9 * largest.max()
    else:
        place = compiled.states.index("IL6p")
        assert ours[:, place].max() > 1.5 * ours[0, place], "the file shows no disease"


@pytest.mark.parametrize("disease", diseases())
def test_the_file_is_consistent_units_included(disease: str) -> None:
    document = libsbml.readSBMLFromString(sbml_of(disease))
    assert document.getNumErrors() == 0
    assert consistency_problems(document) == []
    notes = document.getModel().getNotesString()
    assert PURPOSE in notes and LICENCE in notes and read_disease(disease).label in notes


def test_annotations_have_the_form_of_their_vocabulary() -> None:
    for name, rows in read_annotations().items():
        assert len({(row.qualifier, row.resource) for row in rows}) == len(rows), name
        for row in rows:
            assert row.qualifier in QUALIFIERS
            if row.qualifier == "none":
                assert len(rows) == 1 and row.label, name
            else:
                assert any(re.fullmatch(form, row.identifier) for form in FORMS.values()), (name, row)


def test_one_entry_has_one_label() -> None:
    labels: dict[str, set[str]] = {}
    for rows in read_annotations().values():
        for row in rows:
            if row.resource:
                labels.setdefault(row.resource, set()).add(row.label)
    assert {resource: found for resource, found in labels.items() if len(found) > 1} == {}


def test_every_state_is_annotated_or_says_why_not() -> None:
    text, table = read_laws(), read_annotations()
    assert [state for state in text.states if state not in table] == []
    others = {MODEL, *(DISEASE + name for name in diseases())}
    assert [name for name in table if name not in {*text.states, *text.observables, *others}] == []
    assert [name for name in diseases() if name != "healthy" and DISEASE + name not in table] == []


def test_the_file_carries_the_annotations() -> None:
    model = libsbml.readSBMLFromString(sbml_of("covid19-ards")).getModel()

    def terms(element: libsbml.SBase) -> set[tuple[str, str]]:
        return {
            (libsbml.BiolQualifierType_toString(term.getBiologicalQualifierType()), term.getResourceURI(k))
            for term in (element.getCVTerm(i) for i in range(element.getNumCVTerms()))
            for k in range(term.getNumResources())
        }

    for name, rows in read_annotations().items():
        element = model.getElementBySId(name)
        if element is not None:
            assert terms(element) == {(row.qualifier, row.resource) for row in rows if row.resource}, name
    whole = {
        (row.qualifier, row.resource)
        for n in (MODEL, DISEASE + "covid19-ards")
        for row in read_annotations()[n]
    }
    assert terms(model) == whole
    assert ("hasTaxon", "https://identifiers.org/taxonomy:9606") in whole
    assert ("is", "https://identifiers.org/uniprot:P05231") in terms(model.getParameter("IL6p"))


def test_drivers_stand_at_their_medians() -> None:
    """Against the disease's own file, read without the code that draws subjects."""
    text = (files("mesolung.biology") / "diseases" / "ards.toml").read_text(encoding="utf-8")
    drivers = [d for d in tomllib.loads(text)["driver"] if d.get("group") in ("aspiration", None)]
    assert any("duration" in d for d in drivers) and any("time" in d for d in drivers)
    happenings = median_subject(read_disease("ards"), "aspiration").happenings
    found = [(h.time, h.target, h.value) for h in happenings]
    hours = {"h": 1.0, "d": 24.0, "min": 1.0 / 60.0}
    expected = []
    for d in (d for d in drivers if d.get("share", 1.0) > 0.5):
        start, length = (d[k]["value"] * hours[d[k]["unit"]] if k in d else 0.0 for k in ("time", "duration"))
        amount = float(np.clip(d["amount"]["value"], d["amount"].get("min"), d["amount"].get("max")))
        expected.append((start, d["target"], amount / length if length else amount))
        if length:
            expected.append((start + length, d["target"], 0.0))
    for row, wanted in zip(sorted(found), sorted(expected), strict=True):
        assert row[1] == wanted[1] and row[::2] == pytest.approx(wanted[::2])


def test_the_largest_group_is_the_usual_one() -> None:
    groups = dict(read_disease("ards").groups)
    assert groups[median_subject(read_disease("ards")).group] == max(groups.values())


def test_antimony_is_the_same_model(compiled: CompiledModel) -> None:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(antimony_of("ards")) >= 0
    back = libsbml.readSBMLFromString(antimony.getSBMLString(None)).getModel()
    sbml = libsbml.readSBMLFromString(sbml_of("ards")).getModel()
    assert [e.getId() for e in back.getListOfEvents()] == [e.getId() for e in sbml.getListOfEvents()]
    values = [
        {
            p.getId(): p.getValue()
            for p in m.getListOfParameters()
            if p.getConstant() and not m.getInitialAssignment(p.getId())
        }
        for m in (back, sbml)
    ]
    assert {name: values[0][name] for name in values[1]} == pytest.approx(values[1])
    size, times = np.ones(len(compiled.states)), np.array([0.0, 24.0, 72.0])
    both = [model.getSBMLDocument().toSBML() for model in (back, sbml)]
    first, second = (roadrunner_course(text, compiled.states, size, times) for text in both)
    assert np.abs(first - second).max() <= 1e-6 * np.abs(second).max()


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["export", *arguments])
    return int(left.value.code or 0)


@pytest.mark.parametrize("form", ["sbml", "antimony", "svg"])
def test_the_command_writes_a_whole_file_once(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "deep" / "model.txt"
    assert command("--format", form, "--disease", "ards", "-o", str(target)) == 0
    text = target.read_text(encoding="utf-8")
    assert text.startswith("//" if form == "antimony" else "<?xml")
    assert [path.name for path in target.parent.iterdir()] == ["model.txt"]
    assert command("--format", form, "--disease", "ards", "-o", str(target)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "exists already" in said
    assert target.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "matlab", "--disease", "ards"), "matlab"),
        (("--format", "sbml", "--disease", "gout"), "unknown disease"),
        (("--format", "svg", "--disease", "gout"), "unknown disease"),
        (("--format", "sbml", "--disease", "ards", "--group", "gout"), "unknown group"),
        (("--format", "svg", "--disease", "ards", "--group", "gout"), "unknown group"),
        (("--format", "sbml", "--disease", "healthy", "--group", "old"), "no groups"),
    ],
)
def test_a_refused_export_says_why_in_one_line_and_writes_nothing(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*arguments, "-o", str(tmp_path / "new" / "x.xml")) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and words in said
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_group_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="pneumonia, aspiration, indirect"):
        median_subject(read_disease("ards"), "gout")
