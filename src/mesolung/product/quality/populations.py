"""Tables of gated populations, as flow cytometry software exports them and batch records hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from mesolung.product.quality.columns import Header, find_header, split_unit
from mesolung.product.quality.measured import Measured
from mesolung.product.quality.panel import marker_of
from mesolung.product.quality.repair import Repair
from mesolung.product.quality.sheet import Sheet, read_sheet

NAMES: Mapping[str, tuple[str, ...]] = {
    "lot": (
        r"lot(?: ?(?:id|no\.?|number))?",
        r"batch(?: ?(?:id|no\.?))?",
        r"sample(?: ?(?:id|name))?",
        r"tube(?: name)?",
        r"donor",
    ),
    "population": (r"populations?(?: name)?", r"gate(?: name)?", r"subset", r"name", r"parameter"),
    "marker": (r"markers?(?: name)?", r"antigen"),
    "parent": (r"parent(?: population| name)?",),
    "percent": (
        r"(?:of |freq\.? of |frequency of )?(?:parent|grandparent|total|gated)",
        r"percent(?:age)?(?: of (?:parent|total)| positive| pos\.?)?",
        r"positive|frequency|freq\.?|value|result|%|fraction(?: of \w+)?|proportion(?: of \w+)?",
    ),
    "count": (r"count|events?|#events|number|cells",),
    "intensity": (r"(?:g?mfi|median|mean|geo\.? ?mean)(?:[ :,].*)?|median fluorescence(?: intensity)?",),
}
PERCENT = ("%", "percent", "pct")
FRACTION = ("fraction", "proportion")


@dataclass(frozen=True)
class PopulationRow:
    """One population of one lot.

    Attributes:
        lot: lot or sample; "" where the table names none.
        population: its name as it stands.
        marker: the marker that the name tells of; "" for none.
        parent: its parent as it stands; "" for none.
        percent: share of the parent, %.
        count: events.
        intensity: median or mean intensity, in the units of the cytometer.
        line: line of the file.
    """

    lot: str
    population: str
    marker: str
    parent: str
    percent: Measured | None
    count: Measured | None
    intensity: Measured | None
    line: int


@dataclass(frozen=True)
class PopulationTable:
    """A table of populations.

    Attributes:
        file: the file.
        rows: the populations, in the order of the file.
        repairs: what was unusual.
    """

    file: Path
    rows: tuple[PopulationRow, ...]
    repairs: tuple[Repair, ...]

    @property
    def lots(self) -> tuple[str, ...]:
        """The lots, in the order in which they first stand."""
        return tuple(dict.fromkeys(row.lot for row in self.rows))

    def of(self, lot: str) -> tuple[PopulationRow, ...]:
        """The rows of one lot."""
        return tuple(row for row in self.rows if row.lot == lot)


def read_populations(path: str | PathLike[str]) -> PopulationTable:
    """Read a table of gated percentages.

    Arguments:
        path: text separated by commas, semicolons or tabs; a row per population (columns lot, population
            or marker, parent, percent, count, intensity), or a row per lot with a column per population.

    Returns:
        the populations; a value below or above a limit keeps its mark.

    Raises:
        Refusal: for a table without a percentage or a unit, a percentage outside 0 to 100, a negative count,
            a population of a lot that stands twice, or a row whose population and marker are two markers.
    """
    sheet = read_sheet(path)
    header = find_header(sheet, NAMES, [("population", "marker"), ("percent", "count")])
    rows = _long(sheet, header) if header else _wide(sheet)
    if not rows:
        sheet.refuse("a table without rows", found="a header alone")
    seen: dict[tuple[str, str, str], int] = {}
    for row in rows:
        # "CD73" and "CD73+" of one parent are one marker told twice.
        key = (row.lot, row.marker + _sign(row.population) if row.marker else row.population, row.parent)
        if key in seen:
            place = f" of lot {row.lot}" if row.lot else ""
            sheet.refuse(
                f"{row.population}{place} stands twice",
                row.line,
                row.population,
                f"once; it is on line {seen[key]}",
            )
        seen[key] = row.line
    return PopulationTable(sheet.file, tuple(rows), sheet.log.entries)


def _sign(population: str) -> str:
    marks = re.findall(r"(?:CD ?\d+\w*|DR)\s*([+\-−])", population)
    return ",".join("-" if m in "-−" else "+" for m in marks) if len(marks) > 1 or "-" in marks else ""


def _long(sheet: Sheet, header: Header) -> list[PopulationRow]:
    unit = _unit(sheet, header)
    rows = []
    for line, cells in sheet.rows[header.row + 1 :]:
        stated = header.cell(cells, "marker")
        name = header.cell(cells, "population") or stated
        if not name:
            sheet.refuse("row without a population", line, " | ".join(cells)[:60], "a name")
        percent = share(sheet, header.cell(cells, "percent"), line, name, unit)
        count = sheet.measured(header.cell(cells, "count"), line, f"{name}, count")
        if count is not None and count.value is not None and count.value < 0:
            sheet.refuse(f"{name}: negative count", line, count.text, "0 or more")
        rows.append(
            PopulationRow(
                header.cell(cells, "lot"),
                name,
                _marker(sheet, line, name, stated),
                header.cell(cells, "parent"),
                percent,
                count,
                sheet.measured(header.cell(cells, "intensity"), line, f"{name}, intensity"),
                line,
            )
        )
    return rows


def _marker(sheet: Sheet, line: int, name: str, stated: str) -> str:
    """The marker of a row: what its own column says, else what the population's name tells."""
    told = marker_of(name.rsplit("/", 1)[-1])
    own = marker_of(stated)
    if told and own and told != own:
        sheet.refuse("population and marker are two markers", line, f"{name} and {stated}", "one marker")
    if own or told:
        return own or told
    if re.search("viab|live", stated or name, re.I):
        return "Viability"
    return stated


