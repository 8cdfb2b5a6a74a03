"""Treated against control: what a trial of this size would print, and the effect in the same patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesolung.report.intervals import SIMULATED, Bar, draw_bars, forest_layout
from mesolung.report.numbers import median_interval, percent, unit_name
from mesolung.report.plan import Plan, primary_first
from mesolung.report.style import Figure, Look, plot_text
from mesolung.report.tables import Table, table
from mesolung.report.words import Words, is_ratio


@dataclass(frozen=True)
class Effect:
    """A contrast of two arms on one endpoint.

    Attributes:
        pair: as "UC-MSC vs vehicle".
        endpoint: key, as "mortality@28d".
        title: the endpoint in words.
        measure: of the trial's result.
        unit: of the measure; "no unit" for ratios.
        trial: p05, p50, p95, p_success over replicates, or empty.
        paired: p05, p50, p95, p_benefit over draws, or empty.
    """

    pair: str
    endpoint: str
    title: str
    measure: str
    unit: str | None
    trial: Mapping[str, Any]
    paired: Mapping[str, Any]
    measure_words: str

    @property
    def treated(self) -> str:
        """The first arm of the pair."""
        return self.pair.rpartition(" vs ")[0] or self.pair

    @property
    def control(self) -> str:
        """The second arm of the pair."""
        return self.pair.rpartition(" vs ")[2]


def effects_of(json: Mapping[str, Any], plan: Plan, words: Words) -> list[Effect]:
    """List the contrasts of a result.

    Arguments:
        json: the result's object.
        plan: the study file.
        words: labels of endpoints.

    Returns:
        Contrasts, the primary endpoint first.
    """
    contrasts: Mapping[str, Mapping[str, Any]] = json.get("contrasts") or {}
    paired: Mapping[str, Mapping[str, Any]] = json.get("effect") or {}
    pairs = sorted({*contrasts, *paired})
    keys = primary_first([k for found in (contrasts, paired) for p in found.values() for k in p], plan)
    made = []
    for key in keys:
        for pair in pairs:
            trial, same = contrasts.get(pair, {}).get(key, {}), paired.get(pair, {}).get(key, {})
            if trial or same:
                measure = str(trial.get("measure") or same.get("measure"))
                unit = None if is_ratio(measure) else _unit(json, key)
                said = words.measure(measure, key)
                made.append(Effect(pair, key, words.endpoint(key), measure, unit, trial, same, said))
    return made


def _unit(json: Mapping[str, Any], key: str) -> str | None:
    units = [a[key].get("unit") for a in (json.get("arms") or {}).values() if key in a]
    return units[0] if units else None


def effect_table(effects: Sequence[Effect]) -> Table:
    """The numbers of the contrasts.

    Arguments:
        effects: what to show.

    Returns:
        The table.
    """
    rows = [
        (
            e.pair,
            e.title,
            f"{e.measure_words} ({unit_name(e.unit)})",
            median_interval(e.trial, e.unit),
            percent(e.trial.get("p_success")),
            median_interval(e.paired, e.unit),
            percent(e.paired.get("p_benefit")),
        )
        for e in effects
    ]
    header = (
        "Contrast",
        "Endpoint",
        "Measure",
        "Result of a simulated trial (90 %)",
        "P(success)",
        "Effect in the same patients (90 %)",
        "P(benefit)",
    )
    return table("Contrasts and paired effect", header, rows, (3, 4, 5, 6))


def _bar(place: float, entry: Mapping[str, Any], effect: Effect, look: Look, hollow: bool) -> Bar:
    factor = 100.0 if effect.unit == "fraction" else 1.0
    low, middle, high = (
        None if entry.get(k) is None else float(entry[k]) * factor for k in ("p05", "p50", "p95")
    )
    if is_ratio(effect.measure) and low is not None and low <= 0:
        low = None if middle is None else min(middle, 1.0) / 100
    name = "same patients, 90 %" if hollow else SIMULATED
    hover = f"{plot_text(effect.title)}<br>{name}<br>{median_interval(entry, effect.unit)}"
    colour, symbol = look.colour(effect.treated), look.symbol(effect.treated)
    return Bar(place, colour, symbol, name, low, middle, high, hover=hover, hollow=hollow)


def effect_figures(effects: Sequence[Effect], look: Look) -> list[Figure]:
    """Figures of the contrasts: ratios together on one logarithmic axis, differences by unit.

    Arguments:
        effects: what to show.
        look: colours of the arms.

    Returns:
        The figures.
    """
    groups: dict[tuple[bool, str], list[Effect]] = {}
    for effect in effects:
        if effect.trial.get("p50") is not None or effect.paired.get("p50") is not None:
            groups.setdefault((is_ratio(effect.measure), unit_name(effect.unit)), []).append(effect)
    return [_figure(i, ratio, unit, group, look) for i, ((ratio, unit), group) in enumerate(groups.items())]


def _figure(place: int, ratio: bool, unit: str, group: Sequence[Effect], look: Look) -> Figure:
    bars = []
    for i, effect in enumerate(group):
        bars += [_bar(i, effect.trial, effect, look, False), _bar(i + 0.2, effect.paired, effect, look, True)]
    measures = sorted({e.measure_words for e in group})
    what = " or ".join(measures)
    labels = [f"{e.title}: {e.pair}" for e in group]
    drawn = [v for b in bars for v in (b.low, b.middle, b.high)]
    made, height = forest_layout(f"{what} ({unit})", labels, drawn, log=ratio, null=1.0 if ratio else 0.0)
    told = "; ".join(
        f"{e.title}, {e.pair}: trials {median_interval(e.trial, e.unit)}, "
        f"same patients {median_interval(e.paired, e.unit)}"
        for e in group
    )
    return Figure(
        id=f"effect-{place + 1}",
        title=what[:1].upper() + what[1:],
        alt=f"{what} of treated against control. {told}.",
        caption="Solid line: what trials of this size would print, chance included. Dotted line: the effect "
        "in the same patients, treated and untreated, without chance. Dotted vertical line: no difference.",
        data=draw_bars(bars),
        layout=made,
        table=effect_table(group),
        height=height,
        key="filled: simulated trials, 90 %   open: same patients, 90 %",
    )
