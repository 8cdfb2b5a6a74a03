"""A function of the controller, which knows the request and the working memory by name."""

from __future__ import annotations

from mesolung.engine.ir import Function, whole
from mesolung.engine.layout import WORD, Layout

NO_FLAGS = whole(0)


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

    def set_word(self, name: str, value: str) -> None:
        """Change one word of the request."""
        self.store(value, "%q", WORD[name], "i64")

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
        return self.compare("ne", self.lanes(name, "$I"), NO_FLAGS, "$I")

    def set_flag(self, name: str, mask: str) -> None:
        """Set a flag of every lane from a mask."""
        self.set_lanes(name, self.value(f"sext $M {mask} to $I"), "$I")

    def model(self, name: str, y: str, time: str, a: str, b: str | None = None, p: str = "p") -> None:
        """Call a function of the model, with the parameters in the array ``p``."""
        p, s = self.array(p), self.array("s")
        self.line(f"call void @{name}(ptr {y}, ptr {p}, ptr {time}, ptr {a}, ptr {b or s}, ptr {s})")

    def prepare(self) -> None:
        """Compute what depends on parameters alone."""
        p = self.array("p")
        self.model("prepare", self.array("y"), self.array("time"), p)

    def finish(self) -> str:
        """The text."""
        self.line("ret void")
        return self.text()

    def pending(self, lane: str) -> str:
        """The address of a lane's pending outputs: each state's value at every one, and last their times."""
        rows = self.op("mul", lane, str(self.layout.states + 1), "i64")
        return self.at(self.word("pending", "ptr"), rows)

    def both(self, a: str, b: str) -> str:
        """Lanes where both masks are set."""
        return self.op("and", a, b, "$M")

    def neither(self, a: str) -> str:
        """Lanes where a mask is not set."""
        return self.op("xor", a, "splat (i1 true)", "$M")


def spread(f: Function, scalar: str) -> str:
    """A scalar in every lane."""
    first = f.value(f"insertelement $V poison, double {scalar}, i64 0")
    return f.value(f"shufflevector $V {first}, $V poison, <$N x i32> zeroinitializer")
