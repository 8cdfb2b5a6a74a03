"""Pages of single mechanisms: switch, laws, numbers and evidence, from two tables and the model's text."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from science_sources import linked

from mesolung.biology.laws import RULE, ModelText
from mesolung.biology.parameters import Parameter, Parameters
from mesolung.reading import Row, read_table

COLUMNS = ("page", "title", "switch", "laws", "numbers", "questions")
EVIDENCE_COLUMNS = ("mechanism", "sign", "finding", "system", "source", "study", "relation", "status")
# "size" is a number that bears on a parameter; "either" speaks for both directions.
SIGNS = ("for", "against", "either", "size")
STATUSES = ("seen", "derived")
FOLDER = "mechanisms"
INDEX = f"{FOLDER}/README.md"
SWITCH = "on_"
# Numbers that several mechanisms share stand on the overview.
SHARED = ("human_effect", "gain_clearance", "msc_half", "secretion_resting", "secretion_remote", "node_share")
_STUDIES = Path("src/mesolung/study/evidence")
_UP = "../../../"
_DOSE = 0.1  # Gcell: a clinical dose, all of it licensed
Link = Callable[[str], str]


def mechanism_parts(
    root: Path, text: ModelText, table: Parameters, linked_name: Callable[[str], str]
) -> dict[str, dict[str, str]]:
    """Write the generated parts of the pages of mechanisms and of their overview.

    Arguments:
        root: the top of the repository.
        text: the model's modules.
        table: its parameters.
        linked_name: a name in code letters, linked from a page of ``docs/science``.

    Returns:
        file below ``docs/science`` -> name of the part -> its Markdown.

    Raises:
        ValueError: naming the line of a table that names what is not there, or evidence kept from the tuner.
    """

    def link(name: str) -> str:
        return linked_name(name).replace("](", "](../")

    rows, evidence = mechanism_rows(root), evidence_rows(root)
    groups = _groups(root)
    for row in rows:
        for name in (*listed(row["laws"]), *listed(row["numbers"]), row["switch"]):
            if name not in table and text.law(name) is None:
                raise ValueError(f"mechanisms.csv:{row.line}: there is no {name}")
    for fact in evidence:
        _check(fact, {row["page"] for row in rows}, groups)
    found = {
        f"{FOLDER}/{row['page']}.md": {
            "facts": _facts(row, text, table, link),
            "laws": _laws(row, text, link),
            "numbers": _numbers(row, table, link),
            "evidence": _evidence(root, row["page"], evidence),
        }
        for row in rows
    }
    return found | {INDEX: {"list": _list(rows, evidence, table), "shared": _shared(table, link)}}


def mechanism_rows(root: Path) -> list[Row]:
    """Read `docs/science/mechanisms.csv`: a mechanism a row."""
    return list(read_table(root / "docs" / "science" / "mechanisms.csv", COLUMNS))


def evidence_rows(root: Path) -> list[Row]:
    """Read `docs/science/mechanisms-evidence.csv`: a finding a row."""
    return list(read_table(root / "docs" / "science" / "mechanisms-evidence.csv", EVIDENCE_COLUMNS))


def listed(cell: str) -> list[str]:
    """Split a cell that holds several names."""
    return [name.strip() for name in cell.split(";") if name.strip()]


def at_once(name: str, text: ModelText) -> list[str]:
    """States whose rate of change a number enters, directly or through rules.

    Arguments:
        name: a parameter.
        text: the modules.

    Returns:
        states in the model's order; the way ends at each of them.
    """
    names, seen = [name], {name}
    while names:
        for law in text.uses(names.pop()):
            if law.name not in seen:
                seen.add(law.name)
                names += [law.name] if law.kind == RULE else []
    return [state for state in text.states if state in seen]


def _groups(root: Path) -> dict[tuple[str, str], set[str]]:
    """Study and relation -> what its observations may be used for."""
    found: dict[tuple[str, str], set[str]] = {}
    with (root / _STUDIES / "split.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["study"], row["relation"]), set()).add(row["group"])
    return found


def _check(fact: Row, pages: set[str], groups: dict[tuple[str, str], set[str]]) -> None:
    where = f"mechanisms-evidence.csv:{fact.line}"
    if fact["mechanism"] not in pages:
        raise ValueError(f"{where}: there is no mechanism {fact['mechanism']}")
    if fact["sign"] not in SIGNS or fact["status"] not in STATUSES:
        raise ValueError(f"{where}: sign {fact['sign']}, status {fact['status']}")
    if fact["study"] and groups.get((fact["study"], fact["relation"])) != {"fit"}:
        raise ValueError(f"{where}: {fact['study']} {fact['relation']} is no relation that may be fitted to")


def _facts(row: Row, text: ModelText, table: Parameters, link: Link) -> str:
    states = [link(state) for state in at_once(row["switch"], text)]
    lines = [
        "| | |",
        "|---|---|",
        f"| switch | {link(row['switch'])}: 1 on, 0 off exactly |",
        f"| acts at once on | {', '.join(states)} |",
        f"| grades of its numbers | {_grades(row, table)} |",
        f"| depends on it | {row['questions']} |",
        "| shown by | [test_law_switches.py]"
        f"({_UP}tests/test_law_switches.py): off, these rates change and no other |",
    ]
    if even := _even(row, table):
        lines.insert(4, f"| evenly mixed | {even} |")
    return "\n".join(lines)


def _even(row: Row, table: Parameters) -> str:
    """What share of its half-effect a factor reaches, mixed over the lung, and beside a cell."""
    factor = row["switch"].removeprefix(SWITCH)
    names = (f"secrete_{factor}", f"k_{factor}", f"{factor}_half")
    if not all(name in table for name in names):
        return ""
    secreted, lost, half = (table[name].value for name in names)
    share = 100.0 * secreted * _DOSE / lost / half
    near = share * (1.0 + table["gain_niche"].value)
    return (
        f"{_DOSE:g}e9 cells, all licensed, reach {share:.2g} % of the half-effect; "
        f"beside a cell {near:.2g} % at the typical `gain_niche`"
    )


def _grades(row: Row, table: Parameters) -> str:
    rows = [table[name] for name in listed(row["numbers"]) if not table[name].is_setting]
    return ", ".join(f"{sum(r.grade == grade for r in rows)} {grade}" for grade in "ABC")


def _laws(row: Row, text: ModelText, link: Link) -> str:
    lines = ["| name | law |", "|---|---|"]
    for name in listed(row["laws"]):
        law = text.law(name)
        assert law is not None
        shown = law.written.replace(" dimensionless", "").replace("|", "\\|")
        lines.append(f"| {link(name)} | `{shown}` |")
    return "\n".join(lines)


def _numbers(row: Row, table: Parameters, link: Link) -> str:
    lines = ["| number | value | grade | meaning | source |", "|---|---|---|---|---|"]
    for name in listed(row["numbers"]):
        one = table[name]
        source = linked(one.source.replace("|", "\\|"))
        lines.append(f"| {link(name)} | {_value(one)} | {one.grade} | {one.meaning} | {source} |")
    return "\n".join(lines)


def _evidence(root: Path, page: str, rows: list[Row]) -> str:
    own = [row for row in rows if row["mechanism"] == page]
    if not own:
        return "No row of the evidence bears on it alone."
    lines = ["| | finding | in | source | shipped as |", "|---|---|---|---|---|"]
    for row in sorted(own, key=lambda row: SIGNS.index(row["sign"])):
        lines.append(
            f"| {row['sign']} | {row['finding']} | {row['system']} | {linked(row['source'])} "
            f"| {_study(root, row['study'])} |"
        )
    return "\n".join(lines)


def _study(root: Path, study: str) -> str:
    if not study:
        return "-"
    (file,) = (root / _STUDIES).glob(f"*/{study}.toml")
    return f"[{study}]({_UP}{file.relative_to(root).as_posix()})"


def _list(rows: list[Row], evidence: list[Row], table: Parameters) -> str:
    lines = ["| mechanism | switch | findings for, against, either, sizes | grades |", "|---|---|---|---|"]
    for row in rows:
        signs = [fact["sign"] for fact in evidence if fact["mechanism"] == row["page"]]
        counts = ", ".join(str(signs.count(sign)) for sign in SIGNS)
        lines.append(
            f"| [{row['title']}]({row['page']}.md) | `{row['switch']}` | {counts} | {_grades(row, table)} |"
        )
    return "\n".join(lines)


def _shared(table: Parameters, link: Link) -> str:
    lines = ["| number | value | grade | meaning |", "|---|---|---|---|"]
    for name in SHARED:
        one = table[name]
        lines.append(f"| {link(name)} | {_value(one)} | {one.grade} | {one.meaning} |")
    return "\n".join(lines)


def _value(row: Parameter) -> str:
    return f"{row.value:g}" if row.unit == "1" else f"{row.value:g} {row.unit}"
