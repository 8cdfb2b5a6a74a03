"""Rows of harm: what single trials counted, and what pools and case reports say beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mesolung.biology.columns import built_rows, number_of, one_of, text_of
from mesolung.calibration.relations.listing import ELIGIBLE, UNSEEN
from mesolung.reading import Row
from mesolung.study import read_study
from mesolung.study.catalogue import entries, groups
from mesolung.study.modelled import not_modelled
from mesolung.study.study import Study

CONTEXT = Path(str(files("mesolung.calibration") / "harm-context.csv"))
COLUMNS = ("harm", "kind", "what", "value", "low", "high", "unit", "basis", "source")
KINDS = ("pooled", "review", "cases")
FEVER, REACTION, THROMBOSIS, ANTIBODY, INFECTION = (
    "fever",
    "infusion_reaction",
    "thromboembolism",
    "donor_specific_antibody",
    "secondary_infection",
)
MODELLED = (FEVER, REACTION, THROMBOSIS, ANTIBODY, INFECTION)
# What a trial counts as harm without saying of which kind: it bounds every kind, and the model has no such.
ANY_KIND = (
    "dose_limiting_toxicity",
    "related_adverse_event",
    "related_serious_adverse_event",
    "adverse_event",
    "serious_adverse_event",
)
# No part of the model tells them as events; a pool says what is known.
WITHOUT_PART = ("arrhythmia", "malignancy")
HARMS = (*MODELLED, *ANY_KIND)


@dataclass(frozen=True)
class HarmRow:
    """Subjects with an event in an arm of a single study.

    Attributes:
        study: name of the shipped file.
        observation: its place there.
        harm: endpoint.
        arm: arms, joined by commas.
        treated: whether the arm was given cells or vesicles.
        events, n: subjects with the event, and all.
        followed_d: days; None where none is printed.
        status: seen or derived.
        reason: why the model does not answer it; empty where it does.
    """

    study: str
    observation: int
    harm: str
    arm: str
    treated: bool
    events: int
    n: int
    followed_d: float | None
    status: str
    reason: str


@dataclass(frozen=True)
class Context:
    """What is shown beside the rows and never compared with: a pool, a review or case reports.

    Attributes:
        harm, kind, what, unit, basis, source: words.
        value, low, high: as published; None where it is not printed.
    """

    harm: str
    kind: str
    what: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    basis: str
    source: str


def harm_rows() -> tuple[HarmRow, ...]:
    """List the counted harms of single studies that may be looked at.

    Returns:
        rows of the harms in `HARMS` that were seen or derived and are not kept unseen, by study and place.

    Raises:
        Refusal: for a shipped study that cannot be read.
    """
    return tuple(
        row
        for one in entries()
        if one.kind == "trial"
        for row in _of_study(one.name, read_study(one.path), groups(one.name))
    )


def context(path: Path = CONTEXT) -> tuple[Context, ...]:
    """Read what is shown beside the rows.

    Arguments:
        path: the table.

    Returns:
        its rows.

    Raises:
        Refusal: for a row that cannot be read.
    """
    return tuple(made for _, made in built_rows(path, COLUMNS, _context))


def _of_study(name: str, study: Study, used: tuple[str, ...]) -> Iterator[HarmRow]:
    reasons = not_modelled(study)
    with_product = {arm.name for arm in study.arms if arm.treatments}
    for one in study.observations:
        counted = one.form == "events" and one.events is not None and one.n is not None
        if one.endpoint not in HARMS or not counted or used[one.index] == UNSEEN:
            continue
        if one.source.status not in ELIGIBLE:
            continue
        # Usual care alone is compared elsewhere; of it only what the illness itself clots is needed here.
        if not with_product and one.endpoint != THROMBOSIS:
            continue
        yield HarmRow(
            study=name,
            observation=one.index,
            harm=one.endpoint,
            arm=", ".join(one.arm),
            treated=bool(with_product & set(one.arm)),
            events=int(one.events or 0),
            n=int(one.n or 0),
            followed_d=None if one.time_unknown or one.time_h is None else one.time_h / 24.0,
            status=str(one.source.status),
            reason=reasons.get(one.index, ""),
        )


def _context(row: Row) -> Context:
    return Context(
        harm=one_of(row, "harm", (*HARMS, *WITHOUT_PART)),
        kind=one_of(row, "kind", KINDS),
        what=text_of(row, "what"),
        value=number_of(row, "value"),
        low=number_of(row, "low"),
        high=number_of(row, "high"),
        unit=text_of(row, "unit"),
        basis=text_of(row, "basis"),
        source=text_of(row, "source"),
    )
