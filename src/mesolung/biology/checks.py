"""What is wrong with modules and parameter table, each mistake with its file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mesolung.biology.expressions import Expression, factors
from mesolung.biology.intervals import NOT_NEGATIVE, POSITIVE, Interval, point
from mesolung.biology.parameters import Parameters
from mesolung.biology.ranges import (
    SET_FROM_OUTSIDE,
    Laws,
    Ranges,
    proved,
    rate_where,
    support,
    undefined_places,
)
from mesolung.biology.statements import FUNCTIONS, Statement, mentions
from mesolung.biology.symbols import SOURCE, SPECIAL_UNITS, Symbol, unit_id, unit_ids
from mesolung.reading import Refusal

GIVING = ("rate", "law", "start")  # statements that give a symbol its value
CLAUSES = (*GIVING, "event")
EVENT_WORDS = frozenset({"t0", "persistent", "priority", "fromTrigger"})
WHAT = {
    "rate": "a rate of change",
    "law": "a law",
    "start": "a start value",
    "has": "a unit",
    "unit": "a meaning",
}


@dataclass(frozen=True)
class Text:
    """Modules and table as read.

    Attributes:
        statements: of all modules.
        table: the parameters.
        symbols: every name.
        unused: modules of the table that the model does not use.
    """

    statements: tuple[Statement, ...]
    table: Parameters
    symbols: Mapping[str, Symbol]
    unused: tuple[str, ...]

    def of_kind(self, *kinds: str) -> Iterator[Statement]:
        """List the statements of some kinds, in order."""
        return (s for s in self.statements if s.kind in kinds)

    def place(self, name: str) -> tuple[str | None, int | None]:
        """Return file and line of what gives a name its value."""
        symbol = self.symbols.get(name.removeprefix(SOURCE)) or self.symbols.get(name)
        return (symbol.file, symbol.line) if symbol else (None, None)

    def refusal(self, name: str, problem: str, **more: object) -> Refusal:
        """Refuse what stands at a name's law or row."""
        file, line = self.place(name)
        return Refusal(problem, file=file, line=line, **more)  # type: ignore[arg-type]


def text_problems(text: Text) -> Iterator[Refusal]:
    """Find names, units and rows that are missing, unknown or there twice, which needs no libSBML."""
    yield from _twice(text)
    yield from _incomplete(text)
    yield from _unknown_units(text)
    yield from _unknown_names(text)
    yield from _unused_rows(text)


def law_problems(text: Text, laws: Laws) -> Iterator[Refusal]:
    """Find laws that need not have a value, sources below 0 at health, and shares that can leave 0 to 1."""
    sources = source_values(text, laws)
    for state, value in sources.items():
        if value < 0.0:
            yield text.refusal(
                state,
                f"health needs a negative source of {state}",
                found=f"{SOURCE}{state} {value:g} at typical values",
            )
    for name, place in undefined_places(laws, known_ranges(text, laws, sources)):
        low = "0" if place.what == "divides by" else f"{place.interval}"
        yield text.refusal(
            name,
            f"{name} {place.what} what can be {low}",
            found=str(place.part),
            allowed="a sum with a positive parameter, or max(..., something positive)",
        )
    yield from _shares(text, laws)


def known_ranges(text: Text, laws: Laws, sources: Mapping[str, float]) -> dict[str, Interval]:
    """Say what everything without a law can be.

    Arguments:
        text: gives the parameters.
        laws: gives the states, each from 0 up.
        sources: state -> its source at typical values.

    Returns:
        name -> interval; a source that is above 0 is taken as above 0.
    """
    known = {row.id: support(row) for row in text.table}
    known |= dict.fromkeys(laws.rates, NOT_NEGATIVE)
    known |= {f"{SOURCE}{state}": POSITIVE if v > 0.0 else NOT_NEGATIVE for state, v in sources.items()}
    return known


