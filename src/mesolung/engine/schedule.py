"""What happens between steps, lane by lane: subjects come in, events apply, outputs are kept and written."""

from __future__ import annotations

from mesolung.engine.ir import hexadecimal, whole
from mesolung.engine.layout import ADD_PARAMETER, ADD_STATE, SET_STATE, Layout
from mesolung.engine.rosenbrock import Frame


def schedule_functions(layout: Layout, parameters: int) -> str:
    """Write the functions between steps and the two that Python calls, ``@solve`` and ``@initialise``.

    Arguments:
        layout: the working memory.
        parameters: number of parameters of a subject.

    Returns:
        IR text.
    """
    parts = (
        _fill(layout, parameters),
        _apply(layout),
        _arrive(layout),
        _stop(layout),
        _write(layout, parameters),
    )
    return "".join(parts) + _solve(layout) + _initialise(layout)


def _subject(f: Frame, first: str, lane: str) -> tuple[str, str]:
    """The subject of a lane (the last one again where there are too few) and whether the lane has its own."""
    own = f.op("add", first, lane, "i64")
    last = f.op("sub", f.word("subjects"), "1", "i64")
    valid = f.compare("sle", own, last, "i64")
    return f.value(f"select i1 {valid}, i64 {own}, i64 {last}"), valid


def _element(f: Frame, row: str, width: str, column: str) -> str:
    return f.op("add", f.op("mul", row, width, "i64"), column, "i64")


def _copy_in(f: Frame, source: str, array: str, count: int, subject: str, lane: str) -> None:
    """Take a subject's row of an array into its lane."""
    with f.loop(count) as k:
        value = f.load(f.word(source, "ptr"), _element(f, subject, str(count), k), "double")
        f.store(value, f.array(array), _element(f, k, "$N", lane), "double")


def _fill(layout: Layout, parameters: int) -> str:
    f = Frame("fill", layout, ", i64 %first")
    with f.loop("$N") as lane:
        subject, valid = _subject(f, "%first", lane)
        _copy_in(f, "parameters", "p", parameters, subject, lane)
        _copy_in(f, "initial", "y", layout.states, subject, lane)
        _copy_in(f, "start_time", "time", 1, subject, lane)
        outputs = f.word("outputs")
        row = f.op("mul", subject, f.word("times_stride"), "i64")
        some = f.compare("sgt", outputs, "0", "i64")
        f.store(hexadecimal(0.0), f.array("last"), lane, "double")
        with f.when(some):
            final = f.op("add", row, f.op("sub", outputs, "1", "i64"), "i64")
            f.store(f.load(f.word("times", "ptr"), final, "double"), f.array("last"), lane, "double")
        busy = f.value(f"sext i1 {f.op('and', valid, some, 'i1')} to i64")
        f.store(busy, f.array("active"), lane, "i64")
        for name, shift in (("next_event", "0"), ("end_event", "1")):
            place = f.op("add", subject, shift, "i64")
            f.store(f.load(f.word("first_event", "ptr"), place, "i64"), f.array(name), lane, "i64")
    f.model("derive", f.array("y"), f.array("time"), f.array("p"))
    f.prepare()
    return f.finish()


def _due(f: Frame, lane: str, now: str) -> str:
    """Whether the lane's next event is not later than ``now`` (infinitely late where there is none)."""
    event = f.load(f.array("next_event"), lane, "i64")
    left = f.compare("slt", event, f.load(f.array("end_event"), lane, "i64"), "i64")
    # Without an event left, the index is clamped so that the load stays inside; an empty table has one
    # filler.
    safe = f.value(f"select i1 {left}, i64 {event}, i64 0")
    time = f.load(f.word("event_time", "ptr"), safe, "double")
    return f.op("and", left, f.compare("ole", time, now, "double"), "i1")


def _apply(layout: Layout) -> str:
    """``@apply(q, lane, now, states)``: events up to now; 1 where one touched a state, 3 a parameter."""
    f = Frame("apply", layout, ", i64 %lane, double %now, i1 %states", "i64")
    touched = f.variable("i64", "0")
    with f.during(lambda: _due(f, "%lane", "%now")):
        event = f.load(f.array("next_event"), "%lane", "i64")
        kind = f.load(f.word("event_kind", "ptr"), event, "i64")
        target = f.load(f.word("event_target", "ptr"), event, "i64")
        value = f.load(f.word("event_value", "ptr"), event, "double")
        on_state = f.compare("sle", kind, str(SET_STATE), "i64")
        adds = f.op(
            "or",
            f.compare("eq", kind, str(ADD_STATE), "i64"),
            f.compare("eq", kind, str(ADD_PARAMETER), "i64"),
            "i1",
        )
        place = _element(f, target, "$N", "%lane")
        base = f.value(f"select i1 {on_state}, ptr {f.array('y')}, ptr {f.array('p')}")
        served = f.op("or", f.op("xor", on_state, "true", "i1"), "%states", "i1")
        with f.when(served):
            old = f.load(base, place, "double")
            new = f.value(f"select i1 {adds}, double {f.op('fadd', old, value, 'double')}, double {value}")
            f.store(new, base, place, "double")
            mark = f.value(f"select i1 {on_state}, i64 1, i64 3")
            f.store(f.op("or", f.load(touched, 0, "i64"), mark, "i64"), touched, 0, "i64")
            with f.when(f.op("and", on_state, "%states", "i1")):
                size = f.value(f"call double @llvm.fabs.f64(double {new})")
                large = f.load(f.array("largest"), place, "double")
                more = f.compare("ogt", size, large, "double")
                f.store(
                    f.value(f"select i1 {more}, double {size}, double {large}"),
                    f.array("largest"),
                    place,
                    "double",
                )
        f.store(f.op("add", event, "1", "i64"), f.array("next_event"), "%lane", "i64")
    f.line(f"ret i64 {f.load(touched, 0, 'i64')}")
    return f.text()


