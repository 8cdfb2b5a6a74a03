"""Reading moments of a study."""

from __future__ import annotations

from mesolung.study.place import HOURS, Place
from mesolung.study.written import Repeats

SLACK_H = 1e-6
EARLIEST_H = -10 * 365.25 * 24.0


def read_time(text: str, at: Place, duration_h: float) -> float:
    """Read a moment of the study.

    Arguments:
        text: as written.
        at: where it stands.
        duration_h: length of the study, h.

    Returns:
        h since the study's origin.

    Raises:
        Refusal: when it is no time, long before the origin or beyond the duration.
    """
    if text.strip() == "unknown":
        raise at.refuse(
            "a time that is unknown", found=text, allowed="of an observation, or times of a treatment"
        )
    time = at.amount(text, HOURS, also=("d", "min"))
    if time < EARLIEST_H:
        raise at.refuse(
            "a time too long before the origin", found=text, allowed=f"{EARLIEST_H:g} h to {duration_h:g} h"
        )
    if time > duration_h + SLACK_H:
        raise at.refuse("a time beyond the duration", found=text, allowed=f"0 h to {duration_h:g} h")
    return min(time, duration_h)


def read_times(times: Repeats | list[str], at: Place, duration_h: float) -> tuple[float, ...]:
    """Read the moments of a treatment.

    Arguments:
        times: as written, one by one or at an interval.
        at: where they stand.
        duration_h: length of the study, h.

    Returns:
        h since enrolment, increasing.

    Raises:
        Refusal: for a time as `read_time` refuses it, an interval of nothing, or one time twice.
    """
    if isinstance(times, Repeats):
        start = read_time(times.start, at.at("start"), duration_h)
        every = read_interval(times.every, at.at("every"))
        last = start + every * (times.count - 1)
        if last > duration_h + SLACK_H:
            raise at.refuse(
                "the last dose is beyond the duration",
                told=f"{last:g} h",
                allowed=f"0 h to {duration_h:g} h",
            )
        return tuple(min(start + every * k, duration_h) for k in range(times.count))
    found = [read_time(text, at.at(k), duration_h) for k, text in enumerate(times)]
    for k, time in enumerate(found):
        if any(abs(time - other) <= SLACK_H for other in found[:k]):
            raise at.at(k).refuse("two doses at one time", found=times[k], allowed="times that differ")
    return tuple(sorted(found))


def read_interval(text: str, at: Place) -> float:
    """Read the time from one dose to the next.

    Arguments:
        text: as written.
        at: where it stands.

    Returns:
        h, more than 0.

    Raises:
        Refusal: when it is no time, or so short that doses would fall together.
    """
    every = at.amount(text, HOURS, also=("d", "min"))
    if every <= SLACK_H:
        raise at.refuse("impossible interval", found=text, allowed="more than 0 h")
    return every
