"""Outputs lie inside steps: they cut none, change none, and have the accuracy of the method."""

import antimony
import numpy as np
import pytest

from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EventTable, Solution, compile_model


def compile_text(text: str, lanes: int | None = None) -> CompiledModel:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return compile_model(str(antimony.getSBMLString(antimony.getMainModuleName())), lanes=lanes)


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    """Prey and hunters of which the hunters can die out, with a supply that a parameter switches."""
    return compile_text(
        "model m\n prey = 1; hunter = 0.4; k = 1; give = 0; big := prey + give\n"
        " prey' = k*prey*(1 - prey/4) - prey*hunter + give; hunter' = hunter*(prey - 1.2)\n"
        " at hunter < 0.02: hunter = 0;\nend"
    )


def solve(model: CompiledModel, times: np.ndarray, subjects: int = 11) -> Solution:
    table = model.default_parameters * np.exp(
        0.5 * np.random.default_rng(4).standard_normal((subjects, len(model.parameters)))
    )
    give = model.parameters.index("give")
    rows = [(i, 2.0 + i, ADD_STATE, 1, 0.3) for i in range(0, subjects, 2)]
    rows += [(i, 5.0, SET_PARAMETER, give, 0.2 * i) for i in range(subjects)]
    rows += [(i, 7.5, SET_PARAMETER, give, 0.0) for i in range(subjects)]
    events = EventTable.of(rows)
    return model.solve(table, times, events=events, outputs=["prey", "hunter", "big"], rtol=1e-5)


def test_the_output_grid_changes_neither_steps_nor_values(model: CompiledModel) -> None:
    plain = solve(model, np.linspace(0.0, 40.0, 21))
    assert not plain.failures and (plain["hunter"][:, -1] == 0.0).any()
    fine = solve(model, np.linspace(0.0, 40.0, 1281))
    assert (fine.steps == plain.steps).all() and (fine.rejected == plain.rejected).all()
    assert fine.values[:, ::64].tobytes() == plain.values.tobytes()
    few = solve(model, np.array([0.0, 2.0, 2.0, 40.0]))
    assert few.values.tobytes() == plain.values[:, [0, 1, 1, 20]].tobytes()
    # A shorter horizon is the beginning of a longer one.
    short = solve(model, np.linspace(0.0, 14.0, 8))
    assert short.values.tobytes() == plain.values[:, :8].tobytes()
    assert (short.steps < plain.steps).all()
    # Times of each subject's own.
    own = np.linspace(0.0, 40.0, 21)[None, :] + np.zeros((11, 1))
    own[3:, 1:-1] = np.linspace(0.0, 39.0, 19)
    assert solve(model, own).values[:3].tobytes() == plain.values[:3].tobytes()


def test_outputs_are_as_smooth_as_the_solution(model: CompiledModel) -> None:
    """Between events neighbouring outputs do not jump where one step ends and the next begins."""
    run = solve(model, np.linspace(8.0, 14.0, 6001), 4)
    bend = np.abs(np.diff(run["prey"], 2)).max()
    assert bend < 1e-5


def test_the_continuous_extension_is_exact_for_polynomials_of_its_order() -> None:
    model = compile_text(
        "model m\n x = 1; y = 0; z = 0\n x' = 4*time^3 - 1; y' = 3*time^2; z' = 5*time^4\nend"
    )
    times = np.linspace(0.0, 50.0, 503)
    run = model.solve(model.default_parameters[None, :], times, rtol=0.1)
    assert run.steps[0] < 30
    assert np.allclose(run["x"][0], times**4 - times + 1, rtol=1e-11)
    assert np.allclose(run["y"][0], times**3, rtol=1e-11)
    # One degree more is right at the ends of steps alone.
    assert not np.allclose(run["z"][0], times**5, rtol=1e-6)


def test_an_event_time_shows_the_state_after_the_event(model: CompiledModel) -> None:
    dose = EventTable.of([(0, 3.0, ADD_STATE, 0, 5.0)])
    one = model.default_parameters[None, :]
    run = model.solve(one, [np.nextafter(3.0, 0.0), 3.0, np.nextafter(3.0, 4.0)], events=dose)
    assert run["prey"][0, 1] == run["prey"][0, 0] + 5.0 or np.isclose(
        run["prey"][0, 1], run["prey"][0, 0] + 5, rtol=1e-14
    )
    assert np.isclose(run["prey"][0, 2], run["prey"][0, 1], rtol=1e-12)


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_a_lane_that_is_done_takes_the_next_subject(lanes: int) -> None:
    """Subjects of very different length and with failures among them are what they are alone."""
    model = compile_text(
        "model m\n x = 1; k = 1; burst = 0\n x' = burst*x^2 - k*(x - k*time*exp(-k*time))\nend", lanes
    )
    rng = np.random.default_rng(8)
    count = 45
    table = np.tile(model.default_parameters, (count, 1))
    table[:, model.parameters.index("k")] = 10.0 ** rng.uniform(-2, 2, count)
    table[::7, model.parameters.index("burst")] = 300.0
    times = np.linspace(0.0, 10.0, 23)
    whole = model.solve(table, times)
    assert {f.subject for f in whole.failures} == set(range(0, count, 7))
    assert whole.steps.max() > 10 * whole.steps.min()
    for i in range(count):
        alone = model.solve(table[[i]], times)
        assert alone.values[0].tobytes() == whole.values[i].tobytes(), i
        assert alone.steps[0] == whole.steps[i]
