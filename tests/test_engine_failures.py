"""A subject that cannot be solved is named, and leaves the others as they are."""

import antimony
import numpy as np
import pytest

from mesolung.engine import ADD_STATE, CompiledModel, EngineError, EventTable, compile_model


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    antimony.clearPreviousLoads()
    text = "model m\n x = 1; slow = 1; burst = 0; k = 0.1\n"
    text += " x' = burst*x^2 - k*x; slow' = -k*slow; z := ln(slow)\nend"
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return compile_model(str(antimony.getSBMLString("m")))


def rows(model: CompiledModel, **values: list[float]) -> np.ndarray:
    table = np.tile(model.default_parameters, (len(next(iter(values.values()))), 1))
    for name, column in values.items():
        table[:, model.parameters.index(name)] = column
    return table


TIMES = np.linspace(0.0, 4.0, 9)


def test_a_subject_that_blows_up_is_isolated_and_named(model: CompiledModel) -> None:
    # x' = x^2 reaches infinity at time 1.05; its neighbours in the same vector do not notice.
    bursts = [0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0]
    solution = model.solve(rows(model, burst=bursts), TIMES, outputs=["x", "slow", "z"])
    assert [f.subject for f in solution.failures] == [2, 5, 10]
    first = solution.failures[0]
    assert first.time == pytest.approx(-10 * np.log(1 - 0.1), rel=1e-3)
    assert first.fastest_state == "x" and first.suspect_parameter == "burst"
    assert "subject 2" in str(first) and "burst" in str(first)
    assert np.isnan(solution.values[2, 3:]).all() and np.isfinite(solution.values[2, :3]).all()
    well = [i for i, b in enumerate(bursts) if b == 0.0]
    alone = model.solve(rows(model, burst=[0.0]), TIMES, outputs=["x", "slow", "z"])
    assert all(solution.values[i].tobytes() == alone.values[0].tobytes() for i in well)
    # The failure is the same alone, and with other chunks and threads.
    again = model.solve(rows(model, burst=bursts), TIMES, chunk=2, workers=2)
    assert again.failures == solution.failures


def test_a_rate_that_is_not_a_number_is_a_failure(model: CompiledModel) -> None:
    start = np.array([[1.0, 1.0], [np.nan, 1.0], [1.0, np.inf]])
    solution = model.solve(rows(model, k=[0.1, 0.1, 0.1]), TIMES, initial=start)
    assert [f.subject for f in solution.failures] == [1, 2]
    assert all("not a number" in f.reason for f in solution.failures)
    assert np.isfinite(solution.values[0]).all()


def test_a_negative_base_of_a_broken_power_is_a_failure() -> None:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString("model m\n x = 1; n = 1.5\n none = 0; x' = -1 - none*x^n\nend") >= 0
    model = compile_model(str(antimony.getSBMLString("m")))
    solution = model.solve(model.default_parameters[None, :], [0.5, 3.0])
    assert np.isfinite(solution.values[0, 0]).all() and np.isnan(solution.values[0, 1]).all()
    assert solution.failures[0].time == pytest.approx(1.0, abs=1e-3)


def test_more_steps_than_allowed_is_a_failure(model: CompiledModel) -> None:
    solution = model.solve(rows(model, k=[30.0, 30.0]), TIMES, max_steps=4)
    assert len(solution.failures) == 2 and "more than 4 steps" in solution.failures[0].reason
    assert (solution.steps == 4).all() and np.isnan(solution.values[:, -1]).all()


def test_a_dose_before_the_failure_is_still_written(model: CompiledModel) -> None:
    events = EventTable(np.array([0]), np.array([1.0]), np.array([ADD_STATE]), np.array([0]), np.array([2.0]))
    solution = model.solve(rows(model, burst=[0.3]), TIMES, events=events)
    assert solution["x"][0, 2] > 2.0 and len(solution.failures) == 1


@pytest.mark.parametrize(
    "how, part",
    [
        ({"times": [1.0, 0.5]}, "ascending"),
        ({"times": [-1.0, 0.5]}, "ascending"),
        ({"times": [np.nan]}, "ascending"),
        ({"times": np.zeros((3, 2))}, "shape"),
        ({"outputs": ["nothing"]}, "'nothing'"),
        ({"initial": [[1.0]]}, "shape"),
        ({"rtol": 0.0}, "positive"),
        ({"atol": -1.0}, "positive"),
        ({"chunk": 0}, "at least 1"),
    ],
)
def test_impossible_requests_are_refused(model: CompiledModel, how: dict, part: str) -> None:
    request = {"times": TIMES, **how}
    with pytest.raises(EngineError, match=part):
        model.solve(rows(model, k=[0.1, 0.2]), **request)


def test_parameters_of_the_wrong_shape_or_without_value_are_refused(model: CompiledModel) -> None:
    with pytest.raises(EngineError, match="shape"):
        model.solve([[1.0]], TIMES)
    with pytest.raises(EngineError, match="'k' of subject 1"):
        model.solve(rows(model, k=[0.1, np.nan]), TIMES)


def test_no_subjects_and_no_times_are_empty_answers(model: CompiledModel) -> None:
    assert model.solve(np.zeros((0, len(model.parameters))), TIMES).values.shape == (0, len(TIMES), 2)
    assert model.solve(rows(model, k=[0.1]), []).values.shape == (1, 0, 2)
