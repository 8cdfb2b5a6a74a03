"""The adaptive step, in machine code as well: every lane has its own time, step, error, outputs and events.

A step is tried for all lanes at once; what it means is decided lane by lane with masks. Steps end at events
(a dose, a changed parameter), after which the step is estimated anew; outputs lie inside steps and change
none. The next step follows the error and its history (K. Gustafsson, ACM Transactions on Mathematical
Software 20 (1994) 496). A step that ends beyond a threshold by more than the tolerance is taken again, to
where its continuous extension meets it.
"""

from __future__ import annotations

import math

from mesolung.engine import method
from mesolung.engine.crossing import overshoot
from mesolung.engine.frame import NO_FLAGS, Frame, spread
from mesolung.engine.ir import number, whole
from mesolung.engine.layout import NOT_A_NUMBER, STEP_TOO_SMALL, TOO_MANY_STEPS, Layout


def step_function(layout: Layout, timed: bool) -> str:
    """Write ``@step``: one trial step of every lane.

    Arguments:
        layout: the working memory.
        timed: whether rates depend on time itself.

    Returns:
        IR text.
    """
    f = Frame("step", layout)
    _give_up(f)
    y, w, u = f.array("y"), f.array("w"), [f.array(f"u{k}") for k in range(method.STAGES)]
    active, time = f.flag("active"), f.lanes("time")
    f.model("linearise", y, f.array("time"), u[0], w)
    if timed:
        f.model("drift", y, f.array("time"), f.array("drift"))
    way = f.op("fsub", f.lanes("target"), time)
    restart = f.flag("restart")
    with f.when(f.any(restart)):
        _first_step(f, way, restart)
    h = f.lanes("h")
    hit = f.compare("oge", h, way)
    # Two equal steps instead of a long one and a sliver.
    half = f.op("fmul", way, number(0.5))
    short = f.select(f.compare("ogt", h, half), half, h)
    step = f.select(active, f.select(hit, way, short), number(1.0))
    f.set_lanes("taken", step)
    f.set_lanes("ahead", f.select(hit, f.lanes("target"), f.op("fadd", time, step)))
    inverse = f.op("fdiv", number(1.0), step)
    f.set_lanes("diagonal", f.op("fmul", inverse, number(1.0 / method.GAMMA)))
    f.line(f"call void @factor(ptr {w}, ptr {f.array('diagonal')})")
    for s in range(method.STAGES):
        if s:
            _stage(f, s, inverse)
            f.set_lanes("stage_time", f.fma(step, number(method.STAGE_TIME[s]), time))
            f.model("rates", f.array("trial"), f.array("stage_time"), u[s])
        if timed and method.DRIFT[s]:
            weight = f.op("fmul", step, number(method.DRIFT[s]))
            with f.loop(layout.states) as i:
                f.store(f.fma(weight, f.load(f.array("drift"), i), f.load(u[s], i)), u[s], i)
        f.line(f"call void @resolve(ptr {w}, ptr {u[s]})")
    _decide(f, _error(f, u[-1]), step, hit)
    return f.finish()


def _give_up(f: Frame) -> None:
    """Leave lanes that have used up their steps."""
    active = f.flag("active")
    limit = f.value(f"insertelement $I poison, i64 {f.word('max_steps')}, i64 0")
    limit = f.value(f"shufflevector $I {limit}, $I poison, <$N x i32> zeroinitializer")
    many = f.op("and", active, f.compare("sge", f.lanes("steps", "$I"), limit, "$I"), "$M")
    f.set_lanes("status", f.select(many, whole(TOO_MANY_STEPS), f.lanes("status", "$I"), "$I"), "$I")
    f.set_flag("active", f.op("and", active, f.op("xor", many, "splat (i1 true)", "$M"), "$M"))


