"""Events happen as SBML tells it: when, in which order, with which values; each against its closed form."""

import antimony
import numpy as np
import pytest

from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EngineError, EventTable, compile_model


def to_sbml(text: str) -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(f"model m\n{text}\nend") >= 0, antimony.getLastError()
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def compile_text(text: str, lanes: int = 2) -> CompiledModel:
    return compile_model(to_sbml(text), lanes=lanes)


def solve(text: str, times: list[float], *outputs: str, rtol: float = 1e-8) -> list[np.ndarray]:
    model = compile_text(text)
    one = model.default_parameters[None, :]
    solution = model.solve(one, times, outputs=outputs, rtol=rtol)
    assert not solution.failures, solution.failures
    return [solution[name][0] for name in outputs]


def test_an_event_happens_where_time_says_and_its_output_shows_what_it_sets() -> None:
    times = [0.0, 1.0, 2.5, 2.5000001, 4.0]
    (x,) = solve("x = 1; x' = -x; k = 2.5; at time >= k: x = 3", times, "x")
    assert np.allclose(x, [1, np.exp(-1), 3, 3 * np.exp(-1e-7), 3 * np.exp(-1.5)], rtol=1e-7)
    # A strict comparison is met only after that moment.
    (x,) = solve("x = 1; x' = -x; at time > 2.5: x = 3", times, "x")
    assert np.allclose(x, [1, np.exp(-1), np.exp(-2.5), 3 * np.exp(-1e-7), 3 * np.exp(-1.5)], rtol=1e-7)


def test_a_short_pulse_between_far_outputs_is_not_stepped_over() -> None:
    """At rest the first step would go all the way: moments that time decides are step ends."""
    (x,) = solve("x = 0; x' = piecewise(5, time >= 30 && time < 30.01, 0)", [1000.0], "x")
    assert x[0] == pytest.approx(0.05, rel=1e-6)
    (y,) = solve("x = 0; y = 0; x' = 1; y' = 0; at x > 700.5 && x < 700.6: y = 1", [1000.0], "y")
    assert y[0] == 1.0


def test_pulses_that_come_again_and_again_are_all_met() -> None:
    pulse = "x = 0; x' = piecewise(1, time - 24*floor(time/24) < 0.001, 0)"
    (x,) = solve(pulse, [23.9, 24.1, 239.0, 241.0], "x")
    assert np.allclose(x, [0.001, 0.002, 0.010, 0.011], rtol=1e-6)


@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_a_trigger_of_states_is_located(rtol: float) -> None:
    """Two states that cross: x = e^-t meets y = 1 - e^-t at ln 2, where y is set to zero."""
    times = np.linspace(0.05, 1.05, 21)
    x, y = solve("x = 1; y = 0; x' = -x; y' = 1 - y; at x < y: y = 0", times.tolist(), "x", "y", rtol=rtol)
    met = np.log(2.0)
    exact = np.where(times < met, 1 - np.exp(-times), 1 - np.exp(-(times - met)))
    clear = np.abs(times - met) > 10 * rtol
    assert np.allclose(x, np.exp(-times), rtol=5 * rtol)
    assert np.allclose(y[clear], exact[clear], rtol=20 * rtol, atol=20 * rtol)


def test_a_delay_keeps_values_of_the_trigger_or_of_the_assignment() -> None:
    base = "x = 0; y = 0; z = 0; x' = 1; y' = 0; z' = 0;"
    early, late = solve(
        base + "at 2 after x > 1: y = x; B: at 2 after x > 1, fromTrigger = false: z = x",
        [2.999999, 3.1],
        "y",
        "z",
    )
    assert np.allclose(early, [0, 1], atol=1e-6) and np.allclose(late, [0, 3], atol=1e-6)


def test_a_delay_follows_from_the_state_and_an_event_may_wait_twice() -> None:
    """x saws between 0 and 1; what each tooth sends off arrives 2.5 later, when two more are on their way."""
    (n,) = solve(
        "x = 0; n = 0; x' = 1; n' = 0; at x >= 1: x = 0;"
        "B: at 2*x + 0.5 after x >= 1, fromTrigger = false: n = n + 1",
        [3.4, 3.6, 4.4, 4.6, 10.6],
        "n",
    )
    assert n.tolist() == [0, 1, 1, 2, 8]


@pytest.mark.parametrize("persistent, reached", [("true", 1.0), ("false", 0.0)])
def test_an_event_that_does_not_persist_is_called_off(persistent: str, reached: float) -> None:
    (y,) = solve(
        f"x = 0; y = 0; x' = 1; y' = 0; at 1 after x > 1 && x < 1.5, persistent = {persistent}: y = 1",
        [1.9, 2.1],
        "y",
    )
    assert y.tolist() == [0.0, reached]


