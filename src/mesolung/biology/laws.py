"""The modules as they are written: every law with its text, its lines, and the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from mesolung.biology.assemble import MODULES, module_text

RATE, RULE, VALUE, EVENT = "rate law", "rule", "value", "event"
_FORMS = (
    (RATE, re.compile(r"(\w+)\s*'\s*=\s*(.+)", re.DOTALL)),
    (RULE, re.compile(r"(\w+)\s*:=\s*(.+)", re.DOTALL)),
    (EVENT, re.compile(r"(\w+)\s*:\s*(at\b.+)", re.DOTALL)),
    (VALUE, re.compile(r"(\w+)\s*=\s*(.+)", re.DOTALL)),
)
_UNIT = re.compile(r"(\w+)\s+has\s+(\w+)")
_NAME = re.compile(r'(\w+)\s+is\s+"(.*)"')
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass(frozen=True)
class Law:
    """One statement of a module that gives a name its value, its change, or an event.

    Attributes:
        name: what it defines.
        kind: `RATE`, `RULE`, `VALUE` (at the start, or constant) or `EVENT`.
        text: the right-hand side as written, on one line.
        module: the module that holds it.
        first, last: its lines in the module's file, from 1.
        remark, above: the comment behind it, and the comment lines directly above it.
        names: names of the model that the right-hand side uses, each once, in order.
    """

    name: str
    kind: str
    text: str
    module: str
    first: int
    last: int
    remark: str
    above: str
    names: tuple[str, ...]

    @property
    def place(self) -> str:
        """File and lines, as "modules/innate.ant:12-13"."""
        lines = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"modules/{self.module}.ant:{lines}"

    @property
    def written(self) -> str:
        """The whole statement on one line."""
        sign = {RATE: "' = ", RULE: " := ", VALUE: " = ", EVENT: ": "}[self.kind]
        return f"{self.name}{sign}{self.text}"


@dataclass(frozen=True)
class ModelText:
    """All modules of the package as text.

    Attributes:
        laws: in the order of the modules and their lines.
        headers: module -> the comment at the top of its file.
        units: name -> id of its unit.
        meanings: name -> meaning, where the text states one beside the declaration.
    """

    laws: tuple[Law, ...]
    headers: Mapping[str, str]
    units: Mapping[str, str]
    meanings: Mapping[str, str]

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Names that have a rate law, in order."""
        return tuple(law.name for law in self.laws if law.kind == RATE)

    @cached_property
    def observables(self) -> tuple[str, ...]:
        """Names that have a rule, in order."""
        return tuple(law.name for law in self.laws if law.kind == RULE)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Law]:
        return {(law.name, law.kind): law for law in self.laws}

    def law(self, name: str) -> Law | None:
        """Find how a name changes: its rate law, else its rule, else None."""
        return self._by_name.get((name, RATE)) or self._by_name.get((name, RULE))

    def start(self, name: str) -> Law | None:
        """Find the statement of a name's value at the start, None where there is none."""
        return self._by_name.get((name, VALUE))

    def uses(self, name: str) -> tuple[Law, ...]:
        """List the laws whose right-hand side holds a name, in order; its own are left out."""
        return tuple(law for law in self.laws if name in law.names and law.name != name)

    def of_module(self, module: str) -> tuple[Law, ...]:
        """List the laws of a module, in order."""
        return tuple(law for law in self.laws if law.module == module)

    def module_of(self, name: str) -> str | None:
        """Find the module that declares a name, None where none does."""
        for law in self.laws:
            if law.name == name:
                return law.module
        return None


@cache
def read_laws() -> ModelText:
    """Read the modules of the package.

    Returns:
        their laws, headers and units.
    """
    return laws_of({module: module_text(module) for module in MODULES})


def laws_of(texts: Mapping[str, str]) -> ModelText:
    """Read modules.

    Arguments:
        texts: module -> its Antimony text.

    Returns:
        their laws, headers and units.
    """
    laws: list[Law] = []
    headers: dict[str, str] = {}
    units: dict[str, str] = {}
    meanings: dict[str, str] = {}
    for module, text in texts.items():
        headers[module] = _header(text)
        for first, last, code, remark, above in _lines(text):
            for statement in filter(None, (part.strip() for part in code.split(";"))):
                if statement == "end" or statement.startswith(("unit ", "model ")):
                    continue
                if given := _UNIT.fullmatch(statement):
                    units[given[1]] = given[2]
                elif given := _NAME.fullmatch(statement):
                    meanings[given[1]] = given[2]
                elif law := _law(statement, module, first, last, remark, above):
                    laws.append(law)
    for law in laws:
        if law.kind == VALUE and law.remark:
            meanings.setdefault(law.name, law.remark)
    return ModelText(tuple(laws), headers, units, meanings)


def _law(statement: str, module: str, first: int, last: int, remark: str, above: str) -> Law | None:
    for kind, form in _FORMS:
        if found := form.fullmatch(statement):
            text = " ".join(found[2].split())
            return Law(found[1], kind, text, module, first, last, remark, above, _names(text))
    return None


def _names(text: str) -> tuple[str, ...]:
    """Names in a formula; functions, units behind numbers and words of events are left out."""
    without_units = re.sub(r"(?<![\w.])(\d[\d.]*(?:[eE][+-]?\d+)?)\s+[A-Za-z_]\w*", r"\1", text)
    without_calls = re.sub(r"\b[A-Za-z_]\w*\s*\(", "(", re.sub(r"\bat\b", " ", without_units))
    return tuple(dict.fromkeys(_WORD.findall(without_calls)))


def _header(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    return " ".join(lines)


def _lines(text: str) -> Iterator[tuple[int, int, str, str, str]]:
    """Logical lines, continued ones joined: first and last line, code, comment behind and comment above."""
    first, code, remark = 0, "", ""
    above: list[str] = []
    in_header = True
    for number, line in enumerate(text.splitlines(), 1):
        before, _, comment = line.partition("//")
        if not before.strip() and not code:
            in_header = in_header and bool(comment)
            above = [*above, comment.strip()] if comment and not in_header else []
            continue
        in_header = False
        first = first or number
        code += before
        remark = comment.strip() or remark
        if before.rstrip().endswith("\\"):
            code = code.rstrip()[:-1] + " "
            continue
        yield first, number, code, remark, " ".join(above)
        first, code, remark, above = 0, "", "", []
