"""What `mesolung explain` tells of states, observables, derived constants, events and modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mesolung.cli.entry import Entry, Fact
from mesolung.cli.explain_uses import parameters, setters, used_in

if TYPE_CHECKING:
    from mesolung.biology.laws import Law, ModelText

SCIENCE = "docs/science/{module}.md"


def state_entries() -> Iterator[Entry]:
    """Tell of every state; what acts on it is added by `with_dependencies`."""
    from mesolung.biology.laws import read_laws

    text = read_laws()
    for name in text.states:
        law = text.law(name)
        assert law is not None
        events = (e for e in text.laws if e.kind == "event" and name in e.names)
        own: dict[str, Fact] = {
            "rate law": (law.place, f"{name}' = {law.text}"),
            "law holds": _parts(law, text),
            "source": _source(name, text),
            "set by": setters(name),
            "extinct": tuple(f"{e.place}  {e.text}" for e in events),
        }
        yield _of_law("state", name, law, text, own)


def observable_entries() -> Iterator[Entry]:
    """Tell of every name that a rule gives."""
    from mesolung.biology.laws import read_laws
    from mesolung.biology.tables import endpoints

    text = read_laws()
    for name in text.observables:
        law = text.law(name)
        assert law is not None
        own: dict[str, Fact] = {
            "rule": (law.place, f"{name} := {law.text}"),
            "rule holds": _parts(law, text),
            "states behind it": " ".join(states_behind(name, text)),
            "measured as": f"endpoint {name}" if name in endpoints() else "",
        }
        yield _of_law("observable", name, law, text, own)


def constant_entries() -> Iterator[Entry]:
    """Tell of every constant that the model derives from parameters."""
    from mesolung.biology.laws import VALUE, read_laws

    text = read_laws()
    for law in text.laws:
        if law.kind == VALUE and text.law(law.name) is None:
            facts: dict[str, Fact] = {
                "unit": unit_in_words(text.units.get(law.name, "")),
                "module": f"{law.module}: {text.headers[law.module]}",
                "value": (law.place, f"{law.name} = {law.text}"),
                "read by": used_in(law.name, text),
                "more": SCIENCE.format(module=law.module),
            }
            yield Entry(law.name, "derived constant", _meaning(law.name, text) or law.above, facts)
    for name in text.units:
        if name.startswith("src_"):
            state = name.removeprefix("src_")
            yield Entry(
                name,
                "source",
                f"what keeps {state} at its healthy value",
                {
                    "unit": unit_in_words(text.units[name]),
                    "value": f"solved at assembly: minus the rate law of {state} with all states at health",
                    "read by": used_in(name, text),
                },
            )


def event_entries() -> Iterator[Entry]:
    """Tell of every event that the model itself holds."""
    from mesolung.biology.laws import EVENT, read_laws

    for law in read_laws().laws:
        if law.kind == EVENT:
            facts: dict[str, Fact] = {
                "event": (law.place, law.text),
                "more": SCIENCE.format(module=law.module),
            }
            yield Entry(law.name, "event of the model", law.remark or law.above, facts)


def module_entries() -> Iterator[Entry]:
    """Tell of every module: its comment, states, laws and parameters."""
    from mesolung.biology.laws import EVENT, RULE, read_laws

    text, table = read_laws(), parameters()
    for module, header in text.headers.items():
        laws = text.of_module(module)
        states = [name for name in text.states if text.module_of(name) == module]
        rules = [law.name for law in laws if law.kind == RULE]
        facts: dict[str, Fact] = {
            "file": f"biology/modules/{module}.ant",
            "states": " ".join(states),
            "rules": " ".join(rules),
            "events": " ".join(law.name for law in laws if law.kind == EVENT),
            "parameters": " ".join(table.of_module(module)),
            "more": SCIENCE.format(module=module),
        }
        yield Entry(module, "module", header, facts, (f"{len(states)} states", f"{len(rules)} rules"))


def with_dependencies(entries: Sequence[Entry]) -> list[Entry]:
    """Add to states what acts on them and what they act on, with signs; the model is assembled for it.

    Arguments:
        entries: of any kinds.

    Returns:
        the entries, states completed.
    """
    if all(entry.kind != "state" for entry in entries):
        return list(entries)
    from mesolung.biology.assemble import assemble
    from mesolung.biology.dependencies import BOTH, LOWERS, RAISES, dependencies

    edges = dependencies(assemble())
    words = {RAISES: "raised by", LOWERS: "lowered by", BOTH: "raised or lowered by"}
    acts = {RAISES: "raises", LOWERS: "lowers", BOTH: "raises or lowers"}
    done = []
    for entry in entries:
        if entry.kind == "state":
            own: dict[str, Fact] = {}
            for sign, word in words.items():
                own[word] = _joined(
                    e.source + (f" (through {', '.join(e.through)})" if e.through and not e.direct else "")
                    for e in edges
                    if e.target == entry.name and e.sign == sign
                )
            for sign, word in acts.items():
                own[word] = _joined(e.target for e in edges if e.source == entry.name and e.sign == sign)
            last = {label: entry.facts[label] for label in ("read by", "annotation", "more")}
            first = {label: fact for label, fact in entry.facts.items() if label not in last}
            entry = replace(entry, facts={**first, **own, **last})
        done.append(entry)
    return done


def annotation_lines(name: str) -> tuple[str, ...]:
    """Tell what the vocabularies say of a name, a line an entry."""
    from mesolung.biology.annotations import read_annotations

    return tuple(
        f"{row.qualifier} {row.identifier} ({row.label})" if row.resource else f"none: {row.label}"
        for row in read_annotations().get(name, ())
    )


def unit_in_words(unit: str) -> str:
    """Turn the id of a unit into the unit, as "mL_per_kg" into "mL/kg"."""
    if unit == "dimensionless":
        return "1"
    text = unit.replace("_per_", "/")
    return "1/" + text.removeprefix("per_") if text.startswith("per_") else text


def states_behind(name: str, text: ModelText) -> tuple[str, ...]:
    """List the states that a rule depends on, through other rules too, in the model's order."""
    seen: set[str] = set()
    names = [name]
    while names:
        law = text.law(names.pop())
        if law is None:
            continue
        for used in law.names:
            if used not in seen:
                seen.add(used)
                if used not in text.states:
                    names.append(used)
    return tuple(state for state in text.states if state in seen)


