"""Outputs: kept a few at a time in each lane, then written, with the observables that were asked for.

Observables are computed for as many output times of one subject at once as there are lanes, so they cost no
more for a lane that is alone. What is pending is written before the subject's parameters change.
"""

from __future__ import annotations

from mesolung.engine.frame import Frame, spread
from mesolung.engine.layout import Layout
from mesolung.engine.schedule import INFINITE, element


def output_functions(layout: Layout) -> str:
    """Write ``@pass``, ``@halt``, ``@flush`` and what they call.

    Arguments:
        layout: the working memory.

    Returns:
        IR text. ``@pass(q, lane)`` keeps the outputs inside a lane's accepted step, ``@halt(q, lane)`` those
        up to the time that it stands at, ``@flush(q, lane)`` writes what is kept.
    """
    return _pass(layout) + _halt(layout) + _keep(layout) + _advance(layout) + _flush(layout)


def _output_time(f: Frame, lane: str) -> str:
    """The time of a lane's next output, infinite when all are made."""
    k = f.load(f.array("next_output"), lane, "i64")
    left = f.compare("slt", k, f.word("outputs"), "i64")
    row = f.op("mul", f.load(f.array("subject"), lane, "i64"), f.word("times_stride"), "i64")
    # With nothing left the first time is read instead, and not used; without outputs there is one filler.
    place = f.value(f"select i1 {left}, i64 {f.op('add', row, k, 'i64')}, i64 0")
    time = f.load(f.word("times", "ptr"), place, "double")
    return f.value(f"select i1 {left}, double {time}, double {INFINITE}")


def _pass(layout: Layout) -> str:
    f = Frame("pass", layout, ", i64 %lane")
    with f.when(f.compare("ne", f.load(f.array("accepted"), "%lane", "i64"), "0", "i64")):
        time, step, ahead = (f.load(f.array(name), "%lane", "double") for name in ("time", "taken", "ahead"))

        def inside() -> str:
            return f.compare("olt", f.load(f.array("next_time"), "%lane", "double"), ahead, "double")

        with f.during(inside):
            way = f.op("fsub", f.load(f.array("next_time"), "%lane", "double"), time, "double")
            part = f.op("fdiv", way, step, "double")
            f.line(f"call void @between(ptr %q, i64 %lane, double {part})")
            f.line("call void @advance(ptr %q, i64 %lane)")
    return f.finish()


def _halt(layout: Layout) -> str:
    f = Frame("halt", layout, ", i64 %lane")
    now = f.load(f.array("time"), "%lane", "double")
    f.store(_output_time(f, "%lane"), f.array("next_time"), "%lane", "double")

    def reached() -> str:
        return f.compare("ole", f.load(f.array("next_time"), "%lane", "double"), now, "double")

    with f.during(reached):
        f.line("call void @keep(ptr %q, i64 %lane)")
        f.line("call void @advance(ptr %q, i64 %lane)")
    with f.when(f.compare("oeq", f.load(f.array("next_time"), "%lane", "double"), INFINITE, "double")):
        f.store("0", f.array("active"), "%lane", "i64")
    return f.finish()


def _keep(layout: Layout) -> str:
    """``@keep(q, lane)``: the present state becomes a pending output."""
    f = Frame("keep", layout, ", i64 %lane")
    own = f.pending("%lane")
    slot = f.load(f.array("pending"), "%lane", "i64")
    with f.loop(layout.states) as i:
        value = f.load(f.array("y"), element(f, i, "$N", "%lane"), "double")
        f.store(value, own, element(f, i, "$N", slot), "double")
    return f.finish()


def _advance(layout: Layout) -> str:
    """``@advance(q, lane)``: the next output is pending; where a vector of them is full it is written."""
    f = Frame("advance", layout, ", i64 %lane")
    slot = f.load(f.array("pending"), "%lane", "i64")
    times = f.at(f.pending("%lane"), layout.states)
    f.store(f.load(f.array("next_time"), "%lane", "double"), times, slot, "double")
    more = f.op("add", slot, "1", "i64")
    f.store(more, f.array("pending"), "%lane", "i64")
    k = f.load(f.array("next_output"), "%lane", "i64")
    f.store(f.op("add", k, "1", "i64"), f.array("next_output"), "%lane", "i64")
    f.store(_output_time(f, "%lane"), f.array("next_time"), "%lane", "double")
    with f.when(f.compare("eq", more, "$N", "i64")):
        f.line("call void @flush(ptr %q, i64 %lane)")
    return f.finish()


def _flush(layout: Layout) -> str:
    f = Frame("flush", layout, ", i64 %lane")
    count = f.load(f.array("pending"), "%lane", "i64")
    with f.when(f.compare("sgt", count, "0", "i64")):
        states = f.pending("%lane")
        with f.when(f.compare("ne", f.word("observing"), "0", "i64")):
            with f.loop(layout.width) as k:
                own = f.load(f.array("p"), element(f, k, "$N", "%lane"), "double")
                f.store(spread(f, own), f.array("p_then"), k)
            f.model("observe", states, f.at(states, layout.states), f.array("observed"), p="p_then")
        first = f.op("sub", f.load(f.array("next_output"), "%lane", "i64"), count, "i64")
        subject = f.load(f.array("subject"), "%lane", "i64")
        with f.loop(count) as slot:
            k = f.op("add", first, slot, "i64")
            _write_row(f, states, slot, f.op("add", f.op("mul", subject, f.word("outputs"), "i64"), k, "i64"))
        f.store("0", f.array("pending"), "%lane", "i64")
    return f.finish()


def _write_row(f: Frame, states: str, slot: str, row: str) -> None:
    """One output: states from where they are kept, observables from where they were computed."""
    n, wanted = f.layout.states, f.word("wanted")
    start = f.op("mul", row, wanted, "i64")
    with f.loop(wanted) as o:
        index = f.load(f.word("wanted_index", "ptr"), o, "i64")
        is_state = f.compare("slt", index, str(n), "i64")
        base = f.value(f"select i1 {is_state}, ptr {states}, ptr {f.array('observed')}")
        local = f.value(f"select i1 {is_state}, i64 {index}, i64 {f.op('sub', index, str(n), 'i64')}")
        value = f.load(base, element(f, local, "$N", slot), "double")
        f.store(value, f.word("values", "ptr"), f.op("add", start, o, "i64"), "double")
