"""Doses and infusions given as data match closed forms; a state below its threshold dies out and stays so."""

import antimony
import numpy as np
import pytest

from mesolung.engine import (
    ADD_PARAMETER,
    ADD_STATE,
    SET_PARAMETER,
    SET_STATE,
    CompiledModel,
    EngineError,
    EventTable,
    compile_model,
)


def compile_text(text: str) -> CompiledModel:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    return compile_model(str(antimony.getSBMLString(antimony.getMainModuleName())))


def table(*rows: tuple[int, float, int, int, float]) -> EventTable:
    return EventTable.of(rows)


@pytest.fixture(scope="module")
def body() -> CompiledModel:
    return compile_text(
        "model m\n x = 0; k = 0.3; give = 0\n x' = give - k*x; level := 10*x; seen := give\nend"
    )


def rows_of(body: CompiledModel, *k: float) -> np.ndarray:
    values = np.tile(body.default_parameters, (len(k), 1))
    values[:, body.parameters.index("k")] = k
    return values


TIMES = np.linspace(0.0, 30.0, 31)


def test_boluses_add_up(body: CompiledModel) -> None:
    events = table((0, 2.5, ADD_STATE, 0, 4.0), (1, 0.0, ADD_STATE, 0, 1.0), (0, 7.0, ADD_STATE, 0, 2.0))
    k = np.array([0.3, 0.9])
    x = body.solve(rows_of(body, *k), TIMES, events=events, rtol=1e-8)["x"]
    t = TIMES
    first = 4 * np.exp(-0.3 * (t - 2.5)) * (t >= 2.5) + 2 * np.exp(-0.3 * (t - 7)) * (t >= 7)
    assert np.abs(x[0] - first).max() < 1e-7
    # A dose at time 0 is in the first output.
    assert np.abs(x[1] - np.exp(-0.9 * t)).max() < 1e-7 and x[1, 0] == 1.0


def test_an_infusion_by_a_parameter_starts_and_stops(body: CompiledModel) -> None:
    give = body.parameters.index("give")
    events = table((0, 12.0, SET_PARAMETER, give, 0.0), (0, 5.25, SET_PARAMETER, give, 3.0))
    solution = body.solve(rows_of(body, 0.3), TIMES, events=events, outputs=["x", "level", "seen"], rtol=1e-8)
    t = TIMES
    during = 3.0 / 0.3 * (1 - np.exp(-0.3 * (np.clip(t, 5.25, 12.0) - 5.25)))
    exact = during * np.exp(-0.3 * np.maximum(t - 12.0, 0.0))
    assert np.abs(solution["x"][0] - exact).max() < 1e-6
    assert np.abs(solution["level"][0] - 10 * exact).max() < 1e-5
    # Observables see the parameters as they are at each output, after events of that time.
    assert solution["seen"][0].tolist() == [3.0 if 5.25 <= v < 12.0 else 0.0 for v in t]


def test_overlapping_infusions_add_up(body: CompiledModel) -> None:
    give = body.parameters.index("give")
    events = table(
        (0, 1.0, ADD_PARAMETER, give, 2.0),
        (0, 3.0, ADD_PARAMETER, give, 1.0),
        (0, 6.0, ADD_PARAMETER, give, -2.0),
        (0, 9.0, ADD_PARAMETER, give, -1.0),
    )
    x = body.solve(rows_of(body, 0.3), TIMES, events=events, rtol=1e-8)["x"][0]

    def infusion(rate: float, start: float, stop: float) -> np.ndarray:
        inside = rate / 0.3 * (1 - np.exp(-0.3 * (np.clip(TIMES, start, stop) - start)))
        return inside * np.exp(-0.3 * np.maximum(TIMES - stop, 0.0))

    assert np.abs(x - infusion(2, 1, 6) - infusion(1, 3, 9)).max() < 1e-6


def test_events_of_one_time_happen_in_the_order_of_the_table(body: CompiledModel) -> None:
    set_then_add = table(
        (0, 5.0, SET_STATE, 0, 1.0), (0, 5.0, ADD_STATE, 0, 2.0), (0, 5.0, ADD_STATE, 0, 4.0)
    )
    add_then_set = table(
        (0, 5.0, ADD_STATE, 0, 2.0), (0, 5.0, ADD_STATE, 0, 4.0), (0, 5.0, SET_STATE, 0, 1.0)
    )
    one = rows_of(body, 0.3)
    assert body.solve(one, [5.0], events=set_then_add)["x"][0, 0] == 7.0
    assert body.solve(one, [5.0], events=add_then_set)["x"][0, 0] == 1.0


def test_events_after_the_last_output_change_nothing(body: CompiledModel) -> None:
    one = rows_of(body, 0.3)
    late = table((0, 30.5, ADD_STATE, 0, 1.0))
    assert body.solve(one, TIMES, events=late).values.tobytes() == body.solve(one, TIMES).values.tobytes()


