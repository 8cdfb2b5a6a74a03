"""Gates of a file applied to events."""

from __future__ import annotations

import numpy as np

from mesolung.product.quality.fcs import FlowFile
from mesolung.product.quality.gated import Gated, Members, count_population
from mesolung.product.quality.gates import Boolean, Dimension, Gate, Values
from mesolung.product.quality.gatingml import GateSet, Unmixing
from mesolung.product.quality.repair import RepairLog
from mesolung.product.quality.spillover import PREFIXES, compensate, spillover_of
from mesolung.reading import Refusal

LARGEST = 1 << 31  # memberships, a byte each


def apply_gates(flow: FlowFile, gates: GateSet) -> Gated:
    """Apply every gate to the events of a file.

    Arguments:
        flow: the events.
        gates: the gates; each is counted in its parent, or in all events.

    Returns:
        the populations, in the order of the gates.

    Raises:
        Refusal: for a channel that the file lacks, or where the `lab` extra is missing.
    """
    size = len(gates.gates) * len(flow.events)
    if size > LARGEST:
        raise Refusal("too many gates for this many events", file=gates.file, found=size, allowed=LARGEST)
    return _Applied(flow, gates).gated()


def gate_axes(flow: FlowFile, gates: GateSet, name: str) -> tuple[tuple[str, Values], ...]:
    """What a gate looks at, on its own scales.

    Arguments:
        flow: the events.
        gates: the gates.
        name: of the gate.

    Returns:
        name of the channel or ratio with its scale, and values (events,), of each dimension; none for a gate
        made of other gates.

    Raises:
        Refusal: for a channel that the file lacks.
    """
    applied = _Applied(flow, gates)
    return tuple(
        (
            (d.channel or d.ratio) + (f" (scale {d.transform})" if d.transform else ""),
            applied._values(d),
        )
        for d in gates.gates[name].dimensions
    )


class _Applied:
    """Events under each compensation, and the gates' members, worked out once."""

    def __init__(self, flow: FlowFile, gates: GateSet) -> None:
        self.flow, self.gates = flow, gates
        self.log = RepairLog()
        self.compensated: dict[str, tuple[dict[str, int], Values]] = {}
        self.members: dict[str, Members] = {}
        self.assumed: list[str] = []

    def gated(self) -> Gated:
        everything = np.ones(len(self.flow.events), bool)
        populations = []
        for name in self._order():
            self.members[name] = self._inside(self.gates.gates[name])
        for gate in self.gates.gates.values():
            within = self.members[gate.parent] if gate.parent else everything
            populations.append(count_population(gate.name, self.members[gate.name], gate.parent, within))
        repairs = (*self.flow.repairs, *self.gates.repairs, *self.log.entries)
        ordered = {name: self.members[name] for name in self.gates.gates}
        return Gated(tuple(populations), ordered, tuple(self.assumed), repairs, {})

    def _order(self) -> list[str]:
        """Names of the gates, each after those that it needs; the reader refused circles."""
        done: dict[str, None] = {}
        for name in self.gates.gates:
            waiting = [name]
            while waiting:
                gate = self.gates.gates[waiting[-1]]
                needs = [gate.parent] if gate.parent else []
                needs += [ref for ref, _ in gate.shape.terms] if isinstance(gate.shape, Boolean) else []
                missing = [ref for ref in needs if ref not in done]
                if missing:
                    waiting += missing
                else:
                    done[waiting.pop()] = None
        return list(done)

    def _inside(self, gate: Gate) -> Members:
        if isinstance(gate.shape, Boolean):
            found = gate.shape.combine(lambda ref: self.members[ref])
        else:
            columns = [self._values(dimension) for dimension in gate.dimensions]
            found = gate.shape.inside(np.column_stack(columns), gate.dimensions)
        return found & self.members[gate.parent] if gate.parent else found

    def _values(self, dimension: Dimension) -> Values:
        if dimension.ratio:
            ratio = self.gates.ratios[dimension.ratio]
            a, b, c = ratio.at
            x, y = (self._channel(name, dimension.compensation) for name in ratio.channels)
            with np.errstate(all="ignore"):
                values = a * (x - b) / (y - c)
        else:
            values = self._channel(dimension.channel, dimension.compensation)
        return self.gates.transforms[dimension.transform](values) if dimension.transform else values

    def _channel(self, name: str, compensation: str) -> Values:
        named, values = self._compensated(compensation)
        if name in named:
            return values[:, named[name]]
        known = {channel.casefold() for channel in (*self.flow.names, *self.flow.labels)}
        if name.casefold() not in known:
            for prefix in PREFIXES:
                if name.startswith(prefix) and name.removeprefix(prefix).casefold() in known:
                    short = name.removeprefix(prefix)
                    self.log.add(
                        "gates", f"channel {name}", f"read as {short}, compensated by the file's matrix"
                    )
                    return self._channel(short, "FCS")
        # A matrix gives the fluorochromes alone; every other channel is as it was measured.
        values = values if compensation == "FCS" else self.flow.scaled
        return values[:, self.flow.column(name)]

    def _compensated(self, ref: str) -> tuple[dict[str, int], Values]:
        if ref not in self.compensated:
            if ref == "uncompensated":
                self.compensated[ref] = {}, self.flow.scaled
            elif ref == "FCS":
                if spillover_of(self.flow) is None:
                    self.assumed.append(
                        "The file holds no spillover matrix: gates that ask for its compensation see the "
                        "intensities as they are."
                    )
                self.compensated[ref] = {}, compensate(self.flow)
            else:
                self.compensated[ref] = self._unmixed(self.gates.matrices[ref])
        return self.compensated[ref]

    def _unmixed(self, matrix: Unmixing) -> tuple[dict[str, int], Values]:
        seen = self.flow.scaled[:, [self.flow.column(name) for name in matrix.detectors]]
        inverse = matrix.matrix if matrix.inverted else np.linalg.pinv(matrix.matrix)
        return {name: j for j, name in enumerate(matrix.fluorochromes)}, seen @ inverse
