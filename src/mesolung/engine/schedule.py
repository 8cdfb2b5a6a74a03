"""What happens between steps, lane by lane: subjects come and go, events apply, the next target is found."""

from __future__ import annotations

from mesolung.engine.frame import Frame
from mesolung.engine.ir import hexadecimal, number, whole
from mesolung.engine.layout import ADD_PARAMETER, ADD_STATE, SET_STATE, Layout

INFINITE = hexadecimal(float("inf"))


def schedule_functions(layout: Layout, parameters: int, met_at_start: list[float]) -> str:
    """Write the functions between steps and the two that Python calls, ``@solve`` and ``@initialise``.

    Arguments:
        layout: the working memory.
        parameters: number of parameters of a subject.
        met_at_start: what each threshold's condition counts as before time 0.

    Returns:
        IR text.
    """
    parts = (
        _take(layout, parameters, met_at_start),
        _refill(layout, parameters),
        _apply(layout),
        _arrive(layout),
        _stop(layout),
        _solve(layout),
        _initialise(layout, parameters),
    )
    return "".join(parts)


def element(f: Frame, row: str, width: str, column: str) -> str:
    """Where an element lies in an array with rows of a width."""
    return f.op("add", f.op("mul", row, width, "i64"), column, "i64")


def _copy_in(f: Frame, source: str, array: str, count: int, subject: str, lane: str) -> None:
    """Take a subject's row of an array into its lane."""
    with f.loop(count) as k:
        value = f.load(f.word(source, "ptr"), element(f, subject, str(count), k), "double")
        f.store(value, f.array(array), element(f, k, "$N", lane), "double")


def _take(layout: Layout, parameters: int, met_at_start: list[float]) -> str:
    """``@take(q, lane, subject)``: put a subject into a lane, at its start time."""
    f = Frame("take", layout, ", i64 %lane, i64 %subject")
    _copy_in(f, "parameters", "p", parameters, "%subject", "%lane")
    _copy_in(f, "initial", "y", layout.states, "%subject", "%lane")
    _copy_in(f, "start_time", "time", 1, "%subject", "%lane")
    with f.loop(layout.states) as i:
        place = element(f, i, "$N", "%lane")
        size = f.value(f"call double @llvm.fabs.f64(double {f.load(f.array('y'), place, 'double')})")
        f.store(size, f.array("largest"), place, "double")
    for name in ("h", "diagonal", "h_before", "stage_time", "place"):
        f.store(hexadecimal(0.0), f.array(name), "%lane", "double")
    f.store(hexadecimal(1.0), f.array("error_before"), "%lane", "double")
    f.store(INFINITE, f.array("target"), "%lane", "double")
    for name in ("status", "steps", "rejected", "rejected_before", "next_output", "pending"):
        f.store("0", f.array(name), "%lane", "i64")
    for name in ("active", "arrived", "touched", "restart"):
        f.store("-1", f.array(name), "%lane", "i64")
    f.store("%subject", f.array("subject"), "%lane", "i64")
    for e, met in enumerate(met_at_start):
        f.store(hexadecimal(met), f.at(f.array("met_before"), e), "%lane", "double")
        f.store(hexadecimal(0.0), f.at(f.array("past_before"), e), "%lane", "double")
    for name, shift in (("next_event", "0"), ("end_event", "1")):
        place = f.op("add", "%subject", shift, "i64")
        f.store(f.load(f.word("first_event", "ptr"), place, "i64"), f.array(name), "%lane", "i64")
    f.store(hexadecimal(0.0), f.array("last"), "%lane", "double")
    outputs = f.word("outputs")
    with f.when(f.compare("sgt", outputs, "0", "i64")):
        final = f.op("mul", "%subject", f.word("times_stride"), "i64")
        final = f.op("add", final, f.op("sub", outputs, "1", "i64"), "i64")
        f.store(f.load(f.word("times", "ptr"), final, "double"), f.array("last"), "%lane", "double")
    return f.finish()