def test_many_doses_cost_no_accuracy(body: CompiledModel) -> None:
    events = table(*((0, 0.5 * d + 0.25, ADD_STATE, 0, 1.0) for d in range(60)))
    x = body.solve(rows_of(body, 0.3), TIMES, events=events, rtol=1e-8)["x"][0]
    exact = sum(
        np.exp(-0.3 * np.maximum(TIMES - (0.5 * d + 0.25), 0)) * (0.5 * d + 0.25 <= TIMES) for d in range(60)
    )
    assert np.abs(x - exact).max() < 1e-6


def test_a_state_below_its_threshold_dies_out() -> None:
    model = compile_text(
        "model m\n B = 1; growth = -0.5; least = 1e-3; B' = growth*B; at B < least: B = 0; twin := 2*B\nend"
    )
    growth = model.parameters.index("growth")
    # Killed until it is extinct; the killing stops, and it does not come back.
    cured = table((0, 20.0, SET_PARAMETER, growth, 2.0), (1, 10.0, SET_PARAMETER, growth, 2.0))
    both = np.tile(model.default_parameters, (2, 1))
    times = np.array([0.0, 10.0, 13.0, 14.5, 20.0, 22.0])
    x = model.solve(both, times, events=cured, rtol=1e-7)["B"]
    assert np.allclose(x[0, :3], np.exp(-0.5 * times[:3]), rtol=1e-5)
    assert (x[0, 3:] == 0.0).all()
    # Stopped before the threshold, it grows again.
    assert x[1, 4] == pytest.approx(np.exp(-5.0 + 20.0), rel=1e-4)


def test_an_extinct_state_can_be_sown_again() -> None:
    model = compile_text("model m\n B = 0; least = 1e-3; B' = -B; at B < least: B = 0;\nend")
    one = model.default_parameters[None, :]
    # Zero from the start fires nothing; a dose above the threshold lives until it falls below it once more.
    sown = table((0, 5.0, ADD_STATE, 0, 1.0), (0, 20.0, ADD_STATE, 0, 1.0))
    x = model.solve(one, [4.0, 6.0, 11.0, 13.0, 21.0], events=sown, rtol=1e-7)["B"][0]
    assert (
        x[0] == 0.0
        and x[1] == pytest.approx(np.exp(-1), rel=1e-5)
        and x[2] == pytest.approx(np.exp(-6), rel=1e-4)
    )
    assert x[3] == 0.0 and x[4] == pytest.approx(np.exp(-1), rel=1e-5)


def test_thresholds_are_met_on_time() -> None:
    """A store that is refilled to 2 whenever it falls below 0.5 has the period ln 4 divided by its loss."""
    model = compile_text(
        "model m\n x = 2; n = 0; k = 1; low = 0.5; x' = -k*x; n' = 0*x\n at x < low: x = 2, n = 0;\nend"
    )
    k = np.array([0.7, 1.0, 1.3])
    table = np.tile(model.default_parameters, (3, 1))
    table[:, model.parameters.index("k")] = k
    times = np.linspace(0.05, 9.95, 34)
    x = model.solve(table, times, outputs=["x"], rtol=1e-7)["x"]
    phase = np.mod(k[:, None] * times, np.log(4.0))
    clear = np.minimum(phase, np.log(4.0) - phase) > 1e-4
    assert clear.mean() > 0.95
    assert np.allclose(x[clear], (2 * np.exp(-phase))[clear], rtol=1e-5)


def test_a_rising_state_meets_its_threshold_and_one_threshold_sets_off_another() -> None:
    model = compile_text(
        "model m\n x = 0; y = 1; x' = 1; y' = 0\n A: at x > 3: y = 5; B: at y >= 4: x = -10;\n z := x\nend"
    )
    solution = model.solve(model.default_parameters[None, :], [2.9, 3.1, 10.0, 30.0], rtol=1e-6)
    assert np.allclose(solution["x"][0], [2.9, -9.9, -3.0, 17.0], atol=1e-4)
    assert solution["y"][0].tolist() == [1.0, 5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    "row, part",
    [
        ((0, -1.0, ADD_STATE, 0, 1.0), "negative"),
        ((0, np.nan, ADD_STATE, 0, 1.0), "not a number"),
        ((0, 1.0, ADD_STATE, 0, np.inf), "not a number"),
        ((0, 1.0, 7, 0, 1.0), "kind"),
        ((0, 1.0, ADD_STATE, 1, 1.0), "does not have"),
        ((0, 1.0, SET_PARAMETER, 9, 1.0), "does not have"),
        ((1, 1.0, ADD_STATE, 0, 1.0), "outside"),
    ],
)
def test_impossible_events_are_refused(body: CompiledModel, row: tuple, part: str) -> None:
    with pytest.raises(EngineError, match=part):
        body.solve(rows_of(body, 0.3), TIMES, events=table(row))
