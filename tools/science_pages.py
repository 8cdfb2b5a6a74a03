"""Write the generated parts of `docs/science/` from the model: equations, states, numbers and sources.

    python tools/science_pages.py            writes them
    python tools/science_pages.py --check    says which pages are not those of the model, and changes nothing

What stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->` is replaced; all else is prose.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from science_coverage import coverage_parts
from science_diseases import disease_parts
from science_maths import law_as_maths
from science_mechanisms import mechanism_parts
from science_misfits import misfit_parts
from science_sources import linked, sources_part

from mesolung.biology.annotations import read_annotations
from mesolung.biology.laws import EVENT, RATE, RULE, VALUE, Law, ModelText, read_laws
from mesolung.biology.parameters import Parameter, Parameters, read_parameters

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "science"
UP = "../../"
BIOLOGY = "src/mesolung/biology/"
# Page -> modules of parameters.csv whose rows stand on it; a page of a module has its module's laws besides.
ROWS: Mapping[str, tuple[str, ...]] = {
    "fate": ("fate", "product"),
    "vesicles": ("fate", "cells"),
    "effects": ("cells",),
    "harm": ("harm",),
    "systemic": ("systemic",),
    "innate": ("innate",),
    "adaptive": ("adaptive",),
    "mediators": ("mediators",),
    "pathogen": ("pathogen",),
    "barrier": ("barrier",),
    "coagulation": ("coagulation",),
    "fibrosis": ("fibrosis",),
    "ageing": ("ageing",),
    "airway": ("airway",),
    "emphysema": ("emphysema",),
    "exacerbation": ("exacerbation",),
    "spirometry": ("spirometry",),
    "drugs": ("drugs",),
    "gas_exchange": ("gas_exchange",),
    "support": ("support",),
    "outcome": ("outcome", "trial"),
    "endpoints": ("endpoints",),
    "laboratory": ("laboratory",),
    "diseases": ("driver", "background"),
}
# Rows whose ids begin so stand on a page of their own and not with the rest of their module.
BEGIN: Mapping[str, str] = {"vesicles": "ev_"}
_PART = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)


def main() -> int:
    """Write the pages, or with ``--check`` only compare them."""
    arguments = argparse.ArgumentParser(description="Write the generated parts of docs/science/.")
    arguments.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page is old")
    check = arguments.parse_args().check
    old = []
    for file, parts in all_parts().items():
        page = PAGES / file
        before = page.read_text(encoding="utf-8")
        after = filled(before, parts, file)
        if after != before:
            old.append(file)
            if not check:
                page.write_text(after, encoding="utf-8", newline="\n")
    verb = "is not that of the model" if check else "written"
    print("\n".join(f"docs/science/{file} {verb}" for file in old) or "all pages are those of the model")
    return 1 if check and old else 0


def all_parts() -> dict[str, dict[str, str]]:
    """Make the generated parts of all pages.

    Returns:
        file -> name of the part -> its Markdown.
    """
    text, table = read_laws(), read_parameters()
    pages = _Pages(text, table)
    found = {
        f"{page}.md": {
            "states": pages.states(page),
            "equations": pages.equations(page),
            "numbers": pages.numbers(page),
            "sources": sources_part(pages.rows(page)),
        }
        for page in ROWS
        if page != "diseases"
    }
    found["diseases.md"] = {
        **disease_parts(pages.linked_name),
        "numbers": pages.numbers("diseases"),
    }
    found["coverage.md"] = coverage_parts(ROOT, text, table)
    found["known-misfits.md"] = misfit_parts(ROOT, table)
    return found | mechanism_parts(ROOT, text, table, pages.linked_name)


def filled(page: str, parts: Mapping[str, str], file: str) -> str:
    """Put generated parts into a page.

    Arguments:
        page: its text.
        parts: name -> Markdown.
        file: for the error.

    Returns:
        the text with every part replaced.

    Raises:
        ValueError: when the page has not exactly one place for each part.
    """
    places = [found["name"] for found in _PART.finditer(page)]
    if sorted(places) != sorted(parts):
        raise ValueError(f"{file} has places for {sorted(places)}, but its parts are {sorted(parts)}")

    def put(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- generated: {name} -->\n\n{parts[name]}\n\n<!-- end: {name} -->"

    return _PART.sub(put, page)


class _Pages:
    """What the pages of modules say, from the model's text and the table of parameters."""

    def __init__(self, text: ModelText, table: Parameters) -> None:
        self.text, self.table = text, table
        self.home = {row.id: page for page in ROWS for row in self.rows(page)}
        lost = [row.id for row in table if row.id not in self.home]
        if lost:
            raise ValueError(f"no page has a place for {', '.join(lost)}")
        self.home |= {law.name: law.module for law in text.laws}
        self.held = {name.removeprefix("src_") for name in text.units if name.startswith("src_")}

    def rows(self, page: str) -> list[Parameter]:
        """Rows of parameters.csv that stand on a page."""
        rows = [row for row in self.table if row.module in ROWS[page]]
        if page in BEGIN:
            return [row for row in rows if row.id.startswith(BEGIN[page])]
        return [row for row in rows if not row.id.startswith(tuple(BEGIN.values()))]

    def linked_name(self, name: str, page: str = "") -> str:
        """A name in code letters, linked to its equation or row."""
        home = self.home.get(name)
        if home is None:
            return f"`{name}`"
        return f"[`{name}`](#{name})" if home == page else f"[`{name}`]({home}.md#{name})"

    def states(self, page: str) -> str:
        laws = [law for law in self.text.of_module(page) if law.kind == RATE]
        if not laws:
            return "None: this module only reads other modules' states."
        lines = ["| state | what | unit | at health | held by |", "|---|---|---|---|---|"]
        for law in laws:
            start = self.text.start(law.name)
            at_health = _plain(start.text) if start else ""
            if at_health in self.home:
                at_health = f"{self.linked_name(at_health, page)} = {self.table[at_health].value:g}"
            lines.append(
                f"| [`{law.name}`](#{law.name}) | {self.meaning(law)} | {_unit(self.text.units[law.name])} "
                f"| {at_health} | {'a source' if law.name in self.held else 'its law'} |"
            )
        return "\n".join(lines)

    def meaning(self, law: Law) -> str:
        labels = (
            row.label
            for row in read_annotations().get(law.name, ())
            if row.qualifier in ("is", "isVersionOf")
        )
        start = self.text.start(law.name)
        named = self.text.meanings.get(law.name, "") or ", ".join(dict.fromkeys(labels))
        return named or (start.above if start else "") or "(see its law)"

    def equations(self, page: str) -> str:
        states = set(self.text.states)
        blocks, said = [], ""
        for law in self.text.of_module(page):
            if law.kind == VALUE and law.name in states:
                continue
            if law.above and law.above != said:
                blocks.append(f"> {law.above}")
                said = law.above
            blocks.append(self.equation(law, page))
        return "\n\n".join(blocks)

    def equation(self, law: Law, page: str) -> str:
        kind = {RATE: "rate of change", RULE: "rule", VALUE: "constant of a subject", EVENT: "event"}[
            law.kind
        ]
        place = f"[{law.module}.ant:{_lines(law)}]({UP}{BIOLOGY}modules/{law.module}.ant#L{law.first})"
        what = self.meaning(law) if law.kind == RATE else law.remark
        unit = _unit(self.text.units[law.name]) if law.name in self.text.units else ""
        if law.kind == RATE:
            unit = {"1": "1/h"}.get(unit, f"{unit}/h")
        says = ", ".join(filter(None, (what, kind, unit)))
        anchor = "" if law.kind == EVENT else f'<a id="{law.name}"></a>'
        body = f"```text\n{law.text}\n```" if law.kind == EVENT else f"```math\n{law_as_maths(law)}\n```"
        lines = [f"{anchor}**`{law.name}`** ({says}), {place}", body]
        numbers = [n for n in law.names if n in self.table]
        others = [n for n in law.names if n not in (*numbers, law.name, f"src_{law.name}")]
        if numbers:
            shown = (f"{self.linked_name(n, page)} {self.table[n].grade}" for n in numbers)
            lines.append("Numbers: " + ", ".join(shown) + ".")
        if others:
            lines.append("Takes: " + ", ".join(self.linked_name(n, page) for n in others) + ".")
        return "\n\n".join([lines[0], lines[1], " ".join(lines[2:])]).rstrip()

    def numbers(self, page: str) -> str:
        rows = self.rows(page)
        graded = [row for row in rows if not row.is_setting]
        counts = ", ".join(f"{sum(r.grade == g for r in graded)} {g}" for g in "ABC")
        kinds = ", ".join(
            f"{sum(r.source.startswith(kind) for r in graded)} {kind}"
            for kind in ("seen", "derived", "assumed")
        )
        lines = [
            "Spread: distribution; standard deviation of the typical value on its scale; between subjects.",
            f"{len(rows)} rows; of the {len(graded)} that evidence can bear on: grades {counts}; {kinds}.",
            "",
            "| parameter | value | unit | spread | grade | meaning | source |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            spread = "; ".join((row.distribution, row.uncertainty or "-", f"{row.between_subject:g}"))
            where = f"{UP}{BIOLOGY}parameters.csv#L{row.line}"
            lines.append(
                f'| <a id="{row.id}"></a>[`{row.id}`]({where}) | {row.value:g} | {row.unit} | {spread} '
                f"| {row.grade} | {_cell(row.meaning)} | {linked(_cell(row.source))} |"
            )
        return "\n".join(lines)


def _lines(law: Law) -> str:
    return f"{law.first}" if law.first == law.last else f"{law.first}-{law.last}"


def _plain(text: str) -> str:
    return text.replace(" dimensionless", "").strip()


def _unit(unit: str) -> str:
    if unit == "dimensionless":
        return "1"
    return re.sub(r"^per_", "1/", unit).replace("_per_", "/")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
