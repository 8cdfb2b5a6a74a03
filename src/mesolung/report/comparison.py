"""Predicted beside observed: one line an arm and endpoint, shared by the page and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesolung.report.numbers import (
    UNKNOWN,
    amount,
    anything,
    interval,
    is_number,
    median_interval,
    number,
    percent,
    unit_name,
)
from mesolung.report.plan import Plan, in_plan_order, primary_first, split_key
from mesolung.report.words import Words, arm_name, is_ratio
from mesolung.study.unanswered import NOT_MODELLED
from mesolung.study.unscored import IMPOSSIBLE, NOT_SCORED
from mesolung.trial.contrasts import MEASURES
from mesolung.units import convert


@dataclass(frozen=True)
class Line:
    """What is predicted for an arm and endpoint, and what was observed, if anything was.

    Attributes:
        endpoint: key, as "mortality@28d".
        title: the endpoint in words, with form and filter.
        arm: in words, with its comparator.
        colour_arm: the arm whose colour it takes.
        predicted: p05, p50, p95 (and p25, p75 where given) of simulated trials.
        unit: of ``predicted`` and ``observed``; "patients" for counts.
        expected: quantiles of the expected value, if given, in ``expected_unit``.
        expected_unit: unit of ``expected``.
        n: subjects.
        observation: the entry of the result's ``observations``, or None.
        printed: the observation as the study file writes it.
        measure_words: the measure of a published contrast in words.
    """

    endpoint: str
    title: str
    arm: str
    colour_arm: str
    predicted: Mapping[str, Any]
    unit: str | None
    expected: Mapping[str, Any] | None = None
    expected_unit: str | None = None
    n: Any = None
    observation: Mapping[str, Any] | None = None
    printed: Mapping[str, Any] | None = None
    measure_words: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is a count of subjects with an event."""
        return bool(self.observation) and self.observation.get("statistic") == "events" and is_number(self.n)  # type: ignore[union-attr]

    @property
    def not_modelled(self) -> str:
        """Why the observation is not answered; empty where it is."""
        entry = self.observation or {}
        return str(entry.get("reason") or "unknown") if entry.get("status") == NOT_MODELLED else ""

    @property
    def not_scored(self) -> str:
        """Why the observation is answered and has no score that is a number; empty where it has one."""
        entry = self.observation or {}
        return str(entry.get("reason") or "") if entry.get("status") in (NOT_SCORED, IMPOSSIBLE) else ""

    @property
    def measure(self) -> str | None:
        """The measure of a published contrast, else None."""
        statistic = (self.observation or {}).get("statistic")
        if statistic == "contrast":
            statistic = (self.printed or {}).get("contrast")
        return statistic if statistic in MEASURES else None

    @property
    def directional(self) -> bool:
        """Whether what was observed is a direction or an ordering, not a number."""
        return bool(self.observation) and not is_number(self.observation.get("observed"))  # type: ignore[union-attr]

    @property
    def axis_unit(self) -> str:
        """Unit of the axis that can carry it."""
        if self.counts:
            return "%"
        if self.measure:
            return "no unit" if is_ratio(self.measure) else unit_name(self.unit)
        return unit_name(self.unit)

    def on_axis(self, value: Any) -> float | None:
        """A predicted or observed value as the axis carries it: counts and fractions in percent."""
        if not is_number(value):
            return None
        if self.counts:
            return 100.0 * float(value) / float(self.n)
        return float(value) * (100.0 if self.axis_unit == "%" and self.unit == "fraction" else 1.0)

    def predicted_text(self) -> str:
        """Median and 90 % interval, or the probabilities of the directions, in words."""
        entry = self.observation or {}
        if is_number(entry.get("p_none")):
            return (
                f"lower {percent(entry.get('p_lower'))}, none {percent(entry.get('p_none'))}, "
                f"higher {percent(entry.get('p_higher'))}"
            )
        if self.not_modelled:
            return str(entry["status"])
        if not is_number(self.predicted.get("p50")):
            return UNKNOWN
        return median_interval(self.predicted, self.unit)

    def observed_text(self) -> str:
        """What was observed, with its printed spread, in words."""
        entry = self.observation
        if entry is None:
            return UNKNOWN
        observed = entry.get("observed")
        if not is_number(observed):
            return anything(observed)
        if self.counts:
            return f"{number(observed)} of {number(self.n)} ({percent(float(observed) / float(self.n))})"  # type: ignore[arg-type]
        return amount(observed, self.unit) + spread_text(self.printed or {})

    def inside_text(self) -> str:
        """Whether the observed value lies inside the 90 % interval, in words."""
        inside = (self.observation or {}).get("inside_90")
        return UNKNOWN if inside is None else ("inside" if inside else "outside")

    def expected_text(self) -> str:
        """Median and 90 % interval of the expected value."""
        return median_interval(self.expected, self.expected_unit) if self.expected else UNKNOWN

    def unit_text(self) -> str:
        """Unit of the predicted and observed numbers, in words."""
        if self.directional:
            return UNKNOWN
        if self.counts:
            return f"patients of {number(self.n)}"
        return "no unit" if self.measure and is_ratio(self.measure) else unit_name(self.unit)


def spread_text(printed: Mapping[str, Any]) -> str:
    """The spread that a paper prints beside a value, in brackets.

    Arguments:
        printed: an observation as the study file writes it.
    """
    for key, word in (("sd", "SD"), ("se", "SE"), ("p", "p")):
        if is_number(printed.get(key)):
            return f" ({word} {number(printed[key])})"
    for key, word in (("iqr", "IQR"), ("ci95", "95 % interval")):
        pair = printed.get(key)
        if isinstance(pair, list) and len(pair) == 2:
            return f" ({word} {interval({'p05': pair[0], 'p95': pair[1]})})"
    return ""


