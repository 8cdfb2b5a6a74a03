"""The adaptive step, in machine code as well: every lane has its own time, step, error, outputs and events.

A step is tried for all lanes at once; what it means is decided lane by lane with masks. Steps end at output
times and at events (a dose, a changed parameter), after which the step is estimated anew. The next step
follows the error and its history (K. Gustafsson, ACM Transactions on Mathematical Software 20 (1994) 496). A
step that ends beyond a threshold by more than the tolerance is taken again, to where a chord meets it.
"""

from __future__ import annotations

from mesolung.engine import method
from mesolung.engine.ir import Function, number, whole
from mesolung.engine.layout import (
    LANE_VALUES,
    NOT_A_NUMBER,
    PAUSED,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    WORD,
    Layout,
)

_FLAGS = whole(0)


class Frame(Function):
    """A function of the controller: it knows the request ``%q`` and the working memory by name."""

    def __init__(
        self, name: str, layout: Layout, extra: str = "", result: str = "void", exported: bool = False
    ) -> None:
        super().__init__(name, "ptr %q" + extra, result, exported)
        self.layout = layout
        self.offsets = layout.offsets
        self.work = self.word("work", "ptr")

    def word(self, name: str, kind: str = "i64") -> str:
        """One word of the request."""
        return self.load("%q", WORD[name], kind)

    def array(self, name: str) -> str:
        """The address of an array of the working memory."""
        return self.at(self.work, self.offsets[name])

    def lanes(self, name: str, kind: str = "$V") -> str:
        """A value of every lane."""
        return self.load(self.array(name), 0, kind)

    def set_lanes(self, name: str, value: str, kind: str = "$V") -> None:
        """Set a value of every lane."""
        self.store(value, self.array(name), 0, kind)

    def flag(self, name: str) -> str:
        """A flag of every lane as a mask."""
        return self.compare("ne", self.lanes(name, "$I"), _FLAGS, "$I")

    def set_flag(self, name: str, mask: str) -> None:
        """Set a flag of every lane from a mask."""
        self.set_lanes(name, self.value(f"sext $M {mask} to $I"), "$I")

    def model(self, name: str, y: str, time: str, a: str, b: str | None = None) -> None:
        """Call a function of the model."""
        p, s = self.array("p"), self.array("s")
        self.line(f"call void @{name}(ptr {y}, ptr {p}, ptr {time}, ptr {a}, ptr {b or s}, ptr {s})")

    def prepare(self) -> None:
        """Compute what depends on parameters alone."""
        p = self.array("p")
        self.model("prepare", self.array("y"), self.array("time"), p)

    def finish(self) -> str:
        """The text."""
        self.line("ret void")
        return self.text()


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
    relative = _spread(f, f.word("relative", "double"))
    with f.loop(f.layout.states) as i:
        y = f.load(f.array("y"), i)
        scale = f.fma(relative, f.intrinsic("fabs", y), _floor(f, i))
        for total, x in ((size, y), (speed, f.load(f.array("u0"), i))):
            part = f.op("fdiv", x, scale)
            f.store(f.fma(part, part, f.load(total)), total)
    ratio = f.intrinsic("sqrt", f.op("fdiv", f.load(size), f.load(speed)))
    first = f.op("fmul", ratio, number(method.FIRST_MOVE))
    least = f.op("fmul", way, number(method.FIRST_PART))
    # Comparisons with NaN are false: a subject at rest, 0/0, tries the whole way.
    first = f.select(f.compare("olt", first, way), first, way)
    first = f.select(f.compare("olt", first, least), least, first)
    f.set_lanes("h", f.select(restart, first, f.lanes("h")))
    f.set_lanes("h_before", f.select(restart, number(0.0), f.lanes("h_before")))
    f.set_lanes("restart", _FLAGS, "$I")


def _spread(f: Function, scalar: str) -> str:
    """A scalar in every lane."""
    first = f.value(f"insertelement $V poison, double {scalar}, i64 0")
    return f.value(f"shufflevector $V {first}, $V poison, <$N x i32> zeroinitializer")


