"""A number as a laboratory writes it: with its unit, or below or above what the assay can tell."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "<", ">"]

ABSENT = frozenset(
    {"", "na", "n/a", "#n/a", "nan", ".", "-", "–", "—", "not tested", "nt", "not recorded", "none", "null"}
)
BELOW = frozenset(
    {"blq", "bloq", "bql", "lloq", "lod", "loq", "nd", "n.d.", "n.d", "bdl", "not detected", "below lloq"}
)
ABOVE = frozenset(
    {"uloq", "alq", "aloq", "aql", "above uloq", "over", "overflow", "ovrflw", "sat", "saturated"}
)
SPREADSHEET = re.compile(r"^#(?:VALUE!|DIV/0!|REF!|NAME\?|NUM!|NULL!|SPILL!|#+)$")
_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)[a-zä]*"
DATE = re.compile(
    rf"^(?:\d{{1,2}}[-/. ]{_MONTH}(?:[-/. ]\d{{2,4}})?|{_MONTH}[-/. ]\d{{1,4}}"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ][\d:.]+)?|\d{1,2}([-/.])\d{1,2}\1\d{2,4}(?: [\d:.]+)?)$",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"^([<>≤≥]|&lt;|&gt;)?\s*([+\-−]?(?:\d[\d.,'\u00a0\u202f ]*|[.,]\d+)(?:[eE][+\-−]?\d{1,3})?)\s*(.*)$"
)


@dataclass(frozen=True)
class Measured:
    """A value read from a file.

    Attributes:
        value: the number; with a mark, the limit, and None where the mark names none.
        unit: its unit, "" where it has none.
        mark: "" for a number, "<" for one below a limit of the assay, ">" for one above.
        text: what stood in the file.
        line: its line there, from 1.
    """

    value: float | None
    unit: str = ""
    mark: Mark = ""
    text: str = ""
    line: int | None = None

    @property
    def known(self) -> bool:
        """Whether it is a number and not only a limit."""
        return self.value is not None and not self.mark

    def __str__(self) -> str:
        number = "limit of quantification" if self.value is None else f"{self.value:.6g}"
        return " ".join(part for part in (self.mark, number, self.unit) if part)


def is_absent(text: str) -> bool:
    """Whether a cell says that nothing was measured."""
    return text.strip().casefold() in ABSENT


def mark_of(text: str) -> Mark:
    """The mark of a cell that names no number: "<" for BLQ, ND and the like, ">" for their opposites."""
    word = re.sub(r"^[<>]\s*", "", text.strip().casefold())
    return "<" if word in BELOW else ">" if word in ABOVE else ""


def to_float(text: str, comma: bool, thousands: str) -> float | None:
    """Read a number whose separators are known.

    Arguments:
        text: the digits.
        comma: whether a comma stands before the decimals.
        thousands: what separates thousands; "" for nothing.

    Returns:
        the number; None for what is none, or is not finite.
    """
    text = text.strip().replace("−", "-")
    for blank in ("\u00a0", "\u202f", "'", " "):
        text = re.sub(rf"(?<=\d){blank}(?=\d{{3}}(?!\d))", "", text)
    if thousands:
        text = re.sub(rf"(?<=\d){re.escape(thousands)}(?=\d{{3}}(?!\d))", "", text)
    if comma:
        text = text.replace(",", ".")
    if not re.fullmatch(r"[+\-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d+)?", text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
