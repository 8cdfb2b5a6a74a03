"""Cultures solved: responders, product and stimulus in a well, with and without the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from mesolung.biology.assays import Readout, assays
from mesolung.biology.cross_reactivity import cross_reactivity
from mesolung.biology.species import HUMAN
from mesolung.population.events import joined
from mesolung.population.twice import solve_twice
from mesolung.product.product import WITHOUT_CELLS
from mesolung.product.profile import lot_profile
from mesolung.reading import Refusal
from mesolung.streams import normals, uniforms
from mesolung.study.arm import Arm
from mesolung.study.basis import Basis, stated
from mesolung.study.cultured import CONTACT, Well, well_of
from mesolung.study.observation import Observation
from mesolung.study.setting import Setting
from mesolung.study.study import Study

Values = NDArray[np.float64]
EVERY_H = 6.0
WHOLE = 100.0  # percent of control


@dataclass(frozen=True, eq=False)
class Read:
    """What the wells of an arm show over time.

    Attributes:
        times: float64[T], h since the start of the culture.
        outputs: name -> float64[D, T], with the product.
        alone: the same of wells that hold all but the product.
    """

    times: Values
    outputs: Mapping[str, Values]
    alone: Mapping[str, Values]

    def at(self, readout: Readout, time_h: Values, *, alone: bool = False) -> Values:
        """The reading of a well.

        Arguments:
            readout: what is read.
            time_h: float64[D].
            alone: without the product.

        Returns:
            float64[D], in the model's unit, the assay's floor added.
        """
        outputs = self.alone if alone else self.outputs
        total = self._sum(outputs, readout.of, time_h)
        if readout.above_start:
            total = total - self._sum(outputs, readout.of, np.zeros_like(time_h))
        if readout.per:
            total = total / np.maximum(self._sum(outputs, readout.per, time_h), 1e-300)
        return np.maximum(total, 0.0) + readout.floor

    def _sum(self, outputs: Mapping[str, Values], names: tuple[str, ...], time_h: Values) -> Values:
        whole = np.sum([outputs[name] for name in names], axis=0)
        return np.array([np.interp(t, self.times, row) for t, row in zip(time_h, whole, strict=True)])


def solve_cultures(
    setting: Setting, off: Sequence[str] = (), *, arms: Sequence[str] | None = None, touching: bool = False
) -> tuple[dict[str, Read], int]:
    """Solve the wells of every arm.

    Arguments:
        setting: of the run of a culture's study, the part that is modelled.
        off: parameters that are 0 where the product is: mechanisms switched off.
        arms: names of those that are solved; None for all.
        touching: whether the product touches the responders whatever the study says.

    Returns:
        arm -> what its wells show, a well a draw, and how many could not be solved.
    """
    study = setting.study
    found, failed = {}, 0
    for arm in study.arms:
        if arms is not None and arm.name not in arms:
            continue
        outputs, lost = _solved(setting, arm, arm.treatments != (), off, touching)
        alone, more = (outputs, 0) if not arm.treatments else _solved(setting, arm, False, (), touching)
        found[arm.name] = Read(_times(study), outputs, alone)
        failed += lost + more
    return found, failed


def relative(
    study: Study, reads: Mapping[str, Read], name: str, endpoint: str, time_h: Values, versus: str | None
) -> Values:
    """A reading as a ratio: to the same wells without the product, or to another arm with one.

    Arguments:
        study: of the wells.
        reads: from `solve_cultures`.
        name: of the arm.
        endpoint: what is read.
        time_h: float64[D].
        versus: arm that it is compared with; None, or an arm without a product, for its own wells without.

    Returns:
        float64[D].
    """
    readout = assays().readouts[endpoint]
    treated = {arm.name for arm in study.arms if arm.treatments}
    below = reads[versus] if versus in treated else reads[name]
    base = below.at(readout, time_h, alone=versus not in treated)
    return reads[name].at(readout, time_h) / base


def read_times(setting: Setting, time_h: float | None) -> Values:
    """When a reading is taken: float64[D], h; the study's time, or one drawn for each draw.

    Arguments:
        setting: of the run.
        time_h: the study's time; None where it says none.
    """
    count, table = setting.scored, assays().culture
    if time_h is not None:
        return np.full(count, time_h)
    low, high = (min(float(t), setting.study.duration_h) for t in table["read_h"])
    return _between(low, high, uniforms(setting.seed, "culture reading", 0, count))


def basis_of_culture(one: Observation, setting: Setting, reads: Mapping[str, Read]) -> Basis:
    """What an observation of a culture is scored by.

    Arguments:
        one: a value, mean, contrast or direction.
        setting: of the run.
        reads: from `solve_cultures`.

    Returns:
        its prediction: expected values by draw, and what experiments of a few wells would show.
    """
    time_h = read_times(setting, one.time_h)
    name = one.arm[0]
    ratio = relative(setting.study, reads, name, one.endpoint, time_h, one.versus)
    log_ratio, error = np.log(ratio), _error()
    shown = log_ratio + error * normals(setting.seed, f"culture:{name}:{one.endpoint}", 0, ratio.size)
    if one.form == "direction":
        wells = int(assays().culture["wells"])
        p = 2.0 * student.sf(np.abs(shown) / error, 2 * (wells - 1))
        sign = -1.0 if assays().readouts[one.endpoint].inhibition else 1.0
        return Basis(expected=sign * (ratio - 1.0), p_values=p, shifts=sign * np.sign(shown))
    if one.form == "contrast":
        if stated(one.contrast) == "ratio":
            return Basis(expected=ratio, simulated=np.exp(shown))
        level = _level(one.endpoint, np.ones_like(ratio))
        return Basis(
            expected=_level(one.endpoint, ratio) - level,
            simulated=_level(one.endpoint, np.exp(shown)) - level,
        )
    expected = _level(one.endpoint, ratio)
    spread = (WHOLE * ratio * float(assays().culture["well_sd"])) ** 2
    return Basis(expected=expected, spread=spread, simulated=_level(one.endpoint, np.exp(shown)))


def _level(endpoint: str, ratio: Values) -> Values:
    """A ratio as the assay prints it: percent of control, or percent that is lacking of it."""
    return WHOLE * (1.0 - ratio) if assays().readouts[endpoint].inhibition else WHOLE * ratio


def _error() -> float:
    table = assays().culture
    return float(table["well_sd"]) * float(np.sqrt(2.0 / int(table["wells"])))


def _times(study: Study) -> Values:
    end = max(study.duration_h, EVERY_H)
    return np.unique(np.append(np.arange(0.0, end, EVERY_H), end))


def _between(low: float, high: float, u: Values) -> Values:
    """Even on the log scale."""
    return np.exp(np.log(low) + (np.log(high) - np.log(low)) * u)


def _solved(
    setting: Setting, arm: Arm, given: bool, off: Sequence[str], touching: bool
) -> tuple[dict[str, Values], int]:
    study, model, count = setting.study, setting.model, setting.scored
    table, well = assays(), well_of(study, arm)
    rows = _parameters(setting)
    column = {name: k for k, name in enumerate(model.parameters)}
    place = {name: k for k, name in enumerate(model.states)}
    responders = model.initial(rows)[:, [place[n] for n in well.responder.cells]].sum(axis=1)
    for state, amount in well.responder.start.items():
        if state in well.responder.cells:
            responders = responders + amount - model.initial(rows)[:, place[state]]
    lung = model.initial(rows)[:, [place[n] for n in table.culture["lung_cells"]]].sum(axis=1)
    thinner = table.culture["lung_fluid_L"] / (table.culture["fluid_L_per_Gcell"] * responders)
    for factor in table.factors:
        rows[:, column[factor.secretion]] *= thinner
        rows[:, column[factor.loss]] = table.culture["factor_loss"]
    for mediator in table.mediators:
        for name in mediator.made:
            rows[:, column[name]] *= thinner
        rows[:, column[mediator.loss]] = table.culture["factor_loss"]
    for name in table.culture["diluted"]:
        rows[:, column[name]] *= thinner
    for name in table.culture["scaled"]:
        rows[:, column[name]] *= responders / lung
    for kind, cells in table.kinds.items():
        if kind != well.responder.kind:
            there = well.responder.company.get(kind, table.culture["trace"]) * responders
            whole = model.initial(rows)[:, [place[n] for n in cells]].sum(axis=1)
            for name in cells:
                rows[:, column[f"{name}_healthy"]] *= there / whole
    for name, value in table.set.items():
        rows[:, column[name]] = value
    if well.contact != CONTACT and not touching:
        for name, value in table.apart.items():
            rows[:, column[name]] = value
    parts = [part for part in (well.stimulus, well.responder) if part is not None]
    # What was done to cells that are not in the well is not done to the responders.
    medium = any(t.product.type in WITHOUT_CELLS for t in arm.treatments)
    parts += [] if medium else list(well.conditions)
    for part in parts:
        for name, value in part.set.items():
            rows[:, column[name]] = value
    start = model.initial(rows)
    for part in parts:
        for name, amount in part.start.items():
            start[:, place[name]] = amount
    if given:
        _give(setting, arm, well, rows, start, responders)
    for name in off:
        rows[:, column[name]] = 0.0
    outputs = tuple(dict.fromkeys(n for r in table.readouts.values() for n in (*r.of, *r.per)))
    values, failures = solve_twice(
        model, rows, _times(study), start, joined([]), outputs, workers=setting.workers, chunk=setting.chunk
    )
    return {name: values[:count, :, k] for k, name in enumerate(outputs)}, len(failures)


def _parameters(setting: Setting) -> Values:
    """float64[D, P], each draw's typical values: donors of responders do not differ within a draw."""
    model, draws = setting.model, setting.draws
    rows = np.tile(model.default_parameters, (setting.scored, 1))
    for k, name in enumerate(model.parameters):
        if name in draws.values:
            rows[:, k] = draws.values[name][: setting.scored]
    return rows


