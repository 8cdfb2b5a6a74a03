"""What `mesolung explain` knows of one name, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One name and what is known of it.

    Attributes:
        name: as it is written in a file.
        kind: what it is: parameter, endpoint, ...
        meaning: one sentence.
        facts: label -> text; empty texts are not printed.
        brief: what a list shows between name and meaning, one text a column; as many for the whole list.
    """

    name: str
    kind: str
    meaning: str
    facts: Mapping[str, str]
    brief: tuple[str, ...]


def spelled(entry: Entry) -> list[str]:
    """Spell out one entry.

    Arguments:
        entry: what is known of a name.

    Returns:
        lines: the name with its kind and meaning, then a line a fact.
    """
    facts = {label: text for label, text in entry.facts.items() if text}
    width = max((len(label) for label in facts), default=0)
    head = f"{entry.name} ({entry.kind}): {entry.meaning}"
    return [head, *(f"  {label:<{width}}  {text}" for label, text in facts.items())]


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