def _floor(f: Frame, i: str) -> str:
    """The part of a state's tolerance that does not follow its present value."""
    fixed = _spread(f, f.load(f.word("floor", "ptr"), i, "double"))
    part = _spread(f, f.word("of_largest", "double"))
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
    relative = _spread(f, f.word("relative", "double"))
    with f.loop(f.layout.states) as i:
        e = f.load(estimate, i)
        now = f.load(f.array("y"), i)
        new = f.op("fadd", f.load(f.array("trial"), i), e)
        f.store(new, f.array("trial"), i)
        top = f.larger(f.intrinsic("fabs", now), f.intrinsic("fabs", new))
        part = f.op("fdiv", e, f.fma(relative, top, _floor(f, i)))
        f.store(f.fma(part, part, f.load(total)), total)
    return f.op("fmul", f.load(total), number(1.0 / f.layout.states))


def _decide(f: Frame, square: str, step: str, hit: str) -> None:
    """Accept or reject in each lane, choose the next step, and notice what cannot be solved."""
    active, h = f.flag("active"), f.lanes("h")
    ok = f.op("and", f.compare("ole", square, number(1.0)), active, "$M")
    bad = f.op("and", f.op("xor", ok, "splat (i1 true)", "$M"), active, "$M")
    late, part = "zeroinitializer", number(1.0)
    if f.layout.thresholds:
        late, part = _overshoot(f, step)
        late = f.op("and", late, ok, "$M")
        ok = f.op("and", ok, f.op("xor", late, "splat (i1 true)", "$M"), "$M")
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
    new = f.select(late, f.op("fmul", step, part), new)
    f.set_lanes("h", f.select(active, new, h))
    f.set_lanes("h_before", f.select(ok, step, h_before))
    f.set_lanes("error_before", f.select(ok, f.larger(square, number(1e-4)), before))
    f.set_flag("rejected_before", bad)
    time, end = f.lanes("time"), f.lanes("target")
    f.set_lanes("time", f.select(ok, f.select(hit, end, f.op("fadd", time, step)), time))
    f.set_flag("arrived", f.op("and", ok, hit, "$M"))
    with f.loop(f.layout.states) as i:
        new_y = f.load(f.array("trial"), i)
        f.store(f.select(ok, new_y, f.load(f.array("y"), i)), f.array("y"), i)
        largest = f.load(f.array("largest"), i)
        f.store(f.select(ok, f.larger(f.intrinsic("fabs", new_y), largest), largest), f.array("largest"), i)
    for name, mask in (("steps", active), ("rejected", bad)):
        count = f.op("sub", f.lanes(name, "$I"), f.value(f"sext $M {mask} to $I"), "$I")
        f.set_lanes(name, count, "$I")
    reach = f.larger(f.intrinsic("fabs", time), f.lanes("last"))
    tiny = f.op("and", bad, f.compare("olt", new, f.op("fmul", reach, number(method.SMALLEST_PART))), "$M")
    kind = f.select(undefined, whole(NOT_A_NUMBER), whole(STEP_TOO_SMALL), "$I")
    f.set_lanes("status", f.select(tiny, kind, f.lanes("status", "$I"), "$I"), "$I")
    f.set_flag("active", f.op("and", active, f.op("xor", tiny, "splat (i1 true)", "$M"), "$M"))
    if f.layout.thresholds:
        f.set_flag("touched", ok)
        f.line("call void @cross(ptr %q)")
        f.set_lanes("touched", _FLAGS, "$I")


def _root(f: Frame, square: str) -> str:
    """The factor by which a step is too long whose error has this square."""
    power = number(0.5 / method.ORDER_OF_ESTIMATE)
    return f.value(f"call $V @lane_exp($V {f.op('fmul', power, f.value(f'call $V @lane_log($V {square})'))})")


