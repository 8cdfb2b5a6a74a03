"""Writing LLVM IR as text that does not yet say how many lanes it has.

Text uses ``$V`` (vector of doubles), ``$I`` (vector of 64-bit integers), ``$M`` (mask), ``$S`` (suffix of
vector intrinsics), ``$N`` (number of lanes) and ``$A`` (alignment); `widen` fills them in. So every width
executes the same operations in the same order, and gives the same bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

# Plain IEEE arithmetic throughout: no instruction carries a fast-math flag, and the only fused operations are
# fma.
DECLARATIONS = """
declare $V @llvm.fma.$S($V, $V, $V)
declare $V @llvm.sqrt.$S($V)
declare $V @llvm.fabs.$S($V)
declare $V @llvm.floor.$S($V)
declare $V @llvm.ceil.$S($V)
declare double @llvm.fabs.f64(double)
declare double @llvm.fma.f64(double, double, double)
"""


def widen(text: str, lanes: int) -> str:
    """Fill in the number of lanes.

    Arguments:
        text: IR with the placeholders of this module.
        lanes: subjects that one vector holds: 2, 4 or 8.

    Returns:
        IR that LLVM reads.
    """
    for mark, words in (
        ("$V", f"<{lanes} x double>"),
        ("$I", f"<{lanes} x i64>"),
        ("$M", f"<{lanes} x i1>"),
        ("$S", f"v{lanes}f64"),
        ("$N", str(lanes)),
        ("$A", str(8 * lanes)),
    ):
        text = text.replace(mark, words)
    return text


def hexadecimal(value: float) -> str:
    """A double as LLVM writes it, bit for bit."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def number(value: float) -> str:
    """A double in every lane."""
    return f"splat (double {hexadecimal(value)})"


def whole(value: int) -> str:
    """A 64-bit integer in every lane."""
    return f"splat (i64 {value})"


class Function:
    """One function being written. Methods return the name of the value that they compute."""

    def __init__(self, name: str, arguments: str, result: str = "void", exported: bool = False) -> None:
        """Begin a function.

        Arguments:
            name: its name.
            arguments: as in IR, such as ``ptr noalias %y, i64 %n``.
            result: its type.
            exported: whether Python calls it.
        """
        linkage = "" if exported else "internal "
        self.name = name
        self._head = f"define {linkage}{result} @{name}({arguments}) noinline nounwind {{"
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._count = 0

    def line(self, text: str) -> None:
        """Add an instruction that has no value."""
        self._lines.append("  " + text)

    def value(self, text: str) -> str:
        """Add an instruction and name its value."""
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"  {name} = {text}")
        return name

    def text(self) -> str:
        """The whole function."""
        return "\n".join([self._head, "entry:", *self._slots, *self._lines, "}", ""])

    # ---- vectors ----
    def op(self, name: str, a: str, b: str, kind: str = "$V") -> str:
        """A binary instruction."""
        return self.value(f"{name} {kind} {a}, {b}")

    def fma(self, a: str, b: str, c: str) -> str:
        """a b + c, rounded once."""
        return self.value(f"call $V @llvm.fma.$S($V {a}, $V {b}, $V {c})")

    def scalar_fma(self, a: str, b: str, c: str) -> str:
        """a b + c of one lane, rounded once."""
        return self.value(f"call double @llvm.fma.f64(double {a}, double {b}, double {c})")

    def negative(self, a: str) -> str:
        """-a."""
        return self.value(f"fneg $V {a}")

    def intrinsic(self, name: str, a: str) -> str:
        """One of sqrt, fabs, floor, ceil."""
        return self.value(f"call $V @llvm.{name}.$S($V {a})")

    def compare(self, how: str, a: str, b: str, kind: str = "$V") -> str:
        """A mask."""
        return self.value(f"{'fcmp' if kind in ('$V', 'double') else 'icmp'} {how} {kind} {a}, {b}")

    def select(self, mask: str, a: str, b: str, kind: str = "$V") -> str:
        """a where the mask is set, b elsewhere."""
        return self.value(f"select $M {mask}, {kind} {a}, {kind} {b}")

    def larger(self, a: str, b: str) -> str:
        """a where it is larger than b, else b; so b where either is NaN (one instruction on x86)."""
        return self.select(self.compare("ogt", a, b), a, b)

    def smaller(self, a: str, b: str) -> str:
        """a where it is smaller than b, else b; so b where either is NaN."""
        return self.select(self.compare("olt", a, b), a, b)

    def cast(self, a: str, source: str, target: str) -> str:
        """The same bits as another type."""
        return self.value(f"bitcast {source} {a} to {target}")

    def any(self, mask: str) -> str:
        """Whether a lane of the mask is set."""
        return self.value(f"icmp ne i$N {self.cast(mask, '$M', 'i$N')}, 0")

    # ---- memory ----
    def at(self, pointer: str, index: int | str, kind: str = "$V") -> str:
        """The address of an element."""
        if index == 0:
            return pointer
        return self.value(f"getelementptr {kind}, ptr {pointer}, i64 {index}")

    def load(self, pointer: str, index: int | str = 0, kind: str = "$V") -> str:
        """An element."""
        return self.value(f"load {kind}, ptr {self.at(pointer, index, kind)}, align {_align(kind)}")

    def store(self, value: str, pointer: str, index: int | str = 0, kind: str = "$V") -> None:
        """Set an element."""
        self.line(f"store {kind} {value}, ptr {self.at(pointer, index, kind)}, align {_align(kind)}")

    def variable(self, kind: str, start: str) -> str:
        """A local variable (the optimiser puts it in a register)."""
        self._count += 1
        name = f"%x{self._count}"
        self._slots.append(f"  {name} = alloca {kind}, align {_align(kind)}")
        self.store(start, name, 0, kind)
        return name

    # ---- flow ----
    @contextmanager
    def loop(self, count: int | str, step: int | str = 1) -> Iterator[str]:
        """Repeat for an index from 0 below ``count``."""
        index = self.variable("i64", "0")
        with self.during(lambda: self.compare("slt", self.load(index, 0, "i64"), str(count), "i64")):
            i = self.load(index, 0, "i64")
            yield i
            self.store(self.op("add", i, str(step), "i64"), index, 0, "i64")

    @contextmanager
    def during(self, condition) -> Iterator[None]:
        """Repeat as long as the condition, which is written anew before each turn, holds."""
        self._count += 1
        mark = self._count
        self.line(f"br label %test{mark}")
        self._lines.append(f"test{mark}:")
        self.line(f"br i1 {condition()}, label %body{mark}, label %end{mark}")
        self._lines.append(f"body{mark}:")
        yield
        self.line(f"br label %test{mark}")
        self._lines.append(f"end{mark}:")

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do only if the condition holds."""
        self._count += 1
        mark = self._count
        self.line(f"br i1 {condition}, label %then{mark}, label %after{mark}")
        self._lines.append(f"then{mark}:")
        yield
        self.line(f"br label %after{mark}")
        self._lines.append(f"after{mark}:")


def _align(kind: str) -> str:
    return "$A" if kind in ("$V", "$I") else "8"
