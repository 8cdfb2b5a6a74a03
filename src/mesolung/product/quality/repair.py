"""What a reader put right, kept beside what it read."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 160  # characters of what was found


@dataclass(frozen=True)
class Repair:
    """One place of a file that was not as its format asks, and how it was read.

    Attributes:
        where: the place: a segment, keyword, row or column.
        found: what stood there.
        done: how it was read.
    """

    where: str
    found: str
    done: str

    def __str__(self) -> str:
        text = f"{self.where}: found {self.found}; {self.done}"
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class RepairLog:
    """The repairs of one file while it is read."""

    def __init__(self) -> None:
        self._entries: list[Repair] = []

    def add(self, where: str, found: object, done: str) -> None:
        """Note a repair: its place, what was found there and what was done."""
        text = str(found)
        entry = Repair(where, text if len(text) <= LONGEST else text[: LONGEST - 1] + "…", done)
        if entry not in self._entries:
            self._entries.append(entry)

    def extend(self, other: RepairLog) -> None:
        """Take over the entries of another log."""
        for entry in other.entries:
            if entry not in self._entries:
                self._entries.append(entry)

    @property
    def entries(self) -> tuple[Repair, ...]:
        """What was noted, in the order of reading; one entry where only the place differs."""
        places: dict[tuple[str, str], list[str]] = {}
        for entry in self._entries:
            places.setdefault((entry.found, entry.done), []).append(entry.where)
        return tuple(Repair(", ".join(where), found, done) for (found, done), where in places.items())
