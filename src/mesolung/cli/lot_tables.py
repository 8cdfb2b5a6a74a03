"""`mesolung lot TABLE.csv`: published lots by the table, their medians, and which definitions they pass."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mesolung.cli.telling import tell
from mesolung.reading import Refusal
from mesolung.writing import numbered, whole_folder

WIDTH = 100
TABLES = (".csv", ".tsv", ".txt")


def is_table(path: Path) -> bool:
    """Tell whether the file is a table of lots and no lot file.

    Arguments:
        path: the file.
    """
    return path.suffix.lower() in TABLES


def lot_tables(
    path: Path, *, beside: Mapping[str, Path | None], specs: Sequence[str], out: Path | None, as_json: bool
) -> int:
    """Read a table of lots, keep it as JSON, CSV and a lot file each, and print it.

    Arguments:
        path: a CIDMap table.
        beside: option -> file, of the options that need one lot.
        specs: ids or files of specifications; empty for all bundled ones about cells.
        out: the folder to make; None for ``runs/lots-STEM-N``.
        as_json: print the JSON and nothing else on standard output.

    Returns:
        the exit status: 0, whatever the release says.

    Raises:
        Refusal: when a file, an option or the target folder is refused; nothing is kept.
        NotWritten: when the disk is full.
    """
    from mesolung.product.product import Product
    from mesolung.product.published import lots_of
    from mesolung.product.published_table import published_table
    from mesolung.product.quality.lot_markers import read_lot_markers
    from mesolung.product.specs import specs_for
    from mesolung.report.lots import lots_csv, lots_grid
    from mesolung.study.lots import lot_text
    from mesolung.study.result import canonical, json_text

    for option, file in beside.items():
        if file is not None:
            raise Refusal(
                f"--{option} beside a table of lots", file=path, found=file.name, allowed="a lot file, .toml"
            )
    table = read_lot_markers(path)
    found = canonical(published_table(table, specs_for(Product(), specs)))
    target = out or numbered(Path("runs") / f"lots-{path.stem}")
    with whole_folder(target) as place:
        (place / "lots.json").write_text(json_text(found), encoding="utf-8")
        (place / "lots.csv").write_text(lots_csv(found), encoding="utf-8", newline="\n")
        (place / "lots").mkdir()
        for name, product in lots_of(table).items():
            file = place / "lots" / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-') or 'lot'}.toml"
            if not file.exists():
                file.write_text(lot_text(product), encoding="utf-8")
    kept = target / "lots.json"
    tell(found, lambda: lots_grid(found), kept, as_json=as_json, width=WIDTH, what="lots")
    return 0
