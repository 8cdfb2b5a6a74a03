"""What a report needs of a result, so that it depends on no room that computes one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pandas import DataFrame


class Shown(Protocol):
    """A result as a report sees it; anything with these attributes can be shown.

    Attributes:
        json: the object that `mesolung run --json` prints.
        manifest: how the run was made. Keys read, all optional: ``study_text``; ``assumed_inputs`` (list of
            name, value, unit, why); ``population`` or ``enrolment`` (by arm: ``effective_size``, ``pool``,
            ``borrowed``, and ``baseline``, a list of name, unit, requested, achieved); ``parameter_grades``
            (A, B, C: counts); ``versions`` (by name); ``seed``; ``draws``; ``model_sha256`` or
            ``model_hash``; ``posterior``; ``timings`` (s, by stage); ``failures`` (counts by name, lists of
            failed subjects); ``library`` (by name); ``command``; ``folder``.
        bands: DataFrame of arm, output, label, unit, time_h, p05, p25, p50, p75, p95; optionally scale.
        survival: DataFrame of arm, time_h, at_risk, deaths, survival_p05, survival_p50, survival_p95.
        waterfall: DataFrame of arm, product, stage, p05, p50, p95 (cells).

    The tables may be None or empty: what would show them then says so.
    """

    @property
    def json(self) -> Mapping[str, Any]: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...
    @property
    def bands(self) -> DataFrame | None: ...
    @property
    def survival(self) -> DataFrame | None: ...
    @property
    def waterfall(self) -> DataFrame | None: ...


def plain(value: Any) -> Any:
    """Make an object of JSON's own types.

    Arguments:
        value: nested mappings, sequences, numbers (NumPy's too), texts.

    Returns:
        The same as dictionaries, lists and Python's numbers, with None for what is not finite.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def study_text(manifest: Mapping[str, Any]) -> str | None:
    """The text of the study file, where the manifest keeps it.

    Arguments:
        manifest: how the run was made.
    """
    text = manifest.get("study_text")
    return text if isinstance(text, str) else None


def rows_of(table: DataFrame | None) -> list[dict[str, Any]]:
    """Rows of a table that may be missing.

    Arguments:
        table: a DataFrame or None.

    Returns:
        A dictionary a row, in the table's order, keyed by column.
    """
    if table is None or len(table) == 0:
        return []
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
