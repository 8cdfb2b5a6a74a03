"""The statements of a module's text, each with the file and line that it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NAME = r"[A-Za-z_]\w*"
NUMBER = re.compile(rf"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\s*({NAME}+)(?!\s*\())?")
WORDS = frozenset({"and", "or", "not", "xor", "true", "false"})  # Antimony's own, never a unit or a symbol
FUNCTIONS = frozenset(
    {"abs", "exp", "ln", "log", "log10", "sqrt", "pow", "power", "min", "max", "piecewise", "floor", "ceil"}
)

_FORMS = (
    ("unit", re.compile(rf"unit\s+({NAME})\s*=(.*)", re.DOTALL)),
    ("event", re.compile(rf"(?:({NAME})\s*:\s*)?at\b(.*)", re.DOTALL)),
    ("has", re.compile(rf"({NAME})\s+has\s+({NAME})\s*")),
    ("is", re.compile(rf"({NAME})\s+is\b(.*)", re.DOTALL)),
    ("rate", re.compile(rf"({NAME})\s*'\s*=(.*)", re.DOTALL)),
    ("law", re.compile(rf"({NAME})\s*:=(.*)", re.DOTALL)),
    ("start", re.compile(rf"({NAME})\s*=(.*)", re.DOTALL)),
)
_NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|\\[ \t]*(?=\n)', re.DOTALL)
_TOKEN = re.compile(rf"{NUMBER.pattern}|(?P<name>{NAME})(?P<call>\s*\()?")
_EXPONENT = re.compile(r"\^\s*[(+-]*\s*$")


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        kind: "unit" (a unit's definition), "has" (a symbol's unit), "is" (its meaning), "rate" (X' = law),
            "law" (x := law), "start" (X = value), "event", or "other".
        name: the symbol, unit or event that it is about, "" where there is none.
        text: what stands to the right, without comments and strings, its line breaks kept.
        file, line: where it starts.
    """

    kind: str
    name: str
    text: str
    file: str
    line: int

    def line_at(self, place: int) -> int:
        """Return the line of a character of ``text``."""
        return self.line + self.text.count("\n", 0, place)


@dataclass(frozen=True)
class Mention:
    """A symbol, function or number with unit that a statement mentions.

    Attributes:
        kind: "symbol", "function", or "number".
        text: its name; of a number its unit, "" where none stands behind it.
        line: the line that it stands on.
        exponent: whether it is the exponent of a power, which needs no unit.
    """

    kind: str
    text: str
    line: int
    exponent: bool


def read_statements(modules: Mapping[str, str]) -> tuple[Statement, ...]:
    """Split modules into statements.

    Arguments:
        modules: name -> Antimony text; the name gives the file, NAME.ant.

    Returns:
        the statements, in order.
    """
    return tuple(
        _statement(text, f"{name}.ant", line)
        for name, content in modules.items()
        for text, line in _pieces(content)
    )


def mentions(statement: Statement) -> Iterator[Mention]:
    """List what the right-hand side of a statement mentions, from left to right."""
    text = statement.text
    for found in _TOKEN.finditer(text):
        line = statement.line_at(found.start())
        if found["name"] is None:
            unit = found[1] or ""
            exponent = bool(_EXPONENT.search(text, 0, found.start()))
            yield Mention("number", "" if unit in WORDS else unit, line, exponent)
        elif found["name"] not in WORDS:
            yield Mention("function" if found["call"] else "symbol", found["name"], line, False)


def _pieces(content: str) -> Iterator[tuple[str, int]]:
    """The texts between semicolons and ends of lines; a backslash at its end carries a line on."""
    plain = _NOISE.sub(_blank, content)
    start = 0
    for end in re.finditer(r";|\n|$", plain):
        if end.group() == "\n" and plain[: end.start()].endswith("\0"):
            continue
        piece = plain[start : end.start()].replace("\0", " ")
        if piece.strip():
            blanks = len(piece) - len(piece.lstrip())
            yield piece.strip(), plain.count("\n", 0, start + blanks) + 1
        start = end.end()


def _blank(noise: re.Match[str]) -> str:
    """What takes the place of a comment, a string or a backslash: its line breaks stay."""
    text = noise.group()
    return "\0" if text[0] == "\\" else "\n" * text.count("\n") or " "


def _statement(text: str, file: str, line: int) -> Statement:
    for kind, form in _FORMS:
        found = form.fullmatch(text)
        if found:
            # Blanks in front of the law go, line breaks with them: the law's lines count from its own start.
            right = found[2]
            ahead = text[: found.start(2)].count("\n") + right[: len(right) - len(right.lstrip())].count("\n")
            return Statement(kind, found[1] or "", right.strip(), file, line + ahead)
    return Statement("other", "", text, file, line)