def _output_time(f: Frame, subject: str, k: str) -> str:
    place = f.op("add", f.op("mul", subject, f.word("times_stride"), "i64"), k, "i64")
    return f.load(f.word("times", "ptr"), place, "double")


def _arrive(layout: Layout) -> str:
    """``@arrive(q, first)``: in lanes that reached their target, events, outputs, the next target."""
    f = Frame("arrive", layout, ", i64 %first")
    changed = f.variable("i64", "0")
    with f.loop("$N") as lane:
        here = f.compare("ne", f.load(f.array("arrived"), lane, "i64"), "0", "i64")
        with f.when(
            f.op("and", here, f.compare("ne", f.load(f.array("active"), lane, "i64"), "0", "i64"), "i1")
        ):
            now = f.load(f.array("time"), lane, "double")
            mark = f.value(f"call i64 @apply(ptr %q, i64 {lane}, double {now}, i1 true)")
            f.store(f.op("or", f.load(changed, 0, "i64"), mark, "i64"), changed, 0, "i64")
            with f.when(f.compare("ne", mark, "0", "i64")):
                f.store("-1", f.array("touched"), lane, "i64")
                f.store("-1", f.array("restart"), lane, "i64")
    with f.when(f.compare("ne", f.op("and", f.load(changed, 0, "i64"), "2", "i64"), "0", "i64")):
        f.prepare()
    if layout.thresholds:
        with f.when(f.any(f.flag("touched"))):
            f.line("call void @cross(ptr %q)")
    f.set_lanes("touched", whole(0), "$I")
    with f.loop("$N") as lane:
        here = f.compare("ne", f.load(f.array("arrived"), lane, "i64"), "0", "i64")
        with f.when(
            f.op("and", here, f.compare("ne", f.load(f.array("active"), lane, "i64"), "0", "i64"), "i1")
        ):
            _outputs(f, lane)
    f.set_lanes("arrived", whole(0), "$I")
    return f.finish()


def _outputs(f: Frame, lane: str) -> None:
    """Keep the states at every output time that a lane has reached, and find where it goes next."""
    n = f.layout.states
    subject, _ = _subject(f, "%first", lane)
    now = f.load(f.array("time"), lane, "double")

    def reached() -> str:
        k = f.load(f.array("next_output"), lane, "i64")
        left = f.compare("slt", k, f.word("outputs"), "i64")
        safe = f.value(f"select i1 {left}, i64 {k}, i64 0")
        return f.op("and", left, f.compare("ole", _output_time(f, subject, safe), now, "double"), "i1")

    with f.during(reached):
        k = f.load(f.array("next_output"), lane, "i64")
        row = f.op("mul", k, str(n), "i64")
        with f.loop(n) as i:
            value = f.load(f.array("y"), _element(f, i, "$N", lane), "double")
            place = _element(f, f.op("add", row, i, "i64"), "$N", lane)
            f.store(value, f.word("history", "ptr"), place, "double")
        f.store(f.op("add", k, "1", "i64"), f.array("next_output"), lane, "i64")
    k = f.load(f.array("next_output"), lane, "i64")
    left = f.compare("slt", k, f.word("outputs"), "i64")
    f.store(f.value(f"sext i1 {left} to i64"), f.array("active"), lane, "i64")
    with f.when(left):
        output = _output_time(f, subject, k)
        f.store(output, f.array("target"), lane, "double")
        with f.when(_due(f, lane, output)):
            event = f.load(f.array("next_event"), lane, "i64")
            f.store(f.load(f.word("event_time", "ptr"), event, "double"), f.array("target"), lane, "double")


