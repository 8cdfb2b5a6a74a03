"""What a study says it does not know of a treatment: drawn from what trials like it have given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesolung.biology.columns import built_rows, named_rows, number_of, one_of, required_of, text_of
from mesolung.reading import Refusal, Row
from mesolung.streams import uniforms
from mesolung.units import quantity

COLUMNS = ("what", "choice", "share", "spread", "source")
WHAT = ("dose", "route", "times", "size")
DOSE_UNIT = "cells/kg"
DOSE_COLUMNS = ("product", "dose", "unit", "spread", "source")
TRIAL = "trial"
# Animals whose illness takes weeks or months are treated days after it began, not hours.
CHRONIC_ANIMAL = "chronic animal"
# Kinds of studies with habits of their own, and the table that holds them.
TABLES: Mapping[str, str] = MappingProxyType(
    {
        TRIAL: "unstated.csv",
        "animal": "unstated_animal.csv",
        CHRONIC_ANIMAL: "unstated_animal_chronic.csv",
        "ex-vivo": "unstated_ex_vivo.csv",
    }
)


@dataclass(frozen=True)
class Choice:
    """One row of ``unstated.csv``.

    Attributes:
        choice: what it may be, as a study file writes it; of a dose or size the typical one.
        share: how often; the shares of one ``what`` add up to 1.
        spread: SD of the natural logarithm, of a dose or size; else None.
        source: publication, "derived: ..." or "assumed: ...".
    """

    choice: str
    share: float
    spread: float | None
    source: str


@cache
def unstated(kind: str = TRIAL) -> Mapping[str, tuple[Choice, ...]]:
    """Read the table of the habits of studies, ``unstated.csv`` for trials.

    Arguments:
        kind: a key of `TABLES`.

    Returns:
        "dose", "route", "times" and "size" -> choices.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[str, list[Choice]] = {what: [] for what in WHAT}
    for row, choice in built_rows(files("mesolung.product") / TABLES[kind], COLUMNS, _choice):
        found[row["what"]].append(choice)
    for what, choices in found.items():
        if abs(sum(c.share for c in choices) - 1.0) > 1e-9:
            raise Refusal(f"the shares of {what} do not add up to 1", file=TABLES[kind])
    return MappingProxyType({what: tuple(choices) for what, choices in found.items()})


def _choice(row: Row) -> Choice:
    one_of(row, "what", WHAT)
    share, spread = required_of(row, "share"), number_of(row, "spread")
    return Choice(text_of(row, "choice"), share, spread, text_of(row, "source"))


@dataclass(frozen=True)
class UnknownDose:
    """A row of ``unstated_doses.csv``, of a type of product that is not counted in cells.

    Attributes:
        dose: the typical one.
        unit: as study files write it.
        spread: SD of the natural logarithm.
        source: publication, "derived: ..." or "assumed: ...".
    """

    dose: float
    unit: str
    spread: float
    source: str


@cache
def unknown_doses() -> Mapping[str, UnknownDose]:
    """Read ``unstated_doses.csv``: type of product -> row; cells are not among them. Refusal as above."""
    return named_rows(files("mesolung.product") / "unstated_doses.csv", DOSE_COLUMNS, _dose, "product")


def _dose(row: Row) -> UnknownDose:
    dose, spread = required_of(row, "dose"), required_of(row, "spread")
    return UnknownDose(dose, text_of(row, "unit"), spread, text_of(row, "source"))


def unknown_dose_unit(product: str) -> str:
    """The unit in which an unknown dose of a type of product is drawn."""
    return unknown_doses()[product].unit if product in unknown_doses() else DOSE_UNIT


def drawn_doses(
    seed: int, treatment: str, slots: int, kind: str = TRIAL, *, product: str = "cells"
) -> NDArray[np.float64]:
    """Draw the dose of a treatment whose dose is unknown.

    Arguments:
        seed: of the run.
        treatment: names the treatment, so that two have doses of their own.
        slots: S.
        kind: of study.
        product: type of what is given.

    Returns:
        float64[S], cells per kg, or for what is not counted in cells the unit of its row, one a replicate.
    """
    z = ndtri(np.array([uniforms(seed, f"unknown dose:{treatment}", s, 1)[0] for s in range(slots)]))
    if product in unknown_doses():
        other = unknown_doses()[product]
        return other.dose * np.exp(other.spread * z)
    (row,) = unstated(kind)["dose"]
    return quantity(row.choice).to(DOSE_UNIT) * np.exp((row.spread or 0.0) * z)


def drawn_choices(
    what: str, seed: int, treatment: str, slots: int, kind: str = TRIAL
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Draw the route or the schedule of a treatment for every replicate.

    Arguments:
        what: "route" or "times".
        seed, treatment, slots, kind: as `drawn_doses`.

    Returns:
        (choice, bool[S] the replicates that have it); choices that none has are left out.
    """
    rows = unstated(kind)[what]
    edges = np.cumsum([row.share for row in rows])[:-1]
    u = np.array([uniforms(seed, f"unknown {what}:{treatment}", s, 1)[0] for s in range(slots)])
    place = np.searchsorted(edges, u, side="right")
    return [(row.choice, place == k) for k, row in enumerate(rows) if np.any(place == k)]


def drawn_size(seed: int, kind: str = TRIAL) -> int:
    """Draw the number of subjects of an arm whose size is unknown: one for all such arms of a study.

    Arguments:
        seed: of the run.
        kind: of study.

    Returns:
        subjects, at least 2.
    """
    (row,) = unstated(kind)["size"]
    z = float(ndtri(uniforms(seed, "unknown size", 0, 1)[0]))
    return max(2, round(float(row.choice) * float(np.exp((row.spread or 0.0) * z))))