def crossing_function(layout: Layout, settings: list[list[int]], pauses: bool = False) -> str:
    """Write ``@cross``: in touched lanes, set states whose threshold has been crossed since the last look.

    Arguments:
        layout: the working memory.
        settings: for each threshold the states that it sets.
        pauses: whether lanes stop where a threshold has been crossed (nothing is then set).

    Returns:
        IR text. What one threshold sets may cross another, which then acts too; each acts once a look.
    """
    f = Frame("cross", layout)
    y, mask = f.array("y"), f.flag("touched")
    f.set_lanes("fired", _FLAGS, "$I")
    with f.loop(1 if pauses else layout.thresholds + 1):
        f.model("watch", y, f.array("time"), f.array("met"), f.array("watched"))
        slot = 0
        for e, targets in enumerate(settings):
            met, before = f.load(f.array("met"), e), f.load(f.array("met_before"), e)
            now = f.op("and", mask, f.compare("ogt", met, number(0.0)), "$M")
            fires = f.op("and", now, f.compare("ole", before, number(0.0)), "$M")
            f.store(f.select(mask, met, before), f.array("met_before"), e)
            past = f.load(f.array("watched"), layout.settings + e)
            f.store(f.select(mask, past, f.load(f.array("past_before"), e)), f.array("past_before"), e)
            f.set_flag("fired", f.op("or", fires, f.flag("fired"), "$M"))
            for target in targets:
                value = f.load(f.array("watched"), slot)
                f.store(f.select(fires, value, f.load(y, target)), y, target)
                slot += 1
    f.set_flag("restart", f.op("or", f.flag("fired"), f.flag("restart"), "$M"))
    if pauses:
        _pause(f)
    return f.finish()


def _pause(f: Frame) -> None:
    """Stop the lanes whose thresholds have fired."""
    active, fired = f.flag("active"), f.flag("fired")
    stops = f.op("and", active, fired, "$M")
    f.set_lanes("status", f.select(stops, whole(PAUSED), f.lanes("status", "$I"), "$I"), "$I")
    f.set_flag("active", f.op("and", active, f.op("xor", stops, "splat (i1 true)", "$M"), "$M"))


def _overshoot(f: Frame, step: str) -> tuple[str, str]:
    """Lanes whose trial state has gone too far past a threshold, and where in the step they met it."""
    layout = f.layout
    f.set_lanes("stage_time", f.op("fadd", f.lanes("time"), step))
    f.model("watch", f.array("trial"), f.array("stage_time"), f.array("met"), f.array("watched"))
    part, late = number(1.0), "zeroinitializer"
    relative = _spread(f, f.word("relative", "double"))
    smallest = f.op("fmul", f.lanes("last"), number(method.SMALLEST_PART * 1e2))
    for e in range(layout.thresholds):
        past = f.load(f.array("watched"), layout.settings + e)
        size = f.load(f.array("watched"), layout.settings + layout.thresholds + e)
        before = f.load(f.array("past_before"), e)
        new = f.op(
            "and",
            f.compare("ogt", f.load(f.array("met"), e), number(0.0)),
            f.compare("ole", f.load(f.array("met_before"), e), number(0.0)),
            "$M",
        )
        far = f.op("and", new, f.compare("ogt", past, f.op("fmul", relative, size)), "$M")
        far = f.op("and", far, f.compare("ogt", step, smallest), "$M")
        # The chord from the start of the step to its end.
        place = f.op("fdiv", before, f.op("fsub", before, past))
        place = f.smaller(f.larger(place, number(0.01)), number(0.99))
        part = f.select(far, f.smaller(place, part), part)
        late = f.op("or", far, late, "$M")
    return late, part


def start_function(layout: Layout, met_at_start: list[float]) -> str:
    """Write ``@start``: put the subjects from ``%first`` on into the lanes, at their start times."""
    f = Frame("start", layout, ", i64 %first")
    f.line("call void @fill(ptr %q, i64 %first)")
    for name in LANE_VALUES:
        if name not in ("time", "last", "active", "next_event", "end_event"):
            f.set_lanes(name, number(0.0))
    f.set_lanes("error_before", number(1.0))
    for name in ("arrived", "touched", "restart"):
        f.set_lanes(name, whole(-1), "$I")
    for e, met in enumerate(met_at_start):
        f.store(number(met), f.array("met_before"), e)
        f.store(number(0.0), f.array("past_before"), e)
    with f.loop(layout.states) as i:
        f.store(f.intrinsic("fabs", f.load(f.array("y"), i)), f.array("largest"), i)
    return f.finish()