def _stop(layout: Layout) -> str:
    """``@stop(q, first)``: hand back how each lane's subject ended, before its lane is used again."""
    f = Frame("stop", layout, ", i64 %first")
    with f.loop("$N") as lane:
        subject, valid = _subject(f, "%first", lane)
        with f.when(valid):
            for name in ("status", "steps", "rejected"):
                f.store(f.load(f.array(name), lane, "i64"), f.word(name, "ptr"), subject, "i64")
            f.store(f.load(f.array("time"), lane, "double"), f.word("stop_time", "ptr"), subject, "double")
            with f.loop(layout.states) as i:
                value = f.load(f.array("y"), _element(f, i, "$N", lane), "double")
                place = _element(f, subject, str(layout.states), i)
                f.store(value, f.word("stop_state", "ptr"), place, "double")
            if layout.thresholds:
                with f.loop(layout.thresholds) as e:
                    value = f.load(f.array("met_before"), _element(f, e, "$N", lane), "double")
                    place = _element(f, subject, str(layout.thresholds), e)
                    f.store(value, f.word("stop_met", "ptr"), place, "double")
    return f.finish()


def _write(layout: Layout, parameters: int) -> str:
    """``@write(q, first)``: the wanted outputs; observables see the parameters as they were at each time."""
    f = Frame("write", layout, ", i64 %first")
    n, history = layout.states, f.word("history", "ptr")
    observing = f.compare("ne", f.word("observing"), "0", "i64")
    with f.when(observing):
        f.line("call void @fill(ptr %q, i64 %first)")
    with f.loop(f.word("outputs")) as k:
        states = f.at(history, f.op("mul", k, str(n), "i64"))
        with f.when(observing):
            _observe(f, states, k)
        with f.loop("$N") as lane:
            subject, valid = _subject(f, "%first", lane)
            with f.when(valid):
                _write_row(f, states, k, lane, subject)
    return f.finish()


def _observe(f: Frame, states: str, k: str) -> None:
    changed = f.variable("i64", "0")
    f.store("0", changed, 0, "i64")
    with f.loop("$N") as lane:
        subject, _ = _subject(f, "%first", lane)
        now = _output_time(f, subject, k)
        f.store(now, f.array("stage_time"), lane, "double")
        mark = f.value(f"call i64 @apply(ptr %q, i64 {lane}, double {now}, i1 false)")
        f.store(f.op("or", f.load(changed, 0, "i64"), mark, "i64"), changed, 0, "i64")
    with f.when(f.compare("ne", f.load(changed, 0, "i64"), "0", "i64")):
        f.prepare()
    f.model("observe", states, f.array("stage_time"), f.array("observed"))


def _write_row(f: Frame, states: str, k: str, lane: str, subject: str) -> None:
    n, wanted = f.layout.states, f.word("wanted")
    reached = f.compare("slt", k, f.load(f.array("next_output"), lane, "i64"), "i64")
    row = f.op("mul", _element(f, subject, f.word("outputs"), k), wanted, "i64")
    with f.loop(wanted) as o:
        index = f.load(f.word("wanted_index", "ptr"), o, "i64")
        is_state = f.compare("slt", index, str(n), "i64")
        base = f.value(f"select i1 {is_state}, ptr {states}, ptr {f.array('observed')}")
        local = f.value(f"select i1 {is_state}, i64 {index}, i64 {f.op('sub', index, str(n), 'i64')}")
        value = f.load(base, _element(f, local, "$N", lane), "double")
        nan = hexadecimal(float("nan"))
        value = f.value(f"select i1 {reached}, double {value}, double {nan}")
        f.store(value, f.word("values", "ptr"), f.op("add", row, o, "i64"), "double")


def _solve(layout: Layout) -> str:
    """``@solve(q)``: all subjects of the request, as many at a time as there are lanes."""
    f = Frame("solve", layout, exported=True)
    with f.loop(f.word("subjects"), "$N") as first:
        f.line(f"call void @start(ptr %q, i64 {first})")
        f.line(f"call void @arrive(ptr %q, i64 {first})")
        with f.during(lambda: f.any(f.flag("active"))):
            f.line("call void @step(ptr %q)")
            with f.when(f.any(f.flag("arrived"))):
                f.line(f"call void @arrive(ptr %q, i64 {first})")
        f.line(f"call void @stop(ptr %q, i64 {first})")
        f.line(f"call void @write(ptr %q, i64 {first})")
    return f.finish()


def _initialise(layout: Layout) -> str:
    """``@initialise(q)``: the initial states that follow from parameters, for all subjects of the request."""
    f = Frame("initialise", layout, exported=True)
    with f.loop(f.word("subjects"), "$N") as first:
        f.line(f"call void @fill(ptr %q, i64 {first})")
        f.model("begin", f.array("trial"), f.array("time"), f.array("y"))
        with f.loop("$N") as lane:
            subject, valid = _subject(f, first, lane)
            with f.when(valid):
                with f.loop(layout.states) as i:
                    value = f.load(f.array("y"), _element(f, i, "$N", lane), "double")
                    place = _element(f, subject, str(layout.states), i)
                    f.store(value, f.word("initial", "ptr"), place, "double")
    return f.finish()
