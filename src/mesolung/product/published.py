"""Published lots as products: what a table of lots' markers measured of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mesolung.product.described import own_keys
from mesolung.product.product import Product
from mesolung.product.quality.lot_markers import LotMarkers

VIABILITY = "Viability"


def lots_of(table: LotMarkers) -> Mapping[str, Product]:
    """Make a lot of each lot of a table, or of each report where it has no single lots.

    Arguments:
        table: as `read_lot_markers` reads it.

    Returns:
        lot -> product with viability and markers as measured, the median where one was measured several
        times; limits of release, words and markers that a lot file has not are left out, and so are lots of
        which nothing is left. What the table does not say, as the source, is not stated.
    """
    own = own_keys()
    found: dict[str, dict[str, list[float]]] = {}
    for row in table.rows:
        value = row.value
        if row.status != "measure" or value is None or not value.known or value.value is None:
            continue
        if row.marker == VIABILITY or row.marker in own:
            found.setdefault(row.lot, {}).setdefault(row.marker, []).append(value.value / 100.0)
    made = {}
    for lot, shares in found.items():
        middle = {marker: float(np.median(values)) for marker, values in shares.items()}
        viability = middle.pop(VIABILITY, None)
        stated = {"viability": viability} if viability else {}
        made[lot] = Product.model_validate({"lot": lot, **stated, **({"markers": middle} if middle else {})})
    return made
