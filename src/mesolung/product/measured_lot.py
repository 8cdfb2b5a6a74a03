"""What the quality files of a lot say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesolung.product.product import Product


def quality_of(
    product: Product,
    *,
    fcs: Path | None = None,
    control: Path | None = None,
    nta: Path | None = None,
    plate: Path | None = None,
    counts: Path | None = None,
) -> tuple[Product, dict[str, Any] | None]:
    """Put what quality files say into a lot.

    Arguments:
        product: as its lot file has it.
        fcs, control: flow cytometry of the lot, and of its control.
        nta: particle tracking.
        plate: of a potency assay.
        counts: of a cell counter.

    Returns:
        the lot, and what was read; None without files.
    """
    return product, None