def test_priorities_order_what_is_due_at_once() -> None:
    base = "y = 1; y' = 0; A: at time >= 1, priority = {0}{2}: y = y + 5;"
    base += "B: at time >= 1, priority = {1}{2}: y = 10*y"
    for a, b, end in ((2, 1, 60.0), (1, 2, 15.0)):
        (y,) = solve(base.format(a, b, ", fromTrigger = false"), [2.0], "y")
        assert y[0] == end
    # From the trigger both read y = 1, and the last one stays.
    (y,) = solve(base.format(2, 1, ""), [2.0], "y")
    assert y[0] == 10.0


def test_the_first_of_two_events_takes_the_trigger_from_the_second() -> None:
    for persistent, end in (("false", 1.0), ("true", 11.0)):
        (y,) = solve(
            "x = 0; y = 0; x' = 1; y' = 0; A: at x >= 1, priority = 2: x = 0, y = y + 1;"
            f"B: at x >= 1, priority = 1, persistent = {persistent}: y = y + 10",
            [1.5],
            "y",
        )
        # B read y = 0 at its trigger.
        assert y[0] == (end if persistent == "false" else 10.0)


@pytest.mark.parametrize("bound", ["0.5", "0.5 + 0.1*y"])
@pytest.mark.parametrize("before, y", [("false", 7.0), ("true", 0.0)])
def test_an_event_at_the_start_happens_where_it_was_not_met_before(before: str, y: float, bound: str) -> None:
    """A bound that does not vary is watched in the kernel, another one from outside."""
    found, z = solve(
        f"x = 1; y = 0; x' = -x; y' = 0; z := 2*y; at x > {bound}, t0 = {before}: y = 7", [0.0, 1.0], "y", "z"
    )
    assert found.tolist() == [y, y] and z.tolist() == [2 * y, 2 * y]


def test_what_one_event_sets_can_trigger_another_at_the_same_moment() -> None:
    a, b, c = solve(
        "a = 0; b = 0; c = 0; a' = 0; b' = 0; c' = 0; at time >= 1: a = 1; at a > 0.5: b = a + 1;"
        "at b > 1.5 && a > 0.5: c = a + b",
        [0.5, 1.0],
        "a",
        "b",
        "c",
    )
    assert (a.tolist(), b.tolist(), c.tolist()) == ([0, 1], [0, 2], [0, 3])


def test_a_bouncing_ball_loses_height() -> None:
    """Dropped from 1 with g = 2 it lands at 1, and rises to a quarter of its height each time."""
    h, v = solve(
        "h = 1; v = 0; h' = v; v' = -2; at h <= 0 && v < 0: v = -0.5*v", [0.999, 1.5, 1.999, 2.25], "h", "v"
    )
    assert np.allclose(h, [1 - 0.999**2, 0.25, 0.001 - 1e-6, 0.0625], atol=1e-5)
    assert np.allclose(v, [-1.998, 0.0, -0.998, 0.0], atol=1e-5)


def test_a_trigger_without_formula_is_never_met_and_a_constraint_ends_a_subject() -> None:
    import libsbml

    document = libsbml.readSBMLFromString(to_sbml("x = 1; k = 1; x' = -k*x"))
    event = document.getModel().createEvent()
    event.setUseValuesFromTriggerTime(True)
    event.createTrigger().setPersistent(True)
    event.getTrigger().setInitialValue(True)
    constraint = document.getModel().createConstraint()
    constraint.setMath(libsbml.parseL3Formula("x > 0.1"))
    model = compile_model(libsbml.writeSBMLToString(document), lanes=2)
    rows = np.array([[1.0], [0.1], [10.0]])
    rows = rows[:, [model.parameters.index("k")]]
    solution = model.solve(rows, [0.1, 1.0, 3.0], rtol=1e-8)
    assert [f.subject for f in solution.failures] == [0, 2]
    assert "constraint 1" in solution.failures[0].reason
    assert solution.failures[0].time == pytest.approx(np.log(10.0), rel=1e-6)
    assert np.isfinite(solution["x"]).tolist() == [[True, True, False], [True] * 3, [True, False, False]]


def test_events_and_doses_go_together() -> None:
    """A trough trigger doses the subject; doses of the table come on top, and change a parameter."""
    model = compile_text(
        "x = 2; k = 0.5; n = 0; x' = -k*x; c := 3*x; z = 2*k; at x < n + 1, t0 = true: x = x + 1"
    )
    assert "n" in model.parameters
    k = model.parameters.index("k")
    doses = EventTable.of([(0, 1.0, ADD_STATE, 0, 2.0), (0, 2.0, SET_PARAMETER, k, 1.0)])
    times = np.array([0.5, 1.0, 2.0, 2.5, 3.2])
    solution = model.solve(
        model.default_parameters[None, :], times, events=doses, outputs=["x", "c"], rtol=1e-9
    )
    first = 2 * np.exp(-0.5 * times[:1])
    at_one = 2 * np.exp(-0.5) + 2
    second = at_one * np.exp(-0.5 * (times[1:3] - 1.0))
    # From 2 on at rate 1; at x = 1 it jumps to 2.
    left = second[-1]
    jump = 2.0 + np.log(left)
    last = np.where(times[3:] < jump, left * np.exp(-(times[3:] - 2.0)), 2 * np.exp(-(times[3:] - jump)))
    exact = np.concatenate([first, second, last])
    assert np.allclose(solution["x"][0], exact, rtol=1e-6)
    assert np.allclose(solution["c"][0], 3 * exact, rtol=1e-6)
    # A derived constant follows from the parameters at the start.
    assert model.derived(model.default_parameters[None, :])["z"][0] == 1.0


