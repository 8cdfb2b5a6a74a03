"""The coverage page: each part that the biology should hold, where it stands, and what shows it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from mesolung.biology.laws import ModelText
from mesolung.biology.parameters import Parameters
from mesolung.reading import Row, read_table

COLUMNS = ("part", "item", "names", "tests", "status", "what")
IN, PARTLY, LATER = "in the model", "in part", "later"
STATUSES = (IN, PARTLY, LATER)
_UP = "../../"
_MODULES = "src/mesolung/biology/modules/"
_TABLE = "src/mesolung/biology/parameters.csv"


def coverage_parts(root: Path, text: ModelText, table: Parameters) -> dict[str, str]:
    """Write the tables of the coverage page.

    Arguments:
        root: the top of the repository.
        text: the model's modules.
        table: its parameters.

    Returns:
        "counts" and "items" -> Markdown.

    Raises:
        ValueError: naming the line of `coverage.csv` that names what is not there.
    """
    rows = coverage_rows(root)
    counts = ["| part | " + " | ".join(STATUSES) + " |", "|---|" + "---|" * len(STATUSES)]
    items: list[str] = []
    for part in dict.fromkeys(row["part"] for row in rows):
        own = [row for row in rows if row["part"] == part]
        numbers = (str(sum(row["status"] == status for row in own)) for status in STATUSES)
        counts.append(f"| {part} | " + " | ".join(numbers) + " |")
        items += [f"### {part}", "", "| item | where | shown by | status |", "|---|---|---|---|"]
        items += [_line(root, text, table, row) for row in own]
        items.append("")
    return {"counts": "\n".join(counts), "items": "\n".join(items).rstrip()}


def coverage_rows(root: Path) -> list[Row]:
    """Read `docs/science/coverage.csv`, the hand-written side of the page."""
    return list(read_table(root / "docs" / "science" / "coverage.csv", COLUMNS))


def listed(row: Row, column: str) -> list[str]:
    """Split a cell that holds several names."""
    return [name.strip() for name in row[column].split(";") if name.strip()]


def place(root: Path, text: ModelText, table: Parameters, name: str) -> tuple[str, int]:
    """Find where a name of the coverage table stands.

    Arguments:
        root: the top of the repository.
        text: the model's modules.
        table: its parameters.
        name: a state or rule, a parameter, or a file's path from the root.

    Returns:
        path from the root and line, 0 for a whole file.

    Raises:
        KeyError: when nothing has this name.
    """
    if law := text.law(name) or text.start(name):
        return f"{_MODULES}{law.module}.ant", law.first
    if name in table:
        return _TABLE, table[name].line
    if (root / name).is_file():
        return name, 0
    raise KeyError(name)


def found_test(root: Path, test: str) -> Path:
    """Find the file of a test.

    Arguments:
        root: the top of the repository.
        test: "test_file.py::test_name".

    Returns:
        the file.

    Raises:
        KeyError: when there is no such file, or no such test in it.
    """
    name, _, function = test.partition("::")
    file = root / "tests" / name
    if function not in _tests(file):
        raise KeyError(test)
    return file


@cache
def _tests(file: Path) -> frozenset[str]:
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _line(root: Path, text: ModelText, table: Parameters, row: Row) -> str:
    if row["status"] not in STATUSES:
        raise ValueError(f"coverage.csv:{row.line}: unknown status {row['status']}")
    try:
        where: dict[str, list[str]] = {}
        for name in listed(row, "names"):
            file, line = place(root, text, table, name)
            short = Path(file).name
            shown = f"[{name}:{line}]({_UP}{file}#L{line})" if line else f"[{short}]({_UP}{file})"
            where.setdefault(short if line else "", []).append(shown)
        tests = [f"[{test}]({_UP}tests/{found_test(root, test).name})" for test in listed(row, "tests")]
    except KeyError as error:
        raise ValueError(f"coverage.csv:{row.line}: there is no {error.args[0]}") from None
    places = "; ".join(
        f"{file}: {', '.join(names)}" if file else ", ".join(names) for file, names in where.items()
    )
    status = f"{row['status']}: {row['what']}" if row["what"] else row["status"]
    return f"| {row['item']} | {places or '-'} | {'; '.join(tests) or '-'} | {status} |"