def _of_law(kind: str, name: str, law: Law, text: ModelText, own: Mapping[str, Fact]) -> Entry:
    """What a state and an observable have in common, around what is its own."""
    unit = unit_in_words(text.units.get(name, ""))
    facts: dict[str, Fact] = {
        "unit": unit,
        "healthy value": _healthy(name, text, unit),  # nothing where the text starts nothing
        "module": f"{law.module}: {text.headers[law.module]}",
        **own,
        "read by": used_in(name, text),
        "annotation": annotation_lines(name),
        "more": SCIENCE.format(module=law.module),
    }
    return Entry(name, kind, _meaning(name, text), facts, (unit, law.module))


def _parts(law: Law, text: ModelText) -> tuple[str, ...]:
    """The names of a law by what they are."""
    states = [n for n in law.names if n in text.states]
    rules = [n for n in law.names if n in text.observables]
    sources = [n for n in law.names if n.startswith("src_")]
    others = [n for n in law.names if n not in {*states, *rules, *sources}]
    parts = (("states", states), ("rules", rules), ("parameters", others), ("source", sources))
    return tuple(f"{what}: {' '.join(found)}" for what, found in parts if found)


def _healthy(name: str, text: ModelText, unit: str) -> str:
    start = text.start(name)
    if start is None:
        return ""
    behind = "" if unit == "1" else f" {unit}"
    if start.text in (table := parameters()):
        return f"{table[start.text].value:g}{behind} ({start.text}, {start.place})"
    return f"{start.text.split()[0]}{behind} ({start.place})"


def _source(name: str, text: ModelText) -> str:
    if f"src_{name}" not in text.units:
        return ""
    return f"src_{name}, solved at assembly so that the state rests at health"


def _meaning(name: str, text: ModelText) -> str:
    from mesolung.biology.meanings import meaning_of

    return meaning_of(name, text, parameters())


def _joined(names: Iterator[str]) -> str:
    return ", ".join(names)
