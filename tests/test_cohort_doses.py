"""Dose tables: every record as it is meant, as row by row, linear work, refusals with row and column."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cohort_models import ONE, to_sbml

from mesolung.cohort import dose_events
from mesolung.engine import (
    ADD_PARAMETER,
    ADD_STATE,
    SET_PARAMETER,
    EventTable,
    compile_model,
)
from mesolung.reading import Refusal

END = 20.0
MODEL = compile_model(to_sbml(ONE), infusions=["x", "y"])
X, Y = MODEL.states.index("x"), MODEL.states.index("y")
K = MODEL.parameters.index("k")
IN_X, IN_Y = MODEL.parameters.index("x.infusion"), MODEL.parameters.index("y.infusion")


def listed(events: EventTable) -> list[tuple]:
    """Events in the order in which they happen."""
    rows = zip(events.subject, events.time, events.kind, events.target, events.value, strict=True)
    return sorted(
        ((int(s), float(t), int(k), int(g), float(v)) for s, t, k, g, v in rows), key=lambda e: e[:2]
    )


def events(ids: tuple = (1,), end: float = END, **columns: Any) -> list[tuple]:
    return listed(dose_events(columns, MODEL, ids, end))


def test_a_bolus_adds_to_its_state() -> None:
    assert events(ID=[1], TIME=[3], AMT=[50], CMT=["x"]) == [(0, 3.0, ADD_STATE, X, 50.0)]


def test_rate_and_duration_are_the_same_infusion() -> None:
    expected = [(0, 3.0, ADD_PARAMETER, IN_X, 20.0), (0, 5.5, SET_PARAMETER, IN_X, 0.0)]
    assert events(TIME=[3], AMT=[50], CMT=["x"], RATE=[20]) == expected
    assert events(TIME=[3], AMT=[50], CMT=["x"], DUR=[2.5]) == expected


def test_overlapping_infusions_add_up_and_leave_nothing_behind() -> None:
    found = events(TIME=[0, 1, 6], AMT=[0.3, 0.7, 0.1], CMT=["x"] * 3, DUR=[3, 5, 0.1])
    rates = []
    rate = 0.0
    for _, time, kind, _, value in found:
        rate = value if kind == SET_PARAMETER else rate + value
        rates.append((time, rate))
    assert [t for t, _ in rates] == [0.0, 1.0, 3.0, 6.0, 6.0, 6.1]
    assert rates[-1][1] == 0.0 and (6.0, 0.0) in rates
    assert dict(rates)[1.0] == pytest.approx(0.1 + 0.14) and dict(rates)[6.0] == pytest.approx(1.0)


def test_an_infusion_too_short_for_the_clock_is_a_bolus() -> None:
    assert events(TIME=[1.0], AMT=[2], CMT=["x"], DUR=[1e-30]) == [(0, 1.0, ADD_STATE, X, 2.0)]


def test_further_doses_repeat_until_the_end() -> None:
    times = [t for _, t, *_ in events(TIME=[2], AMT=[1], CMT=["x"], ADDL=[9], II=[4])]
    assert times == [2.0, 6.0, 10.0, 14.0, 18.0]
    assert len(events(end=math.inf, TIME=[2], AMT=[1], CMT=["x"], ADDL=[9], II=[4])) == 10


def test_without_an_id_every_subject_gets_every_row() -> None:
    found = events(ids=("a", "b"), TIME=[1, 2], AMT=[5, 6], CMT=["x", "y"])
    assert [(s, t, v) for s, t, _, _, v in found] == [
        (0, 1.0, 5.0),
        (0, 2.0, 6.0),
        (1, 1.0, 5.0),
        (1, 2.0, 6.0),
    ]


def test_a_parameter_column_sets_from_then_on() -> None:
    found = events(
        TIME=[0, 5, 7], AMT=[None, 3, None], CMT=[".", "x", ""], EVID=[2, 1, 0], k=[0.5, None, 0.7]
    )
    assert found == [
        (0, 0.0, SET_PARAMETER, K, 0.5),
        (0, 5.0, ADD_STATE, X, 3.0),
        (0, 7.0, SET_PARAMETER, K, 0.7),
    ]


def test_text_and_data_frames_mean_the_same() -> None:
    text: dict[str, Any] = {
        "ID": ["1", "2"],
        "TIME": ["0", "1e0"],
        "AMT": ["2.5", "."],
        "CMT": ["y", ""],
        "EVID": ["1", "0"],
    }
    frame = pd.DataFrame(
        {"ID": [1.0, 2.0], "TIME": [0, 1], "AMT": [2.5, np.nan], "CMT": ["y", None], "EVID": [1, 0]}
    )
    expected = [(0, 0.0, ADD_STATE, Y, 2.5)]
    assert events(ids=(1, 2), **text) == expected
    assert listed(dose_events(frame, MODEL, np.array([1, 2]))) == expected
    assert events(ids=("1", "2"), **{name.lower(): cells for name, cells in text.items()}) == expected


GOOD = {"ID": [1, 1], "TIME": [0, 1], "AMT": [1, 1], "CMT": ["x", "x"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TIME": [0, None]}, "row 2, column 'TIME': the value is missing"),
        ({"TIME": [0, -1]}, "row 2, column 'TIME': a time is a finite number, not before 0 (found -1"),
        ({"TIME": [math.inf, 0]}, "row 1, column 'TIME'"),
        ({"TIME": ["soon", "1"]}, "row 1, column 'TIME': not a number (found soon)"),
        ({"AMT": [1, None], "EVID": [1, 1]}, "row 2, column 'AMT': a dose needs an amount (found nothing)"),
        ({"AMT": [-1, 1]}, "row 1, column 'AMT': an amount is finite and not negative (found -1"),
        ({"EVID": [1, 2]}, "row 2, column 'AMT': an amount stands in a row that is not a dose"),
        ({"EVID": [1, 4]}, "row 2, column 'EVID': that kind of record is not served (found 4"),
        ({"EVID": [1, None]}, "row 2, column 'EVID'"),
        (
            {"CMT": ["x", "xx"]},
            "row 2, column 'CMT': the model has no state of that name (found xx; allowed: x",
        ),
        ({"CMT": [1, 2]}, "row 1, column 'CMT': the model has no state of that name (found 1; allowed: x, y"),
        ({"CMT": ["x", "."]}, "row 2, column 'CMT': a dose needs a state"),
        ({"RATE": [0, -2]}, "row 2, column 'RATE'"),
        ({"DUR": [0, math.inf]}, "row 2, column 'DUR'"),
        ({"RATE": [0, 1], "DUR": [0, 1]}, "row 2, column 'RATE': a dose has a RATE or a DUR, not both"),
        ({"ADDL": [0, 1.5], "II": [1, 1]}, "row 2, column 'ADDL': further doses are a whole number"),
        ({"ADDL": [0, 2]}, "row 2, column 'II': further doses (ADDL) need a time between them"),
        ({"ADDL": [1e9, 0], "II": [1, 1]}, "row 1, column 'ADDL': so many further doses cannot be meant"),
        ({"SS": [0, 1]}, "row 2, column 'SS': steady-state doses are not served"),
        ({"ID": [1, 7]}, "row 2, column 'ID': no subject has that id (found 7)"),
        ({"k": [1, math.inf]}, "row 2, column 'k': the value is not a finite number"),
        ({"kk": [1, 1]}, "column 'kk': neither a column of doses nor a parameter of the model (allowed: k"),
        ({"x.infusion": [1, 1]}, "column 'x.infusion'"),
        ({"time": [1, 1]}, "the column 'TIME' stands there twice"),
        ({"AMT": [1]}, "different lengths"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(change: dict[str, list], said: str) -> None:
    with pytest.raises(Refusal) as caught:
        events(**{**GOOD, **change})
    assert said in str(caught.value)


def test_a_table_without_times_is_refused() -> None:
    with pytest.raises(Refusal, match="needs a column 'TIME'"):
        events(AMT=[1], CMT=["x"])


def test_an_infusion_into_a_model_without_it_is_refused() -> None:
    with pytest.raises(Refusal, match="compiled without infusions into 'x'"):
        dose_events({"TIME": [0], "AMT": [1], "CMT": ["x"], "DUR": [1]}, compile_model(to_sbml(ONE)), [1])


# ---- the same as reading row by row ----
rows = st.lists(
    st.fixed_dictionaries(
        {
            "ID": st.integers(0, 3),
            "TIME": st.floats(0, 25, width=16),
            "AMT": st.floats(0, 100, width=16),
            "CMT": st.sampled_from(["x", "y"]),
            "EVID": st.sampled_from([0, 1, 1, 1, 2]),
            "DUR": st.sampled_from([0.0, 0.0, 0.5, 3.0]),
            "ADDL": st.integers(0, 5),
            "II": st.floats(0.25, 8, width=16),
            "k": st.sampled_from([None, 0.5, 2.0]),
        }
    ),
    max_size=12,
)


def columns(table: list[dict]) -> dict[str, list]:
    """Rows as columns; what is not a dose has no amount and no repeats."""
    for row in table:
        if row["EVID"] != 1:
            row.update(AMT=None, ADDL=0)
    names = ("ID", "TIME", "AMT", "CMT", "EVID", "DUR", "ADDL", "II", "k")
    return {name: [row[name] for row in table] for name in names}


def row_by_row(table: list[dict]) -> Counter:
    """What happens, written as one would read a table aloud; ends of infusions without their form."""
    found: Counter = Counter()
    for row in table:
        if row["k"] is not None and row["TIME"] <= END:
            found[row["ID"], row["TIME"], "set", K, row["k"]] += 1
        if row["EVID"] != 1:
            continue
        for number in range(row["ADDL"] + 1):
            time = row["TIME"] + number * row["II"]
            if time > END:
                break
            if row["DUR"] and row["AMT"]:
                target = {"x": IN_X, "y": IN_Y}[row["CMT"]]
                found[row["ID"], time, "start", target, row["AMT"] / row["DUR"]] += 1
                found[row["ID"], time + row["DUR"], "end", target, 0.0] += 1
            else:
                found[row["ID"], time, "bolus", {"x": X, "y": Y}[row["CMT"]], row["AMT"]] += 1
    return found


def named(table: EventTable) -> Counter:
    found: Counter = Counter()
    for subject, time, kind, target, value in listed(table):
        if kind == ADD_STATE:
            what = "bolus"
        elif target == K:
            what = "set"
        else:
            what = "start" if kind == ADD_PARAMETER and value > 0 else "end"
        found[subject, time, what, target, 0.0 if what == "end" else value] += 1
    return found


@settings(max_examples=150, deadline=None)
@given(rows)
def test_whole_columns_say_what_rows_say(table: list[dict]) -> None:
    given_columns = columns(table)
    assert named(dose_events(given_columns, MODEL, range(4), END)) == row_by_row(table)


@settings(max_examples=100, deadline=None)
@given(rows, st.integers(0, 3))
def test_a_subjects_events_are_its_own(table: list[dict], who: int) -> None:
    whole = dose_events(columns(table), MODEL, range(4), END)
    own = [row for row in table if row["ID"] == who]
    alone = dose_events(columns(own), MODEL, [who], END)
    sorted_whole, first = whole.sorted(4, len(MODEL.states), len(MODEL.parameters))
    sorted_alone, _ = alone.sorted(1, len(MODEL.states), len(MODEL.parameters))
    part = slice(first[who], first[who + 1])
    for name in ("time", "kind", "target", "value"):
        assert getattr(sorted_whole, name)[part].tobytes() == getattr(sorted_alone, name).tobytes()


@settings(max_examples=60, deadline=None)
@given(rows)
def test_every_infusion_ends_at_exactly_nothing(table: list[dict]) -> None:
    ordered, first = dose_events(columns(table), MODEL, range(4), END).sorted(4, 2, len(MODEL.parameters))
    for who in range(4):
        rate = np.zeros(len(MODEL.parameters))
        for k in range(first[who], first[who + 1]):
            if ordered.kind[k] == SET_PARAMETER:
                rate[ordered.target[k]] = ordered.value[k]
            elif ordered.kind[k] == ADD_PARAMETER:
                rate[ordered.target[k]] += ordered.value[k]
        assert rate[IN_X] == 0.0 and rate[IN_Y] == 0.0


# ---- work ----
def calls(subjects: int) -> int:
    """Calls, of Python and of C, that a table of ten rows a subject takes."""
    count = 0
    n = 10 * subjects
    table = {
        "ID": np.repeat(np.arange(subjects), 10),
        "TIME": np.tile(np.arange(10.0), subjects),
        "AMT": np.full(n, 5.0),
        "CMT": np.tile(np.array(["x", "y"], dtype=object), n // 2),
        "DUR": np.tile([0.0, 1.5], n // 2),
        "ADDL": np.full(n, 2),
        "II": np.full(n, 3.0),
    }
    ids = np.arange(subjects)

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        found = dose_events(table, MODEL, ids, 100.0)
    finally:
        sys.setprofile(None)
    assert len(found) == 3 * (n // 2 + 2 * (n // 2))
    return count


def test_no_work_in_python_grows_with_the_rows() -> None:
    calls(10)
    few, many = calls(100), calls(10_000)
    # The same calls on longer arrays: what is linear runs in machine code.
    assert many <= few + 20
