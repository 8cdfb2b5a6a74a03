"""Gates from a Gating-ML 2.0 file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.gates import (
    Boolean,
    Dimension,
    Ellipsoid,
    Gate,
    Polygon,
    Quadrant,
    Ratio,
    Rectangle,
)
from mesolung.product.quality.repair import Repair, RepairLog
from mesolung.product.quality.sheet import read_text
from mesolung.product.quality.transforms import KINDS, Transform, checked_transform
from mesolung.reading import Refusal

MOST_GATES = 10_000


@dataclass(frozen=True, eq=False)
class Unmixing:
    """A spectrum matrix: fluorochromes (rows) seen by detectors (columns); inverted where it says so."""

    fluorochromes: tuple[str, ...]
    detectors: tuple[str, ...]
    matrix: npt.NDArray[np.float64]
    inverted: bool


@dataclass(frozen=True, eq=False)
class GateSet:
    """What a Gating-ML file holds.

    Attributes:
        file: the file.
        gates: name -> gate, in the order of the file.
        transforms: id -> scale.
        ratios: id -> ratio of channels.
        matrices: id -> spectrum matrix.
        repairs: what was unusual.
    """

    file: Path
    gates: Mapping[str, Gate]
    transforms: Mapping[str, Transform]
    ratios: Mapping[str, Ratio]
    matrices: Mapping[str, Unmixing]
    repairs: tuple[Repair, ...]


def read_gates(path: str | PathLike[str]) -> GateSet:
    """Read a Gating-ML 2.0 file.

    Arguments:
        path: the file.

    Returns:
        its gates, scales and matrices.

    Raises:
        Refusal: for a file that is no Gating-ML 2.0, a gate or scale of a kind that is not read, a reference
            to what is not there, or gates that refer to each other in a circle.
    """
    log = RepairLog()
    reader = _Reader(Path(path))
    text = read_text(reader.file, log)
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text):
        reader.refuse("a document type or entity, which Gating-ML has not")
    try:
        # The declaration may name the encoding of the file, and the text has none.
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1))
    except ET.ParseError as error:
        raise Refusal(
            f"not valid XML: {error.msg.split(':')[0]}", file=reader.file, line=error.position[0]
        ) from None
    except (ValueError, RecursionError):
        reader.refuse("not valid XML")
    if _tag(root) != "Gating-ML" or "v2.0" not in root.tag:
        reader.refuse("not a Gating-ML 2.0 file", root.tag[:80], "Gating-ML, version 2.0")
    for node in root:
        reader.read(node)
    reader.check()
    return GateSet(reader.file, reader.gates, reader.transforms, reader.ratios, reader.matrices, log.entries)


class _Reader:
    """Collects what the elements of one file say."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.gates: dict[str, Gate] = {}
        self.transforms: dict[str, Transform] = {}
        self.ratios: dict[str, Ratio] = {}
        self.matrices: dict[str, Unmixing] = {}

    def refuse(self, problem: str, found: object = None, allowed: object = None) -> NoReturn:
        raise Refusal(problem, file=self.file, found=found, allowed=allowed)

    def read(self, node: ET.Element) -> None:
        """Take in one element below the root."""
        tag = _tag(node)
        if tag in ("custom_info",) or not isinstance(node.tag, str):
            return
        if tag == "transformation":
            self._transformation(node)
        elif tag == "spectrumMatrix":
            self._matrix(node)
        elif tag == "QuadrantGate":
            self._quadrants(node)
        elif tag in ("RectangleGate", "PolygonGate", "EllipsoidGate", "BooleanGate"):
            name, parent = self._name(node), _attribute(node, "parent_id") or ""
            dimensions = tuple(self._dimension(d) for d in _all(node, "dimension"))
            shape = getattr(self, f"_{tag.removesuffix('Gate').lower()}")(node, name, len(dimensions))
            self._add(Gate(name, parent, dimensions, shape))
        else:
            self.refuse("element that is not read", tag, "gates, transformations, spectrum matrices")

    def _add(self, gate: Gate) -> None:
        if gate.name in self.gates:
            self.refuse("gate twice", gate.name)
        if len(self.gates) >= MOST_GATES:
            self.refuse("too many gates", allowed=MOST_GATES)
        self.gates[gate.name] = gate

    def _name(self, node: ET.Element) -> str:
        return _attribute(node, "id") or self.refuse("gate or scale without an id", _tag(node))

    def number(self, text: str | None, what: str) -> float:
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.refuse(f"{what}: not a number", text or "nothing", "a finite number")
        return value

    def _optional(self, node: ET.Element, name: str) -> float | None:
        text = _attribute(node, name)
        return None if text is None else self.number(text, name)

    def _dimension(self, node: ET.Element) -> Dimension:
        fcs, new = _first(node, "fcs-dimension"), _first(node, "new-dimension")
        channel = _attribute(fcs, "name") if fcs is not None else ""
        ratio = _attribute(new, "transformation-ref") if new is not None else ""
        if not channel and not ratio:
            self.refuse("dimension without a channel", _tag(node), "fcs-dimension or new-dimension")
        return Dimension(
            channel or "",
            ratio or "",
            _attribute(node, "compensation-ref") or "uncompensated",
            _attribute(node, "transformation-ref") or "",
            self._optional(node, "min"),
            self._optional(node, "max"),
        )

    def _rectangle(self, node: ET.Element, name: str, n: int) -> Rectangle:
        if not n:
            self.refuse("rectangle gate without dimensions", name)
        return Rectangle()

    def _values(self, nodes: list[ET.Element], tag: str) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(self.number(_attribute(c, "value"), tag) for c in _all(node, tag)) for node in nodes
        )

    def _polygon(self, node: ET.Element, name: str, n: int) -> Polygon:
        vertices = self._values(_all(node, "vertex"), "coordinate")
        if n != 2 or len(vertices) < 3 or any(len(v) != 2 for v in vertices):
            self.refuse("polygon gate that is none", name, "two dimensions, three vertices or more")
        return Polygon(tuple((x, y) for x, y in vertices))

    def _ellipsoid(self, node: ET.Element, name: str, n: int) -> Ellipsoid:
        mean = self._values(_all(node, "mean"), "coordinate")
        matrix = _first(node, "covarianceMatrix")
        rows = self._values(_all(matrix, "row") if matrix is not None else [], "entry")
        square = _first(node, "distanceSquare")
        distance = self.number(_attribute(square, "value") if square is not None else None, "distanceSquare")
        if n < 2 or len(mean) != 1 or len(mean[0]) != n or len(rows) != n or any(len(r) != n for r in rows):
            self.refuse("ellipsoid gate that is none", name, "mean and covariance of its dimensions")
        spread = np.array(rows)
        if not np.allclose(spread, spread.T) or np.linalg.eigvalsh(spread).min() <= 0 or distance < 0:
            self.refuse("ellipsoid gate whose covariance is none", name, "symmetric and positive definite")
        return Ellipsoid(mean[0], rows, distance)

    def _boolean(self, node: ET.Element, name: str, n: int) -> Boolean:
        for kind in ("and", "or", "not"):
            operation = _first(node, kind)
            if operation is None:
                continue
            terms = tuple(
                (_attribute(ref, "ref") or "", (_attribute(ref, "use-as-complement") or "") in ("true", "1"))
                for ref in _all(operation, "gateReference")
            )
            if (kind == "not" and len(terms) != 1) or (kind != "not" and len(terms) < 2):
                self.refuse(f"boolean gate with {len(terms)} gates in its {kind}", name)
            return Boolean(kind, terms)
        self.refuse("boolean gate without and, or, not", name)

    def _quadrants(self, node: ET.Element) -> None:
        parent = _attribute(node, "parent_id") or ""
        dividers: dict[str, tuple[Dimension, list[float]]] = {}
        for divider in _all(node, "divider"):
            values = sorted(self.number(v.text, "value of a divider") for v in _all(divider, "value"))
            dividers[self._name(divider)] = (self._dimension(divider), values)
        for quadrant in _all(node, "Quadrant"):
            name = self._name(quadrant)
            dimensions, limits = [], []
            for position in _all(quadrant, "position"):
                ref = _attribute(position, "divider_ref") or ""
                if ref not in dividers:
                    self.refuse(f"quadrant {name}: no such divider", ref, ", ".join(dividers))
                dimension, values = dividers[ref]
                place = self.number(_attribute(position, "location"), "location")
                above = [v for v in values if v > place]
                below = [v for v in values if v <= place]
                dimensions.append(dimension)
                limits.append((below[-1] if below else None, above[0] if above else None))
            self._add(Gate(name, parent, tuple(dimensions), Quadrant(tuple(limits))))

    def _transformation(self, node: ET.Element) -> None:
        name = self._name(node)
        if name in self.transforms or name in self.ratios:
            self.refuse("scale twice", name)
        ratio = _first(node, "fratio")
        if ratio is not None:
            channels = [_attribute(d, "name") or "" for d in _all(ratio, "fcs-dimension")]
            at = [self.number(_attribute(ratio, key), f"fratio {key}") for key in "ABC"]
            if len(channels) != 2:
                self.refuse("ratio of other than two channels", name)
            self.ratios[name] = Ratio((channels[0], channels[1]), (at[0], at[1], at[2]))
            return
        for kind, keys in KINDS.items():
            found = _first(node, kind)
            if found is not None:
                at = {key: self.number(_attribute(found, key), f"{kind} {key}") for key in keys}
                bounds = {
                    key: self._optional(node, attribute)
                    for key, attribute in (("low", "boundMin"), ("high", "boundMax"))
                }
                self.transforms[name] = replace(checked_transform(kind, at, self.file), **bounds)
                return
        kinds = ", ".join(_tag(child) for child in node)
        self.refuse("scale of a kind that is not read", kinds, "fratio, " + ", ".join(KINDS))

    def _matrix(self, node: ET.Element) -> None:
        name = self._name(node)
        named = []
        for tag in ("fluorochromes", "detectors"):
            holder = _first(node, tag)
            dimensions = [] if holder is None else _all(holder, "fcs-dimension")
            named.append(tuple(_attribute(dimension, "name") or "" for dimension in dimensions))
        dyes, detectors = named
        rows = self._values(_all(node, "spectrum"), "coefficient")
        if not dyes or len(rows) != len(dyes) or any(len(r) != len(detectors) for r in rows):
            self.refuse("spectrum matrix of another size than its channels", name)
        inverted = (_attribute(node, "matrix-inverted-already") or "") in ("true", "1")
        self.matrices[name] = Unmixing(dyes, detectors, np.array(rows), inverted)

    def check(self) -> None:
        """Refuse references to what is not there, and circles."""
        for gate in self.gates.values():
            for dimension in gate.dimensions:
                self._known(gate, "compensation", dimension.compensation, self.matrices)
                self._known(gate, "scale", dimension.transform, self.transforms)
                self._known(gate, "ratio", dimension.ratio, self.ratios)
        state: dict[str, int] = {}
        for name in self.gates:
            waiting = [(name, False)]
            while waiting:
                here, done = waiting.pop()
                if done:
                    state[here] = 2
                    continue
                if state.get(here) == 2:
                    continue
                if state.get(here) == 1:
                    self.refuse("gates that refer to each other in a circle", here)
                state[here] = 1
                waiting.append((here, True))
                for other in self._needs(here):
                    if state.get(other) == 1:
                        self.refuse("gates that refer to each other in a circle", f"{here}, {other}")
                    if state.get(other) != 2:
                        waiting.append((other, False))

    def _needs(self, name: str) -> list[str]:
        gate = self.gates[name]
        refs = [ref for ref, _ in gate.shape.terms] if isinstance(gate.shape, Boolean) else []
        refs += [gate.parent] if gate.parent else []
        for ref in refs:
            if ref not in self.gates:
                self.refuse(f"gate {name}: no such gate", ref or "nothing")
        return refs

    def _known(self, gate: Gate, what: str, ref: str, among: Mapping[str, object]) -> None:
        if ref and ref not in ("uncompensated", "FCS") and ref not in among:
            self.refuse(f"gate {gate.name}: no such {what}", ref, ", ".join(among) or "none is given")


def _tag(node: ET.Element) -> str:
    return str(node.tag).rsplit("}", 1)[-1]


def _attribute(node: ET.Element, name: str) -> str | None:
    """An attribute whatever its namespace."""
    return next((value for key, value in node.attrib.items() if key.rsplit("}", 1)[-1] == name), None)


def _all(node: ET.Element, tag: str) -> list[ET.Element]:
    return [child for child in node if _tag(child) == tag]


def _first(node: ET.Element, tag: str) -> ET.Element | None:
    return next((child for child in node if _tag(child) == tag), None)
