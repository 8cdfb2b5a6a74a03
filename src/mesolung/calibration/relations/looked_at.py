"""Relations of the unseen part that were looked at, or that a law rests on: they do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from mesolung.biology.columns import named_rows, text_of
from mesolung.calibration.relations.relation import Relation
from mesolung.reading import Refusal

TABLE = Path(str(files("mesolung.calibration") / "relations-looked-at.csv"))
COLUMNS = ("relation", "endpoint", "why")


def looked_at(path: Path = TABLE) -> Mapping[str, str]:
    """Read which relations of the unseen part no longer test anything.

    Arguments:
        path: the table.

    Returns:
        key of the relation, "study#observation", -> why.

    Raises:
        Refusal: for a table that cannot be read or a row without a reason.
    """
    return named_rows(path, COLUMNS, lambda row: text_of(row, "why"), name="relation")


def apart(found: Sequence[Relation], known: Mapping[str, str]) -> tuple[list[Relation], list[Relation]]:
    """Part relations in those that test and those that were looked at.

    Arguments:
        found: relations of the unseen part.
        known: from `looked_at`.

    Returns:
        (still unseen, looked at), each in order.

    Raises:
        Refusal: for a key that no relation has.
    """
    keys = {one.key for one in found}
    for key in known:
        if key not in keys:
            raise Refusal("no such relation in the unseen part", file=TABLE, found=key)
    return [one for one in found if one.key not in known], [one for one in found if one.key in known]
