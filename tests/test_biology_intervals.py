"""What an interval rules out cannot happen: every value of a law lies in the interval of its law."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from mesolung.biology.expressions import Expression
from mesolung.biology.intervals import ANYTHING, NOT_NEGATIVE, POSITIVE, Interval
from mesolung.biology.ranges import Laws, Ranges

NAMES: Mapping[str, Interval] = {
    "state": NOT_NEGATIVE,
    "other": NOT_NEGATIVE,
    "positive": POSITIVE,
    "share": Interval(0.0, 1.0, True, True),
    "part": Interval(0.0, 1.0),
    "any": ANYTHING,
    "three": Interval(3.0, 3.0),
    "between": Interval(-1.0, 2.0, below=True),
}


def inside(interval: Interval) -> st.SearchStrategy[float]:
    low, high = max(interval.low, -50.0), min(interval.high, 50.0)
    numbers = st.floats(low, high, exclude_min=interval.above, exclude_max=interval.below)
    return numbers.map(lambda v: v if abs(v) > 1e-6 or (v == 0.0 and interval.has_zero) else high * 0.5)


def leaves() -> st.SearchStrategy[Expression]:
    names = st.sampled_from(sorted(NAMES)).map(lambda n: Expression("name", name=n))
    return names | st.sampled_from((0.0, 0.5, 1.0, 2.0)).map(lambda v: Expression("number", value=v))


def branches(below: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    many = st.sampled_from(("+", "*", "min", "max", "-", "/"))
    two = st.builds(lambda kind, a, b: Expression(kind, parts=(a, b)), many, below, below)
    one = st.builds(
        lambda kind, a: Expression(kind, parts=(a,)), st.sampled_from(("-", "abs", "exp", "ln")), below
    )
    exponent = st.sampled_from((0.5, 1.0, 1.5, 2.0, 3.0, 4.0)).map(lambda v: Expression("number", value=v))
    power = st.builds(lambda a, n: Expression("^", parts=(a, n)), below, exponent)
    return two | one | power | st.builds(_saturating, below, below)


def _saturating(a: Expression, b: Expression) -> Expression:
    return Expression("/", parts=(a, Expression("+", parts=(a, b))))


def value(node: Expression, values: Mapping[str, float]) -> float:
    """Work a law out; ArithmeticError or ValueError where it has no value."""
    kind = node.operation
    if kind == "number":
        return node.value
    if kind == "name":
        return values[node.name]
    parts = [value(part, values) for part in node.parts]
    if kind == "+":
        return math.fsum(parts)
    if kind == "-":
        return -parts[0] if len(parts) == 1 else parts[0] - parts[1]
    if kind == "*":
        return math.prod(parts)
    if kind == "/":
        return parts[0] / parts[1]
    if kind == "^":
        result = parts[0] ** parts[1]
        if isinstance(result, complex):
            raise ValueError("no real number")
        return result
    single = {"min": min, "max": max}
    return (
        single[kind](parts)
        if kind in single
        else {"exp": math.exp, "ln": math.log, "abs": abs}[kind](parts[0])
    )


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    st.recursive(leaves(), branches, max_leaves=8),
    st.fixed_dictionaries({n: inside(i) for n, i in NAMES.items()}),
)
def test_no_value_lies_outside_and_none_is_missing_that_was_not_foretold(
    law: Expression, values: dict[str, float]
) -> None:
    ranges = Ranges(Laws({}, {}, {}), NAMES)
    interval = ranges.of_law("law", law)
    try:
        found = value(law, values)
    except OverflowError:
        return
    except (ArithmeticError, ValueError):
        assert ranges.undefined["law"], law
        return
    if math.isfinite(found) and not ranges.undefined["law"]:
        slack = 1e-9 * max(1.0, abs(found))
        assert interval.low - slack <= found <= interval.high + slack, f"{law} in {interval} is {found}"
