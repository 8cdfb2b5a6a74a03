"""Reading usual care: who receives which drug or support, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.biology.tables import PER_KG, backgrounds, reserved
from mesolung.biology.tables import Background as BackgroundRow
from mesolung.study.place import HOURS, Place, listed
from mesolung.study.population import Background
from mesolung.study.times import read_interval, read_time
from mesolung.study.written import MOST_DOSES, BackgroundTable
from mesolung.units import convert, quantity, same_dimension

SOMEBODY_KG = 80.0  # between a limit per kg and one in all
AMOUNTS = ("mg", "IU", "mL")
WAITING = "waiting"  # how a background acts that the model does not have yet
LARGEST_MULTIPLE = 100  # of the usual dose; beyond it a unit or a comma has slipped

# How a background acts -> what may be said of it.
BACKGROUND_KEYS = {
    "dose": ("share", "dose", "start", "duration", "every", "responder"),
    "switch": ("share", "start", "duration", "responder"),
    "occupancy": ("share", "dose", "start", "duration", "every", "responder"),
    "enrolment": ("share",),
    # What the model does not have yet may be given in any way.
    WAITING: ("share", "dose", "start", "duration", "every", "responder"),
}


def read_backgrounds(
    lines: Mapping[str, Any],
    place: Place,
    duration_h: float,
    inherited: Mapping[str, Any] | None = None,
) -> dict[str, Background]:
    """Read usual care.

    Arguments:
        lines: as written.
        place: of the table.
        duration_h: length of the study, h.
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
        row = backgrounds().get(name) or waiting_backgrounds().get(name)
        if row is None:
            raise at.refuse_name("background", name, [*backgrounds(), *waiting_backgrounds()])
        both = {**_background(above.get(name)), **_background(lines.get(name))}
        result[name] = _read_background(BackgroundTable(**both), at, row, duration_h)
    return result


def waiting_backgrounds() -> dict[str, BackgroundRow]:
    """Rows of the backgrounds that study files may name and the model does not have yet, by name."""
    return {
        name: BackgroundRow(
            name=name,
            label=name.replace("_", " "),
            kind="drug",
            target="",
            how=WAITING,
            dose=None,
            dose_unit=None,
            most=None,
            factor=1.0,
            duration_h=float("inf"),
            every_h=None,
            meaning=f"waits for {waits_for}",
        )
        for (kind, name), waits_for in reserved().items()
        if kind == "background"
    }


def _background(line: Any) -> dict[str, Any]:
    if line is None:
        return {}
    if isinstance(line, BackgroundTable):
        return {key: value for key, value in line if value is not None}
    return {"share": line}


def _read_background(line: BackgroundTable, at: Place, row: BackgroundRow, duration_h: float) -> Background:
    if line.share is None:
        raise at.refuse(f"{row.name}: share is missing", allowed="0 to 1")
    allowed = BACKGROUND_KEYS[row.how]
    for key, value in line:
        if value is not None and key not in allowed:
            raise at.at(key).refuse(f"{row.name} has no {key}", found=value, allowed=listed(allowed))
    start = 0.0 if line.start is None else _start(line.start, at.at("start"), duration_h)
    length = None if line.duration is None else _length(line.duration, at.at("duration"), row)
    every = None if line.every is None else read_interval(line.every, at.at("every"))
    if every is not None and row.how != "occupancy":
        given = min(row.duration_h if length is None else length, duration_h - start)
        if given / every > MOST_DOSES:
            raise at.at("every").refuse(
                f"{row.name}: too many doses", found=line.every, allowed=f"at most {MOST_DOSES} doses"
            )
    dose, per_kg, unit = (None, False, None) if line.dose is None else _dose(line.dose, at.at("dose"), row)
    return Background(
        share=line.share,
        dose=dose,
        per_kg=per_kg,
        dose_unit=unit if row.how == WAITING else None,
        start_h=start,
        duration_h=length,
        every_h=every,
        responder=line.responder,
    )


def _start(text: str, at: Place, duration_h: float) -> float:
    return read_time(text, at, duration_h)


def _length(text: str, at: Place, row: BackgroundRow) -> float:
    length = at.amount(text, HOURS, also=("d", "min"))
    if length <= 0:
        raise at.refuse(f"{row.name}: impossible duration", found=text, allowed="more than 0 h")
    return length


def _dose(text: str, at: Place, row: BackgroundRow) -> tuple[float, bool, str]:
    """A dose in an amount's unit, whether it is one per kg of body weight, and that unit.

    The unit is the table's; of a drug that the model does not have the first of `AMOUNTS` that fits.
    """
    amounts = AMOUNTS if row.how == WAITING else (row.amount_unit,)
    units = tuple(unit + per for unit in amounts for per in ("", PER_KG))
    try:
        found = quantity(text)
    except ValueError:
        raise at.refuse(
            "dose: not a number with a unit that is known", found=text, allowed=listed(units)
        ) from None
    per_kg = found.unit.endswith(PER_KG)
    written = found.unit.removesuffix(PER_KG).strip()
    amount = next((unit for unit in amounts if same_dimension(written, unit)), None)
    if amount is None:
        raise at.refuse("dose: wrong unit", found=text, allowed=listed(units))
    dose = convert(found.value, written, amount)
    if dose <= 0:
        raise at.refuse("negative or zero dose", found=text, allowed="more than 0")
    if row.how == WAITING:
        return dose, per_kg, amount
    most = LARGEST_MULTIPLE * (row.dose or 0.0)
    if row.per_kg != per_kg:
        most = most / SOMEBODY_KG if per_kg else most * SOMEBODY_KG
    if dose > most:
        raise at.refuse(
            f"{row.name}: impossible dose", found=text, allowed=f"at most {most:g} {units[int(per_kg)]}"
        )
    return dose, per_kg, amount
