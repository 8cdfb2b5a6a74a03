"""Tables of a quality laboratory are read whatever their encoding, delimiter and decimal sign, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import quality_texts as texts
from tests.refused import changed, points_at

from mesolung.product import Measured, read_counts, read_lot_markers, read_populations
from mesolung.reading import Refusal

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return one


def _number(value: Measured | None) -> float:
    assert value is not None and value.value is not None
    return value.value


def test_a_table_of_populations(write: Write) -> None:
    table = read_populations(write(texts.POPULATIONS))
    assert table.lots == ("S-1", "S-2")
    assert [row.marker for row in table.rows] == ["Viability", "CD73", "CD90", "CD45", "CD73", "CD34"]
    first, _, third, rare, undetected, absent = table.rows
    assert (_number(first.percent), _number(third.count), _number(third.intensity)) == (96.5, 4762, 18100)
    assert rare.percent is not None and (rare.percent.mark, rare.percent.value, rare.percent.known) == (
        "<",
        0.5,
        False,
    )
    assert undetected.percent is not None and (undetected.percent.mark, undetected.percent.value) == (
        "<",
        None,
    )
    assert absent.percent is None and rare.count is None
    assert any("ND" in str(repair) for repair in table.repairs)


def test_a_table_may_name_both_population_and_marker(write: Write) -> None:
    table = read_populations(
        write("lot,population,marker,% of parent\nS-1,P4,CD73,98\nS-1,CD90+,CD90,97\nS-1,P6,live/dead,95\n")
    )
    assert [(row.population, row.marker) for row in table.rows] == [
        ("P4", "CD73"),
        ("CD90+", "CD90"),
        ("P6", "Viability"),
    ]
    assert [row.marker for row in read_populations(write("lot,marker,%\nS-1,CD73,98\n")).rows] == ["CD73"]
    path = write("lot,population,marker,%\nS-1,CD73+,CD90,98\n")
    with pytest.raises(Refusal) as refused:
        read_populations(path)
    points_at(refused.value, path, 2, "population and marker are two markers")


def test_a_table_with_a_column_for_each_population(write: Write) -> None:
    table = read_populations(write(texts.WIDE))
    assert table.lots == ("S-1.fcs", "S-2.fcs")
    row = table.of("S-2.fcs")[0]
    assert (row.population, row.parent, row.marker) == ("CD73+", "Cells/Live", "CD73")
    assert (_number(row.percent), _number(row.count)) == (98.4, 3900)
    said = " ".join(str(repair) for repair in table.repairs)
    assert "a comma is read as the decimal sign" in said
    assert "a row of summary, Mean; left out" in said


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "a byte order mark"),
        ("utf-16", "found UTF-16; read as UTF-16"),
        ("utf-16-le", "UTF-16 without a byte order mark"),
        ("utf-16-be", "UTF-16 without a byte order mark"),
        ("cp1252", "read as Windows-1252"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(write: Write, encoding: str, told: str, delimiter: str) -> None:
    text = texts.POPULATIONS.replace("S-1", "Spender-ä").replace(",", delimiter).replace("<0.5", "<0.5")
    table = read_populations(write(text, encoding))
    assert table.lots == ("Spender-ä", "S-2")
    assert _number(table.rows[0].percent) == 96.5
    assert told in " ".join(str(repair) for repair in table.repairs)


def test_decimal_commas_are_read_and_told(write: Write) -> None:
    text = texts.POPULATIONS.replace(",", ";").replace(".", ",")
    table = read_populations(write(text))
    assert _number(table.rows[0].percent) == 96.5
    assert any("a comma is read as the decimal sign" in str(repair) for repair in table.repairs)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("96.5,4825", "12-Mar,4825", 2, "Viability: a date where a number is expected (found 12-Mar"),
        ("96.5,4825", "2026-03-12,4825", 2, "Viability: a date where a number is expected"),
        ("96.5,4825", "#DIV/0!,4825", 2, "Viability: an error of a spreadsheet"),
        ("96.5,4825", "196.5,4825", 2, "Viability: percentage outside its range (found 196.5; allowed: 0"),
        ("96.5,4825", "high,4825", 2, "Viability: not a number (found high"),
        ("96.5,4825", "96.5,-4825", 2, "Viability: negative count (found -4825; allowed: 0 or more)"),
        ("S-1,CD90+", "S-1,CD73", 4, "CD73 of lot S-1 stands twice (found CD73; allowed: once; it is on"),
        ("S-1,CD90+", "S-1,", 4, "row without a population"),
        ("96.5,4825", '"96,5",4825', 3, "a comma and a point before decimals (found 96,5 and 99.1"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_refused_with_its_line(
    write: Write, old: str, new: str, line: int, problem: str
) -> None:
    path = write(changed(texts.POPULATIONS, old, new))
    with pytest.raises(Refusal) as caught:
        read_populations(path)
    points_at(caught.value, path, line, problem)


def test_a_share_without_a_unit_is_refused_where_it_can_be_two_things(write: Write) -> None:
    with pytest.raises(Refusal, match="unit missing: values up to 1 may be percent or fractions"):
        read_populations(write("lot,population,value\nS-1,CD45,0.4\nS-1,CD34,0.1\n"))
    fractions = read_populations(write("lot,population,fraction\nS-1,CD45,0.4\n"))
    assert _number(fractions.rows[0].percent) == 40
    assert any("multiplied by 100" in str(repair) for repair in fractions.repairs)
    percents = read_populations(write("lot,population,value\nS-1,CD73,99\nS-1,CD34,0.1\n"))
    assert any("read as %" in str(repair) for repair in percents.repairs)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"lot,population,% of parent\n", "a table without rows"),
        (b"PK\x03\x04" + b"\0" * 50, "an Excel workbook (allowed: the sheet saved as CSV or text)"),
        (b"a,b\n1,2\n", "no table of populations"),
        (b"lot,population,%\nS-1,CD73,\0\n", "not a text file"),
        (
            b"lot;population;%\nS-1;CD73;1,234\n",
            "a comma that may stand before decimals or between thousands",
        ),
    ],
)
def test_another_file_is_refused(write: Write, content: bytes, message: str) -> None:
    path = write(content)
    with pytest.raises(Refusal) as caught:
        read_populations(path)
    assert message in str(caught.value) and str(caught.value).startswith(str(path))
    with pytest.raises(Refusal, match="no such file"):
        read_populations(path.with_name("missing.csv"))


def test_a_cell_counters_table(write: Write) -> None:
    first, second = read_counts(write(texts.COUNTS)).rows
    assert (first.sample, first.method, second.method) == ("S-1", "AO/DAPI", "trypan blue")
    assert (_number(first.total_per_ml), _number(first.viable_per_ml)) == (1.25e6, 1.205e6)
    assert first.total_per_ml is not None and first.total_per_ml.unit == "cells/mL"
    assert (_number(second.viability_percent), _number(second.dilution)) == (71.8, 2)


def test_living_cells_in_a_millilitre_stand_beside_viability(write: Write) -> None:
    (row,) = read_counts(write("sample,viable (cells/mL),viability (%)\nS-1,1.1e6,95.5\n")).rows
    assert (_number(row.viable_per_ml), _number(row.viability_percent)) == (1.1e6, 95.5)


def test_a_counters_list_of_names_and_values(write: Write) -> None:
    row = read_counts(
        write("Sample ID,S-7\nViability (%),88.1\nTotal cells/mL,1.1e6\nDilution factor,1\n")
    ).rows[0]
    assert (row.sample, _number(row.viability_percent), _number(row.total_per_ml)) == ("S-7", 88.1, 1.1e6)
    assert row.viable_per_ml is None, "nothing is derived"


@pytest.mark.parametrize(
    ("header", "cells", "viable"),
    [
        (
            "Sample ID,Viability (%),Total cells / ml (x 10^6),Total viable cells / ml (x 10^6),Cell type",
            "S,90,2,1.8,MSC",
            1.8e6,
        ),
        ("Name;Viability (%);Live (cells/ml);Dead (cells/ml);Total (cells/ml)", "S;90;1.8e6;2e5;2e6", 1.8e6),
        ("sample\tviable cells/mL\ttotal cells/mL\tviability %", "S\t1.8e6\t2e6\t90", 1.8e6),
    ],
)  # fmt: skip
def test_titles_of_several_counters(write: Write, header: str, cells: str, viable: float) -> None:
    counts = read_counts(write(f"{header}\n{cells}\n"))
    (row,) = counts.rows
    found = (_number(row.viability_percent), _number(row.viable_per_ml), _number(row.total_per_ml))
    assert found == (90, viable, 2e6)
    unread = [title for title in ("Cell type", "Dead (cells/ml)") if title in header]
    assert [repair.found for repair in counts.repairs] == unread, "a column that is not read is told"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("S-1,96.4", "S-1,-3", "viability: percentage outside its range (found -3"),
        ("1.25,1.205", "-1.25,1.205", "total per ml: negative (found -1.25; allowed: 0 or more)"),
        ("1.25,1.205", "1.25,1.9", "more viable cells than cells (found 1.9; allowed: up to 1.25)"),
        ("1.205,2,", "1.205,0.5,", "dilution below 1"),
        (" (x10^6/mL),Viable", ",Viable", None),
        ("Total cells/mL (x10^6/mL)", "Total concentration", "total per ml: unit missing (found Total"),
        ("Total cells/mL (x10^6/mL)", "Total concentration (cells/L)", "total per ml: unit that is not read"),
    ],
)  # fmt: skip
def test_a_wrong_count_is_refused(write: Write, old: str, new: str, problem: str | None) -> None:
    path = write(changed(texts.COUNTS, old, new))
    if problem is None:
        with pytest.raises(Refusal, match="more viable cells than cells"):
            read_counts(path)
        return
    with pytest.raises(Refusal) as caught:
        read_counts(path)
    points_at(caught.value, path, 2, problem)


def test_markers_of_lots(write: Write) -> None:
    table = read_lot_markers(write(texts.MARKERS))
    assert table.lots == ("1/patient 1", "1/patient 2")
    assert table.median("Viability") == 96.5
    assert len(table.rows) == 4 and table.rows[3].value is None, "a row without a value stays a row"
    assert table.median("CD29") is None


def test_published_lots_have_the_medians_that_were_counted(shared: Path) -> None:
    folder = shared / "samples" / "CIDMap_lot_markers"
    table = read_lot_markers(folder / "cd_values_single_processed.csv")
    medians = {"Viability": 97.8, "CD73": 99.0, "CD90": 97.8, "CD105": 99.8, "CD45": 0.11, "CD34": 0.30}
    for marker, expected in medians.items():
        assert table.median(marker) == pytest.approx(expected, abs=0.051), marker
    assert table.quantile("Viability", 0.05) == pytest.approx(90.3, abs=0.05)
    assert table.quantile("Viability", 0.95) == pytest.approx(99.7, abs=0.05)
    assert (len(table.rows), len(read_lot_markers(folder / "cd_values_range_processed.csv").rows)) == (
        2037,
        31,
    )


def test_published_papers_keep_limits_apart_from_measurements(shared: Path) -> None:
    path = shared / "samples" / "CIDMap_lot_markers" / "checked_processed_aw_corrections.csv"
    table = read_lot_markers(path)
    assert len(table.lots) == 84
    said = " ".join(str(repair) for repair in table.repairs)
    assert "read as Windows-1252" in said and "a second row of titles" in said
    limits = [r for r in table.rows if r.marker == "Viability" and r.status == "release" and r.value]
    numbers = [r.value.value for r in limits if r.value and r.value.value]
    assert {r.value.mark for r in limits if r.value} == {">"}
    # Stated limits of viability run from 70 to 95 %.
    assert (min(numbers), max(numbers)) == (70, 95)
    assert all(0 <= v <= 100 for v in table.values("CD73"))