def _printed(plan: Plan, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    index = entry.get("index")
    return (
        plan.observations[index] if isinstance(index, int) and 0 <= index < len(plan.observations) else None
    )


def _unit(entry: Mapping[str, Any], printed: Mapping[str, Any] | None, arms: Mapping[str, Any]) -> str | None:
    if entry.get("unit") or (printed or {}).get("unit"):
        return entry.get("unit") or (printed or {}).get("unit")
    if entry.get("as") == "percent_change":
        return "percent"
    # An arm's answers are under the endpoint with its form, as "il6@7d:change"; the unit is the same.
    units = [c.get("unit") for a in arms.values() for k, c in a.items() if _same_key(k, entry)]
    return units[0] if units else None


def _same_key(key: str, entry: Mapping[str, Any]) -> bool:
    asked = str(entry.get("endpoint"))
    return key == asked or (key.startswith(f"{asked}:") and "percent_change" not in key)


def lines_of(json: Mapping[str, Any], plan: Plan, words: Words) -> list[Line]:
    """Set every prediction beside what was observed.

    Arguments:
        json: the result's object.
        plan: the study file.
        words: labels of endpoints.

    Returns:
        Lines, the primary endpoint first, arms in the file's order; contrasts and directions after the arms.
    """
    arms: Mapping[str, Mapping[str, Any]] = json.get("arms") or {}
    observations = list(json.get("observations") or [])
    keys = primary_first(
        [k for a in arms.values() for k in a] + [str(o.get("endpoint")) for o in observations], plan
    )
    lines: list[Line] = []
    for key in keys:
        here = [o for o in observations if str(o.get("endpoint")) == key]
        for arm in in_plan_order(arms, plan):
            cell = arms[arm].get(key)
            plain = [o for o in here if o.get("arm") == arm and _is_plain(o)]
            here = [o for o in here if o not in plain]
            expected = (cell or {}).get("expected")
            unit = (cell or {}).get("unit")
            lines += [_observed(o, json, plan, words, expected, unit) for o in plain]
            if cell is not None and not plain:
                lines.append(
                    Line(key, words.endpoint(key), arm, arm, cell, unit, expected, unit, cell.get("n"))
                )
        lines += [_observed(o, json, plan, words, None, None) for o in here]
    return lines


def _is_plain(entry: Mapping[str, Any]) -> bool:
    return entry.get("as", "level") in ("level", None) and not entry.get("where") and not entry.get("versus")


def _observed(
    entry: Mapping[str, Any],
    json: Mapping[str, Any],
    plan: Plan,
    words: Words,
    expected: Mapping[str, Any] | None,
    expected_unit: str | None,
) -> Line:
    printed = _printed(plan, entry)
    arm = entry.get("arm")
    first = arm[0] if isinstance(arm, (list, tuple)) and arm else arm
    unit = _unit(entry, printed, json.get("arms") or {})
    if expected and (printed or {}).get("unit") and unit and expected_unit:
        expected = _in_unit(expected, expected_unit, unit)
        expected_unit = unit
    line = Line(
        endpoint=str(entry.get("endpoint")),
        title=words.observation(entry),
        arm=arm_name(arm, entry.get("versus")),
        colour_arm=str(first),
        predicted=entry,
        unit={"events": "patients", "event_count": "events"}.get(str(entry.get("statistic")), unit),
        expected=expected,
        expected_unit=expected_unit,
        n=entry.get("n"),
        observation=entry,
        printed=printed,
    )
    if line.measure:
        said = words.measure(line.measure, line.endpoint)
        return Line(
            **{
                **line.__dict__,
                "title": f"{line.title}, {said}",
                "measure_words": said,
                "unit": None if is_ratio(line.measure) else unit,
            }
        )
    return line


def _in_unit(found: Mapping[str, Any], unit: str, wanted: str) -> Mapping[str, Any] | None:
    """Quantiles in the unit that the paper printed, whose axis they share; None where that is not one."""
    try:
        return {k: convert(float(v), unit, wanted) if is_number(v) else v for k, v in found.items()}
    except ValueError:
        return None


def not_modelled(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """Why observations are not answered, with how many for each reason, in the order of the lines.

    Arguments:
        lines: of the result.
    """
    return list(Counter(line.not_modelled for line in lines if line.not_modelled).items())


def not_scored(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """Why answered observations have no score that is a number, with how many for each reason.

    Arguments:
        lines: of the result.
    """
    return list(Counter(line.not_scored for line in lines if line.not_scored).items())


def spread_of(line: Line) -> tuple[float, float] | None:
    """The interval to draw around an observed value: IQR, 95 % interval, or SD, as printed.

    Arguments:
        line: with an observation.

    Returns:
        (low, high) on the line's axis, or None where none is printed or it is a count.
    """
    printed, observed = line.printed or {}, (line.observation or {}).get("observed")
    if line.counts or not is_number(observed):
        return None
    pair: Any = printed.get("iqr") or printed.get("ci95")
    if not pair and is_number(printed.get("sd")):
        pair = [float(observed) - float(printed["sd"]), float(observed) + float(printed["sd"])]  # type: ignore[arg-type]
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    low, high = line.on_axis(pair[0]), line.on_axis(pair[1])
    return None if low is None or high is None else (low, high)


def same_endpoint(line: Line, name: str) -> bool:
    """Whether a line is of an endpoint's level, at any time.

    Arguments:
        line: a line.
        name: the endpoint without its time.
    """
    plain = line.observation is None or _is_plain(line.observation)
    return plain and split_key(line.endpoint)[0] == name