def _first_step(f: Frame, way: str, restart: str) -> None:
    """Estimate the step of lanes that start or had an event, from how fast they move."""
    size, speed = f.variable("$V", number(0.0)), f.variable("$V", number(0.0))
    relative = spread(f, f.word("relative", "double"))
    with f.loop(f.layout.states) as i:
        y = f.load(f.array("y"), i)
        scale = f.fma(relative, f.intrinsic("fabs", y), _floor(f, i))
        for total, x in ((size, y), (speed, f.load(f.array("u0"), i))):
            part = f.op("fdiv", x, scale)
            f.store(f.fma(part, part, f.load(total)), total)
    ratio = f.intrinsic("sqrt", f.op("fdiv", f.load(size), f.load(speed)))
    first = f.op("fmul", ratio, number(method.FIRST_MOVE))
    # Comparisons with NaN are false: a subject at rest, 0/0, tries the whole way to its next event.
    far = f.larger(f.lanes("h"), number(method.FIRST_LONGEST))
    longest = f.select(f.compare("olt", way, number(math.inf)), way, far)
    first = f.select(f.compare("olt", first, longest), first, longest)
    first = f.larger(first, f.op("fmul", longest, number(method.FIRST_PART)))
    f.set_lanes("h", f.select(restart, first, f.lanes("h")))
    f.set_lanes("h_before", f.select(restart, number(0.0), f.lanes("h_before")))
    f.set_lanes("restart", NO_FLAGS, "$I")


def _floor(f: Frame, i: str) -> str:
    """The part of a state's tolerance that does not follow its present value."""
    fixed = spread(f, f.load(f.word("floor", "ptr"), i, "double"))
    part = spread(f, f.word("of_largest", "double"))
    return f.fma(part, f.load(f.array("largest"), i), fixed)


def _stage(f: Frame, s: int, inverse: str) -> None:
    """Where stage s is evaluated, and what earlier stages add to its right-hand side."""
    u = [f.array(f"u{k}") for k in range(s + 1)]
    y, trial = f.array("y"), f.array("trial")
    with f.loop(f.layout.states) as i:
        past = [f.load(u[k], i) for k in range(s)]
        if s >= len(method.A):
            place = f.op("fadd", f.load(trial, i), past[-1])
        else:
            place = f.load(y, i)
            for a, x in zip(method.A[s], past, strict=True):
                place = f.fma(number(a), x, place)
        f.store(place, trial, i)
        total = f.op("fmul", number(method.C[s][0]), past[0])
        for c, x in zip(method.C[s][1:], past[1:], strict=True):
            total = f.fma(number(c), x, total)
        f.store(f.op("fmul", total, inverse), u[s], i)


def _error(f: Frame, estimate: str) -> str:
    """Finish the trial state and return the mean square of its error in units of the tolerance."""
    total = f.variable("$V", number(0.0))
    relative = spread(f, f.word("relative", "double"))
    with f.loop(f.layout.states) as i:
        e = f.load(estimate, i)
        now = f.load(f.array("y"), i)
        new = f.op("fadd", f.load(f.array("trial"), i), e)
        f.store(new, f.array("trial"), i)
        top = f.larger(f.intrinsic("fabs", now), f.intrinsic("fabs", new))
        part = f.op("fdiv", e, f.fma(relative, top, _floor(f, i)))
        f.store(f.fma(part, part, f.load(total)), total)
    return f.op("fmul", f.load(total), number(1.0 / (f.layout.states * method.PERMITTED**2)))


