"""What the quality files of a lot say of it, and from where: nothing of them is taken in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from mesolung.product.described import Count, Markers, PotencyAssay, Vesicles, own_keys, own_name
from mesolung.product.gated_plots import gate_plots
from mesolung.product.product import ALIVE, OF_CELLS, Product
from mesolung.product.quality.auto_gate import auto_gate
from mesolung.product.quality.counts import CellCount, read_counts
from mesolung.product.quality.fcs import FlowFile, read_fcs
from mesolung.product.quality.gate_markers import gate_markers, read_gate_markers
from mesolung.product.quality.gated import VIABLE, Gated, Population
from mesolung.product.quality.gating import apply_gates, gate_axes
from mesolung.product.quality.gatingml import read_gates
from mesolung.product.quality.logistic import fit_logistic
from mesolung.product.quality.nta import read_nta
from mesolung.product.quality.panel import marker_of, positive_marker
from mesolung.product.quality.plate import read_plate
from mesolung.product.quality.populations import read_populations
from mesolung.product.quality.repair import Repair
from mesolung.product.quantities import MeasuredShare
from mesolung.reading import Refusal

REFERENCE = "reference"
UNKNOWN = "unknown"
TABLES = (".csv", ".tsv", ".txt")


def quality_of(
    product: Product,
    *,
    fcs: Path | None = None,
    control: Path | None = None,
    gates: Path | None = None,
    names: Path | None = None,
    nta: Path | None = None,
    plate: Path | None = None,
    counts: Path | None = None,
) -> tuple[Product, dict[str, Any] | None]:
    """Put what quality files say into a lot.

    Arguments:
        product: as its lot file has it.
        fcs, control: flow cytometry of the lot (or the table of its populations), and of its control.
        gates: a Gating-ML file, instead of the default gate and its control.
        names: the table that says which marker each of its gates tells of; else their names do.
        nta: particle tracking.
        plate: of the one potency assay whose value the lot file leaves open.
        counts: of a cell counter, which tells of viability what counts where both do.

    Returns:
        the lot, and what was read: "taken" (file, what, value, how), "repairs" (file, repair), "gates" and
        "sizes" to draw; None without files.

    Raises:
        Refusal: for a file that cannot be read, or that does not fit the lot.
    """
    files = (fcs, control, gates, names, nta, plate, counts)
    if all(file is None for file in files):
        return product, None
    taken = _Taken(product)
    if control is not None and fcs is None:
        raise Refusal("a control without the sample", file=control, allowed="--fcs beside --control")
    if names is not None and gates is None:
        raise Refusal("a table of gates without gates", file=names, allowed="--gates beside it")
    if gates is not None and fcs is None:
        raise Refusal("gates without events", file=gates, allowed="--fcs beside --gates")
    if gates is not None and control is not None:
        raise Refusal("a control beside gates", file=control, allowed="--gates, which hold the limits, or it")
    if fcs is not None:
        taken.flow(fcs, control, gates, names)
    if counts is not None:
        taken.counts(counts)
    if nta is not None:
        taken.particles(nta)
    if plate is not None:
        taken.plate(plate)
    return taken.product, {
        "taken": taken.lines,
        "repairs": taken.repairs,
        "gates": taken.gates,
        "sizes": taken.sizes,
    }


class _Taken:
    """A lot that quality files are put into one after the other."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.lines: list[tuple[str, str, str, str]] = []
        self.repairs: list[tuple[str, str]] = []
        self.gates: list[dict[str, Any]] = []
        self.sizes: list[dict[str, Any]] = []

    def note(self, file: Path, what: str, value: str, how: str) -> None:
        self.lines.append((file.name, what, value, how))

    def repaired(self, file: Path, repairs: Sequence[Repair], said: Sequence[str] = ()) -> None:
        self.repairs += [(file.name, str(one)) for one in repairs]
        self.repairs += [(file.name, one) for one in said]

    def change(self, **stated: Any) -> None:
        # Copies of a validated lot are not validated again; every value that comes here is.
        self.product = self.product.model_copy(update=stated)

    def viability(self, file: Path, share: float, events: int | None, how: str) -> None:
        if not 0.0 < share <= 1.0:
            raise Refusal(
                "impossible viability", file=file, found=f"{share:g}", allowed="above 0 up to 100 %"
            )
        before = self.product.viability
        said = "" if before is None else f"; instead of {100.0 * before:.4g} %"
        count = (self.product.count or Count()).model_copy(
            update={"viability_events": events, "viability_sd": None}
        )
        self.change(viability=share, count=count)
        self.note(file, "viability", f"{100.0 * share:.4g} %", how + said)

    def flow(
        self, file: Path, control: Path | None, gates: Path | None = None, names: Path | None = None
    ) -> None:
        if self.product.type not in OF_CELLS:
            raise Refusal("flow cytometry of a product without cells", file=file, found=self.product.type)
        if file.suffix.lower() in TABLES:
            beside = control or gates
            if beside is not None:
                what = "a control" if control else "gates"
                raise Refusal(f"{what} beside a table of populations", file=beside, allowed="an FCS file")
            self.table(file)
            return
        events = read_fcs(file)
        if len(events.events) == 0:
            raise Refusal("no events", file=file, found=0, allowed="at least one event")
        if gates is not None:
            self._stated_gates(file, events, gates, names)
            return
        beside = None if control is None else read_fcs(control)
        gated = auto_gate(events, beside)
        self._read(file, events, gated)
        if control is not None and beside is not None:
            self.repaired(control, beside.repairs)
        living = gated.viability
        if living is None:
            self.note(file, "viability", "not told", "no viability dye was found, or its peaks do not part")
        self._take(file, gated.populations, "the default gate's viable singlets")
        self.gates = gate_plots(events, gated)

    def _stated_gates(self, file: Path, events: FlowFile, gates: Path, names: Path | None) -> None:
        """The laboratory's own gates, which say by name or by a table what they tell of."""
        read = read_gates(gates)
        told = None if names is None else read_gate_markers(names)
        means = gate_markers(tuple(read.gates), told, gates)
        gated = apply_gates(events, read)
        self._read(file, events, gated)
        taken = []
        for one in gated.populations:
            marker = means.get(one.name)
            share = UNKNOWN if one.percent is None else f"{one.percent:.4g} %"
            if marker is None:
                self.note(file, one.name, share, "a gate that tells of no marker: left aside")
            elif one.of == 0:
                self.note(file, one.name, share, f"no events in {one.parent}: left aside")
            else:
                taken.append(replace(one, marker=marker))
        self._take(file, taken, f"gates of {gates.name}")
        if VIABLE not in means.values():
            self.note(file, "viability", "not told", f"no gate of {gates.name} tells of living cells")
        drawn = replace(gated, populations=tuple(p for p in gated.populations if p.name in means))
        axes = {name: gate_axes(events, read, name) for name in means}
        self.gates = gate_plots(events, drawn, axes)

    def _read(self, file: Path, events: FlowFile, gated: Gated) -> None:
        self.repaired(file, gated.repairs, gated.assumed)
        if events.synthetic:
            self.repaired(file, (), ("The file says that it is synthetic: it is no measurement.",))

    def _take(self, file: Path, populations: Sequence[Population], how: str) -> None:
        """Viability and markers of gated populations, each with the events that it was counted among."""
        markers, own = self._markers(), own_keys()
        for one in populations:
            if one.of and VIABLE in (one.name, one.marker) and self.product.type in ALIVE:
                self.viability(file, one.count / one.of, one.of, how)
                continue
            if one.marker in (None, VIABLE) or one.of == 0:
                continue
            key = own.get(one.marker)
            if key is None:
                said = "not a marker that a lot file has: left aside"
                self.note(file, one.name, f"{one.percent:.4g} %", said)
                continue
            said = "" if markers.get(key) is None else "; instead of the lot file's"
            markers[key] = MeasuredShare(value=one.count / one.of, events=one.of)
            among = f"{one.count} of {one.of} {one.parent or 'events'}"
            self.note(file, one.marker, f"{one.percent:.4g} %", f"{among}{said}")
        self._mark(markers)

    def _markers(self) -> dict[str, Any]:
        if self.product.markers is None:
            return {}
        return {key: getattr(self.product.markers, key) for key in Markers.model_fields}

    def _mark(self, markers: Mapping[str, Any]) -> None:
        stated = {own_name(key): value for key, value in markers.items() if value is not None}
        self.change(markers=Markers.model_validate(stated) if stated else None)

    def table(self, file: Path) -> None:
        """A table of populations, as a cytometer's software exports it."""
        read = read_populations(file)
        self.repaired(file, read.repairs)
        markers, own = self._markers(), own_keys()
        mine = [row for row in read.rows if _same(row.lot, self.product.lot)]
        if not mine:
            if len(read.lots) > 1:
                found = ", ".join(read.lots)
                raise Refusal(
                    "no population of the lot", file=file, found=found, allowed=str(self.product.lot)
                )
            mine = list(read.rows)
        for row in mine:
            if row.percent is None or not row.percent.known or row.percent.value is None:
                self.note(file, row.population, str(row.percent or "nothing"), "no number: left aside")
                continue
            # "CD45-" is the share without the marker, "CD73+CD90+" that of two: neither is the marker's own.
            named = marker_of(row.population) == "" or positive_marker(row.population) != ""
            key = own.get(row.marker or "") if named else None
            share = row.percent.value / 100.0
            if key is not None and 0.0 <= share <= 1.0:
                said = "" if markers.get(key) is None else "; instead of the lot file's"
                markers[key] = MeasuredShare(value=share)
                self.note(file, row.marker or "", str(row.percent), f"as the table has it{said}")
            elif row.population.casefold() in (VIABLE, "live", "viability") and self.product.type in ALIVE:
                self.viability(file, share, None, "as the table has it")
            else:
                self.note(file, row.population, str(row.percent), "nothing that a lot file has: left aside")
        self._mark(markers)

    def counts(self, file: Path) -> None:
        if self.product.type not in ALIVE:
            raise Refusal(
                "a viability of a product that is not given alive", file=file, found=self.product.type
            )
        table = read_counts(file)
        self.repaired(file, table.repairs)
        rows = self._of_lot(file, {row.sample: row for row in table.rows}, table.rows)
        shares = [
            r.viability_percent.value for r in rows if r.viability_percent and r.viability_percent.known
        ]
        marked = [
            str(r.viability_percent) for r in rows if r.viability_percent and not r.viability_percent.known
        ]
        for one in marked:
            self.note(file, "viability", one, "a limit and no number: left aside")
        known = [s / 100.0 for s in shares if s is not None]
        if known:
            seen = [r.total_cells.value for r in rows if r.total_cells and r.total_cells.known]
            events = int(sum(s for s in seen if s)) if len(seen) == len(rows) else None
            how = f"mean of {len(known)} counts" if len(known) > 1 else "the counter's own"
            self.viability(file, float(np.mean(known)), events or None, how)
        method = next((r.method for r in rows if r.method), None)
        if method:
            self.change(count=(self.product.count or Count()).model_copy(update={"method": method}))
            self.note(file, "method", method, "as the counter's table has it")

    def _of_lot(
        self, file: Path, named: Mapping[str, CellCount], rows: Sequence[CellCount]
    ) -> list[CellCount]:
        mine = [row for row in rows if _same(row.sample, self.product.lot)]
        if mine:
            return mine
        if len(named) == 1:
            (only,) = named
            if only:
                self.note(file, "sample", only, "the file's only one, taken for the lot")
            return list(rows)
        raise Refusal(
            "no sample of the lot", file=file, found=", ".join(named), allowed=str(self.product.lot)
        )

    def particles(self, file: Path) -> None:
        if self.product.type != "ev":
            raise Refusal(
                "particle tracking of a product that is no vesicles", file=file, found=self.product.type
            )
        runs = read_nta(file)
        for run in runs:
            self.repaired(file, run.repairs, run.warnings)
            if run.failed:
                self.note(file, run.sample or run.instrument, "failed", run.failed)
        good = [run for run in runs if not run.failed]
        if not good:
            raise Refusal("no run that gave sizes", file=file, found="; ".join(r.failed or "" for r in runs))
        mine = [run for run in good if _same(run.sample, self.product.lot)] or good
        numbers = [c for run in mine if (c := run.average.concentration_per_ml)]
        modes = [m for run in mine if (m := run.average.mode_nm or run.average.mean_nm)]
        stated: dict[str, Any] = {}
        if numbers:
            stated["particles"] = float(np.mean(numbers))
            how = f"mean of {len(numbers)} runs" if len(numbers) > 1 else "the file's own average"
            if any(run.dilution_applied is None for run in mine):
                how += "; the file does not say whether the dilution is in it, and none was added"
            self.note(file, "particles", f"{stated['particles']:.4g} per mL", how)
        if modes:
            stated["size"] = float(np.mean(modes))
            self.note(
                file, "size", f"{stated['size']:.4g} nm", "mode of the distribution, mean where it has none"
            )
        own = [run.average.sd_nm for run in mine if run.average.sd_nm]
        spreads = own or [sd for run in mine if (sd := run.spread_nm)]
        if modes and spreads:
            stated["size_sd"] = float(np.mean(spreads))
            how = "the file's own SD" if own else "SD over the bins of its distribution"
            self.note(file, "spread of sizes", f"{stated['size_sd']:.4g} nm", how)
        self.change(vesicles=(self.product.vesicles or Vesicles()).model_copy(update=stated))
        self.sizes = [
            {
                "name": run.sample or f"{run.instrument} {place}",
                "nm": [float(v) for v in run.size_nm],
                "per_ml": [float(v) for v in run.per_ml],
                "mean_nm": run.average.mean_nm,
                "mode_nm": run.average.mode_nm,
                "concentration_per_ml": run.average.concentration_per_ml,
            }
            for place, run in enumerate(good, start=1)
        ]

    def plate(self, file: Path) -> None:
        waiting = [one for one in self.product.assay if one.value is None]
        if len(waiting) != 1:
            raise Refusal(
                "a plate of no assay or of several",
                file=file,
                found=", ".join(one.name for one in waiting) or "every assay of the lot file has its value",
                allowed="one [[assay]] of the lot file without a value",
            )
        read = read_plate(file, waiting[0].unit)
        self.repaired(file, read.repairs)
        if read.unit and read.unit.casefold() != waiting[0].unit.casefold():
            raise Refusal(
                "another unit than the assay's", file=file, found=read.unit, allowed=waiting[0].unit
            )
        fit = fit_logistic(*read.standards())
        levels: dict[str, list[float]] = {}
        for sample, signals in read.samples().items():
            for signal in signals:
                level = fit.concentration(signal, read.unit)
                if level.known and level.value is not None:
                    levels.setdefault(sample, []).append(level.value)
                else:
                    self.note(file, sample, str(level), "beyond the standards: left aside")
        mine = [name for name in levels if _same(name, self.product.lot)]
        usual = [name for name in levels if REFERENCE in name.casefold()]
        others = [name for name in levels if name not in usual]
        if not mine and len(others) == 1:
            mine = others
            self.note(file, "sample", others[0], "the file's only one, taken for the lot")
        if not mine:
            raise Refusal(
                "no sample of the lot within the standards",
                file=file,
                found=", ".join(levels) or "none",
                allowed=str(self.product.lot),
            )
        value, cv, n = _mean(levels[mine[0]])
        stated = {**waiting[0].model_dump(exclude_none=True), "value": value, "n": n}
        if cv is not None and waiting[0].cv is None:
            stated["cv"] = cv
        how = f"mean of {n} wells on a four-parameter logistic"
        self.note(file, waiting[0].name, f"{value:.4g} {waiting[0].unit}", how)
        if usual and waiting[0].reference is None:
            stated["reference"] = _mean(levels[usual[0]])[0]
            self.note(
                file,
                usual[0],
                f"{stated['reference']:.4g} {waiting[0].unit}",
                "the reference lot of the plate",
            )
        made = PotencyAssay.model_validate(stated)
        self.change(assay=tuple(made if one is waiting[0] else one for one in self.product.assay))


def _same(sample: str, lot: str | None) -> bool:
    return lot is not None and sample.strip().casefold() == lot.casefold()


def _mean(values: Sequence[float]) -> tuple[float, float | None, int]:
    """Mean, coefficient of variation of one of them (None for fewer than three), and their number."""
    mean = float(np.mean(values))
    if len(values) < 3:
        return mean, None, len(values)
    return mean, min(max(sqrt(float(np.var(values, ddof=1))) / mean, 1e-3), 2.0), len(values)
