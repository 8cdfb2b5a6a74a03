"""Sizes and numbers of particles, as nanoparticle tracking gives them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.repair import Repair


@dataclass(frozen=True)
class Capture:
    """One video, or a summary of several; None for what the file does not tell.

    Attributes:
        name: its name.
        concentration_per_ml: particles/mL, as the file gives it.
        mean_nm, mode_nm, sd_nm, d10_nm, d50_nm, d90_nm: of the size distribution, nm.
        tracks: tracks that the sizes come from.
        dilution: factor by which the sample was thinned.
    """

    name: str
    concentration_per_ml: float | None = None
    mean_nm: float | None = None
    mode_nm: float | None = None
    sd_nm: float | None = None
    d10_nm: float | None = None
    d50_nm: float | None = None
    d90_nm: float | None = None
    tracks: float | None = None
    dilution: float | None = None


@dataclass(frozen=True, eq=False)
class ParticleSizes:
    """One measurement of a sample.

    Attributes:
        file: the file.
        instrument: "NanoSight" or "ZetaView".
        software: version of its software; "" where the file does not tell.
        sample: name of the sample; "" where the file does not tell.
        captures: the videos.
        average: the file's own average of them.
        standard_error: of the average; None where the file gives none.
        size_nm: centres of the bins (bins,), nm.
        per_ml: average particles/mL in each bin (bins,), as the file gives them.
        dilution: the factor of all captures; None where the file tells none, or several.
        dilution_applied: whether the file says that its concentrations are those before dilution; None where
            it does not tell.
        warnings: what the instrument found wrong, in sentences.
        failed: why the run gave no sizes; None where it did.
        repairs: what was unusual in the file.
    """

    file: Path
    instrument: str
    software: str
    sample: str
    captures: tuple[Capture, ...]
    average: Capture
    standard_error: Capture | None
    size_nm: npt.NDArray[np.float64]
    per_ml: npt.NDArray[np.float64]
    dilution: float | None
    dilution_applied: bool | None
    warnings: tuple[str, ...]
    failed: str | None
    repairs: tuple[Repair, ...]

    @property
    def spread_nm(self) -> float | None:
        """Standard deviation of the diameters over the bins, nm; None without particles in them."""
        total = float(self.per_ml.sum()) if self.per_ml.size else 0.0
        if not (np.isfinite(total) and total > 0.0):
            return None
        mean = float((self.size_nm * self.per_ml).sum()) / total
        return float(np.sqrt(((self.size_nm - mean) ** 2 * self.per_ml).sum() / total))
