"""The one error for input that cannot be used as it stands."""

from __future__ import annotations

from pathlib import Path

LONGEST = 300  # characters of what was found


class Refusal(Exception):
    """Input that is refused: what is wrong, where, what was found and what is allowed, in one line.

    Arguments:
        problem: what is wrong.
        file: the file it stands in.
        line: its line there, from 1.
        found: what was found.
        allowed: what would be allowed.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        found: object = None,
        allowed: object = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.line = line
        self.found = found
        self.allowed = allowed
        super().__init__(problem)

    def __str__(self) -> str:
        place = "" if self.file is None else self.file + (f":{self.line}" if self.line else "") + ": "
        details = []
        if self.found is not None:
            details.append(f"found {_shown(self.found)}")
        if self.allowed is not None:
            details.append(f"allowed: {self.allowed}")
        text = place + self.problem + (f" ({'; '.join(details)})" if details else "")
        # One message is one line, whatever a file's keys or values hold.
        return " ".join(text.split())


def _shown(found: object) -> str:
    text = str(found).strip()
    return text if 0 < len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" if text else "nothing"
