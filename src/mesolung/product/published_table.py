"""A table of published lots against specifications: medians, and how many of the lots would pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mesolung import __version__
from mesolung.product.described import own_name
from mesolung.product.product import Product
from mesolung.product.published import lots_of
from mesolung.product.quality.lot_markers import LotMarkers
from mesolung.product.quantities import measured
from mesolung.product.release import FAIL, NOT_TESTED, PASS, decide
from mesolung.product.specs import Spec


def published_table(table: LotMarkers, specs: Sequence[Spec]) -> dict[str, Any]:
    """Hold the lots of a table against specifications.

    Arguments:
        table: as `read_lot_markers` reads it.
        specs: of the release; those about vesicles are of no use here.

    Returns:
        the object that `mesolung lot TABLE.csv --json` prints: medians of every marker over what was
        measured, the lots with what stands in for each, and for each specification how many pass.
    """
    made = lots_of(table)
    lots, counted = [], {spec.id: Counter[str]() for spec in specs}
    for name, product in made.items():
        release = []
        for one in decide(product, specs):
            counted[one.spec.id][one.outcome] += 1
            release.append(
                {
                    "id": one.spec.id,
                    "outcome": one.outcome,
                    "failed": [line.name for line in one.lines if line.outcome == FAIL],
                    "not_tested": sum(line.outcome == NOT_TESTED for line in one.lines),
                    "probability": one.probability,
                }
            )
        lots.append(
            {"lot": name, "viability": product.viability, "markers": shares(product), "release": release}
        )
    return {
        "schema": 1,
        "version": __version__,
        "file": table.file.name,
        "medians": [_median(table, marker) for marker in table.markers if table.values(marker).size],
        "release": [
            {
                "id": spec.id,
                "name": spec.name,
                "source": spec.source,
                "limits": len(spec.limits),
                **{outcome: counted[spec.id][outcome] for outcome in (PASS, FAIL, NOT_TESTED)},
            }
            for spec in specs
        ],
        "lots": lots,
        "nothing_measured": [name for name in table.lots if name not in made],
        "repairs": [str(one) for one in table.repairs],
    }


def shares(product: Product) -> dict[str, float]:
    """Give the measured markers of a lot, as shares.

    Arguments:
        product: validated.
    """
    if product.markers is None:
        return {}
    values = ((key, getattr(product.markers, key)) for key in type(product.markers).model_fields)
    return {own_name(key): measured(value).value for key, value in values if value is not None}


def _median(table: LotMarkers, marker: str) -> dict[str, Any]:
    return {
        "marker": marker,
        "n": int(table.values(marker).size),
        "median": table.median(marker),
        "p05": table.quantile(marker, 0.05),
        "p95": table.quantile(marker, 0.95),
    }