def _refill(layout: Layout, parameters: int) -> str:
    """``@refill(q)``: hand back the subjects of lanes that are done, and give these lanes the next ones."""
    f = Frame("refill", layout)
    f.set_lanes("fired", whole(0), "$I")
    with f.loop("$N") as lane, f.when(_has(f, "active", lane, "eq")):
        with f.when(f.compare("sge", f.load(f.array("subject"), lane, "i64"), "0", "i64")):
            f.line(f"call void @flush(ptr %q, i64 {lane})")
            f.line(f"call void @stop(ptr %q, i64 {lane})")
            f.store("-1", f.array("subject"), lane, "i64")
        subject = f.word("next")
        with f.when(f.compare("slt", subject, f.word("subjects"), "i64")):
            f.line(f"call void @take(ptr %q, i64 {lane}, i64 {subject})")
            f.store("-1", f.array("fired"), lane, "i64")
            f.set_word("next", f.op("add", subject, "1", "i64"))
    taken = f.flag("fired")
    with f.when(f.any(taken)):
        # Derived constants stay what they were at time 0, so only new subjects get them.
        f.model("derive", f.array("y"), f.array("time"), f.array("fresh"))
        with f.loop(layout.constants) as k:
            place = f.op("add", k, str(parameters), "i64")
            old = f.load(f.array("p"), place)
            f.store(f.select(taken, f.load(f.array("fresh"), k), old), f.array("p"), place)
        f.prepare()
        f.line("call void @arrive(ptr %q)")
    return f.finish()


def _has(f: Frame, flag: str, lane: str, how: str = "ne") -> str:
    return f.compare(how, f.load(f.array(flag), lane, "i64"), "0", "i64")


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
    """``@apply(q, lane, now)``: events up to now; 1 where one touched a state, 3 a parameter."""
    f = Frame("apply", layout, ", i64 %lane, double %now", "i64")
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
        place = element(f, target, "$N", "%lane")
        base = f.value(f"select i1 {on_state}, ptr {f.array('y')}, ptr {f.array('p')}")
        old = f.load(base, place, "double")
        new = f.value(f"select i1 {adds}, double {f.op('fadd', old, value, 'double')}, double {value}")
        f.store(new, base, place, "double")
        mark = f.value(f"select i1 {on_state}, i64 1, i64 3")
        f.store(f.op("or", f.load(touched, 0, "i64"), mark, "i64"), touched, 0, "i64")
        with f.when(on_state):
            size = f.value(f"call double @llvm.fabs.f64(double {new})")
            large = f.load(f.array("largest"), place, "double")
            more = f.compare("ogt", size, large, "double")
            larger = f.value(f"select i1 {more}, double {size}, double {large}")
            f.store(larger, f.array("largest"), place, "double")
        f.store(f.op("add", event, "1", "i64"), f.array("next_event"), "%lane", "i64")
    f.line(f"ret i64 {f.load(touched, 0, 'i64')}")
    return f.text()


def _arrive(layout: Layout) -> str:
    """``@arrive(q)``: in lanes that start or reached their target, events, outputs, the next target."""
    f = Frame("arrive", layout)
    changed = f.variable("i64", "0")
    with (
        f.loop("$N") as lane,
        f.when(f.op("and", _has(f, "arrived", lane), _has(f, "active", lane), "i1")),
    ):
        # What is pending belongs to the parameters as they were.
        f.line(f"call void @flush(ptr %q, i64 {lane})")
        now = f.load(f.array("time"), lane, "double")
        mark = f.value(f"call i64 @apply(ptr %q, i64 {lane}, double {now})")
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
    with (
        f.loop("$N") as lane,
        f.when(f.op("and", _has(f, "arrived", lane), _has(f, "active", lane), "i1")),
    ):
        f.line(f"call void @halt(ptr %q, i64 {lane})")
        _next_target(f, lane)
    f.set_lanes("arrived", whole(0), "$I")
    return f.finish()


def _next_target(f: Frame, lane: str) -> None:
    """The time of a lane's next event."""
    f.store(INFINITE, f.array("target"), lane, "double")
    event = f.load(f.array("next_event"), lane, "i64")
    with f.when(f.compare("slt", event, f.load(f.array("end_event"), lane, "i64"), "i64")):
        f.store(f.load(f.word("event_time", "ptr"), event, "double"), f.array("target"), lane, "double")


