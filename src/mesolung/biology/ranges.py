"""What every law can be, worked out from what states and parameters can be.

Interval arithmetic is sound: what it rules out cannot happen. It is wide where one name stands twice in a
law, so quotients x / (x + ...) and shares of a sum are recognised as lying between 0 and 1.

Source: Moore, Kearfott and Cloud, Introduction to Interval Analysis, 2009, doi 10.1137/1.9780898717716.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from mesolung.biology.expressions import Expression, factors, terms
from mesolung.biology.intervals import (
    ANYTHING,
    INF,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Interval,
    absolute,
    add,
    divide,
    hull,
    largest,
    multiply,
    negate,
    overlap,
    point,
    power,
    power_defined,
    rising,
    smallest,
)
from mesolung.biology.parameters import Parameter

SET_FROM_OUTSIDE = ("driver", "background", "product")  # modules of the table; none is set below 0


@dataclass(frozen=True)
class Undefined:
    """A place where a law need not have a value.

    Attributes:
        what: "divides by", "takes the logarithm of", or "raises to a power".
        part: the denominator, argument or base.
        interval: what the part can be.
    """

    what: str
    part: Expression
    interval: Interval


def support(row: Parameter) -> Interval:
    """Return what a parameter can be: the support of its family; a fixed one is what it is."""
    family = row.distribution
    if family == "lognormal":
        return POSITIVE
    if family == "spike-lognormal":
        return NOT_NEGATIVE
    if family == "logit-normal":
        return Interval(0.0, 1.0, True, True)
    if family != "fixed":
        return ANYTHING
    if row.module == "background":
        return SHARE  # off, on, or on for part of it
    if row.module in SET_FROM_OUTSIDE or row.source.startswith("assumed: covariate"):
        return NOT_NEGATIVE
    return point(row.value)


@dataclass(frozen=True)
class Laws:
    """The laws of a model.

    Attributes:
        rates: state -> its rate of change.
        rules: observable or constant -> its law.
        starts: state -> its value at health.
    """

    rates: Mapping[str, Expression]
    rules: Mapping[str, Expression]
    starts: Mapping[str, Expression]

    @cached_property
    def _behind_rules(self) -> dict[str, frozenset[str]]:
        return {}

    def behind(self, expression: Expression) -> frozenset[str]:
        """Return every name that an expression hangs on, through laws."""
        return expression.names.union(*(self.behind_rule(name) for name in expression.names))

    def behind_rule(self, name: str) -> frozenset[str]:
        """Return every name that a name hangs on, through laws; none where it has no law."""
        found = self._behind_rules
        if name not in found:
            found[name] = frozenset()  # of a law that names itself
            if name in self.rules:
                found[name] = self.behind(self.rules[name])
        return found[name]


class Ranges:
    """What names and expressions of a model can be.

    Arguments:
        laws: the laws.
        known: name -> what it can be, of parameters, states and sources.
    """

    def __init__(self, laws: Laws, known: Mapping[str, Interval]) -> None:
        self.laws = laws
        self.known = dict(known)
        self.undefined: dict[str, list[Undefined]] = {}  # law -> its places without a value

    def of_name(self, name: str) -> Interval:
        """Return what a name can be; a law is worked out the first time."""
        if name not in self.known:
            rule = self.laws.rules.get(name)
            self.known[name] = ANYTHING  # of a law that names itself
            self.known[name] = ANYTHING if rule is None else self.of_law(name, rule)
        return self.known[name]

    def of_law(self, name: str, law: Expression) -> Interval:
        """Return what a law can be, and note under ``name`` where it need not have a value."""
        places = self.undefined.setdefault(name, [])
        return self._of(law, places)

    def of(self, expression: Expression) -> Interval:
        """Return what an expression can be."""
        return self._of(expression, [])

    def with_known(self, **known: Interval) -> Ranges:
        """Return the same with some names narrowed, and nothing known of the laws that hang on them."""
        kept = {
            name: interval
            for name, interval in self.known.items()
            if not (self.laws.behind_rule(name) & known.keys())
        }
        return Ranges(self.laws, {**kept, **known})

    def _of(self, node: Expression, places: list[Undefined]) -> Interval:
        kind = node.operation
        if kind == "number":
            return point(node.value)
        if kind == "name":
            return self.of_name(node.name)
        if kind == "time":
            return NOT_NEGATIVE
        parts = [self._of(part, places) for part in node.parts]
        if kind == "+":
            return _total(parts)
        if kind == "-":
            return negate(parts[0]) if len(parts) == 1 else add(parts[0], negate(parts[1]))
        if kind == "*":
            return _product(parts)
        if kind == "/":
            if parts[1].has_zero:
                places.append(Undefined("divides by", node.parts[1], parts[1]))
            share = self._share(node)
            plain = divide(parts[0], parts[1])
            return plain if share is None else overlap(plain, share)
        if kind in ("^", "root"):
            base, exponent = parts if kind == "^" else (parts[1], divide(point(1.0), parts[0]))
            if not power_defined(base, exponent):
                places.append(Undefined("raises to a power", node.parts[kind == "root"], base))
            return power(base, exponent)
        if kind in ("ln", "log"):
            if not parts[-1].positive:
                places.append(Undefined("takes the logarithm of", node.parts[-1], parts[-1]))
                return ANYTHING
            natural = rising(_ln, parts[-1])
            return natural if kind == "ln" else divide(natural, rising(_ln, parts[0]))
        if kind == "exp":
            return rising(_exp, parts[0])
        if kind == "abs":
            return absolute(parts[0])
        if kind in ("min", "max"):
            return (smallest if kind == "min" else largest)(parts)
        if kind == "piecewise":
            return hull(parts[::2])
        return ANYTHING

    def _share(self, node: Expression) -> Interval | None:
        """What a quotient can be whose denominator is a sum that holds the numerator, or a factor of it."""
        above, below = node.parts
        sum_below = list(terms(below, self.laws.rules))
        intervals = [self.of(term) for term in sum_below]
        if len(sum_below) < 2 or any(i.low < 0.0 for i in intervals) or self.of(below).has_zero:
            return None
        whole = Counter(terms(above, self.laws.rules))
        if sum(whole.values()) > 1 and whole <= Counter(sum_below):
            return Interval(0.0, 1.0)
        held = factors(above)
        for place, term in enumerate(sum_below):
            own = factors(term)
            if own <= held:
                others = _total([i for k, i in enumerate(intervals) if k != place])
                ratio = Interval(0.0, 1.0, intervals[place].positive, others.positive)
                rest = [self.of(factor) for factor in (held - own).elements()]
                return _product([ratio, *rest])
        return None


def proved(laws: Laws, known: Mapping[str, Interval], states: Iterable[str]) -> dict[str, Interval]:
    """Prove bounds of states from their laws.

    A state that starts above 0 never reaches it when its rate is above 0 wherever the state is 0; one that
    starts within 0 to 1 never leaves it at the top when its rate is not above 0 wherever the state is 1.

    Arguments:
        laws: the laws.
        known: name -> what it can be; states from 0 up.
        states: the states that are of interest.

    Returns:
        state -> what it can be, of those that a bound could be proved of.
    """
    wide = Ranges(laws, known)
    found: dict[str, Interval] = {}
    for state in states:
        start = wide.of(laws.starts[state])
        above = start.positive and rate_where(wide, state, 0.0).positive
        below = start.high <= 1.0 and rate_where(wide, state, 1.0).high <= 0.0
        if above or below:
            found[state] = Interval(0.0, 1.0 if below else INF, above=above)
    return found


def rate_where(ranges: Ranges, state: str, value: float) -> Interval:
    """Return what the rate of a state can be where the state has one value."""
    return ranges.with_known(**{state: point(value)}).of(ranges.laws.rates[state])


def undefined_places(laws: Laws, known: Mapping[str, Interval]) -> Iterator[tuple[str, Undefined]]:
    """Find where laws divide by 0, take logarithms of it, or powers that are not real.

    Arguments:
        laws: the laws.
        known: name -> what it can be; states from 0 up.

    Yields:
        name of the state or observable, and the place. Bounds that can be proved of states count.
    """
    suspects = list(_places(Ranges(laws, known)))
    behind = frozenset().union(*(laws.behind(place.part) for _, place in suspects))
    narrower = proved(laws, known, [s for s in laws.rates if s in behind])
    yield from _places(Ranges(laws, {**known, **narrower})) if narrower else suspects


def _places(ranges: Ranges) -> Iterator[tuple[str, Undefined]]:
    for name in ranges.laws.rules:
        ranges.of_name(name)
    for name, law in (*ranges.laws.rates.items(), *ranges.laws.starts.items()):
        ranges.of_law(name, law)
    for name, places in ranges.undefined.items():
        for place in places:
            yield name, place


def _total(parts: list[Interval]) -> Interval:
    result = point(0.0)
    for part in parts:
        result = add(result, part)
    return result


def _product(parts: list[Interval]) -> Interval:
    result = point(1.0)
    for part in parts:
        result = multiply(result, part)
    return result


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return INF


def _ln(value: float) -> float:
    return math.log(value) if value > 0.0 else -INF
