"""What `mesolung explain` knows of one name, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Fact = str | tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One name and what is known of it.

    Attributes:
        name: as it is written in a file.
        kind: what it is: parameter, endpoint, ...
        meaning: one sentence.
        facts: label -> text, or texts of which each has its own line; empty ones are not printed.
        brief: what a list shows between name and meaning, one text a column; as many for the whole list.
    """

    name: str
    kind: str
    meaning: str
    facts: Mapping[str, Fact]
    brief: tuple[str, ...] = ()


def spelled(entry: Entry) -> list[str]:
    """Spell out one entry.

    Arguments:
        entry: what is known of a name.

    Returns:
        lines: the name with its kind and meaning, then a line or more a fact.
    """
    facts = _known(entry)
    width = max((len(label) for label in facts), default=0)
    lines = [f"{entry.name} ({entry.kind})" + (f": {entry.meaning}" if entry.meaning else "")]
    for label, fact in facts.items():
        for k, text in enumerate((fact,) if isinstance(fact, str) else fact):
            lines.append(f"  {'' if k else label:<{width}}  {text}")
    return lines


def record(entry: Entry) -> dict[str, object]:
    """Give one entry as an object for JSON.

    Arguments:
        entry: what is known of a name.

    Returns:
        name, kind, meaning, and facts by label: text, or a list of texts.
    """
    facts = {label: fact if isinstance(fact, str) else list(fact) for label, fact in _known(entry).items()}
    return {"name": entry.name, "kind": entry.kind, "meaning": entry.meaning, "facts": facts}


def listed(entries: Sequence[Entry]) -> list[str]:
    """List entries, one a line, in columns as wide as they need to be.

    Arguments:
        entries: of one kind or of kinds with the same columns.

    Returns:
        lines: name, the brief columns, meaning. Plain text, so that they can be searched.
    """
    rows = [(entry.name, *entry.brief, entry.meaning) for entry in entries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _known(entry: Entry) -> dict[str, Fact]:
    return {label: fact for label, fact in entry.facts.items() if fact}