def _unit(sheet: Sheet, header: Header) -> str:
    """ "%" or "fraction", as the header, the cells or the values themselves tell."""
    if "percent" not in header.columns:
        return "%"
    j = header.columns["percent"]
    title = header.titles[j].casefold()
    if any(word in title for word in PERCENT) or re.search(
        r"of (?:parent|total|grandparent)|positive", title
    ):
        return "%"
    if any(word in title for word in FRACTION):
        sheet.log.add(f"column {header.titles[j]}", "fractions", "multiplied by 100")
        return "fraction"
    unit = header.units["percent"]
    if unit:
        sheet.refuse("unit of the percentage", header.line, unit, "% or fraction")
    cells = [(line, row[j]) for line, row in sheet.rows[header.row + 1 :] if j < len(row) and row[j]]
    if all("%" in cell for _, cell in cells):
        return "%"
    values = [
        v.value for line, c in cells if (v := sheet.measured(c.rstrip("% "), line, "percentage")) and v.known
    ]
    if values and max(v for v in values if v is not None) > 1:
        sheet.log.add(f"column {header.titles[j]}", "no unit, and values above 1", "read as %")
        return "%"
    sheet.refuse(
        "unit missing: values up to 1 may be percent or fractions",
        header.line,
        header.titles[j],
        "a title with % or fraction",
    )


def share(sheet: Sheet, cell: str, line: int, what: str, unit: str = "%") -> Measured | None:
    """Read a share as a percentage.

    Arguments:
        unit: "%" or "fraction", what the column is in.

    Raises:
        Refusal: for a percentage outside 0 to 100.
    """
    found = sheet.measured(cell, line, what, "%" if "%" in cell or unit == "%" else "")
    if found is None or found.value is None:
        return found
    value = found.value if unit == "%" or "%" in cell else 100 * found.value
    if not 0 <= value <= 100:
        sheet.refuse(f"{what}: percentage outside its range", line, cell, "0 to 100 %")
    return Measured(value, "%", found.mark, cell, line)


def _wide(sheet: Sheet) -> list[PopulationRow]:
    """A row per lot, a column per population, as `Cells/Singlets/CD73+ | Freq. of Parent`."""
    titles: tuple[str, ...] = ()
    columns: dict[int, tuple[str, str]] = {}
    first = 0
    while not columns and first < min(10, len(sheet.rows)):
        titles = sheet.rows[first][1]
        columns = {j: parsed for j, title in enumerate(titles) if j and (parsed := _statistic(title))}
        first += 1
    if not columns:
        line, titles = sheet.rows[0]
        sheet.refuse(
            "no table of populations",
            line,
            ", ".join(titles),
            "columns population and percent, or a column per population with its unit",
        )
    unread = [title for j, title in enumerate(titles) if title and j and j not in columns]
    if unread:
        sheet.log.add("columns", ", ".join(unread), "not read")
    rows = []
    for line, cells in sheet.rows[first:]:
        if re.fullmatch(r"mean|sd|median|cv|standard deviation", cells[0], re.IGNORECASE):
            sheet.log.add(f"line {line}", f"a row of summary, {cells[0]}", "left out, as it is no lot")
            continue
        if len(cells) > len(titles):
            sheet.refuse("wrong number of cells", line, len(cells), len(titles))
        found: dict[str, dict[str, Measured | None]] = {}
        for j, (name, kind) in columns.items():
            cell = cells[j] if j < len(cells) else ""
            if kind == "percent":
                value = share(sheet, cell, line, name)
            else:
                value = sheet.measured(cell, line, f"{name}, {kind}")
                if kind == "count" and value and value.value is not None and value.value < 0:
                    sheet.refuse(f"{name}: negative count", line, cell, "0 or more")
            if kind in found.setdefault(name, {}):
                sheet.refuse(f"{name} stands twice", line, titles[j], "one column of each")
            found[name][kind] = value
        for name, kinds in found.items():
            parent, _, own = name.rpartition("/")
            marker = marker_of(own) or ("Viability" if re.search("viab|live", own, re.I) else "")
            values = (kinds.get("percent"), kinds.get("count"), kinds.get("intensity"))
            rows.append(PopulationRow(cells[0], own, marker, parent, *values, line))
    return rows


def _statistic(title: str) -> tuple[str, str] | None:
    """Population and statistic of a column's title; None for a title that is neither."""
    name, _, statistic = title.rpartition("|")
    if name:
        words = statistic.strip().casefold()
        if "freq" in words or "%" in words or "percent" in words:
            return name.strip(), "percent"
        if "count" in words:
            return name.strip(), "count"
        if "median" in words or "mean" in words or "mfi" in words:
            return name.strip(), "intensity"
        return None
    name, unit = split_unit(title)
    return (name, "percent") if unit == "%" else None
