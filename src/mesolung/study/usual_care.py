"""Reading usual care: who receives which drug or support, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.biology.tables import Background as BackgroundRow
from mesolung.biology.tables import backgrounds
from mesolung.study.place import HOURS, Place, listed
from mesolung.study.population import Background
from mesolung.study.written import BackgroundTable

# How a background acts -> what may be said of it.
BACKGROUND_KEYS = {
    "dose": ("share", "dose", "start", "duration", "every"),
    "switch": ("share", "start", "duration"),
    "enrolment": ("share",),
}


def read_backgrounds(
    lines: Mapping[str, Any], place: Place, inherited: Mapping[str, Any] | None = None
) -> dict[str, Background]:
    """Read usual care.

    Arguments:
        lines: as written.
        place: of the table.
        inherited: lines of the population as written, for an arm's table.

    Returns:
        name -> background, names sorted; the inherited lines are among them.

    Raises:
        Refusal: for an unknown name, a wrong unit or an impossible value.
    """
    above = inherited or {}
    result = {}
    for name in sorted({*lines, *above}):
        at = place.at(name) if name in lines else Place(place.document, ("population", "background", name))
        row = backgrounds().get(name)
        if row is None:
            raise at.unknown("background", name, backgrounds())
        both = {**_background(above.get(name)), **_background(lines.get(name))}
        result[name] = _read_background(BackgroundTable(**both), at, row)
    return result


def _background(line: Any) -> dict[str, Any]:
    if line is None:
        return {}
    if isinstance(line, BackgroundTable):
        return {key: value for key, value in line if value is not None}
    return {"share": line}


def _read_background(line: BackgroundTable, at: Place, row: BackgroundRow) -> Background:
    if line.share is None:
        raise at.refuse(f"{row.name}: share is missing", allowed="0 to 1")
    allowed = BACKGROUND_KEYS[row.how]
    for key, value in line:
        if value is not None and key not in allowed:
            raise at.at(key).refuse(f"{row.name} has no {key}", found=value, allowed=listed(allowed))
    dose = None
    if line.dose is not None:
        dose = at.at("dose").amount(line.dose, row.dose_unit or "")
        if dose <= 0:
            raise at.at("dose").refuse("negative or zero dose", found=line.dose, allowed="more than 0")
    times = {}
    for key in ("start", "duration", "every"):
        text = getattr(line, key)
        if text is None:
            continue
        times[key] = at.at(key).amount(text, HOURS, also=("d", "min"))
        if times[key] < 0 or (key != "start" and times[key] == 0):
            raise at.at(key).refuse(
                f"{row.name}: impossible {key}",
                found=text,
                allowed="a time that is not negative" if key == "start" else "more than 0 h",
            )
    return Background(
        share=line.share,
        dose=dose,
        start_h=times.get("start", 0.0),
        duration_h=times.get("duration"),
        every_h=times.get("every"),
    )
