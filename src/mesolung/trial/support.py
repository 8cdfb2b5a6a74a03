"""Organ support and events over a course: whether it is on, when it first was, and for how many days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesolung.trial.outcomes import Floats, Outcomes, Time

ON = 0.5  # a smooth output between 0 and 1 counts as on from here
HOURS_PER_DAY = 24.0


def present(outcomes: Outcomes, outputs: Sequence[str], above: Sequence[float], time_h: Time) -> Floats:
    """Whether several outputs all stand at or above their levels at the same time.

    Args:
        outcomes: the subjects' courses.
        outputs: names of outputs, at least one.
        above: level of each, in its unit.
        time_h: hours since enrolment.

    Returns:
        float64[n], 1 or 0; nan where an output is not known.
    """
    levels = np.stack([outcomes.output_at(name, time_h) for name in outputs])
    on = (levels >= np.asarray(above, dtype=np.float64)[:, None]).all(axis=0)
    return np.where(np.isnan(levels).any(axis=0), np.nan, on.astype(np.float64))


def first_time(outcomes: Outcomes, output: str, above: float = ON) -> Floats:
    """When an output first reaches a level after enrolment, linear between outputs.

    Args:
        outcomes: the subjects' courses.
        output: name of the output.
        above: the level.

    Returns:
        float64[n], hours since enrolment: inf where it never does, nan where a failed course hides it, and
        nan for who is there already at enrolment and so is not at risk.
    """
    values = outcomes.output(output)
    on = values >= above
    came, after = on.any(axis=1), on.argmax(axis=1)
    before = np.maximum(after - 1, 0)
    row = np.arange(outcomes.size)
    low, high = values[row, before], values[row, after]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(high > low, (above - low) / (high - low), 0.0)
    grid = outcomes.times
    time = grid[before] + part * (grid[after] - grid[before])
    never = np.where(np.isnan(values[:, -1]), np.nan, np.inf)
    return np.where(came, np.where(after == 0, np.nan, time), never)


def free_days(outcomes: Outcomes, output: str, time_h: float) -> Floats:
    """Days from time 0 to `time_h` without a support, were the subject alive throughout.

    The output is linear between outputs; a segment that crosses 0.5 counts up to its crossing. All days off
    count, also those before a support that is taken up again.

    Args:
        outcomes: courses with the output (0 to 1), the first output at or before time 0.
        output: its name, as "ventilated".
        time_h: hours since enrolment.

    Returns:
        float64[n] in days, 0 to time_h / 24; nan for a course that failed before `time_h`.

    Raises:
        ValueError: outputs that start after time 0.
    """
    grid = outcomes.times
    if grid[0] > 0:
        raise ValueError(f"days without support count from time 0, but the outputs start at {grid[0]} h")
    inside = (grid > 0) & (grid < time_h)
    course = outcomes.output(output)
    values = np.column_stack(
        [outcomes.output_at(output, 0.0), course[:, inside], outcomes.output_at(output, time_h)]
    )
    widths = np.diff(np.concatenate([[0.0], grid[inside], [time_h]]))
    left, right = ON - values[:, :-1], ON - values[:, 1:]  # positive = free
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = np.maximum(left, right) / np.abs(left - right)
    free = np.where((left > 0) & (right > 0), 1.0, np.where((left <= 0) & (right <= 0), 0.0, crossing))
    free = np.where(np.isnan(left) | np.isnan(right), np.nan, free)
    return (free * widths).sum(axis=1) / HOURS_PER_DAY
