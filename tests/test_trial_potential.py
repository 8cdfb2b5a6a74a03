"""A subject that cannot be solved is tried again, then named and counted; the others are untouched."""

from dataclasses import dataclass, field

import numpy as np

from mesolung.engine import Solution, SubjectFailure
from mesolung.population.events import joined
from mesolung.population.twice import RTOL, TIGHTEST_RTOL
from mesolung.trial.potential import Enrolled, solve_arm


@dataclass
class Model:
    """A stand-in for the engine whose chosen subjects fail; it remembers what it was asked to solve."""

    fails: dict[float, set[float]]
    states: tuple[str, ...] = ("x", "HAZ")
    parameters: tuple[str, ...] = ("p",)
    asked: list[tuple[float, int]] = field(default_factory=list)

    def solve(self, parameters, times, *, initial, events, outputs, rtol, workers=1, chunk=1, progress=None):
        self.asked.append((rtol, len(parameters)))
        values = np.repeat(initial[:, None, :1], len(times), axis=1) * np.ones((1, 1, len(outputs)))
        bad = [i for i, x in enumerate(initial[:, 0]) if x in self.fails.get(rtol, set())]
        values[bad, 1:] = np.nan
        failures = tuple(SubjectFailure(i, 1.0, "too many steps", "x", "p") for i in bad)
        n = len(parameters)
        return Solution(
            values, np.asarray(times), tuple(outputs), failures, np.zeros(n, int), np.zeros(n, int)
        )


def run(model, same):
    start = np.array([[10.0, 0.0], [11.0, 0.0], [12.0, 0.0], [10.0, 0.0]])
    enrolled = Enrolled(np.zeros((4, 1)), start, joined([]), np.array([0, 1, 2, 0]))
    return solve_arm(
        model,
        enrolled,
        times_h=np.array([0.0, 24.0]),
        outputs=("x",),
        parameters={},
        events=joined([]),
        same=np.array(same),
        workers=1,
        chunk=64,
    )


def test_equal_courses_are_solved_once_and_given_to_all():
    model = Model({})
    found = run(model, [0, 1, 2, 0])
    assert model.asked[0][1] == 3
    assert list(found.outputs["x"][:, 1]) == [10.0, 11.0, 12.0, 10.0]


def test_a_failure_is_solved_again_at_the_tightest_tolerance():
    first = {RTOL: {11.0}}
    model = Model(first)
    found = run(model, [0, 1, 2, 3])
    assert model.asked[-1] == (TIGHTEST_RTOL, 1)
    assert found.failures == () and found.outputs["x"][1, 1] == 11.0


def test_a_course_that_fails_fails_every_subject_that_follows_it():
    found = run(Model({RTOL: {10.0}, TIGHTEST_RTOL: {10.0}}), [0, 1, 2, 0])
    assert [f.subject for f in found.failures] == [0, 3]


def test_a_second_failure_is_missing_named_and_alone():
    model = Model({RTOL: {11.0}, TIGHTEST_RTOL: {11.0}})
    found = run(model, [0, 1, 2, 3])
    assert [f.subject for f in found.failures] == [1]
    assert np.isnan(found.outputs["x"][1, 1])
    assert list(found.outputs["x"][[0, 2, 3], 1]) == [10.0, 12.0, 10.0]