MANY = (
    "x = 1; y = 0; k = 1; d = 0.4; n = 0; x' = -k*x; y' = sin(k*time) - 0.1*y; n' = 0;"
    "at x < 0.3 + 0.1*y: x = 1 + 0.1*n, n = n + 1;"
    "B: at d*(1 + y) after y > 0.5, persistent = false: y = 0.5*y, n = n + x;"
    "C: at time - 2*n > 1: n = n + 0.5"
)


def test_a_subject_is_the_same_in_every_company() -> None:
    models = [compile_text(MANY, lanes) for lanes in (2, 4, 8)]
    model = models[0]
    rng = np.random.default_rng(5)
    rows = model.default_parameters * np.exp(0.5 * rng.standard_normal((19, len(model.parameters))))
    times = np.sort(rng.uniform(0, 12, 23))
    k = model.parameters.index("k")
    doses = EventTable.of([(i, 1.0 + 0.3 * i, SET_PARAMETER, k, 1.5) for i in range(0, 19, 2)])
    names = [*model.states, *model.observables]

    def run(m: CompiledModel, **how) -> np.ndarray:
        solution = m.solve(rows, times, events=doses, outputs=names, **how)
        assert not solution.failures
        return solution.values

    whole = run(model)
    assert np.unique(whole[:, -1, names.index("n")]).size > 5
    for other in (run(models[1]), run(models[2]), run(model, chunk=3), run(models[2], workers=2, chunk=5)):
        assert other.tobytes() == whole.tobytes()
    for i in (0, 7, 18):
        own = EventTable.of([(0, 1.0 + 0.3 * i, SET_PARAMETER, k, 1.5)] if i % 2 == 0 else [])
        alone = models[1].solve(rows[i : i + 1], times, events=own, outputs=names)
        assert alone.values.tobytes() == whole[i : i + 1].tobytes()


def test_an_output_more_changes_no_other() -> None:
    model = compile_text(MANY)
    one = model.default_parameters[None, :]
    few = model.solve(one, [3.0, 7.0], rtol=1e-8)["x"]
    many = model.solve(one, np.linspace(0, 7, 71), rtol=1e-8)["x"]
    assert np.allclose(few[0], many[0, [30, 70]], rtol=1e-5)


def test_a_subject_whose_events_go_wrong_is_named_and_others_are_not_touched() -> None:
    model = compile_text("x = 1; d = 1; x' = -x; at d after x < 0.5: x = 2")
    rows = np.array([[1.0], [-1.0], [0.5]])
    times = [0.0, 0.5, 1.2, 1.9]
    solution = model.solve(rows, times, rtol=1e-8)
    (failure,) = solution.failures
    assert failure.subject == 1 and "delay" in failure.reason
    assert failure.time == pytest.approx(np.log(2.0), rel=1e-6)
    assert np.isfinite(solution["x"][1]).tolist() == [True, True, False, False]
    alone = model.solve(rows[[0, 2]], times, rtol=1e-8)
    assert alone.values.tobytes() == solution.values[[0, 2]].tobytes()


def test_events_without_end_are_a_failure() -> None:
    model = compile_text(
        "a = 0; b = 0; a' = 0; b' = 0; at a <= b && time >= 1: a = b + 1; at b < a: b = a + 0"
    )
    (failure,) = model.solve(model.default_parameters[None, :], [2.0], max_steps=500).failures
    assert "more than 500 events" in failure.reason and failure.time == 1.0


def test_chance_between_events_is_refused() -> None:
    text = "y = 0; y' = 0; A: at time >= 1, priority = {}: y = 1; B: at {} >= 1, priority = {}: y = 2"
    with pytest.raises(EngineError, match=r"'A' and 'B' .* chance"):
        compile_text(text.format(1, "time", 1))
    model = compile_text(text.format(1, "0.5 + 0.5*time", "1 + 0*time"))
    (failure,) = model.solve(model.default_parameters[None, :], [2.0]).failures
    assert "chance" in failure.reason and "'A'" in failure.reason
    assert solve(text.format(1, "time", 2), [2.0], "y")[0][0] == 1.0