def source_values(text: Text, laws: Laws) -> dict[str, float]:
    """Work out the sources that hold health at rest, all parameters at their typical values.

    Arguments:
        text: gives the parameters.
        laws: the laws.

    Returns:
        state that has a source -> its value, in the unit of its rate.
    """
    switched = [m for m in SET_FROM_OUTSIDE if m != "product"]
    values = {row.id: point(0.0 if row.module in switched else row.value) for row in text.table}
    having = [state for state in laws.rates if f"{SOURCE}{state}" in text.symbols]
    values |= {f"{SOURCE}{state}": point(0.0) for state in having}
    starts = Ranges(laws, values)
    health = Ranges(laws, values | {state: starts.of(law) for state, law in laws.starts.items()})
    return {state: -health.of(laws.rates[state]).low for state in having}


def states_that_could_turn_negative(text: Text, laws: Laws) -> tuple[str, ...]:
    """List the states of which it cannot be proved that they never fall below 0.

    Arguments:
        text: modules and table.
        laws: the laws.

    Returns:
        names of states whose rate of change could be negative where they are 0.
    """
    known = known_ranges(text, laws, source_values(text, laws))
    ranges = Ranges(laws, known | proved(laws, known, laws.rates))
    return tuple(state for state in laws.rates if rate_where(ranges, state, 0.0).low < 0.0)


def _twice(text: Text) -> Iterator[Refusal]:
    first: dict[tuple[str, str], Statement] = {}
    for s in text.of_kind("unit", "has", *GIVING):
        # A state has a rate and a start; a law stands alone.
        rivals = {"rate": ("rate", "law"), "start": ("start", "law"), "law": GIVING}.get(s.kind, (s.kind,))
        before = next((first[s.name, kind] for kind in rivals if (s.name, kind) in first), None)
        first.setdefault((s.name, s.kind), s)
        row = text.table.find(s.name) if s.kind in ("has", *GIVING) else None
        if before is not None:
            problem = (
                f"{s.name} is given {WHAT[s.kind]}, and {WHAT[before.kind]} at {before.file}:{before.line}"
            )
            yield Refusal(problem, file=s.file, line=s.line, allowed="once, in one module")
        elif row is not None:
            problem = f"{s.name} is given {WHAT[s.kind]}, and a row at {text.table.file}:{row.line}"
            yield Refusal(problem, file=s.file, line=s.line, allowed="one of them")


def _incomplete(text: Text) -> Iterator[Refusal]:
    rates = {s.name for s in text.of_kind("rate")}
    starts = {s.name for s in text.of_kind("start")}
    laws = {s.name for s in text.of_kind("law")}
    for s in text.of_kind(*GIVING):
        if not text.symbols[s.name].unit and s.name not in text.table:
            yield Refusal(
                f"{s.name} has no unit", file=s.file, line=s.line, allowed=f"{s.name} has UNIT; beside it"
            )
    for s in text.of_kind("rate"):
        if s.name not in starts and s.name not in laws:
            yield Refusal(
                f"the state {s.name} is not declared: it has a rate of change and no value at health",
                file=s.file,
                line=s.line,
                allowed=f"{s.name} = {s.name}_healthy; or 0",
            )
    for s in text.of_kind("start"):
        plain = len(list(mentions(s))) == 1 and "(" not in s.text
        if plain and s.name not in rates and s.name not in laws:
            yield Refusal(
                f"the state {s.name} has no rate of change",
                file=s.file,
                line=s.line,
                allowed=f"{s.name}' = LAW;",
            )
    for s in text.of_kind("has"):
        if s.name.startswith(SOURCE):
            if s.name.removeprefix(SOURCE) not in rates:
                yield Refusal(f"{s.name} is the source of no state", file=s.file, line=s.line)
        elif s.name not in rates | starts | laws and s.name not in text.table:
            yield Refusal(
                f"{s.name} has no value: it has no law, and {text.table.file} has no row for it",
                file=s.file,
                line=s.line,
            )


