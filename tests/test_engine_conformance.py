"""Cases of the SBML Test Suite come out right or the model is refused by name; there is no wrong number."""

import csv
from pathlib import Path

import libsbml
import numpy as np
import pytest

from mesolung.engine import CompiledModel, EngineError, compile_model

# Every fourth case keeps the test quick; the suite is sorted by number, so that all kinds are met.
STRIDE = 4


def settings_of(case: Path) -> dict[str, str]:
    lines = (case / f"{case.name}-settings.txt").read_text(encoding="utf-8").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def expected(case: Path) -> tuple[list[str], np.ndarray]:
    with (case / f"{case.name}-results.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    return [name.strip() for name in rows[0]], np.array([[float(cell) for cell in row] for row in rows[1:]])


def found(
    model: CompiledModel, file: Path, names: list[str], times: np.ndarray, amounts: list[str]
) -> np.ndarray:
    """The named quantities as the case wants them: species as amounts or as concentrations."""
    one = model.default_parameters[None, :]
    outputs = [*model.states, *model.observables]
    solution = model.solve(one, times, outputs=outputs, rtol=1e-9, atol=1e-13, max_steps=10**6)
    assert not solution.failures, solution.failures
    known = {name: solution[name][0] for name in outputs}
    known |= {name: np.full(len(times), value) for name, value in zip(model.parameters, one[0], strict=True)}
    known |= {name: np.full(len(times), value[0]) for name, value in model.derived(one).items()}
    sbml = libsbml.readSBMLFromFile(str(file)).getModel()
    columns = []
    for name in names:
        column, species = known[name], sbml.getSpecies(name)
        if species is not None:
            place = sbml.getCompartment(species.getCompartment())
            is_amount = species.getHasOnlySubstanceUnits() or place.getSpatialDimensions() == 0
            if is_amount != (name in amounts):
                size = known[place.getId()]
                column = column / size if is_amount else column * size
        columns.append(column)
    return np.column_stack(columns)


def test_no_case_has_a_wrong_number(shared: Path) -> None:
    suite = shared / "sbml-test-suite"
    if not suite.is_dir():
        pytest.skip(f"no folder {suite}")
    right, wrong = 0, []
    for case in sorted(p for p in suite.iterdir() if p.is_dir())[::STRIDE]:
        file = sorted(case.glob(f"{case.name}-sbml-*.xml"))[-1]
        try:
            model = compile_model(file, lanes=2, cache=False)
        except EngineError as refusal:
            assert str(file) in str(refusal)
            continue
        names, table = expected(case)
        settings = settings_of(case)
        amounts = [name.strip() for name in settings.get("amount", "").split(",")]
        values = found(model, file, names[1:], table[:, 0], amounts)
        bound = float(settings["absolute"]) + float(settings["relative"]) * np.abs(table[:, 1:])
        close = (np.abs(values - table[:, 1:]) <= bound) | (values == table[:, 1:])
        if close.all():
            right += 1
        else:
            wrong.append(case.name)
    assert not wrong
    assert right > 80