def _decide(f: Frame, square: str, step: str, hit: str) -> None:
    """Accept or reject in each lane, choose the next step, and notice what cannot be solved."""
    active, h = f.flag("active"), f.lanes("h")
    ok = f.op("and", f.compare("ole", square, number(1.0)), active, "$M")
    bad = f.op("and", f.op("xor", ok, "splat (i1 true)", "$M"), active, "$M")
    late = "zeroinitializer"
    if f.layout.thresholds:
        late = overshoot(f, step, ok)
        ok = f.both(ok, f.neither(late))
    undefined = f.compare("uno", square, square)
    factor = f.op("fmul", _root(f, square), number(1.0 / method.SAFETY))
    # How the error changed from the last accepted step to this one.
    before, h_before = f.lanes("error_before"), f.lanes("h_before")
    change = f.op("fmul", factor, _root(f, f.op("fdiv", square, before)))
    change = f.op("fmul", f.op("fdiv", h_before, step), change)
    known = f.op("and", f.compare("ogt", h_before, number(0.0)), ok, "$M")
    factor = f.select(known, f.larger(change, factor), factor)
    factor = f.larger(factor, number(1.0 / method.GROW))
    factor = f.select(undefined, number(method.SHRINK), f.smaller(factor, number(method.SHRINK)))
    new = f.op("fdiv", step, factor)
    # No growth right after a rejection; a step cut short by an output does not make the next ones shorter.
    again = f.op("and", ok, f.flag("rejected_before"), "$M")
    new = f.select(again, f.smaller(new, step), new)
    cut = f.op("and", ok, f.compare("olt", step, h), "$M")
    new = f.select(cut, f.larger(new, h), new)
    if f.layout.thresholds:
        new = f.select(late, f.op("fmul", step, f.lanes("place")), new)
    f.set_lanes("h", f.select(active, new, h))
    f.set_lanes("h_before", f.select(ok, step, h_before))
    f.set_lanes("error_before", f.select(ok, f.larger(square, number(1e-4)), before))
    f.set_flag("rejected_before", bad)
    f.set_flag("accepted", ok)
    _outputs_inside(f, ok, late)
    time = f.lanes("time")
    f.set_lanes("time", f.select(ok, f.lanes("ahead"), time))
    f.set_flag("arrived", f.op("and", ok, hit, "$M"))
    with f.loop(f.layout.states) as i:
        new_y = f.load(f.array("trial"), i)
        size = f.intrinsic("fabs", new_y)
        # Comparisons with NaN are false, so that it stays.
        new_y = f.select(f.compare("olt", size, number(method.SMALLEST_STATE)), number(0.0), new_y)
        f.store(f.select(ok, new_y, f.load(f.array("y"), i)), f.array("y"), i)
        largest = f.load(f.array("largest"), i)
        f.store(f.select(ok, f.larger(size, largest), largest), f.array("largest"), i)
    for name, mask in (("steps", active), ("rejected", bad)):
        count = f.op("sub", f.lanes(name, "$I"), f.value(f"sext $M {mask} to $I"), "$I")
        f.set_lanes(name, count, "$I")
    reach = f.larger(f.intrinsic("fabs", time), f.lanes("last"))
    tiny = f.op("and", bad, f.compare("olt", new, f.op("fmul", reach, number(method.SMALLEST_PART))), "$M")
    kind = f.select(undefined, whole(NOT_A_NUMBER), whole(STEP_TOO_SMALL), "$I")
    f.set_lanes("status", f.select(tiny, kind, f.lanes("status", "$I"), "$I"), "$I")
    left = f.compare("olt", f.lanes("next_time"), number(math.inf))
    f.set_flag("active", f.both(f.both(active, left), f.neither(tiny)))
    if f.layout.thresholds:
        f.set_flag("touched", ok)
        f.line("call void @cross(ptr %q)")
        f.set_lanes("touched", NO_FLAGS, "$I")


def _outputs_inside(f: Frame, ok: str, late: str) -> None:
    """Keep what accepted steps pass over, before they are taken."""
    inside = f.both(ok, f.compare("olt", f.lanes("next_time"), f.lanes("ahead")))
    with f.when(f.any(inside)):
        # A step that met a threshold in another lane has its extension already.
        with f.when(f.value(f"xor i1 {f.any(late)}, true") if f.layout.thresholds else "true"):
            f.line("call void @dense(ptr %q)")
        with f.loop("$N") as lane:
            f.line(f"call void @pass(ptr %q, i64 {lane})")


def _root(f: Frame, square: str) -> str:
    """The factor by which a step is too long whose error has this square."""
    power = number(0.5 / method.ORDER_OF_ESTIMATE)
    return f.value(f"call $V @lane_exp($V {f.op('fmul', power, f.value(f'call $V @lane_log($V {square})'))})")
