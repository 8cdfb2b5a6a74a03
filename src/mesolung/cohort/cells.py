"""Columns of a dose table: which there are, what is in their cells, and how a wrong one is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mesolung.engine import CompiledModel, infusion_parameter
from mesolung.reading import Refusal

# Columns with a meaning of their own, in any case; SS is known so that it can be refused by name.
NAMES = ("ID", "TIME", "AMT", "CMT", "RATE", "DUR", "EVID", "ADDL", "II", "SS")
NEEDED = ("TIME",)
# Columns of data sets that say nothing of doses.
PASSED_OVER = ("DV", "MDV")
MISSING = ("", ".")
TEXTS = ("ID", "CMT")


@dataclass(frozen=True)
class Place:
    """Where the rows of some columns stand.

    Attributes:
        file: the file, if there is one.
        rows: int64[rows], the number of each in it, from 1; None for 1, 2, 3, ...
    """

    file: Path | None
    rows: NDArray[np.int64] | None = None

    def refuse(
        self,
        wrong: NDArray[np.bool_],
        values: NDArray[Any],
        name: str,
        problem: str,
        allowed: str | None = None,
    ) -> None:
        """Refuse the first row that is wrong.

        Raises:
            Refusal: where any is.
        """
        if not wrong.any():
            return
        k = int(np.argmax(wrong))
        row = k + 1 if self.rows is None else int(self.rows[k])
        found = values[k]
        text = "" if found is None or found != found or found is np.ma.masked else str(found).strip()
        raise Refusal(
            f"row {row}, column '{name}': {problem}",
            file=self.file,
            found="nothing" if text in MISSING else text,
            allowed=allowed,
        )


@dataclass(frozen=True)
class Column:
    """One column: as it is written, as numbers, and the parameter it sets if any."""

    name: str
    texts: NDArray[Any]
    values: NDArray[np.float64]
    place: Place
    there: bool = True
    parameter: str | None = None

    def refuse(self, wrong: NDArray[np.bool_], problem: str, allowed: str | None = None) -> None:
        """Refuse the first row that is wrong; see `Place.refuse`."""
        self.place.refuse(wrong, self.texts, self.name, problem, allowed)

    def near(self, wrong: NDArray[np.bool_], known: Sequence[str]) -> str:
        """Known names that come near to the first wrong text."""
        near = get_close_matches(str(self.texts[int(np.argmax(wrong))]), known, 3, 0.5)
        return ", ".join(near or known[:8])


def dose_columns(
    columns: Mapping[str, NDArray[Any]], model: CompiledModel, place: Place
) -> dict[str, Column]:
    """Sort the columns of a dose table and read their cells.

    Arguments:
        columns: by name, all of one length.
        model: whose parameters other columns may name.
        place: where the rows stand.

    Returns:
        Every column of `NAMES` (an empty one where the table has none) and every parameter's.

    Raises:
        Refusal: for a column that means nothing, one that is there twice or has another length, a table
            without TIME, a cell that is not a number.
    """
    rows = {len(values) for values in columns.values()}
    if len(rows) > 1:
        raise Refusal("the columns of the dose table have different lengths", file=place.file)
    inputs = {infusion_parameter(state) for state in model.states}
    found: dict[str, Column] = {}
    for name, values in columns.items():
        key = name.upper() if name.upper() in (*NAMES, *PASSED_OVER) else name
        if key in PASSED_OVER:
            continue
        if key in found:
            raise Refusal(f"the column '{key}' stands there twice", file=place.file)
        if key not in NAMES and (key not in model.parameters or key in inputs):
            near = get_close_matches(name, (*NAMES, *model.parameters), 3, 0.5)
            raise Refusal(
                f"column '{name}': neither a column of doses nor a parameter of the model",
                file=place.file,
                allowed=", ".join(near) or ", ".join(NAMES[:-1]),
            )
        found[key] = _column(key, values, place, None if key in NAMES else key)
    for name in NEEDED:
        if name not in found:
            raise Refusal(
                f"the dose table needs a column '{name}'", file=place.file, found=", ".join(columns)
            )
    length = rows.pop() if rows else 0
    nothing, nan = np.full(length, None, dtype=object), np.full(length, np.nan)
    for name in NAMES:
        found.setdefault(name, Column(name, nothing, nan, place, there=False))
    return found


def _column(name: str, values: NDArray[Any], place: Place, parameter: str | None) -> Column:
    cells, empty = np.ma.getdata(values), np.ma.getmaskarray(values)
    if cells.dtype.kind in "iufb":
        numbers = cells.astype(np.float64)
        numbers[empty] = np.nan
        texts = cells.astype(object)
        texts[empty] = None
        return Column(name, texts, numbers, place, parameter=parameter)
    texts = cells.astype(object, copy=True)
    empty = empty | np.asarray(pd.isna(texts))
    for sign in MISSING:
        empty = empty | np.asarray(texts == sign, dtype=bool)
    texts[empty] = None
    if name in TEXTS:
        return Column(name, texts, np.full(len(texts), np.nan), place, parameter=parameter)
    try:
        numbers = np.where(empty, "nan", texts).astype(np.float64)
    except (TypeError, ValueError):
        place.refuse(np.array([not _is_number(text) for text in texts.tolist()]), texts, name, "not a number")
        raise
    return Column(name, texts, numbers, place, parameter=parameter)


def _is_number(text: object) -> bool:
    try:
        float("nan" if text is None else text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True
