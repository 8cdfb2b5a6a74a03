"""The state inside a step, from the method's continuous extension: outputs never cut or change a step."""

from __future__ import annotations

from mesolung.engine import method
from mesolung.engine.frame import Frame
from mesolung.engine.ir import hexadecimal, number
from mesolung.engine.layout import Layout


def dense_functions(layout: Layout) -> str:
    """Write ``@dense``, ``@probe`` and ``@between``.

    Arguments:
        layout: the working memory.

    Returns:
        IR text. ``@dense(q)`` turns the first stages of a tried step into the coefficients of its continuous
        extension, once a step; then ``@probe(q)`` puts the state at each lane's part ``place`` of the step
        into ``u3``, and ``@between(q, lane, part)`` one lane's state among its pending outputs.
    """
    return _dense(layout) + _probe(layout) + _between(layout)


def _dense(layout: Layout) -> str:
    f = Frame("dense", layout)
    u = [f.array(f"u{k}") for k in range(method.STAGES)]
    with f.loop(layout.states) as i:
        stages = [f.load(stage, i) for stage in u]
        for row, place in zip(method.DENSE, u, strict=False):
            total = f.op("fmul", number(row[0]), stages[0])
            for weight, stage in zip(row[1:], stages[1:], strict=True):
                total = f.fma(number(weight), stage, total)
            f.store(total, place, i)
    return f.finish()


def _probe(layout: Layout) -> str:
    f = Frame("probe", layout)
    part = f.lanes("place")
    rest = f.op("fsub", number(1.0), part)
    with f.loop(layout.states) as i:
        y, z, d0, d1, d2 = (f.load(f.array(name), i) for name in ("y", "trial", "u0", "u1", "u2"))
        bend = f.fma(part, f.fma(part, d2, d1), d0)
        f.store(f.fma(part, f.fma(rest, bend, z), f.op("fmul", rest, y)), f.array("u3"), i)
    return f.finish()


def _between(layout: Layout) -> str:
    f = Frame("between", layout, ", i64 %lane, double %part")
    rest = f.op("fsub", hexadecimal(1.0), "%part", "double")
    own = f.pending("%lane")
    slot = f.load(f.array("pending"), "%lane", "i64")
    with f.loop(layout.states) as i:
        row = f.op("mul", i, "$N", "i64")
        here = f.op("add", row, "%lane", "i64")
        y, z, d0, d1, d2 = (
            f.load(f.array(name), here, "double") for name in ("y", "trial", "u0", "u1", "u2")
        )
        bend = f.scalar_fma("%part", f.scalar_fma("%part", d2, d1), d0)
        value = f.scalar_fma("%part", f.scalar_fma(rest, bend, z), f.op("fmul", rest, y, "double"))
        f.store(value, own, f.op("add", row, slot, "i64"), "double")
    return f.finish()
