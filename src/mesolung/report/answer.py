"""The run in one sentence, with its uncertainty, and what the two probabilities mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesolung.report.comparison import Line, not_modelled, not_scored
from mesolung.report.effects import Effect
from mesolung.report.numbers import amount, interval, number, percent

BANNER = "For research, not for treatment of a patient"

SUCCESS = (
    "P(success): share of simulated trials whose own analysis (two-sided 5 % test) favours the first arm of "
    "the pair. It depends on the size of the trial."
)
BENEFIT = (
    "P(benefit): share of the parameter draws in which the same patients fare better with the treatment than "
    "without. It does not depend on the size of the trial. Where the prior allows that cells do nothing in "
    "humans, part of the draws can show no benefit at all."
)


def one_sentence(json: Mapping[str, Any], effects: Sequence[Effect], lines: Sequence[Line]) -> str:
    """Say what the run found.

    Arguments:
        json: the result's object.
        effects: contrasts, the primary endpoint first.
        lines: predictions, the primary endpoint first.

    Returns:
        One sentence.
    """
    trials = f"Of {number(json.get('replicates'))} simulated trials"
    for effect in effects:
        if effect.trial.get("p_success") is not None:
            return (
                f"{trials}, {percent(effect.trial['p_success'])} found a significant advantage of "
                f"{effect.treated} over {effect.control} in {_small(effect.title)}; in nine of ten of them "
                f"the {effect.measure_words} came out between {_ends(effect.trial, effect.unit)} "
                f"(median {amount(effect.trial.get('p50'), effect.unit)})."
            )
    for line in lines:
        if line.predicted.get("p50") is not None:
            return (
                f"{trials}, nine of ten had {_small(line.title)} between {_ends(line.predicted, line.unit)} "
                f"{'' if line.unit == 'fraction' else line.unit_text() + ' '}in {line.arm} "
                f"(median {amount(line.predicted.get('p50'), line.unit)})."
            )
    if lines and all(line.not_modelled for line in lines):
        return "Nothing was simulated: this study is not modelled yet."
    return f"{trials}, none gave a number to report."


def more_sentences(effects: Sequence[Effect], lines: Sequence[Line]) -> list[str]:
    """Say what the effect is without chance, and how many observations were predicted.

    Arguments:
        effects, lines: as `one_sentence`.

    Returns:
        Sentences.
    """
    said = []
    for effect in [e for e in effects if e.paired.get("p_benefit") is not None][:1]:
        said.append(
            f"In the same patients, treated and untreated, the {effect.measure_words} is "
            f"{amount(effect.paired.get('p50'), effect.unit)} "
            f"(90 % interval {interval(effect.paired, effect.unit)}); "
            f"the probability of any benefit is {percent(effect.paired['p_benefit'])}."
        )
    judged = [line for line in lines if (line.observation or {}).get("inside_90") is not None]
    if judged:
        inside = sum(bool((line.observation or {}).get("inside_90")) for line in judged)
        said.append(
            f"Of {len(judged)} published {'number' if len(judged) == 1 else 'numbers'}, {inside} "
            f"{'lies' if inside == 1 else 'lie'} inside the 90 % interval of the simulated trials."
        )
    for reason, count in not_modelled(lines):
        what = "1 observation is" if count == 1 else f"{count} observations are"
        said.append(f"{what} not modelled yet: {reason}.")
    for reason, count in not_scored(lines):
        what = "1 observation stands" if count == 1 else f"{count} observations stand"
        said.append(f"{what} in no score: {reason}.")
    return said


def _ends(entry: Mapping[str, Any], unit: str | None) -> str:
    return interval(entry, unit).replace(" to ", " and ")


def _small(title: str) -> str:
    """Start a title with a small letter inside a sentence, unless it is an abbreviation."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title