def _stop(layout: Layout) -> str:
    """``@stop(q, lane)``: hand back how a lane's subject ended, before the lane is used again."""
    f = Frame("stop", layout, ", i64 %lane")
    subject = f.load(f.array("subject"), "%lane", "i64")
    for name in ("status", "steps", "rejected"):
        f.store(f.load(f.array(name), "%lane", "i64"), f.word(name, "ptr"), subject, "i64")
    f.store(f.load(f.array("time"), "%lane", "double"), f.word("stop_time", "ptr"), subject, "double")
    with f.loop(layout.states) as i:
        value = f.load(f.array("y"), element(f, i, "$N", "%lane"), "double")
        f.store(value, f.word("stop_state", "ptr"), element(f, subject, str(layout.states), i), "double")
    if layout.thresholds:
        with f.loop(layout.thresholds) as e:
            value = f.load(f.array("met_before"), element(f, e, "$N", "%lane"), "double")
            place = element(f, subject, str(layout.thresholds), e)
            f.store(value, f.word("stop_met", "ptr"), place, "double")
    # What was not reached is not a number.
    outputs, wanted = f.word("outputs"), f.word("wanted")
    made = f.load(f.array("next_output"), "%lane", "i64")
    row = f.op("mul", element(f, subject, outputs, made), wanted, "i64")
    with f.loop(f.op("mul", f.op("sub", outputs, made, "i64"), wanted, "i64")) as k:
        place = f.op("add", row, k, "i64")
        f.store(hexadecimal(float("nan")), f.word("values", "ptr"), place, "double")
    return f.finish()


def _solve(layout: Layout) -> str:
    """``@solve(q)``: all subjects of the request; a lane that is done takes the next one at once."""
    f = Frame("solve", layout, exported=True)
    f.set_word("next", "0")
    f.set_lanes("active", whole(0), "$I")
    f.set_lanes("subject", whole(-1), "$I")
    f.set_lanes("arrived", whole(0), "$I")

    def waiting() -> str:
        """Whether a lane is done that holds a subject, or could."""
        idle = f.neither(f.flag("active"))
        held = f.both(idle, f.compare("sge", f.lanes("subject", "$I"), whole(0), "$I"))
        left = f.compare("slt", f.word("next"), f.word("subjects"), "i64")
        return f.op("or", f.any(held), f.op("and", f.any(idle), left, "i1"), "i1")

    def busy() -> str:
        with f.during(waiting):
            f.line("call void @refill(ptr %q)")
        return f.any(f.flag("active"))

    with f.during(busy):
        f.line("call void @step(ptr %q)")
        with f.when(f.any(f.flag("arrived"))):
            f.line("call void @arrive(ptr %q)")
    return f.finish()


def _initialise(layout: Layout, parameters: int) -> str:
    """``@initialise(q)``: the initial states that follow from parameters, for all subjects of the request."""
    f = Frame("initialise", layout, exported=True)
    f.set_lanes("time", number(0.0))
    last = f.op("sub", f.word("subjects"), "1", "i64")
    derived = f.at(f.array("p"), parameters)
    with f.loop(f.word("subjects"), "$N") as first:
        with f.loop("$N") as lane:
            own = f.op("add", first, lane, "i64")
            held = f.compare("sle", own, last, "i64")
            subject = f.value(f"select i1 {held}, i64 {own}, i64 {last}")
            _copy_in(f, "parameters", "p", parameters, subject, lane)
        f.model("derive", f.array("y"), f.array("time"), f.array("fresh"))
        with f.loop(layout.constants) as k:
            f.store(f.load(f.array("fresh"), k), derived, k)
        f.prepare()
        f.model("begin", f.array("trial"), f.array("time"), f.array("y"))
        with f.loop("$N") as lane:
            subject = f.op("add", first, lane, "i64")
            with f.when(f.compare("sle", subject, last, "i64")), f.loop(layout.states) as i:
                value = f.load(f.array("y"), element(f, i, "$N", lane), "double")
                f.store(value, f.word("initial", "ptr"), element(f, subject, str(layout.states), i), "double")
    return f.finish()
