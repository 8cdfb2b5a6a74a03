"""Gates of Gating-ML 2.0, as what they ask of an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.lab import lab

Values = npt.NDArray[np.float64]
Members = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ratio:
    """A dimension that is a ratio of two channels: A (x − B) / (y − C)."""

    channels: tuple[str, str]
    at: tuple[float, float, float]


@dataclass(frozen=True)
class Dimension:
    """One axis of a gate.

    Attributes:
        channel: name of a channel or fluorochrome; "" where a ratio is gated.
        ratio: id of the ratio; "" where a channel is gated.
        compensation: "uncompensated", "FCS" for the file's own matrix, or the id of a matrix.
        transform: id of the scale; "" for none.
        low, high: limits of a rectangle; None where it is open.
    """

    channel: str
    ratio: str
    compensation: str
    transform: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Rectangle:
    """Events from the lower limit of each dimension to below its upper one."""

    def inside(self, values: Values, dimensions: tuple[Dimension, ...]) -> Members:
        """Which events (events, dimensions) lie inside."""
        found = np.ones(len(values), bool)
        with np.errstate(invalid="ignore"):
            for j, dimension in enumerate(dimensions):
                if dimension.low is not None:
                    found &= values[:, j] >= dimension.low
                if dimension.high is not None:
                    found &= values[:, j] < dimension.high
        return found


@dataclass(frozen=True)
class Polygon:
    """Events in a polygon, its edge included; vertices are in the order of its dimensions."""

    vertices: tuple[tuple[float, float], ...]

    def inside(self, values: Values, dimensions: tuple[Dimension, ...]) -> Members:
        """Which events (events, 2) lie inside."""
        gating = lab("flowutils.gating", "a polygon gate")
        sound = np.isfinite(values).all(axis=1)
        found = np.zeros(len(values), bool)
        points = np.ascontiguousarray(values[sound])
        found[sound] = np.asarray(gating.points_in_polygon(np.array(self.vertices), points), bool)
        return found


@dataclass(frozen=True)
class Ellipsoid:
    """Events whose squared distance from the mean, by the covariance, is no more than a limit."""

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance: float

    def inside(self, values: Values, dimensions: tuple[Dimension, ...]) -> Members:
        """Which events (events, n) lie inside."""
        away = values - np.array(self.mean)
        with np.errstate(invalid="ignore"):
            squares = np.einsum("ij,jk,ik->i", away, np.linalg.inv(np.array(self.covariance)), away)
            return squares <= self.distance


@dataclass(frozen=True)
class Quadrant:
    """Events in one field between dividers: a lower and an upper limit of each dimension, or None."""

    limits: tuple[tuple[float | None, float | None], ...]

    def inside(self, values: Values, dimensions: tuple[Dimension, ...]) -> Members:
        """Which events (events, n) lie inside."""
        found = np.ones(len(values), bool)
        with np.errstate(invalid="ignore"):
            for j, (low, high) in enumerate(self.limits):
                if low is not None:
                    found &= values[:, j] >= low
                if high is not None:
                    found &= values[:, j] < high
        return found


@dataclass(frozen=True)
class Boolean:
    """Events by their membership of other gates: (gate, complement) of each."""

    kind: str
    terms: tuple[tuple[str, bool], ...]

    def combine(self, members: Callable[[str], Members]) -> Members:
        """Which events lie inside, given those of each gate."""
        parts = [~members(ref) if complement else members(ref) for ref, complement in self.terms]
        if self.kind == "not":
            return ~parts[0]
        combined = parts[0].copy()
        for part in parts[1:]:
            combined = combined & part if self.kind == "and" else combined | part
        return combined


Shape = Rectangle | Polygon | Ellipsoid | Quadrant | Boolean


@dataclass(frozen=True)
class Gate:
    """A gate: its name, the gate that it lies in ("" for none), its dimensions and its shape."""

    name: str
    parent: str
    dimensions: tuple[Dimension, ...]
    shape: Shape
