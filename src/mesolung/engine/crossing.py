"""Thresholds: a state that falls below (or rises above) a bound sets states, at a step's end.

A step that ends beyond a threshold by more than the tolerance is taken again, to a place that the
continuous extension names: inside the step the crossing is bracketed and found by false position with halving
(M. Dowell, P. Jarratt, BIT Numerical Mathematics 11 (1971) 168).
"""

from __future__ import annotations

import math

from mesolung.engine import method
from mesolung.engine.frame import NO_FLAGS, Frame, spread
from mesolung.engine.ir import number, whole
from mesolung.engine.layout import PAUSED, Layout


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
    f.set_lanes("fired", NO_FLAGS, "$I")
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
    active = f.flag("active")
    stops = f.both(active, f.flag("fired"))
    f.set_lanes("status", f.select(stops, whole(PAUSED), f.lanes("status", "$I"), "$I"), "$I")
    f.set_flag("active", f.both(active, f.neither(stops)))


def overshoot(f: Frame, step: str, ok: str) -> str:
    """Lanes whose tried step has gone too far past a threshold; ``place`` says where in it they met it.

    Arguments:
        f: the function being written.
        step: the step of each lane.
        ok: lanes whose step is accurate.

    Returns:
        The mask; where a lane is in it, ``@dense`` has been called.
    """
    f.model("watch", f.array("trial"), f.array("ahead"), f.array("met"), f.array("watched"))
    smallest = f.op("fmul", f.lanes("last"), number(method.SMALLEST_PART * 1e2))
    beyond = "zeroinitializer"
    for e in range(f.layout.thresholds):
        far = f.both(_unmet(f, e), f.compare("ogt", _past(f, e), _permitted(f, e)))
        met = f.compare("ogt", f.load(f.array("met"), e), number(0.0))
        beyond = f.op("or", beyond, f.both(far, met), "$M")
    late = f.both(ok, f.both(beyond, f.compare("ogt", step, smallest)))
    with f.when(f.any(late)):
        f.line("call void @dense(ptr %q)")
        f.line("call void @locate(ptr %q)")
    return late


def locate_function(layout: Layout) -> str:
    """Write ``@locate``: find where in its tried step each lane goes beyond a threshold.

    Arguments:
        layout: the working memory.

    Returns:
        IR text. ``place`` becomes the end of a bracket that lies beyond by about a part of the tolerance.
    """
    f = Frame("locate", layout)
    time, step = f.lanes("time"), f.lanes("taken")
    before = [f.load(f.array("past_before"), e) for e in range(layout.thresholds)]
    low, high = f.variable("$V", number(0.0)), f.variable("$V", number(1.0))
    below = f.variable("$V", _worst(f, before))
    above = f.variable("$V", _worst(f))
    side = f.variable("$V", number(0.0))
    with f.loop(method.SEARCHES):
        a, b, fa, fb = (f.load(x) for x in (low, high, below, above))
        width = f.op("fsub", b, a)
        chord = f.op("fdiv", fa, f.op("fsub", fa, fb))
        # Where the chord says nothing, the middle.
        chord = f.select(f.compare("uno", chord, chord), number(0.5), chord)
        chord = f.smaller(f.larger(chord, number(1e-3)), number(1.0 - 1e-3))
        place = f.fma(chord, width, a)
        f.set_lanes("place", place)
        f.set_lanes("stage_time", f.fma(place, step, time))
        f.line("call void @probe(ptr %q)")
        f.model("watch", f.array("u3"), f.array("stage_time"), f.array("met"), f.array("watched"))
        found = _worst(f)
        beyond = f.compare("ogt", found, number(0.0))
        # A side that stays twice counts half, so that the other one moves too.
        was = f.load(side)
        half = number(0.5)
        again_high = f.both(beyond, f.compare("ogt", was, number(0.0)))
        again_low = f.both(f.neither(beyond), f.compare("olt", was, number(0.0)))
        f.store(f.select(beyond, f.select(again_high, f.op("fmul", fa, half), fa), found), below)
        f.store(f.select(beyond, found, f.select(again_low, f.op("fmul", fb, half), fb)), above)
        f.store(f.select(beyond, a, place), low)
        f.store(f.select(beyond, place, b), high)
        f.store(f.select(beyond, number(1.0), number(-1.0)), side)
    # Never the whole step again.
    f.set_lanes("place", f.smaller(f.load(high), number(0.999)))
    return f.finish()


def _unmet(f: Frame, e: int) -> str:
    return f.compare("ole", f.load(f.array("met_before"), e), number(0.0))


def _past(f: Frame, e: int) -> str:
    """How far the state that was last looked at is beyond a bound."""
    return f.load(f.array("watched"), f.layout.settings + e)


def _permitted(f: Frame, e: int) -> str:
    """How far a step may end beyond a bound."""
    size = f.load(f.array("watched"), f.layout.settings + f.layout.thresholds + e)
    return f.op("fmul", spread(f, f.word("relative", "double")), size)


def _worst(f: Frame, past: list[str] | None = None) -> str:
    """How far beyond the threshold that matters most, less what is aimed at, by the size of its bound."""
    worst = number(-math.inf)
    for e in range(f.layout.thresholds):
        permitted = _permitted(f, e)
        own = f.fma(number(-method.AIM), permitted, past[e] if past else _past(f, e))
        own = f.op("fdiv", own, f.larger(permitted, number(1e-300)))
        own = f.select(_unmet(f, e), own, number(-math.inf))
        worst = own if e == 0 else f.larger(own, worst)
    return worst