def _unknown_units(text: Text) -> Iterator[Refusal]:
    known = unit_ids(text.statements)
    own = [s.name for s in text.of_kind("unit") if s.name not in SPECIAL_UNITS]
    allowed = f"a unit of units.ant: {', '.join(own)}"
    for s in text.of_kind("has"):
        if s.text not in known:
            yield Refusal(
                f"{s.name} has an unknown unit", file=s.file, line=s.line, found=s.text, allowed=allowed
            )
    for s in text.of_kind(*CLAUSES):
        for m in mentions(s):
            if m.kind == "number" and m.text and m.text not in known:
                yield Refusal(
                    f"{_of(s)} holds a number with an unknown unit",
                    file=s.file,
                    line=m.line,
                    found=m.text,
                    allowed=allowed,
                )
    for row in text.table:
        if row.module not in text.unused and unit_id(row.unit) not in known:
            yield Refusal(
                f"{row.id} has an unknown unit",
                file=text.table.file,
                line=row.line,
                found=row.unit,
                allowed=allowed,
            )


def _unknown_names(text: Text) -> Iterator[Refusal]:
    for s in text.of_kind(*CLAUSES):
        for m in mentions(s):
            if m.kind == "symbol" and m.text not in text.symbols and not _is_word(s, m.text):
                yield Refusal(
                    f"{_of(s)} names {m.text}, which is neither state, observable, parameter nor time",
                    file=s.file,
                    line=m.line,
                )
            elif m.kind == "function" and m.text not in FUNCTIONS:
                yield Refusal(
                    f"{_of(s)} uses an unknown function",
                    file=s.file,
                    line=m.line,
                    found=m.text,
                    allowed=", ".join(sorted(FUNCTIONS)),
                )
            elif m.kind == "number" and not m.text and not m.exponent and not _is_start_value(s):
                yield Refusal(
                    f"{_of(s)} holds a number without unit",
                    file=s.file,
                    line=m.line,
                    allowed="a unit behind every number, as in 1 dimensionless",
                )


def _is_word(s: Statement, name: str) -> bool:
    return name == "time" or (s.kind == "event" and name in EVENT_WORDS)


def _is_start_value(s: Statement) -> bool:
    """Whether a statement gives a bare number as start value: its unit is the symbol's."""
    return s.kind == "start" and len(list(mentions(s))) == 1


def _of(s: Statement) -> str:
    if s.kind == "rate":
        return f"the rate of {s.name}"
    return f"the event {s.name}".rstrip() if s.kind == "event" else f"the law of {s.name}"


def _unused_rows(text: Text) -> Iterator[Refusal]:
    used = {m.text for s in text.of_kind(*CLAUSES) for m in mentions(s) if m.kind == "symbol"}
    for row in text.table:
        if row.id not in used and row.module not in text.unused:
            yield Refusal(f"{row.id} is used nowhere in the modules", file=text.table.file, line=row.line)


def _shares(text: Text, laws: Laws) -> Iterator[Refusal]:
    """What is taken from 1 by a share must stay a share in every draw, or the law turns its sign."""
    named: set[str] = set()
    for name, law in (*laws.rates.items(), *laws.rules.items()):
        for part in _taken_from_one(law):
            rows = (text.table.find(f.name) for f in factors(part) if f.operation == "name")
            for row in rows:
                if row is None or row.id in named or row.module in SET_FROM_OUTSIDE:
                    continue
                named.add(row.id)
                share = support(row)
                if share.low < 0.0 or share.high > 1.0:
                    yield Refusal(
                        f"{row.id} is taken from 1 in the law of {name} and can leave 0 to 1",
                        file=text.table.file,
                        line=row.line,
                        found=f"{row.distribution}, value {row.value:g}",
                        allowed="logit-normal, or fixed between 0 and 1",
                    )


def _taken_from_one(node: Expression) -> Iterable[Expression]:
    if node.operation == "-" and len(node.parts) == 2 and node.parts[0] == Expression("number", 1.0):
        yield node.parts[1]
    for part in node.parts:
        yield from _taken_from_one(part)
