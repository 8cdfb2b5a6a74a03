"""Tables of a TOML file, read key by key, so that each refusal names the line of what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesolung.reading import Document, Refusal

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Entry:
    """One table of a file.

    Attributes:
        document: the file.
        file: the file as refusals name it.
        path: keys and indices that lead to the table.
        values: its content.
    """

    document: Document
    file: str
    path: Path
    values: Mapping[str, Any]

    def refusal(
        self, problem: str, *keys: str | int, found: object = None, allowed: object = None
    ) -> Refusal:
        """Make a refusal of what stands at a key of this table, or of the table itself."""
        line = self.document.line(*self.path, *keys)
        return Refusal(problem, file=self.file, line=line, found=found, allowed=allowed)

    @property
    def label(self) -> str:
        """What the table is called in a refusal."""
        return ".".join(str(key) for key in self.path if isinstance(key, str)) or "the file"

    def only(self, *keys: str) -> None:
        """Refuse a key that is not one of these."""
        for key in self.values:
            if key not in keys:
                raise self.refusal(f"unknown key of {self.label}", key, found=key, allowed=", ".join(keys))

    def required(self, key: str) -> Any:
        """Return what stands at a key; refuse where there is nothing."""
        if key not in self.values:
            raise self.refusal(f"{self.label} lacks {key}")
        return self.values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """Return the text at a key, ``default`` where there is none."""
        if default is not None and key not in self.values:
            return default
        value = self.required(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refusal(f"{key} is no text", key, found=repr(value))
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return the finite number at a key, ``default`` where there is none."""
        if default is not None and key not in self.values:
            return default
        value = self.required(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal(f"{key} is no finite number", key, found=repr(value))
        return float(value)

    def share(self, key: str, default: float | None = None) -> float:
        """Return the number between 0 and 1 at a key, ``default`` where there is none."""
        value = self.number(key, default)
        if not 0.0 <= value <= 1.0:
            raise self.refusal(f"{key} is no share", key, found=f"{value:g}", allowed="0 to 1")
        return value

    def table(self, key: str, *, required: bool = True) -> Entry:
        """Return the table at a key; an empty one where there is none and none is required."""
        value = self.required(key) if required else self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.refusal(f"{key} is no table", key, found=repr(value))
        return Entry(self.document, self.file, (*self.path, key), value)

    def tables(self, key: str) -> list[Entry]:
        """Return the array of tables at a key, empty where there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            found = "one table" if isinstance(value, dict) else repr(value)
            raise self.refusal(f"{key} is no array of tables", key, found=found, allowed=f"[[{key}]]")
        return [Entry(self.document, self.file, (*self.path, key, i), one) for i, one in enumerate(value)]
