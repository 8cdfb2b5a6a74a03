"""Scales on which intensities are gated: the public transformations of Gating-ML 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.lab import lab
from mesolung.reading import Refusal

Values = npt.NDArray[np.float64]
KINDS = {"flin": "TA", "flog": "TM", "fasinh": "TMA", "logicle": "TWMA", "hyperlog": "TWMA"}


@dataclass(frozen=True)
class Transform:
    """A scale.

    Attributes:
        kind: "flin", "flog", "fasinh", "logicle" or "hyperlog".
        at: its parameters T, W, M, A, as many as the kind has.
        low, high: bounds of the result; None for none.

    Source: Gating-ML 2.0 (Spidlen 2015, doi 10.1002/cyto.a.22690).
    """

    kind: str
    at: Mapping[str, float] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None

    def __call__(self, values: Values) -> Values:
        """Transform intensities of any shape."""
        a = self.at
        with np.errstate(all="ignore"):
            if self.kind == "flin":
                found = (values + a["A"]) / (a["T"] + a["A"])
            elif self.kind == "flog":
                found = np.log10(values / a["T"]) / a["M"] + 1
            elif self.kind == "fasinh":
                tens = np.log(10)
                found = np.arcsinh(values * np.sinh(a["M"] * tens) / a["T"]) + a["A"] * tens
                found = found / ((a["M"] + a["A"]) * tens)
            else:
                found = _biexponential(self.kind, values, a)
        if self.low is None and self.high is None:
            return found
        return np.clip(found, self.low, self.high)


def checked_transform(kind: str, at: Mapping[str, float], file: object = None) -> Transform:
    """Make a transform whose parameters are allowed.

    Raises:
        Refusal: for a kind or parameters that the standard does not allow.
    """
    missing = [name for name in KINDS[kind] if name not in at or not np.isfinite(at[name])]
    top, decades = at.get("T", 0), at.get("M", 1)
    width, negative = at.get("W", 0), at.get("A", 0)
    wide = kind in ("logicle", "hyperlog")
    bad = (
        missing
        or top <= 0
        or not 0 < decades <= 100
        or (kind == "flin" and not 0 <= negative <= top)
        or (kind == "fasinh" and not 0 <= negative <= decades)
        or (wide and (not 0 <= width <= decades / 2 or not -width <= negative <= decades - 2 * width))
        or (kind == "hyperlog" and width == 0)
    )
    if bad:
        raise Refusal(
            f"parameters of {kind} that the scale does not allow",
            file=None if file is None else str(file),
            found=", ".join(f"{k} {v:g}" for k, v in at.items()) or "nothing",
            allowed="T > 0, M > 0, 0 ≤ W ≤ M/2, −W ≤ A ≤ M − 2W",
        )
    return Transform(kind, dict(at))


def _biexponential(kind: str, values: Values, at: Mapping[str, float]) -> Values:
    scales = lab("flowutils.transforms", f"the {kind} scale")
    flat = np.ascontiguousarray(values, dtype=float).ravel()
    # The solver of the scale is written for finite numbers.
    sound = np.isfinite(flat)
    found = np.full(flat.shape, np.nan)
    found[sound] = getattr(scales, kind)(flat[sound], None, at["T"], at["M"], at["W"], at["A"])
    return found.reshape(np.shape(values))


def logicle(
    values: npt.ArrayLike, top: float = 262144, width: float = 0.5, decades: float = 4.5, negative: float = 0
) -> Values:
    """Put intensities on the logicle scale.

    Arguments:
        values: intensities, any shape.
        top: intensity that becomes 1.
        width: decades of the nearly linear part.
        decades: decades of the whole scale.
        negative: further decades below zero.

    Returns:
        values, mostly 0 to 1, in the same shape.

    Raises:
        Refusal: for parameters that the scale does not allow, or where the `lab` extra is missing.

    Source: Moore and Parks 2012, doi 10.1002/cyto.a.22030.
    """
    at = {"T": top, "W": width, "M": decades, "A": negative}
    return checked_transform("logicle", at)(np.asarray(values, dtype=float))
