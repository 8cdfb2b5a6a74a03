"""A place in a study file, from which a refusal knows its file and line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mesolung.biology.tables import Measured, reserved
from mesolung.reading import Refusal
from mesolung.reading.toml import Document
from mesolung.units import convert, quantity, same_dimension

LONGEST_SHOWN = 60
LONGEST_LIST = 360
HOURS = "h"
# What a name is of in a message -> its kinds in the table of reserved names.
KINDS = {"baseline": ("baseline", "covariate", "endpoint")}


@dataclass(frozen=True)
class Place:
    """A key of a study file.

    Attributes:
        document: the file.
        path: keys and indices from the top.
    """

    document: Document
    path: tuple[str | int, ...] = ()

    def at(self, *keys: str | int) -> Place:
        """The place of a key below this one.

        Arguments:
            keys: keys and indices.
        """
        return Place(self.document, self.path + keys)

    @property
    def key(self) -> str:
        """The last key of the path, or a word for the whole file."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "the file")

    def refuse(
        self, problem: str, *, found: Any = None, told: str | None = None, allowed: Any = None
    ) -> Refusal:
        """Make the refusal of what stands here.

        Arguments:
            problem: what is wrong.
            found: what stands here, as in the file.
            told: what stands here, in words instead.
            allowed: what may stand here.

        Returns:
            the error, to be raised.
        """
        return Refusal(
            problem,
            file=self.document.file,
            line=self.document.line(*self.path),
            found=told if found is None else shown(found),
            allowed=allowed,
        )

    def not_yet(self, what: str, allowed: Any = None) -> Refusal:
        """Make the refusal of something planned.

        Arguments:
            what: its name.
            allowed: what may stand here now.

        Returns:
            the error, to be raised.
        """
        return self.refuse(f"{what} is not supported yet", allowed=allowed)

    def unknown(self, what: str, name: str, allowed: Iterable[str]) -> Refusal:
        """Make the refusal of a name: as planned where the table of reserved names has it, else as unknown.

        Arguments:
            what: what it would be the name of, for instance "endpoint".
            name: as found.
            allowed: the names that may stand here.

        Returns:
            the error, to be raised; it suggests the nearest names.
        """
        names = sorted(allowed)
        if any((kind, name) in reserved() for kind in KINDS.get(what, (what,))):
            return self.not_yet(f'{what} "{name}"', listed(names))
        return self.refuse_name(what, name, names)

    def refuse_name(self, what: str, name: str, allowed: Iterable[str]) -> Refusal:
        """Make the refusal of a name that is unknown.

        Arguments:
            what: what it would be the name of.
            name: as found.
            allowed: the names that may stand here.

        Returns:
            the error, to be raised; it suggests the nearest names.
        """
        names = list(allowed)
        near = get_close_matches(name.lower(), names, n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return self.refuse(f"unknown {what}{hint}", found=name, allowed=listed(names))

    def amount(self, text: str, unit: str, *, row: Measured | None = None, also: Iterable[str] = ()) -> float:
        """Read a quantity written as text.

        Arguments:
            text: a number and a unit.
            unit: the unit that is wanted.
            row: of the quantity, where a table says which units it may be written in.
            also: other units that a refusal names.

        Returns:
            the value in that unit.

        Raises:
            Refusal: when it is no quantity, or in a wrong unit.
        """
        try:
            found = quantity(text)
        except ValueError:
            units = listed(row.accepted_units if row else [unit, *also])
            raise self.refuse(
                f"{self.key}: not a number with a unit that is known", found=text, allowed=units
            ) from None
        return self.converted(found.value, found.unit, unit, row=row, also=also, found=text)

    def converted(
        self,
        value: float,
        written: str,
        unit: str,
        *,
        row: Measured | None = None,
        also: Iterable[str] = (),
        found: Any = None,
    ) -> float:
        """Convert a number from the unit that the file states.

        Arguments:
            value: the number.
            written: its unit, as in the file.
            unit: the unit that is wanted.
            row: of the quantity, where a table says which units it may be written in.
            also: other units that a refusal names.
            found: what a refusal shows, else the written unit.

        Returns:
            the value in ``unit``.

        Raises:
            Refusal: when the written unit is unknown or a wrong one.
        """
        if row and written == unit:
            # A state of the model may have a unit that nothing else has.
            return self._finite(float(value), found)
        try:
            fits = row.accepts(written) if row else same_dimension(written, unit)
        except ValueError:
            fits = False
        if not fits:
            allowed = listed(row.accepted_units if row else [unit, *also])
            raise self.refuse(
                f"{row.name if row else self.key}: wrong unit",
                found=written if found is None else found,
                allowed=allowed,
            )
        return self._finite(convert(float(value), written, unit), value if found is None else found)

    def _finite(self, number: float, found: Any) -> float:
        if not math.isfinite(number):
            raise self.refuse(f"{self.key}: a number too large", found=found)
        return number


def shown(value: Any) -> str:
    """Print a value of the file for a message, shortened.

    Arguments:
        value: anything that TOML can hold.

    Returns:
        at most some 60 characters.
    """
    if isinstance(value, str):
        text = '"' + "".join(c if c.isprintable() else "?" for c in value) + '"'
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Names for a message, separated by commas; a long list is cut short and says by how much."""
    found = list(names)
    kept: list[str] = []
    for name in found:
        if len(", ".join([*kept, name])) > LONGEST_LIST:
            return f"{', '.join(kept)} and {len(found) - len(kept)} more"
        kept.append(name)
    return ", ".join(kept)