def _give(setting: Setting, arm: Arm, well: Well, rows: Values, start: Values, responders: Values) -> None:
    """Put the product into the wells."""
    model, table = setting.model, assays()
    column = {name: k for k, name in enumerate(model.parameters)}
    place = {name: k for k, name in enumerate(model.states)}
    count = setting.scored
    u = uniforms(setting.seed, "culture ratio", 0, count)
    low, high = (float(x) for x in table.culture["ratio"])
    cells = responders * (_between(low, high, u) if well.ratio is None else well.ratio)
    for treatment in arm.treatments:
        kind = treatment.product.type
        if kind == "ev":
            low, high = (float(x) for x in table.culture["particles"])
            start[:, place[table.culture["vesicles_enter"]]] += responders * _between(low, high, u)
        elif kind == "conditioned-medium":
            interferon = any(table.culture["interferon"] in part.start for part in well.conditions)
            licensed = interferon or any(part.licensed for part in well.conditions)
            share = 1.0 if licensed else rows[:, column[table.culture["resting"]]]
            for factor in table.factors:
                made = rows[:, column[factor.secretion]] * cells * table.culture["medium_h"]
                # Kynurenine needs interferon gamma; the others are secreted at rest too.
                part = float(interferon) if factor.needs_interferon else share
                start[:, place[factor.state]] += made * part
        elif kind == "apoptotic-cells":
            start[:, place[table.culture["dying_enter"]]] += cells
        elif kind == "cells":
            profile = lot_profile(
                treatment.product,
                key=setting.draws.key,
                draws=np.arange(count, dtype=np.intp),
                seed=setting.seed,
                in_blood=False,
                laboratory=setting.draws.laboratory,
            )
            for name, value in profile.parameters.items():
                if name in column:
                    rows[:, column[name]] = value
            donor = treatment.product.species or next((c.donor for c in well.conditions if c.donor), HUMAN)
            for name, acts in cross_reactivity(donor, setting.study.species).items():
                rows[:, column[name]] *= acts
            start[:, place[table.culture["cells_enter"]]] += cells * profile.viable
        elif kind not in ("control-cells", "heat-killed-cells", "vehicle"):
            raise Refusal("no such product in a culture", found=kind)
